"""The figure of a retraining: what was predicted against what training gave, in the look of each row."""

from __future__ import annotations

from collections.abc import Mapping

from nasbench.reports.leaderboard import Panel
from nasbench.reports.looks import Look
from nasbench.reports.plots import open_axes
from nasbench.reports.retrained import METRICS
from nasbench.reports.svg import INK
from nasbench.units import percent


def draw_retraining(panel: Panel, index: int, looks: Mapping[str, Look]) -> str:
    """Draw each architecture's trainings over its prediction; ``""`` where nothing was trained.

    A dot is the mean of an architecture's trainings, the vertical line their range, the horizontal one the
    predicted interval; on the diagonal both are equal.

    Args:
        panel: Whose retraining.
        index: Position of the panel on the page, for ids.
        looks: Look of every label.
    """
    found = panel.retraining
    if found is None or found.difference is None:
        return ""
    metric = METRICS[found.metric]
    with open_axes(
        f"r{index}",
        f"{panel.name}: {metric} predicted and by training",
        f"predicted {metric} (%)",
        "by training (%)",
    ) as (axes, out):
        reached = []
        for row in found.rows:
            look = looks[row.label]
            for one in row.architectures:
                errors = [percent(error) for error in one.errors if error is not None]
                if not errors:
                    continue
                told, mean = percent(one.predicted), sum(errors) / len(errors)
                axes.plot(
                    [told, told], [min(errors), max(errors)], color=look.colour, linewidth=0.8, alpha=0.6
                )
                axes.plot(
                    [percent(one.low), percent(one.high)],
                    [mean, mean],
                    color=look.colour,
                    linewidth=0.5,
                    alpha=0.35,
                )
                axes.plot(
                    [told],
                    [mean],
                    linestyle="",
                    marker=look.marker,
                    markersize=4.2,
                    color=look.colour,
                    alpha=0.85,
                )
                reached += [told, *errors]
        low, high = min(reached), max(reached)
        axes.plot([low, high], [low, high], color=INK, linewidth=0.8)
    return out[0]
