"""The leaderboard as one HTML file that needs no network, no other file and, to be read, no JavaScript.

Curves and tables are in the markup; a small script adds values under the pointer, switches, sorting and
downloads. The content-security policy names the hash of that script, so nothing else on the page can run.
Same leaderboard, same bytes.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from nasbench.reports import finals, trade_off_page
from nasbench.reports.csvs import final_csv, number
from nasbench.reports.figures import Chart, charts_of, draw_chart
from nasbench.reports.finals import FinalRow, final_rows, oracle_label, short_id
from nasbench.reports.health_figures import draw_health
from nasbench.reports.latex import final_table
from nasbench.reports.leaderboard import Entry, Leaderboard, Panel
from nasbench.reports.looks import COLOURS, DARK_COLOURS, Look, leaderboard_looks
from nasbench.reports.retrained import best_trained, retraining_sentences
from nasbench.reports.retrained_figure import draw_retraining
from nasbench.reports.trade_off_page import draw_fronts
from nasbench.reports.trade_offs import cost_name
from nasbench.units import format_seconds, percent

_METRIC_NAMES = {"error": "error", "regret": "regret", "rank": "mean rank"}
# Outlines of matplotlib's markers in a box of 12 x 12 around (0, 0).
_MARKER_PATHS = {
    "o": "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z",
    "s": "M-3.2-3.2H3.2V3.2H-3.2z",
    "^": "M0-4L4 3.4H-4z",
    "v": "M0 4L4-3.4H-4z",
    "<": "M-4 0L3.4-4V4z",
    ">": "M4 0L-3.4-4V4z",
    "D": "M0-4.4L4.4 0L0 4.4L-4.4 0z",
    "P": "M-1.3-4H1.3V-1.3H4V1.3H1.3V4H-1.3V1.3H-4V-1.3H-1.3z",
    "X": "M-3.9-2L-2-3.9L0-1.9L2-3.9L3.9-2L1.9 0L3.9 2L2 3.9L0 1.9L-2 3.9L-3.9 2L-1.9 0z",
    "p": "M0-4L3.9-1.2L2.4 3.4H-2.4L-3.9-1.2z",
}


@dataclass(frozen=True, slots=True)
class PanelView:
    """What the template needs of one panel.

    Attributes:
        index: Position on the page.
        panel: The numbers.
        rows: The final table.
        charts: Every alternative that can be drawn, the main one first.
        failed: Entries with a failed run or trial.
        fronts: Drawn median fronts, ``""`` without any.
        health: Captions and figures of the searches that share weights.
        retrained: Drawn retraining, ``""`` without any.
    """

    index: int
    panel: Panel
    rows: list[FinalRow]
    charts: list[Chart]
    failed: list[Entry]
    fronts: Markup
    health: list[tuple[str, str]]
    retrained: Markup

    @property
    def metrics(self) -> list[str]:
        """Metrics that can be switched to."""
        return list(dict.fromkeys(chart.metric for chart in self.charts))

    @property
    def axes(self) -> list[str]:
        """Axes that can be switched to."""
        return list(dict.fromkeys(chart.axis for chart in self.charts))

    @property
    def oracle(self) -> str:
        """Name of the optimum line."""
        return oracle_label(self.panel)


def render_html(leaderboard: Leaderboard) -> str:
    """Write the whole page.

    Args:
        leaderboard: With its id.
    """
    looks = leaderboard_looks(leaderboard)
    views = [_view(index, panel, looks) for index, panel in enumerate(leaderboard.panels)]
    script = _template("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = _environment().get_template("page.html.j2")
    return page.render(
        board=leaderboard,
        views=views,
        looks=looks,
        overview=_overview(views),
        short_id=short_id(leaderboard),
        random_label=finals.RANDOM_LABEL,
        metric_names=_METRIC_NAMES,
        day_kinds=" or ".join(dict.fromkeys(panel.axis for panel in leaderboard.panels)) or "device-days",
        suite_json=json.dumps(leaderboard.suite, indent=2, sort_keys=True, ensure_ascii=False),
        final_csv=final_csv(leaderboard),
        tex=final_table(leaderboard),
        board_json=Markup(embedded_json(leaderboard)),
        style=Markup(_style()),
        script=Markup(script),
        script_hash=Markup(f"'sha256-{digest}'"),
        dotted=_line_swatch("0.5 3.6"),
        solid=_line_swatch(""),
    )


def embedded_json(leaderboard: Leaderboard) -> str:
    """Write the canonical JSON without blanks and with every ``<`` escaped, safe inside a script element."""
    text = json.dumps(
        leaderboard.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return text.replace("<", "\\u003c")


def _view(index: int, panel: Panel, looks: Mapping[str, Look]) -> PanelView:
    charts = [
        draw_chart(panel, index, axis=axis, metric=metric, looks=looks) for axis, metric in charts_of(panel)
    ]
    failed = [entry for entry in panel.entries if entry.failures or entry.failed_trials]
    fronts = Markup(draw_fronts(panel, index, looks))
    health = draw_health(panel, index, looks)
    retrained = Markup(draw_retraining(panel, index, looks))
    return PanelView(index, panel, final_rows(panel), charts, failed, fronts, health, retrained)


def _overview(views: list[PanelView]) -> list[tuple[str, list[FinalRow | None]]]:
    """Line up every label's final row over all panels; None where it did not take part."""
    by_panel = [{row.label: row for row in view.rows} for view in views]
    labels = dict.fromkeys(label for rows in by_panel for label in rows)
    return [(label, [rows.get(label) for rows in by_panel]) for label in labels]


