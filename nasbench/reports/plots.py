"""Small figures of the pages besides the leaderboard: lines and points, coloured by the page."""

from __future__ import annotations

import html
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from nasbench.reports.looks import COLOURS, Look
from nasbench.reports.svg import FAINT, INK, inline, tidy

_WIDTH, _HEIGHT = 380.0, 250.0  # points
_BOX = (0.15, 0.17, 0.82, 0.78)  # left, bottom, width, height of the plotting area, as shares
_FEWEST_DOTS = 40  # beyond so many values a line has no dots


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one line or cloud.

    Attributes:
        label: Name in the legend; ``""`` for none.
        x: Horizontal values.
        y: Vertical values; nan leaves a gap.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]


def draw_lines(
    key: str,
    title: str,
    series: Sequence[Series],
    *,
    x_label: str,
    y_label: str,
    steps: bool = False,
    looks: Sequence[Look] | None = None,
) -> str:
    """Draw lines over a common axis; returns markup for a page.

    Args:
        key: Prefix of ids, unique on the page.
        title: For screen readers.
        series: Up to as many as there are colours, or as there are looks.
        x_label: Horizontal axis.
        y_label: Vertical axis.
        steps: Whether a value holds until the next one.
        looks: Colour and dash of each series; None gives each the next colour.
    """
    drawn = [(colour, "-") for colour in COLOURS] if looks is None else [_stroke(look) for look in looks]
    with open_axes(key, title, x_label, y_label) as (axes, out):
        for one, (colour, dash) in zip(series, drawn, strict=False):
            axes.plot(
                one.x,
                one.y,
                color=colour,
                linestyle=dash,
                linewidth=1.6,
                marker="o" if len(one.x) <= _FEWEST_DOTS else "",
                markersize=3.0,
                label=one.label,
                drawstyle="steps-post" if steps else "default",
            )
        _legend(axes, series)
    return out[0]


def _stroke(look: Look) -> tuple[str, Any]:
    """Return matplotlib's colour and line style of a look."""
    return look.colour, (0, look.dash) if look.dash else "-"


def draw_points(
    key: str,
    title: str,
    series: Sequence[Series],
    *,
    x_label: str,
    y_label: str,
    diagonal: bool = False,
    horizontal: float | None = None,
) -> str:
    """Draw clouds of points; returns markup for a page.

    Args:
        key: Prefix of ids, unique on the page.
        title: For screen readers.
        series: Clouds.
        x_label: Horizontal axis.
        y_label: Vertical axis.
        diagonal: Whether to draw the line on which both are equal.
        horizontal: Height of a reference line.
    """
    with open_axes(key, title, x_label, y_label) as (axes, out):
        for one, colour in zip(series, COLOURS, strict=False):
            axes.plot(
                one.x,
                one.y,
                linestyle="",
                marker="o",
                markersize=2.6,
                color=colour,
                alpha=0.5,
                label=one.label,
            )
        if diagonal:
            low = max(axes.get_xlim()[0], axes.get_ylim()[0])
            high = min(axes.get_xlim()[1], axes.get_ylim()[1])
            axes.plot([low, high], [low, high], color=INK, linewidth=0.8)
        if horizontal is not None:
            axes.axhline(horizontal, color=INK, linewidth=0.8)
        _legend(axes, series)
    return out[0]


@contextmanager
def open_axes(key: str, title: str, x_label: str, y_label: str) -> Iterator[tuple[Any, list[str]]]:
    """Open axes in the look of the leaderboard's; on leaving, the list holds the markup.

    Args:
        key: Prefix of ids, unique on the page.
        title: For screen readers.
        x_label: Horizontal axis.
        y_label: Vertical axis.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings: dict[str, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": key,
        "text.parse_math": False,
        "font.family": ["DejaVu Sans"],
        "font.size": 10.0,
        "text.color": INK,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "grid.color": FAINT,
        "axes.unicode_minus": False,
    }
    out: list[str] = []
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(_WIDTH / 72.0, _HEIGHT / 72.0))
        FigureCanvasSVG(figure)
        figure.patch.set_facecolor("none")
        axes: Any = figure.add_axes(_BOX)
        axes.set_facecolor("none")
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.grid(True, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        yield axes, out
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    variables = {colour: f"--c{tint}" for tint, colour in enumerate(COLOURS)}
    text = tidy(buffer.getvalue(), key=key)
    out.append(inline(text, title=html.escape(title), width=_WIDTH, height=_HEIGHT, colours=variables))


def _legend(axes: Any, series: Sequence[Series]) -> None:
    if any(one.label for one in series):
        axes.legend(frameon=False, fontsize=9.0)
