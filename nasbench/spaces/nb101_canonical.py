"""One cell for all isomorphic NAS-Bench-101 cells, exactly: the best of the 120 orders of the interior.

A cell is a graph of ``nb101_graph`` and an operation for each of the five interior vertices. A pruned cell is
written as one number, its *key*: the 21 bits of the graph, then for each interior vertex two bits, 3 minus
its operation; a vertex that pruning dropped has operation 0. Two pruned cells are isomorphic where one order
of the interior vertices turns one into the other, and the canonical cell is the one of the largest key among
the orders in which every edge still points forward. Larger keys have their edges earlier, so dropped vertices
end up last; among equal graphs the operations are the first in lexicographic order.

A key under a permutation is the bitwise or of what becomes of each single bit, so the keys of all 120 orders
come out of three tables by two operations.
"""

from __future__ import annotations

import functools
import itertools

import numpy as np
import numpy.typing as npt

from nasbench.spaces.nb101_graph import INTERIOR, PAIRS, VERTICES, Graphs, kept_vertices, pruned_graphs

Keys = npt.NDArray[np.int32]
_OPERATION_BITS = 2 * INTERIOR
_HIGH_BITS = 11
_LOW_BITS = len(PAIRS) - _HIGH_BITS
_DROPPED = 3  # 3 minus operation 0
_BACKWARD = np.int32(-(2**31))  # sign bit: an edge points backward, and the order is none
_BLOCK = 1 << 10

# Operations of dropped vertices are overwritten: the bits that stay, for each set of kept vertices.
_STAY = np.array(
    [sum(_DROPPED << (2 * (INTERIOR - v)) for v in range(1, INTERIOR + 1) if kept >> (INTERIOR - v) & 1)
     for kept in range(1 << INTERIOR)],
    dtype=np.int32,
)  # fmt: skip
_ALL = (1 << _OPERATION_BITS) - 1


def pack_operations(operations: npt.NDArray[np.int64]) -> Keys:
    """Write (n, 5) operations as the low bits of a key, (n,)."""
    packed = np.zeros(len(operations), dtype=np.int32)
    for v in range(INTERIOR):
        packed = (packed << 2) | (_DROPPED - operations[:, v]).astype(np.int32)
    return packed


def unpack_operations(keys: Keys) -> npt.NDArray[np.int8]:
    """Read the (n, 5) operations of (n,) keys."""
    shifts = np.arange(_OPERATION_BITS - 2, -1, -2, dtype=np.int32)
    return (_DROPPED - ((keys[:, None] >> shifts) & 3)).astype(np.int8)


def graphs_of(keys: Keys) -> Graphs:
    """Read the (n,) graphs of (n,) keys."""
    return keys >> _OPERATION_BITS


def pruned_keys(graphs: Graphs, packed: Keys) -> Keys:
    """Write the keys of (n,) valid graphs after pruning; ``packed`` is from ``pack_operations``."""
    kept = kept_vertices()[graphs]
    return (pruned_graphs()[graphs] << _OPERATION_BITS) | packed | (_ALL ^ _STAY[kept])


def canonical_keys(keys: Keys) -> Keys:
    """Turn (n,) keys of pruned cells into those of their canonical cells."""
    high, low, operations = _tables()
    out = np.empty(len(keys), dtype=np.int32)
    size = min(len(keys), _BLOCK)
    orders = np.empty((size, high.shape[1]), dtype=np.int32)
    more = np.empty_like(orders)
    for start in range(0, len(keys), _BLOCK):
        block = keys[start : start + _BLOCK]
        n = len(block)
        np.take(high, block >> (_LOW_BITS + _OPERATION_BITS), axis=0, out=orders[:n], mode="clip")
        np.take(low, (block >> _OPERATION_BITS) & ((1 << _LOW_BITS) - 1), axis=0, out=more[:n], mode="clip")
        np.bitwise_or(orders[:n], more[:n], out=orders[:n])
        np.take(operations, block & _ALL, axis=0, out=more[:n], mode="clip")
        np.bitwise_or(orders[:n], more[:n], out=orders[:n])
        orders[:n].max(axis=1, out=out[start : start + n])
    return out


def canonical_key(key: int) -> int:
    """Turn one key of a pruned cell into that of its canonical cell."""
    high, low, operations = _tables()
    orders = (
        high[key >> (_LOW_BITS + _OPERATION_BITS)] | low[(key >> _OPERATION_BITS) & ((1 << _LOW_BITS) - 1)]
    )
    return int((orders | operations[key & _ALL]).max())


@functools.cache
def _tables() -> tuple[Keys, Keys, Keys]:
    """Say what the high and low bits of a graph and the operations become, each (values, 120 orders)."""
    orders = np.array(list(itertools.permutations(range(1, INTERIOR + 1))), dtype=np.int64)
    place = np.zeros((len(orders), VERTICES), dtype=np.int64)  # of each vertex, in each order
    place[:, 1 : INTERIOR + 1] = orders
    place[:, VERTICES - 1] = VERTICES - 1
    bit = np.full((VERTICES, VERTICES), _BACKWARD, dtype=np.int64)
    for e, (i, j) in enumerate(PAIRS):
        bit[i, j] = 1 << (len(PAIRS) - 1 - e + _OPERATION_BITS)
    of_edge = [bit[place[:, i], place[:, j]].astype(np.int32) for i, j in PAIRS]
    of_operation = []
    for v in range(1, INTERIOR + 1):
        for half in (1, 0):
            of_operation.append(np.left_shift(1 << half, 2 * (INTERIOR - place[:, v])).astype(np.int32))
    return _unions(of_edge[:_HIGH_BITS]), _unions(of_edge[_HIGH_BITS:]), _unions(of_operation)


def _unions(of_bit: list[Keys]) -> Keys:
    """Combine what becomes of single bits, highest first, for every set of them; (2**bits, 120)."""
    table = np.zeros((1, len(of_bit[0])), dtype=np.int32)
    for image in of_bit[::-1]:
        table = np.concatenate([table, table | image])
    return table
