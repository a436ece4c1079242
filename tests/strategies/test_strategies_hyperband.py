"""Hyperband runs its brackets in order, on architectures drawn as random search draws them."""

from __future__ import annotations

from itertools import groupby

import pytest

from nasbench.errors import BadOption
from nasbench.seeds import generator
from nasbench.spaces import get_space
from nasbench.strategies.hyperband import Hyperband
from nasbench.strategies.random_search import RandomSearch
from nasbench.strategies.strategy import Setting
from nasbench.testing import check_strategy, toy_setting
from nasbench.testing.simulation import drive

PAPER = [(1, 27), (3, 9), (9, 3), (27, 1), (3, 12), (9, 4), (27, 1), (9, 6), (27, 2 + 4)]
HPBANDSTER = [(1, 27), (3, 9), (9, 3), (27, 1), (3, 9), (9, 3), (27, 1), (9, 6), (27, 2 + 4)]


def hyperband(space, seed=0, **options):
    return Hyperband(space, rng=generator(seed, "strategy"), setting=toy_setting(), **options)


def driven(space, error_of, n_trials, workers=1, **options):
    return drive(
        hyperband(space, **options),
        space,
        answer=lambda code, number: error_of(code),
        setting=toy_setting(),
        n_trials=n_trials,
        workers=workers,
    )


@pytest.mark.parametrize(("formula", "expected"), [("paper", PAPER), ("hpbandster", HPBANDSTER)])
def test_one_iteration_has_the_published_brackets(line, formula, expected):
    space, error_of = line
    n_trials = sum(size for _, size in expected)
    proposals = driven(space, error_of, n_trials + 27, formula=formula).proposals
    steps = [(epochs, len(list(group))) for epochs, group in groupby(p.epochs for p in proposals)]
    assert steps == [*expected, (1, 27)]


def test_promotions_are_the_best_of_their_rung(line):
    space, error_of = line
    proposals = driven(space, error_of, 67).proposals
    first = proposals[:27]
    best = sorted(range(27), key=lambda number: (error_of(first[number].code), number))[:9]
    assert [p.continues for p in proposals[27:36]] == best


def test_new_architectures_are_uniform_draws(line):
    space, error_of = line
    new = [p.code for p in driven(space, error_of, 150, workers=3).proposals if p.continues is None]
    draws = RandomSearch(space, rng=generator(0, "strategy")).ask(len(new))
    assert new == [p.code for p in draws]


@pytest.mark.parametrize("workers", [4, 30])
def test_no_worker_is_idle_and_nothing_is_promoted_twice(line, workers):
    space, error_of = line
    transcript = driven(space, error_of, 200, workers=workers)
    assert all(len(event[2]) == event[1] for event in transcript.events if event[0] == "ask")
    continued = [p.continues for p in transcript.proposals if p.continues is not None]
    assert len(continued) == len(set(continued))


def test_contract_is_kept():
    assert check_strategy(Hyperband)
    assert check_strategy(Hyperband, get_space("nb201"), eta=4, formula="hpbandster")


def test_source_with_one_training_length_is_refused(toy_space, rng):
    with pytest.raises(BadOption, match="expected a source with two or more training lengths"):
        Hyperband(toy_space, rng=rng, setting=Setting((200,)))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"eta": 1}, "eta: "), ({"formula": "floor"}, "formula: "), ({"min_epochs": 27}, "min_epochs: ")],
)
def test_option_out_of_range_is_refused(toy_space, options, message):
    with pytest.raises(BadOption, match=message):
        hyperband(toy_space, **options)
