"""NAS-Bench-101 cells as numbers for models: adjacency, paths, and a graph with operations on edges."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import numpy.typing as npt

from nasbench.spaces.nb101_graph import BIT, INTERIOR, PAIRS, VERTICES, Graphs
from nasbench.spaces.nb101_notation import OPERATIONS

GRAPH_OPERATIONS = (*OPERATIONS, "skip_connect")
PATHS = sum(len(OPERATIONS) ** length for length in range(INTERIOR + 1))
NODES = 2 * VERTICES - 2
_SKIP = len(OPERATIONS)

Encoded = npt.NDArray[np.float32]
Operations = npt.NDArray[np.int64]


def adjacency_encoding(graphs: Graphs, operations: Operations) -> Encoded:
    """Put (n,) graphs as 21 edges beside (n, 5) operations as 15 indicators; (n, 36)."""
    shifts = np.arange(len(PAIRS) - 1, -1, -1, dtype=np.int32)
    edges = (graphs[:, None] >> shifts) & 1
    indicators = operations[:, :, None] == np.arange(len(OPERATIONS))
    return np.concatenate([edges, indicators.reshape(len(graphs), -1)], axis=1).astype(np.float32)


def path_encoding(graphs: Graphs, operations: Operations) -> Encoded:
    """Indicate the sequences of operations on the paths of (n,) pruned graphs, (n, 364), short ones first."""
    out = np.zeros((len(graphs), PATHS), dtype=np.float32)
    for edges, vertices, first in _all_paths():
        rows = np.flatnonzero((graphs & edges) == edges)
        word = np.zeros(len(rows), dtype=np.int64)
        for v in vertices:
            word = word * len(OPERATIONS) + operations[rows, v - 1]
        out[rows, first + word] = 1.0
    return out


@functools.cache
def _all_paths() -> list[tuple[int, tuple[int, ...], int]]:
    """List the 32 possible paths: edges, interior vertices, and where words of that length start."""
    found = []
    first = 0
    for length in range(INTERIOR + 1):
        for vertices in itertools.combinations(range(1, INTERIOR + 1), length):
            steps = itertools.pairwise((0, *vertices, VERTICES - 1))
            found.append((sum(BIT[step] for step in steps), vertices, first))
        first += len(OPERATIONS) ** length
    return found


def graph_encoding(graphs: Graphs, operations: Operations) -> Encoded:
    """Draw (n,) pruned graphs with their operations on edges, (n, 12, 12, 4)."""
    out = np.zeros((len(graphs), NODES, NODES, len(GRAPH_OPERATIONS)), dtype=np.float32)
    for i, j in PAIRS:
        rows = np.flatnonzero(graphs & BIT[i, j])
        out[rows, 2 * i, 2 * j - 1, _SKIP] = 1.0
        if i:
            out[rows, 2 * i - 1, 2 * i, operations[rows, i - 1]] = 1.0  # every kept vertex has an edge out
    return out
