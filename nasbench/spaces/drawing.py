"""What an architecture looks like: graphs of named nodes and labelled edges, for whoever draws them.

A space that has a graph has a method ``drawing(code)``; of any other the list of its decisions stands in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from nasbench.errors import BadOption
from nasbench.spaces.space import Space

__all__ = ["Drawable", "Edge", "Graph", "chain", "drawing"]


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge of a drawing.

    Attributes:
        source: Place of the node it leaves among the graph's nodes.
        target: Place of the node it enters; behind the source.
        label: What it does to what it carries; empty for nothing.
    """

    source: int
    target: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph to be drawn.

    Attributes:
        name: What it shows, e.g. ``"normal cell"``.
        nodes: Names of its nodes, in an order in which data can flow.
        edges: Its edges; two nodes may be joined by several.

    Raises:
        BadOption: An edge does not lead forward from one of the nodes to another.
    """

    name: str
    nodes: tuple[str, ...]
    edges: tuple[Edge, ...]

    def __post_init__(self) -> None:
        for edge in self.edges:
            if not 0 <= edge.source < edge.target < len(self.nodes):
                raise BadOption(
                    f"edges: expected sources before targets among {len(self.nodes)} nodes, "
                    f"got {edge.source} -> {edge.target}."
                )


@runtime_checkable
class Drawable(Protocol):
    """A space that has graphs to draw."""

    def drawing(self, code: Sequence[int]) -> tuple[Graph, ...]:
        """List the graphs of an architecture.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        ...


def drawing(space: Space, code: Sequence[int]) -> tuple[Graph, ...]:
    """List the graphs of an architecture; of a space without graphs its decisions, one node each.

    Raises:
        NotInSpace: ``code`` is no architecture of the space.
    """
    if isinstance(space, Drawable):
        return space.drawing(code)
    values = space.check(code)
    nodes = tuple(f"{d.name}: {d.choices[v]}" for d, v in zip(space.decisions, values, strict=True))
    return (Graph("decisions", nodes, ()),)


def chain(name: str, nodes: Iterable[str]) -> Graph:
    """Join nodes in a row, each to the next."""
    row = tuple(nodes)
    return Graph(name, row, tuple(Edge(i, i + 1) for i in range(len(row) - 1)))
