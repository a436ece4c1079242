"""Figures of the health section: one line a strategy, in the look that it has in the curves above."""

from __future__ import annotations

from collections.abc import Mapping

from nasbench.reports.leaderboard import EntryHealth, HealthCurve, Panel
from nasbench.reports.looks import Look
from nasbench.reports.plots import Series, draw_lines
from nasbench.units import percent

QUANTITIES = ("error", "skip_share", "tau", "eigenvalue")
_TITLES = {
    "error": "Looked-up error of the architecture that the search would hand over, over its reports.",
    "skip_share": "Share of the edges of that architecture with a skip connection.",
    "tau": "Rank correlation (Kendall tau) of one-shot scores with recorded errors.",
    "eigenvalue": "Dominant eigenvalue of the validation loss's Hessian in the architecture's parameters.",
}
_Y_LABELS = {
    "error": "looked-up error (%)",
    "skip_share": "share of skip connections",
    "tau": "Kendall tau",
    "eigenvalue": "dominant eigenvalue",
}


def curve_of(entry: EntryHealth, quantity: str) -> HealthCurve | None:
    """Return one curve of a row; None where nothing was noted."""
    curve: HealthCurve | None = getattr(entry, quantity)
    return curve


def draw_health(panel: Panel, index: int, looks: Mapping[str, Look]) -> list[tuple[str, str]]:
    """Draw what a panel's health has values for; (caption, markup) each.

    Args:
        panel: Whose health.
        index: Position of the panel on the page, for ids.
        looks: Look of every label.
    """
    if panel.health is None:
        return []
    drawn = []
    for quantity in QUANTITIES:
        series, own = [], []
        for entry in panel.health.entries:
            curve = curve_of(entry, quantity)
            if curve is not None:
                is_error = quantity == "error"
                values = [percent(value) for value in curve.mean] if is_error else curve.mean
                series.append(Series("", curve.reports, values))
                own.append(looks[entry.label])
        if series:
            drawing = draw_lines(
                f"h{index}-{quantity}",
                f"{panel.name}: {_TITLES[quantity]}",
                series,
                x_label="reports of the search",
                y_label=_Y_LABELS[quantity],
                looks=own,
            )
            drawn.append((f"{_TITLES[quantity]} Mean over runs; strategies as in the legend above.", drawing))
    return drawn
