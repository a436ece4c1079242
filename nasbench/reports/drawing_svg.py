"""Architectures drawn as SVG: the lanes of the text drawing, in colours that suit a light and a dark page.

The same architecture gives the same bytes. All names are escaped; a title and a description say in words what
is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from nasbench.reports.lanes import Row, lay_out
from nasbench.spaces.drawing import Graph

_ROW, _LANE, _MARGIN = 24, 20, 16  # pixels
_CHARACTER = 8.6  # pixels that a bold character of 13 pixels takes, on average, at most
_COLOURS = 6
_LONGEST = 64  # characters of a title that is drawn whole
# Okabe and Ito's colours, told apart by readers who see fewer; lighter ones where the page is dark.
_STYLE = """\
text { font: 13px system-ui, "Helvetica Neue", Arial, sans-serif; fill: #1c1c1c }
.name { font-weight: 600 } .faint { fill: #5d5d5d } .paper { fill: #ffffff }
path { fill: none; stroke-width: 2 }
.c0 { stroke: #0072b2 } .c1 { stroke: #b35900 } .c2 { stroke: #00795a }
.c3 { stroke: #a8447f } .c4 { stroke: #6b6b00 } .c5 { stroke: #4a4a8a }
circle { stroke-width: 2; fill: #ffffff }
@media (prefers-color-scheme: dark) {
text { fill: #ececec } .faint { fill: #a8a8a8 } .paper, circle { fill: #16181d }
.c0 { stroke: #56b4e9 } .c1 { stroke: #e69f00 } .c2 { stroke: #2fc79a }
.c3 { stroke: #dd8fbe } .c4 { stroke: #d6cf4a } .c5 { stroke: #a3a3ee }
}"""


def draw_svg(graphs: Sequence[Graph], *, title: str) -> str:
    """Draw graphs below one another, each under its name.

    Args:
        graphs: From ``nasbench.spaces.drawing.drawing``.
        title: What the picture shows; read out by screen readers, and drawn on top.
    """
    parts: list[str] = []
    words: list[str] = []
    top: float = _MARGIN + _ROW
    width = _MARGIN * 2 + _CHARACTER * min(len(title), _LONGEST)
    for graph in graphs:
        parts.append(_text(_MARGIN, top + _ROW / 2, graph.name, "faint"))
        top += _ROW
        rows, lanes = lay_out(graph)
        column = _MARGIN + lanes * _LANE + 8
        for row in rows:
            parts += _row(graph, row, top + _ROW / 2, column)
            if row.edge is not None:
                words.append(
                    f"{graph.nodes[row.edge.source]} to {graph.nodes[row.node]}"
                    + (f" by {row.edge.label}" if row.edge.label else "")
                )
            label = f"{row.edge.label} → {graph.nodes[row.node]}" if row.edge else graph.nodes[row.node]
            width = max(width, column + _CHARACTER * len(label) + _MARGIN)
            top += _ROW
        top += _ROW / 2
    size = f"{width:.0f}", f"{top:.0f}"
    described = "; ".join(words) or "; ".join(node for graph in graphs for node in graph.nodes)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}" '
            f'viewBox="0 0 {size[0]} {size[1]}" role="img" aria-labelledby="title description">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(described)}</desc>',
            f"<style>{_STYLE}</style>",
            '<rect class="paper" width="100%" height="100%"/>',
            _text(
                _MARGIN, _MARGIN + 4, title if len(title) <= _LONGEST else f"{title[: _LONGEST - 1]}…", "name"
            ),
            *parts,
            "</svg>",
            "",
        ]
    )


def _row(graph: Graph, row: Row, middle: float, column: float) -> list[str]:
    """Draw one row: the lanes that pass, then its node or its edge."""
    above, below = middle - _ROW / 2, middle + _ROW / 2
    drawn = [
        f'<path class="c{lane % _COLOURS}" d="M{_x(lane)} {above:g}V{below:g}"/>' for lane in row.passing
    ]
    x, colour = _x(row.lane), f"c{row.lane % _COLOURS}"
    if row.edge is None:
        if not row.ends:
            drawn.append(f'<path class="{colour}" d="M{x} {middle:g}V{below:g}"/>')
        drawn.append(f'<circle class="{colour}" cx="{x}" cy="{middle:g}" r="5"/>')
        drawn.append(_text(column, middle, graph.nodes[row.node], "name"))
        return drawn
    bend = f"M{x} {above:g}V{middle - 6:g}Q{x} {middle:g} {x + 6} {middle:g}H{column - 6:g}"
    drawn.append(f'<path class="{colour}" d="{bend}"/>')
    if not row.ends:
        drawn.append(f'<path class="{colour}" d="M{x} {above:g}V{below:g}"/>')
    arrow = f"→ {graph.nodes[row.node]}"
    drawn.append(_text(column, middle, f"{row.edge.label} {arrow}" if row.edge.label else arrow, ""))
    return drawn


def _x(lane: int) -> int:
    return _MARGIN + 6 + lane * _LANE


def _text(x: float, middle: float, text: str, kind: str) -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:g}" y="{middle + 4.5:g}">{escape(text)}</text>'
