"""The graph of a NAS-Bench-101 cell as one number, and what is left of it after pruning.

A cell has up to seven vertices in an order in which data can flow: the input 0, the interior 1 to 5 and the
output 6. Its edges i -> j, i < j, are 21 bits of one whole number, in the order of rows of the matrix:
0 -> 1 is the highest, 5 -> 6 the lowest. Pruning drops every vertex that is on no path from input to output;
a graph is valid where some path is left, and no more than nine edges (Ying et al. 2019, section 2.1).

There are only 2**21 graphs, so that all of them are pruned once a process, in a fraction of a second, and
looked up.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

VERTICES = 7
INTERIOR = VERTICES - 2
MOST_EDGES = 9
PAIRS = tuple((i, j) for i in range(VERTICES) for j in range(i + 1, VERTICES))
"""Every possible edge, in the order of a code's first decisions."""
GRAPHS = 1 << len(PAIRS)
BIT = {pair: 1 << (len(PAIRS) - 1 - place) for place, pair in enumerate(PAIRS)}
"""Edge -> its bit."""
INVALID = -1
"""Stands in ``pruned_graphs`` for a graph without a path, or with too many edges after pruning."""

_LOW = [BIT[i, VERTICES - 1] for i in range(VERTICES - 1)]
"""Lowest bit of each row: its edge to the output."""
_BLOCK = 1 << 16

Graphs = npt.NDArray[np.int32]


def rows_of(graphs: Graphs) -> list[npt.NDArray[np.uint8]]:
    """Split (n,) graphs into their six rows; bit 6 - j of row i is the edge i -> j."""
    rows = ((graphs // low) & ((1 << (VERTICES - 1 - i)) - 1) for i, low in enumerate(_LOW))
    return [row.astype(np.uint8) for row in rows]


@functools.cache
def pruned_graphs() -> Graphs:
    """Prune all graphs: (2**21,), for each the graph that is left, or ``INVALID``."""
    return np.concatenate([_prune(start) for start in range(0, GRAPHS, _BLOCK)])


def _prune(start: int) -> Graphs:
    """Prune a block of graphs; vertex j is bit 6 - j of a set of vertices."""
    rows = rows_of(np.arange(start, start + _BLOCK, dtype=np.int32))
    source = VERTICES - 1
    reached = np.full(_BLOCK, 1 << source, dtype=np.uint8)
    for i, row in enumerate(rows):
        reached |= row * ((reached >> (source - i)) & 1)
    leading = np.ones(_BLOCK, dtype=np.uint8)
    for i in range(source - 1, -1, -1):
        leading |= ((rows[i] & leading) != 0).view(np.uint8) << (source - i)
    kept = reached & leading
    left = np.zeros(_BLOCK, dtype=np.int32)
    edges = np.zeros(_BLOCK, dtype=np.uint8)
    for i, row in enumerate(rows):
        of_path = row * ((kept >> (source - i)) & 1) & kept
        edges += _ONES[of_path]
        left |= of_path.astype(np.int32) * np.int32(_LOW[i])
    return np.where((kept & 1 == 1) & (edges <= MOST_EDGES), left, np.int32(INVALID))


_ONES = np.array([bin(row).count("1") for row in range(1 << (VERTICES - 1))], dtype=np.uint8)


@functools.cache
def kept_vertices() -> npt.NDArray[np.uint8]:
    """Say for all graphs which interior vertices pruning keeps: (2**21,), vertex v is bit 5 - v."""
    kept = np.zeros(GRAPHS, dtype=np.uint8)
    pruned = pruned_graphs()
    for v in range(1, INTERIOR + 1):
        row = ((1 << (VERTICES - 1 - v)) - 1) * _LOW[v]
        kept |= ((pruned & row) != 0).astype(np.uint8) << (INTERIOR - v)
    kept[pruned == INVALID] = 0
    return kept


@functools.cache
def validity() -> bytes:
    """Say for all graphs whether they are valid, one byte each: what scalar loops index."""
    valid: bytes = (pruned_graphs() != INVALID).tobytes()
    return valid


@functools.cache
def valid_graphs() -> Graphs:
    """List all valid graphs, increasing."""
    return np.flatnonzero(pruned_graphs() != INVALID).astype(np.int32)


@functools.cache
def valid_before() -> Graphs:
    """Count for every graph the valid ones of a lower number, (2**21,)."""
    valid = pruned_graphs() != INVALID
    before: Graphs = (np.cumsum(valid, dtype=np.int32) - valid).astype(np.int32)
    return before


def is_completable(graph: int, decided: int) -> bool:
    """Say whether edges can still be added to make a graph valid.

    Adding an edge never takes another one off a path, so it is enough to try none and, for every vertex,
    the one edge to the output.

    Args:
        graph: The edges chosen so far.
        decided: How many edges, in the order of ``PAIRS``, are decided.
    """
    valid = validity()
    if valid[graph]:
        return True
    undecided = 1 << (len(PAIRS) - decided)  # bits below this one
    return any(low < undecided and valid[graph | low] for low in _LOW)
