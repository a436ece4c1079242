"""A graph laid out in rows and lanes: every node has a row, every edge has one above its target.

A node that feeds others keeps a lane, a column of its own, from its row to that of the last edge that leaves
it; edges branch off the lane of their source. So nothing ever overlaps, whatever the graph.
"""

from __future__ import annotations

from dataclasses import dataclass

from nasbench.spaces.drawing import Edge, Graph


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a layout.

    Attributes:
        edge: The edge it shows, or None for a node.
        node: The node it shows, or the edge's target.
        lane: The column of the node, or of the edge's source.
        ends: Whether that lane ends here.
        passing: The other lanes that go through this row, increasing.
    """

    edge: Edge | None
    node: int
    lane: int
    ends: bool
    passing: tuple[int, ...]


def lay_out(graph: Graph) -> tuple[tuple[Row, ...], int]:
    """Lay a graph out; its rows from top to bottom, and how many lanes they need."""
    entering: list[list[Edge]] = [[] for _ in graph.nodes]
    for edge in graph.edges:
        entering[edge.target].append(edge)
    ordered = [edge for edges in entering for edge in sorted(edges, key=lambda e: e.source)]
    left = [sum(edge.source == node for edge in ordered) for node in range(len(graph.nodes))]
    lane_of: dict[int, int] = {}  # of every node whose lane is open
    rows: list[Row] = []
    lanes = 0
    for node in range(len(graph.nodes)):
        for edge in ordered:
            if edge.target != node:
                continue
            lane = lane_of[edge.source]
            left[edge.source] -= 1
            if not left[edge.source]:
                del lane_of[edge.source]
            passing = tuple(sorted(set(lane_of.values()) - {lane}))
            rows.append(Row(edge, node, lane, not left[edge.source], passing))
        taken = sorted(lane_of.values())
        lane = next(n for n in range(len(taken) + 1) if n not in taken)
        lanes = max(lanes, lane + 1)
        if left[node]:
            lane_of[node] = lane
        rows.append(Row(None, node, lane, not left[node], tuple(taken)))
    return tuple(rows), lanes
