"""The network of an architecture as a graph of layers: nodes carry operations, edges carry data.

Cells that carry their operations on edges are turned inside out: every edge with an operation becomes a
layer, joined to the layers of the edges that leave where it arrives. ``none`` is no layer, ``skip_connect``
and ``identity`` are no layers but connections, and layers that the input does not reach or that reach no
output are left out. A space without a graph becomes a chain: one layer a decision, labelled with the choice
taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nasbench.records import Code
from nasbench.spaces import Space

INPUT, OUTPUT = "(input)", "(output)"
_NONE, _SKIPS = "none", {"identity", "skip_connect"}


@dataclass(frozen=True, slots=True)
class LayerGraph:
    """Layers in an order in which data can flow; the first is the input, the last the output.

    Attributes:
        labels: What each layer does.
        inputs: For each layer the positions of the layers that feed it, increasing.
    """

    labels: tuple[str, ...]
    inputs: tuple[tuple[int, ...], ...]

    def outputs(self) -> list[list[int]]:
        """List for each layer the layers that it feeds."""
        fed: list[list[int]] = [[] for _ in self.labels]
        for layer, sources in enumerate(self.inputs):
            for source in sources:
                fed[source].append(layer)
        return fed


def has_graph(space: Space) -> bool:
    """Say whether a space encodes its architectures as graphs with operations that it names on edges."""
    if "graph" not in space.encodings:
        return False
    shape = space.encode(np.array([space.sample_one(lambda: 0.0)]), "graph").shape
    return len(shape) == 4 and shape[3] == len(graph_operations(space))


def graph_operations(space: Space) -> tuple[str, ...]:
    """Name the operations of a space's graphs: its own list of them, or the choices of its first decision."""
    own: tuple[str, ...] = getattr(space, "graph_operations", space.decisions[0].choices)
    return own


class LayerGraphs:
    """Draws the layer graphs of a space, each once.

    Args:
        space: The space.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._has_graph = has_graph(space)
        self._drawn: dict[Code, LayerGraph] = {}

    def __call__(self, codes: Sequence[Code]) -> list[LayerGraph]:
        """Draw the graphs of architectures."""
        new = [code for code in dict.fromkeys(codes) if code not in self._drawn]
        if new:
            self._drawn.update(zip(new, self._draw(new), strict=True))
        return [self._drawn[code] for code in codes]

    def _draw(self, codes: Sequence[Code]) -> list[LayerGraph]:
        if not self._has_graph:
            return [_chain(self._space, code) for code in codes]
        encoded = self._space.encode(np.array(codes), "graph")  # (n, nodes, nodes, operations)
        operations = np.where(encoded.any(axis=3), encoded.argmax(axis=3), -1)  # [i, j] = edge i -> j
        names = graph_operations(self._space)
        return [_turned(edges, names) for edges in operations.tolist()]


def _chain(space: Space, code: Code) -> LayerGraph:
    """Line the choices up."""
    taken = [decision.choices[value] for decision, value in zip(space.decisions, code, strict=True)]
    return LayerGraph((INPUT, *taken, OUTPUT), ((), *((i,) for i in range(len(taken) + 1))))


def _turned(edges: Sequence[Sequence[int]], names: Sequence[str]) -> LayerGraph:
    """Turn a cell with operations on edges into a graph of layers.

    Args:
        edges: Number of the operation of the edge i -> j at [i][j], -1 where no edge is.
        names: Of the operations.
    """
    nodes = len(edges)
    labels = [INPUT]
    feeds: list[set[int]] = [set()]  # layers that feed each layer
    arriving: list[set[int]] = [{0}] + [set() for _ in range(nodes - 1)]  # layers whose data meet at a node
    for j in range(nodes):
        for i in range(j):
            if edges[i][j] < 0 or not arriving[i] or (name := names[edges[i][j]]) == _NONE:
                continue
            if name in _SKIPS:
                arriving[j] |= arriving[i]
                continue
            labels.append(name)
            feeds.append(set(arriving[i]))
            arriving[j].add(len(labels) - 1)
    labels.append(OUTPUT)
    feeds.append(arriving[-1])
    used = _reaching(feeds)
    place = {layer: i for i, layer in enumerate(used)}
    return LayerGraph(
        tuple(labels[layer] for layer in used),
        tuple(tuple(sorted(place[source] for source in feeds[layer])) for layer in used),
    )


def _reaching(feeds: list[set[int]]) -> list[int]:
    """List the layers from which the output is reached, with input and output."""
    wanted, todo = {0, len(feeds) - 1}, [len(feeds) - 1]
    while todo:
        for source in feeds[todo.pop()] - wanted:
            wanted.add(source)
            todo.append(source)
    return sorted(wanted)
