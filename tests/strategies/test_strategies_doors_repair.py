"""Values that break a mask become the next legal ones; legal codes stay."""

from __future__ import annotations

import itertools

import pytest

from nasbench.strategies.doors.repair import repaired
from nasbench.testing import ToyChain, toy_space


@pytest.mark.parametrize("space", [toy_space(), ToyChain()], ids=lambda space: space.name)
def test_every_combination_of_values_becomes_an_architecture_and_legal_ones_stay(space):
    legal = {tuple(row) for block in space.enumerate() for row in block.tolist()}
    for values in itertools.product(range(3), repeat=len(space.decisions)):
        code = repaired(space, values)
        assert code in legal
        assert all(type(value) is int for value in code)
        if values in legal:
            assert code == values


def test_illegal_value_becomes_the_next_legal_one_around_the_end():
    assert repaired(ToyChain(), (0, 1, 0, 2)) == (1, 1, 0, 0)