@functools.cache  # compiling the templates takes longer than filling them
def _environment() -> Environment:
    names = [f"{name}.html.j2" for name in ("page", "panel", "health", "retrained", "trade_off", "verdicts")]
    environment = Environment(
        loader=DictLoader({name: _template(name) for name in names}),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["urlquote"] = _quoted
    environment.globals.update(
        error_text=finals.error_text,
        interval_text=finals.interval_text,
        percent_text=finals.percent_text,
        amount_text=finals.amount_text,
        ratio_text=finals.ratio_text,
        reached_text=finals.reached_text,
        failures_text=finals.failures_text,
        seconds_text=format_seconds,
        number=number,
        share_text=trade_off_page.share_text,
        ranked=trade_off_page.ranked,
        explained=trade_off_page.explained,
        retraining_sentences=retraining_sentences,
        best_trained=best_trained,
        cost_name=cost_name,
        cost_text=trade_off_page.cost_text,
        signed_text=_signed,
        p_text=_p_value,
        swatch=_swatch,
    )
    return environment


def _template(name: str) -> str:
    return (files("nasbench.reports") / "templates" / name).read_text(encoding="utf-8")


def _style() -> str:
    light = "".join(f"--c{i}:{colour};" for i, colour in enumerate(COLOURS))
    dark = "".join(f"--c{i}:{colour};" for i, colour in enumerate(DARK_COLOURS))
    return _template("page.css").replace("COLOURS", light).replace("DARK", dark)


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def _signed(difference: float) -> str:
    return f"{percent(difference):+.2f}".replace("-", "−")


def _p_value(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _swatch(look: Look) -> Any:
    dash = " ".join(f"{length * 1.7:.3g}" for length in look.dash)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return Markup(
        '<svg class="swatch" viewBox="-18 -6 36 12" aria-hidden="true">'
        f'<path d="M-17 0H17" fill="none" stroke="var(--c{look.tint})" stroke-width="2"{dashes}/>'
        f'<path d="{_MARKER_PATHS[look.marker]}" fill="var(--c{look.tint})"/></svg>'
    )


def _line_swatch(dash: str) -> Any:
    dashes = f' stroke-dasharray="{dash}" stroke-linecap="round"' if dash else ""
    return Markup(
        '<svg class="swatch" viewBox="-18 -6 36 12" aria-hidden="true">'
        f'<path d="M-17 0H17" fill="none" stroke="currentColor" stroke-width="1.6"{dashes}/></svg>'
    )
