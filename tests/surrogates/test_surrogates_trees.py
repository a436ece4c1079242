"""Forests of complete trees say what the trees they came from say."""

from __future__ import annotations

import re

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.surrogates.trees import Tree, forest_of


def chain(depth):
    """A tree that asks feature 0, then 1, ...: the first that is 0 decides."""
    zero = np.full(2 * depth + 1, -1)
    one = np.full(2 * depth + 1, -1)
    zero[:depth] = np.arange(depth) + depth
    one[:depth] = [*range(1, depth), 2 * depth]
    values = np.zeros((2 * depth + 1, 2))
    values[depth:, 0] = np.arange(depth + 1)
    values[:, 1] = -values[:, 0]
    return Tree(np.array([*range(depth), *([0] * (depth + 1))]), zero, one, values)


def test_a_chain_counts_the_leading_ones():
    forest = forest_of([chain(4), chain(2)])
    rows = np.array([[0, 0, 0, 0], [1, 0, 1, 1], [1, 1, 1, 0], [1, 1, 1, 1]], dtype=np.float32)
    leading = np.array([0, 1, 3, 4]) + np.array([0, 1, 2, 2])
    assert forest.predict(rows).tolist() == [[v, -v] for v in leading.tolist()]


def test_a_single_leaf_is_a_constant():
    leaf = Tree(np.zeros(1, dtype=int), np.array([-1]), np.array([-1]), np.array([[2.5]]))
    assert forest_of([leaf, leaf]).predict(np.zeros((3, 4), dtype=np.float32)).ravel().tolist() == [5.0] * 3


def test_rows_beyond_one_block_are_answered_in_order(rng):
    rows = (rng.random((1_000, 4)) < 0.5).astype(np.float32)
    forest = forest_of([chain(4)])
    one_by_one = np.concatenate([forest.predict(row[None]) for row in rows])
    assert np.array_equal(forest.predict(rows), one_by_one)


def test_too_deep_a_tree_is_refused():
    with pytest.raises(BadOption, match=re.escape("trees: expected depth <= 12, got 13.")):
        forest_of([chain(13)])
