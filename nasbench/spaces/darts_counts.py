"""What a DARTS cell is made of, as indicators: how many of each operation, and how deep its nodes lie.

Twenty whole numbers a cell, each written as indicators of "at least 1", "at least 2" and so on, so that a sum
of them is the number and a threshold on it one indicator:

* of each of the seven operations, on how many of the eight edges it stands (8 indicators each),
* the same among the edges that leave an input of the cell (8 each),
* steps on the longest way from an input to a node: the largest (4) and the sum over the nodes (10),
* convolutions on the way with the most: the largest (4) and the sum over the nodes (10),
* edges that leave input 0 (4) and input 1 (4).

The order of the nodes does not matter. Source: our own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nasbench.spaces.darts_cell import INPUTS, NODES, OPERATIONS, STATES

_FIRST_CONVOLUTION = OPERATIONS.index("sep_conv_3x3")  # and all after it
_DEEPEST = NODES * (NODES + 1) // 2
_LEVELS = np.array([2 * NODES] * (2 * len(OPERATIONS)) + [NODES, _DEEPEST] * 2 + [NODES] * INPUTS)
_OF = np.repeat(np.arange(len(_LEVELS)), _LEVELS)
_AT_LEAST = np.concatenate([np.arange(1, levels + 1) for levels in _LEVELS])

COLUMNS = len(_AT_LEAST)
"""Indicators of a cell, 148."""

Whole = npt.NDArray[np.int64]


def counts(sources: Whole, operations: Whole) -> npt.NDArray[np.float32]:
    """Indicate what (n, 4 nodes, 2) sources and operations of cells amount to, (n, 148)."""
    n = len(sources)
    stands = operations.reshape(n, 2 * NODES)[:, :, None] == np.arange(len(OPERATIONS))
    leaves = sources.reshape(n, 2 * NODES) < INPUTS
    steps = _longest(sources, np.ones_like(operations))
    convolutions = _longest(sources, (operations >= _FIRST_CONVOLUTION).astype(np.int64))
    numbers = np.concatenate(
        [
            stands.sum(axis=1),
            (stands & leaves[:, :, None]).sum(axis=1),
            *(np.stack([way.max(axis=1), way.sum(axis=1)], axis=1) for way in (steps, convolutions)),
            np.stack([(sources.reshape(n, 2 * NODES) == i).sum(axis=1) for i in range(INPUTS)], axis=1),
        ],
        axis=1,
    )
    return (numbers[:, _OF] >= _AT_LEAST).astype(np.float32)


def _longest(sources: Whole, lengths: Whole) -> Whole:
    """Add up edges of these (n, 4, 2) lengths on the longest way from an input to each node, (n, 4)."""
    cell = np.arange(len(sources))[:, None]
    reached = np.zeros((len(sources), STATES), dtype=np.int64)
    for node in range(NODES):
        reached[:, INPUTS + node] = (reached[cell, sources[:, node]] + lengths[:, node]).max(axis=1)
    return reached[:, INPUTS:]
