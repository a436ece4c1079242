"""BANANAS works in rounds, and beats random search where the paper says so."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import wilcoxon

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.store.bundled import find_table
from nasbench.strategies.acquisition import ACQUISITIONS
from nasbench.strategies.bananas import Bananas
from nasbench.testing import check_strategy, toy_space
from nasbench.testing.strategy import RULES

SMALL = {"layers": 2, "epochs": 20}


@pytest.mark.parametrize("space", [None, get_space("nb201")], ids=["toys", "nb201"])
def test_contract_is_kept(space):
    options = {"startup": 5, "layers": 1, "epochs": 2}
    assert check_strategy(Bananas, space, n_trials=16, **options) == list(RULES)


@pytest.mark.parametrize("acquisition", ["ts", *ACQUISITIONS])
def test_best_is_found_sooner_than_by_draws(line, search, acquisition):
    space, error_of = line
    found = []
    for seed in range(3):
        strategy = Bananas(space, rng=np.random.default_rng(seed), acquisition=acquisition, **SMALL)
        found.append(min(map(error_of, search(strategy, error_of, 60))))
    assert np.mean(found) < 1.5 / 8  # best of 60 draws: 1.9 / 8 on average


def test_ensemble_is_trained_once_a_round(line, search, rng):
    space, error_of = line
    trainings = []

    class Watched(Bananas):
        def _rate(self, candidates):
            trainings.append(len(self._archive.codes))
            return super()._rate(candidates)

    search(Watched(space, rng=rng, startup=8, k=6, **SMALL), error_of, 32)
    assert trainings == [8, 14, 20, 26]


def test_candidates_are_unseen_mutations_of_the_best(line, answer, rng):
    space, error_of = line
    strategy = Bananas(space, rng=rng, **SMALL)
    strategy.tell([answer(p, i, error_of(p.code)) for i, p in enumerate(strategy.ask(10))])
    best = np.array(strategy._archive.best(5))
    candidates = strategy._candidates()
    assert len(candidates) >= 100
    assert all(strategy._archive.is_new(code) for code in candidates)
    changed = (np.array(candidates)[:, None] != best).sum(axis=2).min(axis=1)
    assert changed.min() == 1
    assert changed.max() <= 4


def test_no_architecture_is_proposed_twice_and_the_space_ends(search, rng):
    codes = search(Bananas(toy_space(), rng=rng, **SMALL), lambda code: sum(code) / 6, 60, workers=3)
    assert len(codes) == len(set(codes)) == 27


@pytest.mark.slow
def test_bananas_beats_random_search_at_150_queries(search):
    table = find_table("nb201-cifar10")
    errors = {}

    def error_of(code):
        if code not in errors:
            errors[code] = table.query(code, epochs=table.epochs[-1], replicate=0).valid_error
        return errors[code]

    ours, drawn = [], []
    for seed in range(9):
        ours.append(
            min(map(error_of, search(Bananas(table.space, rng=np.random.default_rng(seed)), error_of, 150)))
        )
        codes = table.space.sample(150, rng=np.random.default_rng(1_000 + seed)).tolist()
        drawn.append(min(error_of(tuple(code)) for code in codes))
    assert wilcoxon(ours, drawn, alternative="less").pvalue < 0.01


@pytest.mark.parametrize("name", ["startup", "k", "layers", "width", "epochs"])
@pytest.mark.parametrize("value", [0, 2.5, True])
def test_wrong_whole_numbers_are_refused(rng, name, value):
    with pytest.raises(BadOption, match=f"{name}: expected a whole number >= 1, got {value}"):
        Bananas(toy_space(), rng=rng, **{name: value})


def test_ensemble_of_one_is_refused(rng):
    with pytest.raises(BadOption, match="members: expected a whole number >= 2, got 1"):
        Bananas(toy_space(), rng=rng, members=1)


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_wrong_learning_rates_are_refused(rng, value):
    with pytest.raises(BadOption, match=f"learning_rate: expected a number > 0, got {value}"):
        Bananas(toy_space(), rng=rng, learning_rate=value)


def test_unknown_acquisition_is_refused(rng):
    with pytest.raises(BadOption, match=r"acquisition: expected one of 'ts', 'ei', .* got 'best'"):
        Bananas(toy_space(), rng=rng, acquisition="best")
