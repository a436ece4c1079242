"""Bayesian optimisation with a Gaussian process finds what is good, and keeps the contract."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.strategies.acquisition import ACQUISITIONS
from nasbench.strategies.gp import GP
from nasbench.testing import check_strategy, toy_space
from nasbench.testing.strategy import RULES


@pytest.mark.parametrize("space", [None, get_space("nb201")], ids=["toys", "nb201"])
def test_contract_is_kept(space):
    assert check_strategy(GP, space, n_trials=16, startup=5, candidates=20) == list(RULES)


@pytest.mark.parametrize("acquisition", ACQUISITIONS)
def test_best_is_found_sooner_than_by_draws(line, search, acquisition):
    space, error_of = line
    for seed in range(3):
        strategy = GP(space, rng=np.random.default_rng(seed), acquisition=acquisition)
        assert min(map(error_of, search(strategy, error_of, 60))) <= 1 / 8  # 9 of 625 architectures


@pytest.mark.parametrize("kernel", ["hamming", "path", "wl"])
def test_every_kernel_leads_to_the_good_cells(kernel, search):
    def error_of(code):  # 3 x 3 convolutions on the way are good
        return 1 - sum(value == 3 for value in code) / 6

    found = []
    for seed in range(3):
        strategy = GP(get_space("nb201"), rng=np.random.default_rng(seed), kernel=kernel)
        found.append(min(map(error_of, search(strategy, error_of, 60))))
    assert np.mean(found) < 0.3  # best of 60 draws: 0.48 on average


def test_workers_that_ask_at_once_get_different_architectures(line, answer, rng):
    space, error_of = line
    strategy = GP(space, rng=rng)
    strategy.tell([answer(p, i, error_of(p.code)) for i, p in enumerate(strategy.ask(10))])
    codes = [p.code for p in strategy.ask(20)]
    assert len(set(codes)) == 20


def test_no_architecture_is_proposed_twice_and_the_space_ends(search, rng):
    codes = search(GP(toy_space(), rng=rng), lambda code: sum(code) / 6, 60, workers=3)
    assert len(codes) == len(set(codes)) == 27


def test_failed_trials_are_left_out(line, search, rng):
    space, error_of = line
    codes = search(GP(space, rng=rng), lambda code: None if code[0] == 0 else error_of(code), 60)
    assert min(map(error_of, codes)) <= 1 / 8


def test_nothing_but_failures_means_draws(search, rng):
    space = get_space("nb201")
    codes = np.array(search(GP(space, rng=rng), lambda code: None, 60))
    assert len({tuple(row) for row in codes.tolist()}) == 60


@pytest.mark.parametrize(("name", "least"), [("startup", 1), ("candidates", 2)])
@pytest.mark.parametrize("value", [0, 2.5, True])
def test_wrong_whole_numbers_are_refused(rng, name, least, value):
    with pytest.raises(BadOption, match=f"{name}: expected a whole number >= {least}, got {value}"):
        GP(toy_space(), rng=rng, **{name: value})


def test_unknown_acquisition_is_refused(rng):
    with pytest.raises(BadOption, match="acquisition: expected one of 'ei', 'pi', 'ucb', 'its', got 'best'"):
        GP(toy_space(), rng=rng, acquisition="best")


def test_kernel_that_the_space_lacks_is_refused(rng):
    with pytest.raises(BadOption, match="kernel: space toy has 'auto', 'hamming', got 'path'"):
        GP(toy_space(), rng=rng, kernel="path")
