"""SMAC climbs its forest, interleaves draws, and keeps the contract."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from nasbench.errors import BadOption, MissingExtra
from nasbench.spaces import Decision, ProductSpace, get_space
from nasbench.testing import check_strategy, toy_space
from nasbench.testing.strategy import RULES

pytest.importorskip("sklearn")

from nasbench.strategies.smac import SMAC


@pytest.mark.parametrize("space", [None, get_space("nb201")], ids=["toys", "nb201"])
def test_contract_is_kept(space):
    options = {"startup": 10, "trees": 2, "candidates": 20}
    assert check_strategy(SMAC, space, n_trials=20, **options) == list(RULES)


def test_best_is_found_sooner_than_by_draws(line, search):
    space, error_of = line
    for seed in range(3):
        strategy = SMAC(space, rng=np.random.default_rng(seed))
        assert min(map(error_of, search(strategy, error_of, 60))) <= 1 / 8  # 9 of 625 architectures


def test_share_of_draws_is_the_one_asked_for(line, answer):
    space, error_of = line
    fitted = []

    class Watched(SMAC):
        def _fit(self):
            fitted.append(len(self._archive))
            return super()._fit()

    for share in (0.0, 0.5, 1.0):
        fitted.clear()
        strategy = Watched(space, rng=np.random.default_rng(0), startup=10, random_share=share, candidates=5)
        strategy.tell([answer(p, i, error_of(p.code)) for i, p in enumerate(strategy.ask(10))])
        strategy.ask(60)
        assert abs(len(fitted) / 60 - (1 - share)) < 0.15


def test_climb_ends_at_a_local_optimum_of_the_rating(line, answer, rng):
    space, error_of = line
    strategy = SMAC(space, rng=rng, startup=30, random_share=0.0)
    strategy.tell([answer(p, i, error_of(p.code)) for i, p in enumerate(strategy.ask(30))])
    forest, best = strategy._fit(), float(strategy._archive.log_errors.min())
    rated = {}
    strategy._climb(forest, rated, best)
    top = max(rated, key=rated.__getitem__)
    near = [tuple(row) for row in space.neighbours(top).tolist()]
    assert rated[top] >= max(strategy._rate(forest, near, best).values())


def test_of_many_neighbours_some_are_drawn(rng):
    space = ProductSpace("wide", [Decision(f"d{i}", tuple("abcdefghij")) for i in range(40)])
    near = SMAC(space, rng=rng)._neighbours((0,) * 40)
    assert len(set(near)) == 64
    assert all(sum(value > 0 for value in code) == 1 for code in near)


def test_no_architecture_is_proposed_twice_and_the_space_ends(search, rng):
    codes = search(SMAC(toy_space(), rng=rng), lambda code: sum(code) / 6, 60, workers=3)
    assert len(codes) == len(set(codes)) == 27


def test_missing_library_is_named_with_its_command(monkeypatch, rng):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(MissingExtra, match=r"Strategy smac needs scikit-learn.*nasbench\[surrogate\]"):
        SMAC(toy_space(), rng=rng)


@pytest.mark.parametrize(("name", "least"), [("startup", 1), ("trees", 2), ("candidates", 1)])
@pytest.mark.parametrize("value", [0, 2.5, True])
def test_wrong_whole_numbers_are_refused(rng, name, least, value):
    with pytest.raises(BadOption, match=f"{name}: expected a whole number >= {least}, got {value}"):
        SMAC(toy_space(), rng=rng, **{name: value})


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_wrong_shares_are_refused(rng, value):
    with pytest.raises(BadOption, match=f"random_share: expected a number in .0, 1., got {value}"):
        SMAC(toy_space(), rng=rng, random_share=value)
