"""Where a chart's axes begin and end, and where their ticks stand.

Days and evaluations run on a logarithmic axis where they start above zero; error and rank on a linear one,
regret on a logarithmic one. The first moments of a search are far above everything that matters, so the
error axis is cut above what the curves show after the first 45 % of the axis, and above curves that end
far from all others; the chart says so.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from nasbench.reports.leaderboard import Axis, Curve, Entry, Panel
from nasbench.units import percent

Metric = Literal["error", "regret", "rank"]

_LATE = 0.45  # share of the x axis (on its own scale) after which nothing may be cut off
_PAD = 0.06  # share of the y range left free above and below
_FAR = 6.0  # times the distance of the median end from the best end


@dataclass(frozen=True, slots=True)
class Extent:
    """Limits and scales of a chart; y is in what the axis prints.

    Attributes:
        x_low: Left end, days or evaluations.
        x_high: Right end.
        x_log: True for a logarithmic x axis.
        y_low: Lower end, percent or rank.
        y_high: Upper end.
        y_log: True for a logarithmic y axis.
        note: What the axes leave out, or ``""``.
    """

    x_low: float
    x_high: float
    x_log: bool
    y_low: float
    y_high: float
    y_log: bool
    note: str


def chart_extent(panel: Panel, axis: Axis, metric: Metric) -> Extent | None:
    """Choose limits that show every curve where it matters; None where no curve has a value."""
    grid = x_values(panel, axis)
    curves = [curve for curve in (curve_of(entry, axis, metric) for entry in panel.entries) if curve]
    known = [i for i in range(len(grid)) if any(curve.mean[i] is not None for curve in curves)]
    if not known:
        return None
    x_low, x_high = grid[known[0]], grid[-1]
    x_log = x_low > 0 and x_high / x_low > 3.0
    if x_high <= x_low:
        x_low, x_high = (x_low / 1.5, x_high * 1.5) if x_low > 0 else (x_low - 1.0, x_high + 1.0)
    late = _late_start(x_low, x_high, log=x_log)
    first_late = next((i for i in known if grid[i] >= late), known[-1])
    if metric == "rank":
        worst = max(len(panel.entries), 2)
        return Extent(x_low, x_high, x_log, 0.7, worst + 0.3, False, "")
    if metric == "regret":
        return _regret_extent(curves, x_low, x_high, x_log)
    floor = [] if panel.reference.optimum_error is None else [percent(panel.reference.optimum_error)]
    near = _near_the_best(curves)
    bottom = min([*_shown(curves, "low", 0), *_shown(curves, "mean", 0), *floor])
    top = max([*_shown(near, "mean", first_late), *_shown(near, "high", first_late)])
    pad = _PAD * (top - bottom) or 0.05 * top or 1.0
    y_low, y_high = max(0.0, bottom - pad), top + pad
    beyond = max(_shown(curves, "mean", 0)) > y_high
    note = (
        f"Values above {y_high:.3g} % are cut off; the table and the downloads have them." if beyond else ""
    )
    return Extent(x_low, x_high, x_log, y_low, y_high, False, note)


def _near_the_best(curves: list[Curve]) -> list[Curve]:
    """Leave out curves that end far above the others, so that one bad row does not flatten the rest.

    Far is more than ``_FAR`` times as far from the best end as the median end is.
    """
    ends = [_shown([curve], "mean", 0)[-1] for curve in curves if any(v is not None for v in curve.mean)]
    best, median = min(ends), statistics.median(ends)
    limit = best + _FAR * max(median - best, 0.01 * best)
    return [curve for curve in curves if (shown := _shown([curve], "mean", 0)) and shown[-1] <= limit]


def x_values(panel: Panel, axis: Axis) -> list[float]:
    """Return the grid of an axis, empty where the panel has none."""
    return panel.grids.get(axis, [])


def tick_labels(low: float, high: float, *, log: bool) -> list[tuple[float, str]]:
    """Place between three and nine ticks on round numbers and write them plainly.

    Args:
        low: Lower end of the axis, positive where ``log``.
        high: Upper end, above ``low``.
        log: True for a logarithmic axis.
    """
    values = _log_ticks(low, high) if log else _linear_ticks(low, high)
    return [(value, _plain(value)) for value in values]


def _regret_extent(curves: list[Curve], x_low: float, x_high: float, x_log: bool) -> Extent | None:
    positive = [value for value in _shown(curves, "mean", 0) if value > 0]
    if not positive:
        return None
    y_high = max([*positive, *_shown(curves, "high", 0)]) * 1.15
    y_low = max(min(positive) * 0.5, y_high * 1e-5)
    some_zero = min(_shown(curves, "mean", 0)) <= 0
    note = "A curve that leaves through the bottom has reached the optimum in every run." if some_zero else ""
    return Extent(x_low, x_high, x_log, y_low, y_high, True, note)


def curve_of(entry: Entry, axis: Axis, metric: Metric) -> Curve | None:
    """Return one curve of an entry, None where it has none."""
    curves = entry.curves.get(axis)
    if curves is None:
        return None
    return {"error": curves.error, "regret": curves.regret, "rank": curves.rank}[metric]


def _shown(curves: list[Curve], part: Literal["mean", "low", "high"], start: int) -> list[float]:
    """Collect what is known of all curves from a grid position on, in percent."""
    return [percent(value) for value in _values(curves, part, start) if value is not None]


def _values(curves: list[Curve], part: str, start: int) -> Iterator[float | None]:
    for curve in curves:
        yield from getattr(curve, part)[start:]


def _late_start(low: float, high: float, *, log: bool) -> float:
    return low * (high / low) ** _LATE if log else low + _LATE * (high - low)


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for multiples in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)):
        ticks = [m * 10.0**d for d in decades for m in multiples]
        inside = [tick for tick in ticks if low * 0.9999 <= tick <= high * 1.0001]
        if len(inside) >= 4:
            return inside
    return inside if len(inside) >= 2 else _linear_ticks(low, high)


def _linear_ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / 5.0
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(m * size for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * size >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    count = math.floor(high / step + 1e-9) - first + 1
    return [round((first + i) * step, 12) for i in range(count)]


def _plain(value: float) -> str:
    if value and (abs(value) >= 1e6 or abs(value) < 1e-4):
        return f"{value:.3g}".replace("e+0", "e").replace("e-0", "e-")
    return f"{round(value, 10):,.10g}"
