"""Grid search walks the space once."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.spaces import Decision, ProductSpace, get_space
from nasbench.strategies.grid import Grid
from nasbench.testing import ToyChain, toy_space


def all_codes(strategy, n=1000):
    out = []
    while batch := strategy.ask(n):
        out += [proposal.code for proposal in batch]
    return out


def test_grid_visits_every_nb201_code_once_in_lexicographic_order(rng):
    codes = all_codes(Grid(get_space("nb201"), rng=rng))
    assert len(codes) == 15_625
    assert codes == sorted(set(codes))


def test_grid_finds_the_best_of_a_known_table(rng, search):
    errors = dict(
        zip(all_codes(Grid(toy_space(), rng=rng)), np.random.default_rng(3).random(27), strict=True)
    )
    visited = search(Grid(toy_space(), rng=rng), errors.get, 100, workers=4)
    assert min(visited, key=errors.get) == min(errors, key=errors.get)
    assert len(visited) == 27


def test_grid_walks_by_the_masks(rng):
    space = ToyChain()
    wanted = [tuple(row) for block in space.enumerate() for row in block.tolist()]
    assert all_codes(Grid(space, rng=rng), n=7) == wanted


def test_random_order_is_a_permutation_that_the_seed_decides():
    one, same, other = (
        all_codes(Grid(toy_space(), rng=np.random.default_rng(seed), order="random")) for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other
    assert sorted(one) == sorted(other) == all_codes(Grid(toy_space(), rng=np.random.default_rng(1)))


def test_grid_starts_at_once_on_a_space_too_large_to_list(rng):
    wide = ProductSpace("wide", [Decision(f"d{i}", tuple("abcdefghij")) for i in range(40)])
    assert [p.code[-1] for p in Grid(wide, rng=rng).ask(3)] == [0, 1, 2]


def test_unknown_order_is_refused(rng):
    with pytest.raises(BadOption, match="order: expected 'lexicographic' or 'random', got 'up'"):
        Grid(toy_space(), rng=rng, order="up")


def test_random_order_of_a_large_space_is_refused(rng):
    wide = ProductSpace("wide", [Decision(f"d{i}", tuple("ab")) for i in range(21)])
    with pytest.raises(BadOption, match="order: expected a space of at most 1048576 codes"):
        Grid(wide, rng=rng, order="random")


def test_random_order_of_a_space_of_unknown_size_is_refused_once_counted(rng, monkeypatch):
    monkeypatch.setattr("nasbench.strategies.grid._MOST_HELD", 26)
    space = toy_space()
    space.size = None
    with pytest.raises(BadOption, match="order: expected a space of at most 26 codes"):
        Grid(space, rng=rng, order="random")
