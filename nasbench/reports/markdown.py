"""The leaderboard as the README of its folder: what was found, a picture, the table, how to check it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nasbench.reports.finals import (
    FinalRow,
    amount_text,
    error_text,
    failures_text,
    final_rows,
    interval_text,
    percent_text,
    ratio_text,
    short_id,
)
from nasbench.reports.leaderboard import Leaderboard, Panel
from nasbench.reports.retrained import best_trained, retraining_sentences
from nasbench.reports.trade_off_page import explained, ranked, share_text
from nasbench.reports.trade_offs import cost_name

_SPECIAL = re.compile(r"([\\`*_\[\]|~$])")
_LEADING = re.compile(
    r"^(\s*)(\d*)([-+#.)=!])"
)  # what makes a list, a heading or a rule at the start of a line


def render_markdown(leaderboard: Leaderboard, *, pictures: Sequence[tuple[str, str]]) -> str:
    """Write the README.

    Args:
        leaderboard: With its id.
        pictures: Panel name and file name of each drawn curve, as ``write_report`` wrote them.
    """
    panels = leaderboard.panels
    parts = [
        f"# {escape_markdown(leaderboard.title)}",
        f"Leaderboard `{short_id(leaderboard)}`. The whole report, with tests and settings, is `index.html`: "
        "open it in any browser.",
    ]
    drawn = dict(pictures)
    for panel in panels:
        if len(panels) > 1:
            parts.append(f"## {escape_markdown(panel.name)}")
        parts += _panel_parts(panel, drawn.get(panel.name))
    parts += [
        "## Check it",
        "With `DIR` this folder:",
        "```\nnasbench leaderboard verify DIR     # recompute the numbers from the records\n"
        "nasbench leaderboard reproduce DIR  # run the searches again and compare\n```",
        _facts(
            [
                ("Leaderboard", _code(leaderboard.id)),
                ("Records", _code(leaderboard.records_hash)),
                *(("Source", _code(panel.source)) for panel in panels),
                ("Program", f"nasbench {escape_markdown(leaderboard.nasbench_version)}"),
            ]
        ),
        "## Data",
        _facts(
            [
                (panel.name, f"{escape_text(panel.citation)} ({escape_text(panel.licence)})")
                for panel in panels
            ]
        ),
        "This file is generated; edit the suite, not this text.",
    ]
    return "\n\n".join(parts) + "\n"


def escape_markdown(text: str) -> str:
    """Escape what Markdown or HTML would take for markup; a line break becomes a space."""
    text = re.sub(r"\s+", " ", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LEADING.sub(r"\1\2\\\3", _SPECIAL.sub(r"\\\1", text))


def escape_text(text: str) -> str:
    """Escape running text but leave addresses whole, so that they stay links."""
    pieces = re.split(r"(https?://[^\s<>\"')\]|]+)", text)
    return "".join(piece if i % 2 else escape_markdown(piece) for i, piece in enumerate(pieces))


def _panel_parts(panel: Panel, picture: str | None) -> list[str]:
    parts = ["\n".join(f"- {escape_text(sentence)}" for sentence in panel.verdicts)] if panel.verdicts else []
    if picture is not None:
        caption = f"Error against {panel.axis} on {panel.name}"
        parts.append(f"![{escape_markdown(caption)}]({picture})")
        parts.append("Mean over runs; band: 95 % bootstrap interval of the mean.")
    parts.append(_table(panel))
    parts.append(
        "Errors in percent, mean ± standard deviation over runs. "
        "Bold: best, and every entry not separated from it. "
        f"Cost to target: {panel.axis} as a share of random search's."
    )
    parts += _trade_off_parts(panel)
    if panel.health:
        parts.append(
            "What is charged to searches that share weights is the search, measured or priced, and not the "
            "look-up of what it hands over. `index.html` and `health.csv` show their health, report by "
            "report: looked-up error, skip connections and, where watched, rank correlation and curvature."
        )
    parts += _retraining_parts(panel)
    if panel.warnings:
        parts.append(
            "\n".join(f"> **Mind:** {escape_text(warning)}\n>" for warning in panel.warnings).removesuffix(
                "\n>"
            )
        )
    failures = [
        f"- {escape_markdown(entry.label)}, seed {failure.seed}: {escape_text(failure.reason)}"
        for entry in panel.entries
        for failure in entry.failures
    ]
    if failures:
        parts += ["Failed runs:", "\n".join(failures)]
    charging = "; ".join(
        f"{name.replace('_', ' ')}: {value}" for name, value in sorted(panel.charging.items())
    )
    cluster = "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in sorted(panel.cluster.items()))
    parts.append(
        _facts(
            [
                ("Score", escape_text(f"{panel.score_note} {panel.target_note}".strip())),
                (
                    "Cost",
                    escape_text(
                        f"{panel.axis} charged on {panel.device}, budget {panel.budget} a run, "
                        f"workers: {panel.workers}"
                    ),
                ),
                *([("Charging", escape_text(charging))] if charging else []),
                *([("Simulated cluster", escape_text(cluster))] if cluster else []),
                (
                    "Space and data",
                    escape_text(f"{panel.space}, {panel.dataset}, {panel.epochs} epochs ({panel.kind})"),
                ),
            ]
        )
    )
    return parts


def _trade_off_parts(panel: Panel) -> list[str]:
    """Write the part on error against a cost, where the panel has one."""
    trade = panel.trade_off
    if trade is None:
        return []
    lines = [
        _cells(["strategy", "hypervolume", "95 %", "median", "architectures in a front", "runs"]),
        _cells(["---", "--:", "--:", "--:", "--:", "--:"]),
    ]
    for front in ranked(trade):
        interval = "–" if front.low is None else f"{share_text(front.low)} to {share_text(front.high)}"
        cells = [escape_markdown(front.label), share_text(front.mean), interval, share_text(front.median)]
        lines.append(_cells([*cells, amount_text(front.size), str(front.n)]))
    title = f"Error against {cost_name(trade.cost)}"
    return [f"**{escape_markdown(title)}**", "\n".join(lines), escape_text(explained(trade))]


def _retraining_parts(panel: Panel) -> list[str]:
    """Write what training the best of each row gave, where it was done."""
    found = panel.retraining
    if found is None:
        return []
    lines = [
        _cells(["strategy", "predicted", "by training", "best by training", "architectures"]),
        _cells(["---", "--:", "--:", "--:", "--:"]),
    ]
    for row in found.rows:
        errors = [percent_text(error) for error in (row.predicted, row.live, best_trained(row))]
        lines.append(_cells([escape_markdown(row.label), *errors, str(len(row.architectures))]))
    said = " ".join(retraining_sentences(found))
    return ["**The best of each row, trained live**", escape_text(said), "\n".join(lines)]


def _table(panel: Panel) -> str:
    names = [
        "#",
        "strategy",
        "mode",
        "error",
        "95 %",
        "median",
        "best",
        "regret",
        panel.axis,
        "evaluations",
        "cost to target",
        "runs",
        "failures",
    ]
    ruler = ["--:", "---", "---", *["--:"] * (len(names) - 3)]
    lines = [_cells([escape_markdown(name) for name in names]), _cells(ruler)]
    lines += [_cells(_row(position, row)) for position, row in enumerate(final_rows(panel), start=1)]
    return "\n".join(lines)


def _row(position: int, row: FinalRow) -> list[str]:
    name, error = escape_markdown(row.label), error_text(row)
    if row.is_reference:
        name = f"*{name}*"
    if row.strong:
        name, error = f"**{name}**", f"**{error}**"
    return [
        "" if row.is_reference or row.has_failed else str(position),
        name,
        escape_markdown(row.entry.mode) if row.entry else "reference",
        error,
        interval_text(row.low, row.high) or "–",
        percent_text(row.median),
        percent_text(row.best),
        percent_text(row.regret),
        amount_text(row.days),
        amount_text(row.evaluations),
        ratio_text(row),
        "–" if row.n is None else str(row.n),
        failures_text(row),
    ]


def _cells(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"- {escape_markdown(name)}: {text}" for name, text in facts)


def _code(text: str) -> str:
    """Quote as code; a text with backticks of its own is escaped instead."""
    return escape_markdown(text) if "`" in text else f"`{text}`"
