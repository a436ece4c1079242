"""Hurdles decide who trains longer, and only rise in number; without them it is plain evolution."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.records import Trial
from nasbench.seeds import generator
from nasbench.spaces import get_space
from nasbench.strategies.hurdles import ProgressiveDynamicHurdles
from nasbench.strategies.random_search import RandomSearch
from nasbench.strategies.strategy import Setting
from nasbench.testing import check_strategy, toy_setting
from nasbench.testing.simulation import drive

STEPS = (1, 3, 9, 27)


def hurdles(space, seed=0, **options):
    return ProgressiveDynamicHurdles(space, rng=generator(seed, "strategy"), setting=toy_setting(), **options)


def driven(strategy, space, error_of, n_trials, workers=1):
    return drive(
        strategy,
        space,
        answer=lambda code, number: error_of(code),
        setting=toy_setting(),
        n_trials=n_trials,
        workers=workers,
    )


def rough(rng):
    """Answer with errors that fall with the epochs, and say nothing else of the architecture."""
    return lambda epochs: float(rng.random()) * (1 - epochs / 40)


def steps_of(strategy, error_at, n_trials):
    """Yield (proposal, trial, hurdles before it is told) of a run with one worker."""
    for number in range(n_trials):
        (proposal,) = strategy.ask(1)
        trial = Trial(number, proposal.code, proposal.epochs, 0, "ok", error_at(proposal.epochs), 1.0)
        before = list(strategy._hurdles)
        strategy.tell([trial])
        yield proposal, trial, before


def test_a_model_goes_on_exactly_while_it_is_below_its_hurdle(toy_space, rng):
    strategy = hurdles(toy_space, population=5, sample=2, children=8)
    went_on, due = 0, None
    for proposal, trial, limits in steps_of(strategy, rough(rng), 400):
        assert proposal.continues == due
        step = STEPS.index(trial.epochs)
        due = trial.number if step < len(limits) and trial.valid_error < limits[step] else None
        went_on += due is not None
    assert went_on > 50


def test_longer_training_comes_with_its_hurdle_and_hurdles_stay(toy_space, rng):
    strategy = hurdles(toy_space, population=5, sample=2, children=8)
    before = []
    for proposal, _, limits in steps_of(strategy, rough(rng), 400):
        assert proposal.epochs <= STEPS[len(limits)]
        assert limits[: len(before)] == before
        before = limits
    assert len(before) == 3


def test_hurdle_is_the_mean_error_of_the_members_that_trained_longest(toy_space, rng):
    strategy = hurdles(toy_space, population=6, sample=3, children=10)
    n_hurdles = 0
    for _ in steps_of(strategy, rough(rng), 300):
        if len(strategy._hurdles) > n_hurdles:
            n_hurdles = len(strategy._hurdles)
            longest = max(member.step for member in strategy._members)
            errors = [member.error for member in strategy._members if member.step == longest]
            assert strategy._hurdles[-1] == pytest.approx(np.mean(errors))
    assert n_hurdles == 3


def test_first_hurdle_comes_after_the_population_and_the_first_children(toy_space, rng):
    strategy = hurdles(toy_space, population=5, sample=2, children=8)
    counts = [len(limits) for _, _, limits in steps_of(strategy, rough(rng), 14)]
    assert counts == [0] * 13 + [1]


def test_hurdles_that_everybody_takes_leave_plain_evolution_at_full_length(line):
    space, error_of = line
    ours, plain = hurdles(space, seed=4), hurdles(space, seed=4)
    ours._hurdles = [math.inf] * 3
    plain._steps = (27,)
    new = [p.code for p in driven(ours, space, error_of, 800).proposals if p.continues is None]
    assert new == [p.code for p in driven(plain, space, error_of, 200).proposals]
    assert [m[1:] for m in ours._members] == [m[1:] for m in plain._members]


def test_worst_of_a_tournament_leaves(toy_space, rng):
    strategy = hurdles(toy_space, population=8, sample=200, children=1_000)
    errors = []
    for _, trial, _ in steps_of(strategy, rough(rng), 30):
        errors = sorted([*sorted(errors)[:7], trial.valid_error])
        assert sorted(member.error for member in strategy._members) == errors


def test_failed_trainings_never_join(line):
    space, error_of = line
    strategy = hurdles(space)
    driven(strategy, space, lambda code: None if code[0] == 2 else error_of(code), 300)
    assert strategy._members
    assert all(member.code[0] != 2 for member in strategy._members)


def test_nothing_but_failures_goes_on_with_uniform_draws(toy_space):
    transcript = driven(hurdles(toy_space, population=2), toy_space, lambda code: None, 300)
    assert len({p.code for p in transcript.proposals}) == 27


@pytest.mark.parametrize("workers", [5, 40])
def test_no_worker_is_idle(line, workers):
    space, error_of = line
    transcript = driven(hurdles(space), space, error_of, 300, workers)
    assert all(len(event[2]) == event[1] for event in transcript.events if event[0] == "ask")


def test_beats_random_search_at_the_same_epochs(line):
    space, error_of = line
    gains = []
    for seed in range(20):
        run = driven(hurdles(space, seed), space, error_of, 300)
        paid = sum(
            p.epochs - (run.proposals[p.continues].epochs if p.continues is not None else 0)
            for p in run.proposals
        )
        draws = RandomSearch(space, rng=generator(seed, "strategy")).ask(paid // 27)
        full = [error_of(p.code) for p in run.proposals if p.epochs == 27]
        gains.append(min(error_of(p.code) for p in draws) - min(full))
    gains = np.array(gains)
    assert gains.mean() / (gains.std(ddof=1) / np.sqrt(len(gains))) > 3


def test_contract_is_kept():
    assert check_strategy(ProgressiveDynamicHurdles, population=4, sample=2, children=3)
    assert check_strategy(ProgressiveDynamicHurdles, get_space("nb201"), population=10, eta=2)


def test_source_with_one_training_length_is_refused(toy_space, rng):
    with pytest.raises(BadOption, match="expected a source with two or more training lengths"):
        ProgressiveDynamicHurdles(toy_space, rng=rng, setting=Setting((200,)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"population": 0}, "population: expected a whole number >= 1, got 0"),
        ({"sample": 2.5}, "sample: expected a whole number >= 1, got 2.5"),
        ({"children": "8"}, "children: expected a whole number >= 1, got '8'"),
        ({"eta": 1}, "eta: "),
    ],
)
def test_option_out_of_range_is_refused(toy_space, options, message):
    with pytest.raises(BadOption, match=message):
        hurdles(toy_space, **options)
