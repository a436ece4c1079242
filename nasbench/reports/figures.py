"""Anytime curves as SVG: error, regret and mean rank over charged days and over evaluations.

Curves are right-continuous steps with 95 % bands; where a curve is None it is not drawn. Every series is an
element of its own (``p0-days-error-s3-line``, ``-band``), so a page can hide it and a reviewer can diff it.
"""

from __future__ import annotations

import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nasbench.errors import BadOption
from nasbench.reports.axes import Extent, Metric, chart_extent, curve_of, tick_labels
from nasbench.reports.finals import RANDOM_LABEL, final_rows, oracle_label
from nasbench.reports.leaderboard import Axis, Curve, Panel
from nasbench.reports.looks import COLOURS, Look
from nasbench.reports.reference_lines import reference_lines
from nasbench.reports.svg import FAINT, INK, inline, standalone, tidy
from nasbench.units import percent

AXES: tuple[Axis, ...] = ("days", "evaluations")
METRICS: tuple[Metric, ...] = ("error", "regret", "rank")

_WIDTH, _HEIGHT = 460.8, 302.4  # points: 6.4 x 4.2 inches
_LEFT, _RIGHT, _TOP, _BOTTOM = 54.0, 10.0, 10.0, 42.0  # margins, points
_CROWD = 10  # more entries than this get paler bands, or nothing could be told apart


@dataclass(frozen=True, slots=True)
class Chart:
    """One drawn alternative of a panel.

    Attributes:
        key: Id prefix, ``p<panel>-<axis>-<metric>``.
        axis: What x is.
        metric: What y is.
        title: What the chart shows, for captions and screen readers.
        note: What a reader must know of the axes, or ``""``.
        svg: Markup, for a page or as a file.
        plot: Left, top, right and bottom of the plotting area in the units of the view box.
        extent: Limits and scales of both axes; y in what is printed (percent for errors).
    """

    key: str
    axis: Axis
    metric: Metric
    title: str
    note: str
    svg: str
    plot: tuple[float, float, float, float]
    extent: Extent


def charts_of(panel: Panel) -> list[tuple[Axis, Metric]]:
    """List the alternatives that a panel has anything to show for, the main one first."""
    return [(axis, metric) for metric in METRICS for axis in AXES if _has_values(panel, axis, metric)]


def draw_chart(
    panel: Panel,
    index: int,
    *,
    axis: Axis,
    metric: Metric,
    looks: Mapping[str, Look],
    alone: bool = False,
) -> Chart:
    """Draw one alternative.

    Args:
        panel: Whose curves.
        index: Position of the panel on the page, for ids.
        axis: What x is.
        metric: What y is.
        looks: Look of every label of the panel.
        alone: True for a file of its own: with a legend, fixed colours and a white ground.

    Raises:
        BadOption: The panel has no value of this metric over this axis.
    """
    extent = chart_extent(panel, axis, metric)
    if extent is None or not _has_values(panel, axis, metric):
        raise BadOption(
            f"metric: expected one of {charts_of(panel)} (= what panel {panel.name!r} has curves for), "
            f"got {(axis, metric)!r}. Draw one of those."
        )
    key = f"p{index}-{axis}-{metric}"
    plot = (_LEFT, _TOP, _WIDTH - _RIGHT, _HEIGHT - _BOTTOM)
    title = f"{panel.name}: {_METRIC_TITLES[metric]} against {_axis_title(panel, axis)}"
    text, width = _svg(panel, key, axis, metric, looks, extent, alone)
    if alone:
        drawing = standalone(text)
    else:
        variables = {colour: f"--c{tint}" for tint, colour in enumerate(COLOURS)}
        drawing = inline(text, title=html.escape(title), width=width, height=_HEIGHT, colours=variables)
    return Chart(key, axis, metric, title, extent.note, drawing, plot, extent)


_METRIC_TITLES: dict[Metric, str] = {"error": "error", "regret": "regret", "rank": "mean rank"}


def _axis_title(panel: Panel, axis: Axis) -> str:
    return panel.axis if axis == "days" else "evaluations"


def _y_label(metric: Metric) -> str:
    names: dict[Metric, str] = {
        "error": "error of the incumbent (%)",
        "regret": "regret: error above the optimum (%)",
        "rank": "mean rank (1 = best)",
    }
    return names[metric]


def _has_values(panel: Panel, axis: Axis, metric: Metric) -> bool:
    if axis not in panel.grids or chart_extent(panel, axis, metric) is None:
        return False
    curves = [curve_of(entry, axis, metric) for entry in panel.entries]
    return any(value is not None for curve in curves if curve for value in curve.mean)


