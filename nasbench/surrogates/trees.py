"""Ensembles of trees over indicators, as arrays: evaluated in numpy alone, many targets at once.

A tree is stored complete to its ensemble's depth: node i has the children 2i + 1 (its feature is 0) and
2i + 2 (it is 1), and 2**depth leaves hold one value a target. A node above a leaf of the original tree asks
feature 0 and has the same value on both sides. Where features are only ever 0 or 1, every threshold is the
same question, so none is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption

DEEPEST = 12
"""A complete tree doubles with each level."""

_BLOCK = 128  # rows at a time: what they need stays in the processor's cache


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree as a library gives it: node 0 is the root.

    Attributes:
        features: (m,) feature that a node asks; of leaves it does not matter.
        zero: (m,) child where the feature is 0; -1 at a leaf.
        one: (m,) child where it is 1.
        values: (m, k) value of each node that is a leaf.
    """

    features: npt.NDArray[np.int64]
    zero: npt.NDArray[np.int64]
    one: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


class Forest:
    """Trees whose leaf values are added up.

    Args:
        features: (t, 2**depth - 1) feature of each inner node.
        values: (t, 2**depth, k) values of the leaves.
    """

    def __init__(self, features: npt.NDArray[np.int32], values: npt.NDArray[np.float32]) -> None:
        self.features, self.values = features, values
        self.depth = int(values.shape[1]).bit_length() - 1
        trees = len(features)
        self._features = features.astype(np.intp).ravel()
        self._nodes = (np.arange(trees) * features.shape[1])[None]
        self._leaves = (np.arange(trees) * values.shape[1] - features.shape[1])[None]
        self._values = [np.ascontiguousarray(values[:, :, k]).ravel() for k in range(values.shape[2])]

    def predict(self, flat: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Add up the leaves that (n, d) indicators fall into, (n, k)."""
        bits = flat.astype(np.uint8)
        out = np.empty((len(bits), len(self._values)))
        for start in range(0, len(bits), _BLOCK):
            rows = bits[start : start + _BLOCK]
            seen = rows.ravel()
            first = (np.arange(len(rows)) * rows.shape[1])[:, None]
            at = np.zeros((len(rows), len(self.features)), dtype=np.intp)
            for _ in range(self.depth):
                asked = self._features.take(at + self._nodes)
                asked += first
                at *= 2
                at += 1
                at += seen.take(asked)
            at += self._leaves
            for k, values in enumerate(self._values):
                out[start : start + _BLOCK, k] = values.take(at).sum(axis=1, dtype=np.float64)
        return out


def forest_of(trees: Sequence[Tree]) -> Forest:
    """Complete trees to the depth of the deepest.

    Raises:
        BadOption: A tree is deeper than ``DEEPEST``.
    """
    depth = max(_depth(tree) for tree in trees)
    if depth > DEEPEST:
        raise BadOption(f"trees: expected depth <= {DEEPEST}, got {depth}. Fit shallower ones.")
    targets = trees[0].values.shape[1]
    features = np.zeros((len(trees), 2**depth - 1), dtype=np.int32)
    values = np.zeros((len(trees), 2**depth, targets), dtype=np.float32)
    for t, tree in enumerate(trees):
        nodes = np.zeros(1, dtype=np.int64)
        for level in range(depth):
            is_leaf = tree.zero[nodes] < 0
            features[t, 2**level - 1 : 2 ** (level + 1) - 1] = np.where(is_leaf, 0, tree.features[nodes])
            children = np.stack(
                [np.where(is_leaf, nodes, tree.zero[nodes]), np.where(is_leaf, nodes, tree.one[nodes])],
                axis=1,
            )
            nodes = children.ravel()
        values[t] = tree.values[nodes]
    return Forest(features, values)


def _depth(tree: Tree) -> int:
    depth, nodes = 0, np.zeros(1, dtype=np.int64)
    while True:
        nodes = nodes[tree.zero[nodes] >= 0]
        if not len(nodes):
            return depth
        nodes = np.concatenate([tree.zero[nodes], tree.one[nodes]])
        depth += 1
