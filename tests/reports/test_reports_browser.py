"""The page in a real browser: its own script runs under its own policy, and does what it says."""

import html
import json
import re
import shutil
import subprocess

import pytest

from nasbench.reports.html import render_html

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium browser on PATH"),
]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--window-size=1200,1600",
]

# Drives the page after its own script; the answers go into an attribute of the root.
DRIVER = """
(async () => {
  const answers = {};
  const one = (selector) => document.querySelector(selector);
  const visible = (c) => getComputedStyle(c).display !== "none";
  const shown = () => [...document.querySelectorAll(".chart")].filter(visible).map((c) => c.id);
  answers.first = shown();
  one('.toolbar button[data-m="regret"]').click();
  one('.toolbar button[data-x="evaluations"]').click();
  answers.second = shown();
  one('.legend button[data-s="0"]').click();
  answers.hidden = getComputedStyle(document.getElementById("p0-days-error-s0-line")).display;
  answers.pressed = one('.legend button[data-s="0"]').getAttribute("aria-pressed");
  answers.hash = location.hash;
  one(".legend .all").click();
  answers.back = getComputedStyle(document.getElementById("p0-days-error-s0-line")).display;
  const heads = [...document.querySelectorAll(".final thead th")];
  const head = heads.find((h) => h.textContent === "mean rank");
  head.querySelector("button").click();
  const names = () => [...document.querySelectorAll(".final tbody tr")].map((r) => r.cells[1].dataset.v);
  answers.rising = names(); answers.sort = head.getAttribute("aria-sort");
  head.querySelector("button").click();
  answers.falling = names();
  const canvas = one(".chart.on .canvas"), box = canvas.querySelector("svg").getBoundingClientRect();
  const place = { clientX: box.left + box.width * 0.8, clientY: box.top + box.height * 0.2 };
  canvas.dispatchEvent(new PointerEvent("pointermove", place));
  answers.tip = one(".chart.on .tip").textContent;
  canvas.dispatchEvent(new PointerEvent("pointerleave"));
  answers.gone = one(".chart.on .tip").hidden;
  canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft" }));
  answers.keyed = one(".chart.on .tip").textContent;
  const made = [];
  URL.createObjectURL = (blob) => { made.push(blob); return "#"; };
  for (const link of document.querySelectorAll("a[data-make]")) {
    link.addEventListener("click", (event) => event.preventDefault());
    link.click();
  }
  [answers.curves, answers.json] = await Promise.all(made.map((blob) => blob.text()));
  answers.wide = document.documentElement.scrollWidth > innerWidth;
  document.documentElement.dataset.answers = JSON.stringify(answers);
})();
"""


def dump(path, *flags, fragment=""):
    done = subprocess.run(
        [
            CHROMIUM,
            *FLAGS,
            *flags,
            f"--user-data-dir={path.parent / 'profile'}",
            "--dump-dom",
            path.as_uri() + fragment,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


@pytest.fixture
def written(tmp_path, page):
    path = tmp_path / "index.html"
    path.write_text(page, encoding="utf-8")
    return path


def test_the_script_runs_under_the_policy_of_the_page(written):
    assert 'data-ready="yes"' in dump(written)


def test_the_fragment_restores_the_view(written):
    dom = dump(written, fragment="#x=evaluations&m=rank&s=bananas")
    assert re.findall(r'<figure class="chart[^"]*\bon" id="([^"]+)"', dom) == ["p0-evaluations-rank"]
    assert dom.count('aria-pressed="false"') == 7 + 3


def test_the_controls_do_what_they_say(tmp_path, make_leaderboard, make_panel, relabel):
    label = 'less <b>, \\u003c and "quotes"'
    panel = relabel(make_panel(), label)
    board = make_leaderboard([panel], suite={"empty": {}, "none": [], "nested": [[], {"a": []}]})
    page = render_html(board)
    path = tmp_path / "driven.html"
    without_policy = re.sub(r"<meta http-equiv[^>]*>", "", page)
    path.write_text(without_policy.replace("</body>", f"<script>{DRIVER}</script></body>"), encoding="utf-8")
    found = re.search(r'data-answers="([^"]*)"', dump(path, "--virtual-time-budget=5000"))
    assert found is not None
    answers = json.loads(html.unescape(found[1]))
    assert answers["first"] == ["p0-days-error"]
    assert answers["second"] == ["p0-evaluations-regret"]
    assert (answers["hidden"], answers["pressed"]) == ("none", "false")
    assert answers["hash"].startswith("#x=evaluations&m=regret&s=regularized-evolution,local-search,")
    assert answers["back"] != "none"
    assert answers["sort"] == "ascending"
    assert answers["rising"][:2] == [label, "regularized-evolution"]
    assert answers["falling"][:2] == ["tpe", "darts"]
    assert answers["rising"][-2:] == answers["falling"][-2:]
    assert re.fullmatch(
        r"darts[\d.]+ evaluationsmean [\d.]+ %95 % [\d.]+ % to [\d.]+ %median [\d.]+ %", answers["tip"]
    )
    assert answers["gone"] is True
    assert "evaluations" in answers["keyed"]
    assert answers["json"] == board.canonical_json()
    assert len(answers["curves"].splitlines()) == 1 + 8 * 2 * 3 * 64
    assert answers["wide"] is False
