"""How a strategy looks in every chart: one colour, dash and marker a label, the same in all panels.

Colour alone never tells two series apart: dash and marker vary with it. The colours follow Okabe and Ito
2008 (hues that stay apart under the common colour deficiencies), darkened where they would be too pale on
white, with a lighter twin for dark pages. Dotted lines are kept for references.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nasbench.reports.leaderboard import Leaderboard

COLOURS = ("#0072b2", "#d55e00", "#008f68", "#c2599a", "#a97400", "#2f94d0", "#6d44a8", "#6b6b6b")
DARK_COLOURS = ("#4aa8e0", "#ff8a3d", "#2fc79b", "#eba0cd", "#e6b23a", "#8fd0f7", "#b394ea", "#b5b5b5")
DASHES: tuple[tuple[float, ...], ...] = ((), (5.0, 1.6), (5.0, 1.4, 1.2, 1.4))  # in line widths
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p")  # matplotlib's names


@dataclass(frozen=True, slots=True)
class Look:
    """The drawn identity of one label.

    Attributes:
        index: Position of the label in the order of first appearance: the ``s3`` of an element id.
        label: What the leaderboard calls the entry.
        colour: Hex colour on a light page.
        tint: Position in the palette: the page's ``var(--c3)``.
        dash: On-off lengths in line widths; ``()`` is a solid line.
        marker: matplotlib's name of the marker.
    """

    index: int
    label: str
    colour: str
    tint: int
    dash: tuple[float, ...]
    marker: str


def looks_of(labels: Iterable[str]) -> dict[str, Look]:
    """Give every distinct label its look, by order of first appearance."""
    distinct = list(dict.fromkeys(labels))
    return {label: _look(index, label) for index, label in enumerate(distinct)}


def leaderboard_looks(leaderboard: Leaderboard) -> dict[str, Look]:
    """Give every label of a leaderboard its look; a strategy keeps it from panel to panel."""
    return looks_of(entry.label for panel in leaderboard.panels for entry in panel.entries)


def _look(index: int, label: str) -> Look:
    tint = index % len(COLOURS)
    dash = DASHES[(tint + index // len(COLOURS)) % len(DASHES)]
    return Look(index, label, COLOURS[tint], tint, dash, MARKERS[index % len(MARKERS)])
