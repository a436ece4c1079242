"""Architectures drawn as text, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from nasbench.reports.lanes import Row, lay_out
from nasbench.spaces.drawing import Graph


def draw_text(graphs: Sequence[Graph]) -> str:
    """Draw graphs below one another, each under its name.

    A line with a dot is a node; a line that branches off is an edge, with what it does and where it leads.
    """
    return "\n\n".join("\n".join([graph.name, *_lines(graph)]) for graph in graphs)


def _lines(graph: Graph) -> list[str]:
    if not graph.edges:
        return [f"  {node}" for node in graph.nodes]
    rows, lanes = lay_out(graph)
    widest = max(len(edge.label) for edge in graph.edges)
    lines = []
    for row in rows:
        if row.edge is None:
            text = graph.nodes[row.node]
        else:
            label = f"{row.edge.label:<{widest}} " if widest else ""
            text = f"{label}→ {graph.nodes[row.node]}"
        lines.append(f"  {_columns(row, lanes)} {text}".rstrip())
    return lines


def _columns(row: Row, lanes: int) -> str:
    """Draw the lanes of one row, two characters each."""
    drawn = []
    for lane in range(lanes):
        passes = lane in row.passing
        if row.edge is None:
            drawn.append("● " if lane == row.lane else "│ " if passes else "  ")
        elif lane == row.lane:
            drawn.append("╰─" if row.ends else "├─")
        elif lane < row.lane:
            drawn.append("│ " if passes else "  ")
        else:
            drawn.append("┼─" if passes else "──")
    return "".join(drawn)
