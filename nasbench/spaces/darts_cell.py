"""One cell of the DARTS space (Liu et al. 2019): its edges, its code, and which cells are the same.

A cell has six states: 0 and 1 are the outputs of the cell before the last and of the last cell, 2 to 5 are
nodes. A node takes two different earlier states and adds up what one of seven operations makes of each; the
output of the cell is all four nodes side by side. The code of a cell lists, node by node, which pair of
states it takes (the first node has no choice) and the operations on the lower and on the higher of the two:
2 + 3 * 3 = 11 values.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nasbench.errors import NotInSpace
from nasbench.records import Codes

OPERATIONS = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
INPUTS, NODES = 2, 4
STATES = INPUTS + NODES
PAIRS = tuple(tuple(itertools.combinations(range(INPUTS + node), 2)) for node in range(NODES))
"""The pairs of states that each node may take, in order: 1, 3, 6 and 10 of them."""

Edge = tuple[str, int]
"""An operation and the state that it is applied to; two of them make a node, eight a cell."""

_COUNTS = [n for pairs in PAIRS for n in (len(pairs), len(OPERATIONS), len(OPERATIONS))][1:]
LENGTH = len(_COUNTS)
"""Values of a cell's code, 11."""
SIZE = math.prod(_COUNTS)
"""Codes of a cell, 1,037,664,180."""
_PLACES = np.array([math.prod(_COUNTS[i + 1 :]) for i in range(LENGTH)], dtype=np.int64)

_SOURCES = np.zeros((NODES, len(PAIRS[-1]), 2), dtype=np.int64)  # of each node and pair
_PAIR = np.zeros((NODES, STATES, STATES), dtype=np.int64)  # of each node and its two states, in any order
for _node, _pairs in enumerate(PAIRS):
    for _number, (_low, _high) in enumerate(_pairs):
        _SOURCES[_node, _number] = _low, _high
        _PAIR[_node, _low, _high] = _PAIR[_node, _high, _low] = _number

_ORDERS = np.array(list(itertools.permutations(range(NODES))))  # (24, 4), the node that comes at each place
_STATE_IN = np.concatenate(  # (24, 6), the state that each state becomes in each order
    [np.tile(np.arange(INPUTS), (len(_ORDERS), 1)), INPUTS + np.argsort(_ORDERS, axis=1)], axis=1
)
_BLOCK = 2_048  # cells at a time, so that all their orders stay in a few megabytes


def edges_of(values: Sequence[int]) -> tuple[Edge, ...]:
    """List the eight edges of a cell's code: two a node, the lower state first."""
    filled = (0, *values)  # the only pair of the first node
    edges: list[Edge] = []
    for node in range(NODES):
        pair, *operations = filled[3 * node : 3 * node + 3]
        edges += [(OPERATIONS[o], s) for o, s in zip(operations, PAIRS[node][pair], strict=True)]
    return tuple(edges)


def cell_of(edges: Sequence[Edge], cell: str) -> tuple[int, ...]:
    """Turn eight edges, two a node in any order, into a cell's code.

    Args:
        edges: Operation and state of each edge.
        cell: What the cell is called in a message.

    Raises:
        NotInSpace: Not eight edges, an unknown operation, a state that is not an earlier one, or one state
            twice in a node.
    """
    if len(edges) != 2 * NODES:
        raise NotInSpace(
            f"architecture: {cell} cell: expected {2 * NODES} edges, two a node, got {len(edges)}."
        )
    values: list[int] = []
    for node in range(NODES):
        state = INPUTS + node
        both = sorted(edges[2 * node : 2 * node + 2], key=lambda edge: edge[1])
        for operation, source in both:
            if operation not in OPERATIONS:
                raise NotInSpace(
                    f"architecture: {cell} cell, node {state}: the operations are {', '.join(OPERATIONS)}, "
                    f"got {operation!r}."
                )
            if not 0 <= source < state:
                raise NotInSpace(
                    f"architecture: {cell} cell, node {state}: expected states 0 to {state - 1}, "
                    f"got {source}."
                )
        sources = [source for _, source in both]
        if sources[0] == sources[1]:
            raise NotInSpace(
                f"architecture: {cell} cell, node {state}: expected two different states, got {sources[0]} "
                "twice."
            )
        values += [int(_PAIR[node, sources[0], sources[1]])]
        values += [OPERATIONS.index(operation) for operation, _ in both]
    return tuple(values[1:])


def unpack(cells: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Take (n, 11) cells apart: states and operations on them, each (n, 4 nodes, 2), lower state first."""
    first_pair = np.zeros((len(cells), 1), dtype=np.int64)
    by_node = np.concatenate([first_pair, cells], axis=1).reshape(-1, NODES, 3)
    return _SOURCES[np.arange(NODES), by_node[:, :, 0]], by_node[:, :, 1:]


def canonical(cells: npt.NDArray[np.int64]) -> Codes:
    """Map (n, 11) cells to the lexicographically first cell that differs only in the order of its nodes.

    Nodes may stand in any order in which each comes after those it takes; all of them are part of the output,
    so another order is the same network with its channels arranged otherwise: 382,128,166 of the cells
    differ. Nothing else is merged: the two inputs of a cell are not alike, and sums of skip
    connections are kept apart from what they equal.
    """
    if len(cells) > _BLOCK:
        blocks = [canonical(cells[start : start + _BLOCK]) for start in range(0, len(cells), _BLOCK)]
        return np.concatenate(blocks)
    sources, operations = unpack(cells)
    by_order = _ORDERS[:, None, :, None]
    moved = np.take_along_axis(_STATE_IN[:, sources], by_order, axis=2)  # (24, n, 4, 2)
    applied = np.take_along_axis(operations[None], by_order, axis=2)
    low, high = moved[..., 0], moved[..., 1]
    possible = ((low < INPUTS + np.arange(NODES)) & (high < INPUTS + np.arange(NODES))).all(axis=2)
    applied = np.where((low < high)[..., None], applied, applied[..., ::-1])
    pair = _PAIR[np.arange(NODES), low, high]
    codes = np.concatenate([pair[..., None], applied], axis=3).reshape(len(_ORDERS), -1, 3 * NODES)[..., 1:]
    rank = np.where(possible, codes @ _PLACES, SIZE).min(axis=0)
    first: Codes = (rank[:, None] // _PLACES % np.array(_COUNTS)).astype(np.int8)
    return first
