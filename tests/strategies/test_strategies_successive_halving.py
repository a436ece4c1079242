"""Successive halving trains the best third of each rung three times longer."""

from __future__ import annotations

from itertools import groupby, pairwise

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.seeds import generator
from nasbench.spaces import get_space
from nasbench.strategies.random_search import RandomSearch
from nasbench.strategies.strategy import Setting
from nasbench.strategies.successive_halving import SuccessiveHalving
from nasbench.testing import check_strategy, toy_setting
from nasbench.testing.simulation import drive


def halving(space, seed=0, **options):
    return SuccessiveHalving(space, rng=generator(seed, "strategy"), setting=toy_setting(), **options)


def driven(strategy, space, error_of, n_trials, workers=1):
    return drive(
        strategy,
        space,
        answer=lambda code, number: error_of(code),
        setting=toy_setting(),
        n_trials=n_trials,
        workers=workers,
    )


def rungs(proposals):
    """Cut proposals where the training length changes: [(epochs, numbers), ...]."""
    numbers = groupby(range(len(proposals)), key=lambda number: proposals[number].epochs)
    return [(epochs, list(group)) for epochs, group in numbers]


def test_brackets_follow_each_other(line):
    space, error_of = line
    steps = rungs(driven(halving(space), space, error_of, 80).proposals)
    assert [(epochs, len(group)) for epochs, group in steps] == [(1, 27), (3, 9), (9, 3), (27, 1)] * 2


def test_promoted_are_the_best_third_and_continue_their_own_training(line):
    space, error_of = line
    proposals = driven(halving(space), space, error_of, 40).proposals
    steps = rungs(proposals)
    for (_, here), (_, above) in pairwise(steps):
        best = sorted(here, key=lambda number: (error_of(proposals[number].code), number))[: len(above)]
        assert [proposals[number].continues for number in above] == best
        assert [proposals[number].code for number in above] == [proposals[number].code for number in best]


def test_size_is_the_number_of_new_architectures(line):
    space, error_of = line
    steps = rungs(driven(halving(space, size=60), space, error_of, 88).proposals)
    assert [(epochs, len(group)) for epochs, group in steps] == [(1, 60), (3, 20), (9, 6), (27, 2)]


def test_no_worker_is_idle(line):
    space, error_of = line
    transcript = driven(halving(space), space, error_of, 200, workers=20)
    assert all(len(event[2]) == event[1] for event in transcript.events if event[0] == "ask")


def test_beats_random_search_where_short_trainings_rank_as_full_ones_do(line):
    # A bracket pays 27 + 9 x 2 + 3 x 6 + 18 = 81 epochs: ten of them cost as much as 30 full trainings.
    space, error_of = line
    gains = []
    for seed in range(20):
        ours = driven(halving(space, seed), space, error_of, 400).proposals
        rival = driven(RandomSearch(space, rng=generator(seed, "strategy")), space, error_of, 30).proposals
        full = [error_of(p.code) for p in ours if p.epochs == 27]
        gains.append(min(error_of(p.code) for p in rival) - min(full))
    gains = np.array(gains)
    assert gains.mean() / (gains.std(ddof=1) / np.sqrt(len(gains))) > 3


def test_contract_is_kept():
    assert check_strategy(SuccessiveHalving)
    assert check_strategy(SuccessiveHalving, get_space("nb201"), eta=2, min_epochs=2, size=33)


def test_source_with_one_training_length_is_refused(toy_space, rng):
    with pytest.raises(BadOption, match="expected a source with two or more training lengths"):
        SuccessiveHalving(toy_space, rng=rng, setting=Setting((200,)))


@pytest.mark.parametrize("size", [26, 0, 30.0, "30"])
def test_size_of_which_none_would_train_in_full_is_refused(toy_space, size):
    with pytest.raises(BadOption, match=r"size: expected a whole number >= eta\^\(rungs - 1\) \(= 27\)"):
        halving(toy_space, size=size)
