"""Cells of four nodes with an operation on each of their six edges, as numbers for a model.

NAS-Bench-201 and the micro space of TransNAS-Bench-101 share this shape. Edges are listed by their target:
0->1, 0->2, 1->2, 0->3, 1->3, 2->3; operation 0 is ``none``, an edge that is not there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nasbench.spaces.drawing import Edge, Graph

NODES = 4
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
PATHS = ((3,), (0, 4), (1, 5), (0, 2, 5))
"""Every path from node 0 to node 3, as the edges it crosses: 1 of one edge, 2 of two, 1 of three."""
NONE = 0
"""The operation of an edge that is not there."""

_NAMES = ("input", "node 1", "node 2", "output")

_Codes = npt.NDArray[np.int64]


def draw(code: Sequence[int], operations: Sequence[str]) -> tuple[Graph, ...]:
    """Draw the cell, without the edges that carry ``none``."""
    edges = [
        Edge(i, j, operations[value]) for (i, j), value in zip(EDGES, code, strict=True) if value != NONE
    ]
    return (Graph("cell", _NAMES, tuple(edges)),)


def connected(codes: _Codes) -> npt.NDArray[np.bool_]:
    """Say for each of (n, 6) codes whether a path without ``none`` joins input and output; (n,)."""
    live = codes != NONE
    joined: npt.NDArray[np.bool_] = np.any([live[:, path].all(axis=1) for path in PATHS], axis=0)
    return joined


def adjacency(codes: _Codes) -> npt.NDArray[np.float32]:
    """Write (n, 6) codes as 4 x 4 matrices of operation numbers, row = target, column = source; (n, 16)."""
    matrix = np.zeros((len(codes), NODES, NODES), dtype=np.float32)
    for e, (i, j) in enumerate(EDGES):
        matrix[:, j, i] = codes[:, e]
    return matrix.reshape(len(codes), NODES * NODES)


def graph(codes: _Codes, operations: int) -> npt.NDArray[np.float32]:
    """Write the one-hot operation of edge i -> j at [i, j], zero where no edge is; (n, 4, 4, operations)."""
    out = np.zeros((len(codes), NODES, NODES, operations), dtype=np.float32)
    for e, (i, j) in enumerate(EDGES):
        out[np.arange(len(codes)), i, j, codes[:, e]] = 1.0
    return out


def paths(codes: _Codes, operations: int) -> npt.NDArray[np.float32]:
    """Indicate each operation sequence that a path from input to output spells (White et al. 2021).

    A path with a ``none`` edge does not exist. With k = operations - 1 there are k sequences of one
    operation, k^2 of two and k^3 of three; (n, k + k^2 + k^3).
    """
    live = operations - 1
    out = np.zeros((len(codes), sum(live**k for k in (1, 2, 3))), dtype=np.float32)
    start_of_length = {1: 0, 2: live, 3: live + live**2}
    for path in PATHS:
        taken = codes[:, path]
        rows = np.flatnonzero((taken != NONE).all(axis=1))
        place = live ** np.arange(len(path) - 1, -1, -1)
        out[rows, start_of_length[len(path)] + (taken[rows] - 1) @ place] = 1.0
    return out
