"""Lines of what is known without running a strategy: random search's exact expectation and the optimum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nasbench.reports.axes import Extent, Metric
from nasbench.reports.finals import RANDOM_LABEL, oracle_label
from nasbench.reports.leaderboard import Axis, Panel
from nasbench.reports.svg import INK
from nasbench.units import percent

_RANDOM_POINTS = 120  # the exact expectation has a point an evaluation; a chart needs no more than this


def reference_lines(
    axes: Any, panel: Panel, key: str, axis: Axis, metric: Metric, extent: Extent
) -> list[tuple[str, Any]]:
    """Draw the reference lines that belong to a chart.

    Args:
        axes: matplotlib axes with their limits set.
        panel: Whose references.
        key: Prefix of the element ids.
        axis: What x is.
        metric: What y is; ranks have no references.
        extent: Limits of the axes.

    Returns:
        Label and line of each, for a legend.
    """
    handles: list[tuple[str, Any]] = []
    reference = panel.reference
    optimum = reference.optimum_error
    if metric == "rank" or (metric == "regret" and optimum is None):
        return handles
    shift = optimum if metric == "regret" and optimum is not None else 0.0
    if reference.random is not None:
        xs = [float(v) for v in (reference.random.days if axis == "days" else reference.random.evaluations)]
        inside = [i for i, x in enumerate(xs) if extent.x_low <= x <= extent.x_high]
        kept = _thin([xs[i] for i in inside], log=extent.x_log)
        points = [(xs[inside[i]], percent(reference.random.error[inside[i]] - shift)) for i in kept]
        if points:
            (line,) = axes.plot(*zip(*points, strict=True), color=INK, linewidth=1.5, zorder=2.9)
            line.set_dashes((1.0, 1.6))
            line.set_gid(f"{key}-random-line")
            handles.append((RANDOM_LABEL, line))
    if metric == "error" and optimum is not None:
        line = axes.axhline(percent(optimum), color=INK, linewidth=1.0, zorder=1.9)
        line.set_gid(f"{key}-optimum-line")
        handles.append((oracle_label(panel), line))
    return handles


def _thin(xs: Sequence[float], *, log: bool) -> list[int]:
    """Choose positions evenly along the axis, ends kept."""
    import numpy as np

    if len(xs) <= _RANDOM_POINTS:
        return list(range(len(xs)))
    along = np.log(xs) if log else np.asarray(xs)
    wanted = np.linspace(along[0], along[-1], _RANDOM_POINTS)
    chosen = np.unique(np.searchsorted(along, wanted).clip(0, len(xs) - 1))
    return [int(i) for i in chosen]