def _svg(
    panel: Panel,
    key: str,
    axis: Axis,
    metric: Metric,
    looks: Mapping[str, Look],
    extent: Extent,
    alone: bool,
) -> tuple[str, float]:
    """Draw with matplotlib and tidy; returns the markup and its width in points."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    labels = [*(entry.label for entry in panel.entries), RANDOM_LABEL, oracle_label(panel)]
    width = _WIDTH + (60.0 + 5.2 * min(max(map(len, labels)), 44) if alone else 0.0)
    settings: dict[str, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": key,
        "path.simplify": False,
        "text.parse_math": False,
        "font.family": ["DejaVu Sans"],
        "font.size": 11.0,
        "text.color": INK,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "grid.color": FAINT,
        "axes.unicode_minus": False,
    }
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(width / 72.0, _HEIGHT / 72.0))
        FigureCanvasSVG(figure)
        figure.patch.set_facecolor("white" if alone else "none")
        box = (
            _LEFT / width,
            _BOTTOM / _HEIGHT,
            (_WIDTH - _LEFT - _RIGHT) / width,
            (_HEIGHT - _TOP - _BOTTOM) / _HEIGHT,
        )
        axes = figure.add_axes(box)
        _dress(axes, extent, x_label=_axis_title(panel, axis), y_label=_y_label(metric))
        handles = reference_lines(axes, panel, key, axis, metric, extent)
        fill = 0.14 if len(panel.entries) <= _CROWD else 0.06
        for order, entry in enumerate(panel.entries):
            curve = curve_of(entry, axis, metric)
            line = (
                _series(axes, panel.grids[axis], curve, looks[entry.label], key, metric, order, fill)
                if curve
                else None
            )
            if line is not None:
                handles.insert(order, (entry.label, line))
        if alone:
            place = {row.label: number for number, row in enumerate(final_rows(panel))}
            handles.sort(key=lambda handle: place.get(handle[0], len(place)))
            _legend(figure, handles, left=(_WIDTH + 6.0) / width)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return tidy(buffer.getvalue(), key=key), width


def _dress(axes: Any, extent: Extent, *, x_label: str, y_label: str) -> None:
    axes.set_facecolor("none")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_xscale("log" if extent.x_log else "linear")
    axes.set_yscale("log" if extent.y_log else "linear")
    axes.set_xlim(extent.x_low, extent.x_high)
    axes.set_ylim(extent.y_low, extent.y_high)
    axes.grid(True, linewidth=0.6)
    axes.set_axisbelow(True)
    for side, low, high, is_log in (
        (axes.xaxis, extent.x_low, extent.x_high, extent.x_log),
        (axes.yaxis, extent.y_low, extent.y_high, extent.y_log),
    ):
        marks = tick_labels(low, high, log=is_log)
        side.set_ticks([value for value, _ in marks], [text for _, text in marks])
        side.set_ticks([], minor=True)
    axes.tick_params(length=3.0, width=0.8)
    axes.set_xlabel(x_label + (" (log scale)" if extent.x_log else ""))
    axes.set_ylabel(y_label)


def _series(
    axes: Any,
    grid: Sequence[float],
    curve: Curve,
    look: Look,
    key: str,
    metric: Metric,
    order: int,
    fill: float,
) -> Any | None:
    """Draw one entry: its band below, its line above, a few markers along it."""
    import numpy as np
    from matplotlib.patches import PathPatch

    mean = _printed(curve.mean, metric)
    known = np.flatnonzero(np.isfinite(mean))
    if known.size == 0:
        return None
    x = np.asarray(grid, dtype=float)
    band = _band_path(x, _printed(curve.low, metric), _printed(curve.high, metric), floor=axes.get_ylim()[0])
    if band is not None:
        patch = PathPatch(band, facecolor=look.colour, alpha=fill, linewidth=0.0, zorder=2.0 + 0.01 * order)
        patch.set_gid(f"{key}-s{look.index}-band")
        axes.add_patch(patch)
    spacing = max(1, known.size // 6)
    (line,) = axes.plot(
        x,
        mean,
        drawstyle="steps-post",
        color=look.colour,
        linewidth=1.6,
        marker=look.marker,
        markersize=5.0,
        markevery=[int(i) for i in known[(order * spacing) // 5 % spacing :: spacing]],
        zorder=3.0 + 0.01 * order,
    )
    if look.dash:
        line.set_dashes(look.dash)
    line.set_gid(f"{key}-s{look.index}-line")
    return line


def _band_path(x: Any, low: Any, high: Any, *, floor: float) -> Any | None:
    """Outline the band between two step curves, one closed piece a stretch without gaps."""
    import numpy as np
    from matplotlib.path import Path

    inside = np.flatnonzero(np.isfinite(low) & np.isfinite(high))
    pieces = []
    for run in np.split(inside, np.flatnonzero(np.diff(inside) > 1) + 1):
        if run.size < 2 or not np.any(high[run] > low[run]):
            continue
        across = np.repeat(x[run], 2)[1:]
        top, bottom = np.repeat(high[run], 2)[:-1], np.maximum(np.repeat(low[run], 2)[:-1], floor)
        outline = np.concatenate([np.column_stack([across, top]), np.column_stack([across, bottom])[::-1]])
        pieces.append(Path(np.concatenate([outline, outline[:1]]), closed=True))
    return Path.make_compound_path(*pieces) if pieces else None


def _legend(figure: Any, handles: list[tuple[str, Any]], *, left: float) -> None:
    """Set the legend beside the plot; labels are set as text so that none is read as markup or dropped."""
    box = figure.legend(
        [handle for _, handle in handles],
        [str(number) for number in range(len(handles))],
        loc="upper left",
        bbox_to_anchor=(left, 1.0),
        frameon=False,
        fontsize=9.5 if len(handles) <= 17 else 7.0,
        handlelength=3.0,
    )
    for text, (label, _) in zip(box.get_texts(), handles, strict=True):
        text.set_text(label if len(label) <= 44 else label[:43] + "…")


def _printed(values: Sequence[float | None], metric: Metric) -> Any:
    """Turn fractions into what the axis prints; None becomes nan, which is not drawn."""
    import numpy as np

    return np.array([np.nan if v is None else v if metric == "rank" else percent(v) for v in values])
