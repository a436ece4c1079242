"""The hierarchical space (Liu et al. 2018): motifs of motifs, small graphs assembled from smaller ones.

Level 1 has six operations. Level 2 has six motifs of four nodes; each edge i -> j, i < j, of a motif carries
an operation or ``none``. Level 3 is one motif of five nodes, the cell, whose edges carry a level-2 motif or
``none``. A node puts what its edges bring side by side; the last node is the output. A code lists the edges
of motif 1 to 6, then those of the cell, each in the order 0->1, 0->2, 1->2, 0->3, ...: 6 x 6 + 10 values.

The paper prints no notation; ours has one digit an edge, motifs joined by ``-`` and the cell behind ``/``:
``606006-...-.../1020030004``, with 0 for ``none``, 1 to 6 in the order below, and 1 to 6 for the motifs.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nasbench.errors import NotInSpace
from nasbench.records import Code, Codes
from nasbench.spaces.drawing import Edge, Graph
from nasbench.spaces.product import ProductSpace
from nasbench.spaces.space import Decision, Draw

OPERATIONS = (
    "none",
    "conv_1x1",
    "depthwise_conv_3x3",
    "sep_conv_3x3",
    "max_pool_3x3",
    "avg_pool_3x3",
    "identity",
)
MOTIFS = 6
MOTIF_NODES, CELL_NODES = 4, 5
Edges = tuple[int, ...]
"""What each edge of a motif carries, 0 for nothing."""

_NONE = 0
_IDENTITY = OPERATIONS.index("identity")
_CELL_CHOICES = ("none", *(f"motif {m + 1}" for m in range(MOTIFS)))


def edges_among(nodes: int) -> tuple[tuple[int, int], ...]:
    """List the edges of a motif of so many nodes, by target, then by source."""
    return tuple((i, j) for j in range(nodes) for i in range(j))


MOTIF_EDGES, CELL_EDGES = edges_among(MOTIF_NODES), edges_among(CELL_NODES)
_LOW = len(MOTIF_EDGES)  # values of a motif
_CELL = MOTIFS * _LOW  # where the cell begins
# The graph of level-1 operations: the nodes of the cell with two inner nodes for each of its edges between.
_INNER = MOTIF_NODES - 2
_UNROLLED = CELL_NODES + _INNER * len(CELL_EDGES)


class HierarchicalSpace(ProductSpace):
    """All 7^46 genotypes.

    ``mutate`` is the paper's: draw a level, a motif of it, a node, an earlier node, and what that edge
    carries instead; so the edges of the cell change more often than those of one motif. ``canonical`` maps a
    code to one in which edges that lead nowhere carry nothing, unused motifs are empty, equal motifs are one,
    and motifs and inner nodes have one order; it merges no more.
    """

    encodings: tuple[str, ...] = ("onehot", "graph")

    def __init__(self) -> None:
        decisions = [
            Decision(f"motif {m + 1} {i}->{j}", OPERATIONS) for m in range(MOTIFS) for i, j in MOTIF_EDGES
        ]
        decisions += [Decision(f"cell {i}->{j}", _CELL_CHOICES) for i, j in CELL_EDGES]
        super().__init__("hierarchical", decisions)
        chain = tuple(_IDENTITY if j == i + 1 else _NONE for i, j in MOTIF_EDGES)
        cell = tuple(1 if j == i + 1 else _NONE for i, j in CELL_EDGES)
        self.trivial: Code = chain * MOTIFS + cell
        """Every motif a chain of identities, the cell a chain of motif 1: the identity map."""

    def motifs(self, code: Sequence[int]) -> tuple[tuple[Edges, ...], Edges]:
        """Take a code apart: the edges of the six motifs, and those of the cell.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        values = self.check(code)
        return tuple(values[_LOW * m : _LOW * (m + 1)] for m in range(MOTIFS)), values[_CELL:]

    # Moves --------------------------------------------------------------------------------------

    def mutate(self, codes: npt.ArrayLike, *, rng: np.random.Generator) -> Codes:
        """Change one edge of each of (n, 46) codes, drawn as in ``mutate_one``."""
        array = self._array(codes).copy()
        rows = np.arange(len(array))
        draws = rng.random((len(array), 4)).tolist()
        where = np.array([_drawn_edge(*four) for four in draws], dtype=np.int64)
        value = rng.integers(0, len(OPERATIONS) - 1, size=len(array))
        value += value >= array[rows, where]
        array[rows, where] = value
        return array.astype(np.int8)

    def mutate_one(self, code: Code, draw: Draw) -> Code:
        """Change what one edge carries.

        The level, the motif, the edge's target and its source are drawn one after another, each uniformly;
        the edge then carries a uniformly drawn other value, which may be nothing.

        Source: Liu et al. 2018, section 3.1; the paper does not say that the value differs.
        """
        where = _drawn_edge(draw(), draw(), draw(), draw())
        value = int(draw() * (len(OPERATIONS) - 1))
        return (*code[:where], value + (value >= code[where]), *code[where + 1 :])

    # Equal networks -----------------------------------------------------------------------------

    def canonical(self, codes: npt.ArrayLike) -> Codes:
        """Map (n, 46) codes to one code of their class, one after another."""
        array = self._array(codes)
        found = [_canonical(tuple(row)) for row in array.tolist()]
        return np.array(found, dtype=np.int8).reshape(array.shape)

    # Encodings and notation ---------------------------------------------------------------------

    def encode(self, codes: npt.ArrayLike, kind: str) -> npt.NDArray[np.float32]:
        """Encode (n, 46) codes.

        Args:
            codes: (n, 46) codes.
            kind: ``"onehot"`` (n, 322). ``"graph"`` (n, 25, 25, 7): one-hot operation of edge i -> j at [i,
                j], zero where no edge is, of the cell with the motif on each of its edges written out: its
                five nodes, and in front of each node the inner nodes of the motifs that lead to it.

        Raises:
            BadOption: No such encoding.
        """
        array = self._array(codes)
        if kind != "graph":
            return super().encode(array, kind)
        graph = np.zeros((len(array), _UNROLLED, _UNROLLED, len(OPERATIONS)), dtype=np.float32)
        rows = np.arange(len(array))
        motifs = array[:, :_CELL].reshape(-1, MOTIFS, _LOW)
        for e, (i, j) in enumerate(CELL_EDGES):
            carried = array[:, _CELL + e]
            is_there = carried > 0
            inside = motifs[rows, np.maximum(carried - 1, 0)]  # (n, 6)
            nodes = (_place(i), *(_place(j) - _INNER * (j - i) + k for k in range(_INNER)), _place(j))
            for low, (a, b) in enumerate(MOTIF_EDGES):
                graph[rows[is_there], nodes[a], nodes[b], inside[is_there, low]] = 1.0
        return graph

    def drawing(self, code: Sequence[int]) -> tuple[Graph, ...]:
        """Draw the cell, then each motif that it carries.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        motifs, cell = self.motifs(code)
        drawn = [_graph("cell", cell, _CELL_CHOICES)]
        drawn += [_graph(f"motif {v}", motifs[v - 1], OPERATIONS) for v in sorted(set(cell) - {_NONE})]
        return tuple(drawn)

    def parse(self, text: str) -> Code:
        """Read six motifs of six digits joined by ``-``, then ``/`` and the ten digits of the cell.

        Also the word ``trivial``, and the choices separated by ``:``.

        Raises:
            NotInSpace: Not of that form, or a digit above 6.
        """
        text = text.strip()
        if text.lower() == "trivial":
            return self.trivial
        if ":" in text:
            return super().parse(text)
        low = "-".join([rf"[0-9]{{{_LOW}}}"] * MOTIFS)
        if re.fullmatch(rf"{low}/[0-9]{{{len(CELL_EDGES)}}}", text) is None:
            raise NotInSpace(
                f"architecture: expected {MOTIFS} motifs of {_LOW} digits joined by '-', then '/' and the "
                f"{len(CELL_EDGES)} digits of the cell, or 'trivial', got {text!r}."
            )
        return self.check([int(digit) for digit in text if digit.isdecimal()])

    def format(self, code: Sequence[int]) -> str:
        """Write six motifs of six digits joined by ``-``, then ``/`` and the ten digits of the cell."""
        motifs, cell = self.motifs(code)
        return "-".join("".join(map(str, motif)) for motif in motifs) + "/" + "".join(map(str, cell))


def _graph(name: str, values: Edges, choices: Sequence[str]) -> Graph:
    """Draw one motif."""
    nodes = CELL_NODES if len(values) > _LOW else MOTIF_NODES
    named = ("input", *(f"node {n}" for n in range(1, nodes - 1)), "output")
    edges = [Edge(i, j, choices[v]) for (i, j), v in zip(edges_among(nodes), values, strict=True) if v]
    return Graph(name, named, tuple(edges))


def _place(node: int) -> int:
    """Number a node of the cell in the written-out graph, behind the inner nodes that lead to it."""
    return node + _INNER * (node * (node + 1) // 2)


def _drawn_edge(level: float, motif: float, target: float, source: float) -> int:
    """Turn four uniform draws into the place of an edge in a code."""
    is_cell = level < 0.5
    nodes = CELL_NODES if is_cell else MOTIF_NODES
    start = _CELL if is_cell else _LOW * int(motif * MOTIFS)
    j = 1 + int(target * (nodes - 1))
    return start + j * (j - 1) // 2 + int(source * j)


def _canonical(code: Code) -> Code:
    """Bring one code into its canonical form."""
    motifs = [_ordered(_pruned(code[_LOW * m : _LOW * (m + 1)])) for m in range(MOTIFS)]
    cell = _pruned(tuple(v if v and any(motifs[v - 1]) else _NONE for v in code[_CELL:]))
    used = sorted({motifs[v - 1] for v in cell if v})
    number = {motif: m + 1 for m, motif in enumerate(used)}
    cell = _ordered(tuple(number[motifs[v - 1]] if v else _NONE for v in cell))
    empty = (_NONE,) * _LOW
    return (*itertools.chain.from_iterable([*used, *[empty] * (MOTIFS - len(used))]), *cell)


@functools.lru_cache(maxsize=65_536)
def _pruned(values: Edges) -> Edges:
    """Empty the edges that lie on no way from the first node to the last."""
    nodes = CELL_NODES if len(values) > _LOW else MOTIF_NODES
    edges = edges_among(nodes)
    live = [edge for edge, value in zip(edges, values, strict=True) if value]
    forward, backward = {0}, {nodes - 1}
    for j in range(1, nodes):
        if any((i, j) in live for i in forward):
            forward.add(j)
    for i in range(nodes - 2, -1, -1):
        if any((i, j) in live for j in backward):
            backward.add(i)
    return tuple(
        value if i in forward and j in backward else _NONE
        for (i, j), value in zip(edges, values, strict=True)
    )


@functools.lru_cache(maxsize=65_536)
def _ordered(values: Edges) -> Edges:
    """Take the first of the codes that the orders of the inner nodes give, edges still leading forward."""
    nodes = CELL_NODES if len(values) > _LOW else MOTIF_NODES
    edges = edges_among(nodes)
    found = values
    for order in itertools.permutations(range(1, nodes - 1)):
        place = {0: 0, nodes - 1: nodes - 1, **{node: k + 1 for k, node in enumerate(order)}}
        moved = {(place[i], place[j]): v for (i, j), v in zip(edges, values, strict=True) if v}
        if all(i < j for i, j in moved):
            found = min(found, tuple(moved.get(edge, _NONE) for edge in edges))
    return found
