"""Which codes are NAS-Bench-101 cells, and how cells are drawn, mutated and crossed.

As the authors' notebook (``NASBench.ipynb``) draws and mutates: matrices of seven vertices and five
operations, again and again until the graph that pruning leaves is valid.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate, product

import numpy as np
import numpy.typing as npt

from nasbench.errors import NotInSpace
from nasbench.records import Code, Codes
from nasbench.spaces.nb101_graph import (
    BIT,
    GRAPHS,
    INTERIOR,
    INVALID,
    MOST_EDGES,
    PAIRS,
    VERTICES,
    Graphs,
    is_completable,
    pruned_graphs,
    validity,
)
from nasbench.spaces.nb101_notation import OPERATIONS, write_cell
from nasbench.spaces.product import ProductSpace
from nasbench.spaces.space import Decision, Draw

EDGES = len(PAIRS)
LABELLINGS = [tuple(labels) for labels in product(range(len(OPERATIONS)), repeat=INTERIOR)]
"""All operations of the five interior vertices, in lexicographic order."""
_TRIES = 200
"""Draws after which a scalar move gives up rejecting; by chance that never happens (0.27**200)."""

# The published mutation flips each edge with probability 1/7 and redraws each operation with probability 1/5.
_FLIP = 1.0 / VERTICES
_REDRAW = 1.0 / INTERIOR
# The same law for single codes: seven edges, or all operations, by one uniform draw from these sums.
_SEVEN = [math.prod(_FLIP if set_ >> k & 1 else 1 - _FLIP for k in range(7)) for set_ in range(1 << 7)]
_FLIPS = list(accumulate(_SEVEN))[:-1]
_SHIFTS = list(
    accumulate(math.prod(_REDRAW / 2 if shift else 1 - _REDRAW for shift in shifts) for shifts in LABELLINGS)
)[:-1]


class NB101Codes(ProductSpace):
    """Codes of 21 edges and five operations whose graph is valid once pruned, and their moves.

    ``sample`` and ``mutate`` follow the authors' notebook: edges and operations drawn uniformly until they
    are valid; each edge flipped with probability 1/7 and each operation replaced by another with probability
    1/5 until the child is valid. One deviation: a mutation that changes nothing is drawn again, where the
    notebook lets it pass ((6/7)**21 (4/5)**5 = 1.3 % of its draws). So a mutation usually changes several
    decisions, while ``neighbours`` are one decision away.
    """

    mutates_by_neighbours = False

    def __init__(self) -> None:
        edges = [Decision(f"{i}->{j}", ("no", "yes")) for i, j in PAIRS]
        operations = [Decision(f"vertex {v}", OPERATIONS) for v in range(1, INTERIOR + 1)]
        super().__init__("nb101", [*edges, *operations])

    # Membership ---------------------------------------------------------------------------------

    def contains(self, codes: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Say for each of (n, 26) codes whether its graph is valid once pruned; (n,)."""
        array = self._array(codes)
        inside = super().contains(array)
        inside[inside] = pruned_graphs()[graphs_of_codes(array[inside])] != INVALID
        return inside

    def check(self, code: Sequence[int]) -> Code:
        """Return the code as a tuple of ints.

        Raises:
            NotInSpace: Wrong length or value, no path from input to output, or more than nine edges after
                pruning.
            TypeError: A value is not a whole number.
        """
        values = super().check(code)
        graph = graph_of_code(values)
        if not validity()[graph]:
            rule = f"at most {MOST_EDGES} edges on paths from input to output, got more"
            if not _has_path(values):
                rule = "a path from input to output, got none"
            raise NotInSpace(f"code: expected {rule} in {write_cell(values)}.")
        return values

    def allowed(self, prefix: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Say which values the next decision may take so that a valid cell can still follow.

        Raises:
            BadOption: The prefix is already a whole code.
        """
        mask = super().allowed(prefix)
        decided = len(prefix) + 1
        if decided <= EDGES:
            graph = sum(BIT[pair] for pair, edge in zip(PAIRS, prefix, strict=False) if edge)
            mask[0] = is_completable(graph, decided)
            mask[1] = is_completable(graph | BIT[PAIRS[decided - 1]], decided)
        return mask

    # Moves over arrays --------------------------------------------------------------------------

    def sample(self, n: int, *, rng: np.random.Generator) -> Codes:
        """Draw n codes uniformly, (n, 26): edges and operations at random, until they are valid."""
        graphs = np.empty(0, dtype=np.int32)
        while len(graphs) < n:
            drawn = rng.integers(0, GRAPHS, size=2 * (n - len(graphs)), dtype=np.int32)
            graphs = np.concatenate([graphs, drawn[pruned_graphs()[drawn] != INVALID]])
        operations = rng.integers(0, len(OPERATIONS), size=(n, INTERIOR), dtype=np.int8)
        return np.concatenate([edges_of_graphs(graphs[:n]), operations], axis=1)

    def mutate(self, codes: npt.ArrayLike, *, rng: np.random.Generator) -> Codes:
        """Flip each edge with probability 1/7, redraw each operation with 1/5, until valid and different."""
        array = self._array(codes)
        out = array.astype(np.int8)
        todo = np.arange(len(array))
        while len(todo):
            parent = array[todo].astype(np.int8)
            child = parent.copy()
            child[:, :EDGES] ^= rng.random((len(todo), EDGES)) < _FLIP
            shift = rng.integers(1, len(OPERATIONS), size=(len(todo), INTERIOR), dtype=np.int8)
            shift *= rng.random((len(todo), INTERIOR)) < _REDRAW
            child[:, EDGES:] = (child[:, EDGES:] + shift) % len(OPERATIONS)
            good = self.contains(child) & (child != parent).any(axis=1)
            out[todo[good]] = child[good]
            todo = todo[~good]
        return out

    def crossover(self, a: npt.ArrayLike, b: npt.ArrayLike, *, rng: np.random.Generator) -> Codes:
        """Take each decision from either parent with equal chance, until the child is valid."""
        first, second = self._array(a), self._array(b)
        out = first.astype(np.int8)
        todo = np.arange(len(first))
        while len(todo):
            child = super().crossover(first[todo], second[todo], rng=rng)
            good = self.contains(child)
            out[todo[good]] = child[good]
            todo = todo[~good]
        return out

    def neighbours(self, code: Sequence[int]) -> Codes:
        """List every valid code that differs in exactly one decision, (m, 26), in the order of decisions."""
        near = super().neighbours(self.check(code))
        return near[self.contains(near)]

    # Moves one code at a time -------------------------------------------------------------------

    def sample_one(self, draw: Draw) -> Code:
        """Draw one code uniformly, as ``sample``."""
        valid = validity()
        for _ in range(_TRIES):
            graph = int(draw() * GRAPHS)
            if valid[graph]:
                return (*edges_of_graph(graph), *LABELLINGS[int(draw() * len(LABELLINGS))])
        return self._walk(draw)

    def _walk(self, draw: Draw) -> Code:
        """Decide one after another among what is allowed; the way out where ``draw`` goes in circles."""
        code: Code = ()
        for _ in self.decisions:
            values = np.flatnonzero(self.allowed(code)).tolist()
            code = (*code, values[int(draw() * len(values))])
        return code

    def mutate_one(self, code: Code, draw: Draw) -> Code:
        """Flip edges and redraw operations, as ``mutate``."""
        valid = validity()
        graph, labels = graph_of_code(code), code[EDGES:]
        for _ in range(_TRIES):
            flips = bisect(_FLIPS, draw()) << 14 | bisect(_FLIPS, draw()) << 7 | bisect(_FLIPS, draw())
            shifts = bisect(_SHIFTS, draw())
            if valid[graph ^ flips] and (flips or shifts):
                moved = [(label + shift) % 3 for label, shift in zip(labels, LABELLINGS[shifts], strict=True)]
                return (*edges_of_graph(graph ^ flips), *moved)
        return (*code[:-1], (code[-1] + 1) % len(OPERATIONS))  # ``draw`` goes in circles

    def crossover_one(self, a: Code, b: Code, draw: Draw) -> Code:
        """Take each decision from either parent with equal chance, until the child is valid."""
        valid = validity()
        for _ in range(_TRIES):
            child = super().crossover_one(a, b, draw)
            if valid[graph_of_code(child)]:
                return child
        return a  # ``draw`` goes in circles


def graphs_of_codes(codes: npt.NDArray[np.generic]) -> Graphs:
    """Write the edges of (n, 26) codes as (n,) numbers; see ``nb101_graph``."""
    packed = np.packbits(codes[:, :EDGES] != 0, axis=1).astype(np.int32)  # (n, 3)
    graphs: Graphs = (packed[:, 0] << 13) | (packed[:, 1] << 5) | (packed[:, 2] >> 3)
    return graphs


def graph_of_code(code: Code) -> int:
    """Write the edges of one code as a number."""
    return int("".join(map(str, code[:EDGES])), 2)


def edges_of_graph(graph: int) -> list[int]:
    """Read the 21 edges of one number."""
    return [int(bit) for bit in f"{graph:021b}"]


def edges_of_graphs(graphs: Graphs) -> Codes:
    """Read the 21 edges of (n,) numbers, (n, 21)."""
    shifts = np.arange(EDGES - 1, -1, -1, dtype=np.int32)
    return ((graphs[:, None] >> shifts) & 1).astype(np.int8)


def _has_path(code: Code) -> bool:
    """Say whether the output is reached from the input."""
    reached = {0}
    for (i, j), edge in zip(PAIRS, code[:EDGES], strict=True):
        if edge and i in reached:
            reached.add(j)
    return VERTICES - 1 in reached
