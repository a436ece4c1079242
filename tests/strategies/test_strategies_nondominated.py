"""Fronts agree with their definition, and crowding distances with a page of arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasbench.strategies.nondominated import crowding_distances, dominance, front_numbers

points = st.integers(1, 3).flatmap(
    lambda m: st.lists(st.lists(st.integers(0, 4), min_size=m, max_size=m), min_size=1, max_size=25)
)


def dominates(a, b):
    return all(x <= y for x, y in zip(a, b, strict=True)) and a != b


@given(points)
def test_dominance_is_as_defined(rows):
    assert dominance(rows).tolist() == [[dominates(a, b) for b in rows] for a in rows]


@given(points)
def test_fronts_are_peeled_off_one_after_another(rows):
    left = dict(enumerate(rows))
    expected = {}
    front = 0
    while left:
        peeled = [i for i, a in left.items() if not any(dominates(b, a) for b in left.values())]
        expected |= dict.fromkeys(peeled, front)
        left = {i: a for i, a in left.items() if i not in expected}
        front += 1
    assert front_numbers(rows).tolist() == [expected[i] for i in range(len(rows))]


def test_worst_of_a_chain_has_the_last_front():
    assert front_numbers([[3, 3], [1, 1], [2, 2], [0, 4]]).tolist() == [2, 0, 1, 0]


def test_crowding_of_a_front_worked_by_hand():
    # First objective, range 10: gaps of the inner three 4, 6, 6. Second, range 20: gaps 10, 12, 10.
    front = [[0, 20], [3, 12], [4, 10], [9, 0.0], [10, 0]]
    expected = [np.inf, 4 / 10 + 10 / 20, 6 / 10 + 12 / 20, np.inf, np.inf]
    assert crowding_distances(front).tolist() == pytest.approx(expected)
    middle = crowding_distances([[0, 20], [3, 12], [4, 10], [9, 2], [10, 0]])
    assert middle.tolist() == pytest.approx([np.inf, 0.9, 0.6 + 0.5, 0.6 + 0.5, np.inf])


def test_crowding_does_not_change_with_the_unit_or_the_order():
    rng = np.random.default_rng(0)
    front = rng.random((12, 3))
    order = rng.permutation(12)
    whole = crowding_distances(front)
    assert crowding_distances(front[order] * [1, 1e6, 1e-9]) == pytest.approx(whole[order])


def test_objective_without_range_adds_nothing():
    flat = crowding_distances([[0, 1], [1, 1], [4, 1], [5, 1], [10, 1]])
    assert flat[1:4].tolist() == pytest.approx([0.4, 0.4, 0.6])


@pytest.mark.parametrize("n", [1, 2])
def test_one_or_two_points_are_ends(n):
    assert np.isinf(crowding_distances(np.eye(2)[:n])).all()
