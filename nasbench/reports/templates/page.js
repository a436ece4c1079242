"use strict";
(() => {
  const root = document.documentElement;
  const boardText = document.getElementById("board").textContent;
  const board = JSON.parse(boardText);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const labels = [...new Set(board.panels.flatMap((panel) => panel.entries.map((entry) => entry.label)))];
  const state = { x: "days", m: "error", hidden: new Set() };

  // ---- the view, kept in the fragment: #x=days&m=error&s=shown,labels
  function readFragment() {
    const parts = Object.fromEntries(location.hash.slice(1).split("&").map((part) => part.split("=")));
    if (!("x" in parts || "m" in parts || "s" in parts)) return;
    if (["days", "evaluations"].includes(parts.x)) state.x = parts.x;
    if (["error", "regret", "rank"].includes(parts.m)) state.m = parts.m;
    state.hidden = new Set();
    if (parts.s !== undefined) {
      let shown = [];
      try { shown = parts.s.split(",").map(decodeURIComponent); } catch { return; }
      labels.forEach((label, s) => { if (!shown.includes(label)) state.hidden.add(s); });
    }
  }
  function writeFragment() {
    const shown = labels.filter((_, s) => !state.hidden.has(s)).map(encodeURIComponent).join(",");
    const list = state.hidden.size ? "&s=" + shown : "";
    history.replaceState(null, "", "#x=" + state.x + "&m=" + state.m + list);
  }
  function show() {
    for (const panel of all(".panel")) {
      const charts = all(".chart", panel);
      const pick = charts.find((c) => c.dataset.x === state.x && c.dataset.m === state.m)
        || charts.find((c) => c.dataset.m === state.m) || charts[0];
      for (const chart of charts) chart.classList.toggle("on", chart === pick);
      for (const button of all(".toolbar button", panel)) {
        const kind = button.dataset.x ? "x" : "m";
        button.setAttribute("aria-pressed", String(Boolean(pick) && pick.dataset[kind] === button.dataset[kind]));
      }
    }
    for (const part of all('.chart [id$="-line"], .chart [id$="-band"]')) {
      const match = /-s(\d+)-(?:line|band)$/.exec(part.id);
      if (match) part.classList.toggle("off", state.hidden.has(Number(match[1])));
    }
    for (const button of all(".legend button[data-s]"))
      button.setAttribute("aria-pressed", String(!state.hidden.has(Number(button.dataset.s))));
    for (const button of all(".legend .all")) button.hidden = state.hidden.size === 0;
  }
  function change(action) { action(); show(); writeFragment(); }

  for (const button of all(".toolbar button"))
    button.addEventListener("click", () => change(() => {
      if (button.dataset.x) state.x = button.dataset.x; else state.m = button.dataset.m;
    }));
  for (const button of all(".legend button[data-s]"))
    button.addEventListener("click", () => change(() => {
      const s = Number(button.dataset.s);
      if (!state.hidden.delete(s)) state.hidden.add(s);
    }));
  for (const button of all(".legend .all")) button.addEventListener("click", () => change(() => state.hidden.clear()));
  addEventListener("hashchange", () => { readFragment(); show(); });

  // ---- values at the nearest grid point of the nearest curve
  const NS = "http://www.w3.org/2000/svg";
  const short = (v) => (v === 0 ? "0" : Math.abs(v) >= 1000 ? Math.round(v).toLocaleString("en") : String(+v.toPrecision(3)));
  function hover(figure) {
    const panel = board.panels[Number(figure.closest(".panel").dataset.panel)];
    const { x: axis, m: metric } = figure.dataset;
    const [left, top, right, bottom] = figure.dataset.plot.split(" ").map(Number);
    const [xLow, xHigh, yLow, yHigh] = figure.dataset.extent.split(" ").map(Number);
    const scale = (log, low, high, from, to) => {
      const f = log ? Math.log : (v) => v;
      return (v) => from + ((f(v) - f(low)) / (f(high) - f(low))) * (to - from);
    };
    const toX = scale(figure.dataset.log.includes("x"), xLow, xHigh, left, right);
    const toY = scale(figure.dataset.log.includes("y"), yLow, yHigh, bottom, top);
    const printed = (v) => (metric === "rank" ? v : v * 100);
    const grid = panel.grids[axis].map(toX);
    const series = panel.entries.map((entry) => ({ s: labels.indexOf(entry.label), label: entry.label, curve: entry.curves[axis]?.[metric] }))
      .filter(({ curve }) => curve && curve.mean.some((v) => v !== null));
    const canvas = figure.querySelector(".canvas"), svg = canvas.querySelector("svg");
    const dot = document.createElementNS(NS, "circle");
    dot.setAttribute("r", "4.5"); dot.setAttribute("fill", "none"); dot.setAttribute("stroke", "currentColor");
    dot.setAttribute("stroke-width", "1.8"); dot.classList.add("off", "dot"); svg.append(dot);
    const tip = document.createElement("div");
    tip.className = "tip"; tip.hidden = true; tip.setAttribute("role", "status"); canvas.append(tip);
    let at = null;
    const visible = () => series.filter(({ s }) => !state.hidden.has(s));
    const height = (one, i) => {
      const v = one.curve.mean[i];
      return v === null ? null : Math.min(bottom, Math.max(top, printed(v) > 0 || metric !== "regret" ? toY(printed(v)) : bottom));
    };
    function mark(s) { for (const e of all("[data-s]", figure.closest(".panel"))) e.classList.toggle("near", Number(e.dataset.s) === s); }
    function clear() { at = null; tip.hidden = true; dot.classList.add("off"); mark(-1); }
    function place(one, i) {
      at = { one, i };
      const value = (part) => (one.curve[part][i] === null ? null : printed(one.curve[part][i]));
      const text = (v) => (metric === "rank" ? v.toFixed(2) : v.toFixed(2) + " %");
      const line = (words) => { const div = document.createElement("div"); div.textContent = words; return div; };
      const name = document.createElement("b");
      name.textContent = one.label;
      const rows = [name, line(short(panel.grids[axis][i]) + " " + (axis === "days" ? panel.axis : "evaluations")), line("mean " + text(value("mean")))];
      if (value("low") !== null && value("high") !== null) rows.push(line("95 % " + text(value("low")) + " to " + text(value("high"))));
      if (value("median") !== null) rows.push(line("median " + text(value("median"))));
      tip.replaceChildren(...rows);
      tip.hidden = false; dot.classList.remove("off");
      const y = height(one, i), k = svg.clientWidth / svg.viewBox.baseVal.width;
      dot.setAttribute("cx", grid[i]); dot.setAttribute("cy", y);
      const half = grid[i] > (left + right) / 2;
      tip.style.left = Math.max(0, half ? grid[i] * k - tip.offsetWidth - 12 : Math.min(grid[i] * k + 12, canvas.clientWidth - tip.offsetWidth)) + "px";
      tip.style.top = Math.max(0, y * k - tip.offsetHeight - 12) + "px";
      mark(one.s);
    }
    canvas.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect(), k = svg.viewBox.baseVal.width / box.width;
      const px = (event.clientX - box.left) * k, py = (event.clientY - box.top) * k;
      if (px < left - 8 || px > right + 8 || py < top - 8 || py > bottom + 8) return clear();
      let i = 0;
      grid.forEach((g, j) => { if (Math.abs(g - px) < Math.abs(grid[i] - px)) i = j; });
      let best = null;
      for (const one of visible()) {
        const y = height(one, i);
        if (y !== null && (best === null || Math.abs(y - py) < best.gap)) best = { one, gap: Math.abs(y - py) };
      }
      if (best) place(best.one, i); else clear();
    });
    canvas.addEventListener("pointerleave", clear);
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "group");
    canvas.setAttribute("aria-label", "Chart: left and right move along a curve, up and down change the curve");
    canvas.addEventListener("blur", clear);
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (event.key === "Escape") return clear();
      const shown = visible();
      if (!step || !shown.length) return;
      event.preventDefault();
      const i = at ? Math.min(grid.length - 1, Math.max(0, at.i + step[0])) : grid.length - 1;
      const known = shown.filter((one) => height(one, i) !== null).sort((a, b) => height(a, i) - height(b, i));
      if (!known.length) return;
      const here = at ? known.indexOf(at.one) : known.length - 1;
      place(known[Math.min(known.length - 1, Math.max(0, (here < 0 ? 0 : here) + (at ? step[1] : 0)))], i);
    });
  }

  // ---- tables that sort from the keyboard; missing values stay last
  function sortable(table) {
    const heads = all("thead th", table), body = table.tBodies[0];
    heads.forEach((head, column) => {
      if (!head.dataset.sort) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const key = (row) => row.cells[column].dataset.v ?? "";
        const rows = [...body.rows].sort((a, b) => {
          const [p, q] = [key(a), key(b)];
          if (p === "" || q === "") return (p === "") - (q === "");
          const order = head.dataset.sort === "number" ? Number(p) - Number(q) : p.localeCompare(q, "en");
          return down ? -order : order;
        });
        body.append(...rows);
      });
    });
  }

  // ---- downloads without a network: rebuilt from the data in this page
  function indented(text) { // the exact bytes of leaderboard.json: Python's json.dumps(indent=1)
    let out = "", depth = 0;
    const gap = () => "\n" + " ".repeat(depth);
    for (const token of text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
      if (token === "{" || token === "[") { depth += 1; out += token + gap(); }
      else if (token === "}" || token === "]") {
        depth -= 1;
        out = /[{[]\s*$/.test(out.slice(-60)) ? out.trimEnd() + token : out + gap() + token;
      }
      else if (token === ",") out += "," + gap();
      else if (token === ":") out += ": ";
      else out += token.replace(/\\(u003c|.)/g, (whole, what) => (what === "u003c" ? "<" : whole));
    }
    return out + "\n";
  }
  function curvesCsv() {
    const cell = (v) => (v === null ? "" : /[",\r\n]/.test(String(v)) ? '"' + String(v).replaceAll('"', '""') + '"' : String(v));
    const lines = ["panel,label,axis,metric,x,mean,low,high,median"];
    for (const panel of board.panels)
      for (const entry of panel.entries)
        for (const axis of Object.keys(entry.curves).sort())
          for (const metric of ["error", "regret", "rank"]) {
            const curve = entry.curves[axis][metric];
            if (curve) panel.grids[axis].forEach((x, i) => lines.push(
              [panel.name, entry.label, axis, metric, x, curve.mean[i], curve.low[i], curve.high[i], curve.median[i]].map(cell).join(",")));
          }
    return lines.join("\n") + "\n";
  }
  function chartSvg(figure) {
    const copy = figure.querySelector("svg").cloneNode(true);
    for (const part of all(".off, .dot", copy)) part.remove();
    copy.setAttribute("style", "color:#222;font-family:sans-serif;background:#fff");
    return new XMLSerializer().serializeToString(copy);
  }
  const makers = { json: [() => indented(boardText), "application/json"], curves: [curvesCsv, "text/csv"] };
  function offer(link, make, type) {
    link.addEventListener("click", () => {
      const address = URL.createObjectURL(new Blob([make()], { type: type + ";charset=utf-8" }));
      link.href = address;
      setTimeout(() => URL.revokeObjectURL(address), 60000);
    });
  }
  for (const link of all("a[data-make]")) offer(link, ...makers[link.dataset.make]);

  for (const figure of all(".chart")) {
    hover(figure);
    const link = document.createElement("a");
    link.textContent = "Save this chart (SVG)";
    link.href = "#";
    link.download = figure.id + ".svg";
    offer(link, () => chartSvg(figure), "image/svg+xml");
    figure.querySelector("figcaption").append(" ", link);
  }
  for (const table of all("table.sortable")) sortable(table);
  for (const bar of all(".toolbar")) bar.hidden = false;
  addEventListener("beforeprint", () => { for (const d of all("details")) d.open = true; });
  readFragment();
  show();
  root.dataset.ready = "yes";
})();
