"""Aging evolution keeps its queue: bounded, the oldest leaves, failures never breed."""

from __future__ import annotations

from collections import Counter, deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from nasbench.errors import BadOption
from nasbench.records import Proposal
from nasbench.seeds import generator
from nasbench.strategies.random_search import RandomSearch
from nasbench.strategies.regularized_evolution import RegularizedEvolution


def evolution(space, seed=0, **options):
    return RegularizedEvolution(space, rng=generator(seed, "strategy"), **options)


def distance(a, b):
    return sum(x != y for x, y in zip(a, b, strict=True))


@given(
    population=st.integers(1, 6),
    errors=st.lists(st.none() | st.floats(0, 1), min_size=1, max_size=40),
)
def test_members_are_the_last_successes_and_never_more_than_the_population(
    toy_space, answer, population, errors
):
    strategy, last = evolution(toy_space, population=population, sample=2), deque(maxlen=population)
    for number, error in enumerate(errors):
        (proposal,) = strategy.ask(1)
        strategy.tell([answer(proposal, number, error)])
        if error is not None:
            last.append((error, proposal.code))
        assert len(strategy._members) <= population
        assert Counter(strategy._members) == Counter(last)


def test_best_member_dies_of_age(toy_space, answer):
    strategy = evolution(toy_space, population=4, sample=3)
    strategy.tell([answer(Proposal((0, 0, 0)), 0, 0.0)])
    for number in range(1, 5):
        assert (0.0, (0, 0, 0)) in strategy._members
        strategy.tell([answer(Proposal((2, 2, 2)), number, 0.9)])
    assert (0.0, (0, 0, 0)) not in strategy._members


def test_first_proposals_are_uniform_draws(toy_space):
    first = [p.code for p in evolution(toy_space, seed=3, population=20).ask(20)]
    assert first == [p.code for p in RandomSearch(toy_space, rng=generator(3, "strategy")).ask(20)]


def test_children_are_one_move_from_a_member(toy_space, answer):
    strategy = evolution(toy_space, population=3, sample=2)
    for number in range(60):
        (proposal,) = strategy.ask(1)
        if number >= 3:
            assert min(distance(proposal.code, code) for _, code in strategy._members) <= 1
        strategy.tell([answer(proposal, number, number / 100)])


def parents(space, answer, sample, n=6_000):
    """Count which of three members, far apart, is bred from."""
    members = {(0, 0, 0): 0.1, (1, 1, 1): 0.2, (2, 2, 2): 0.3}
    strategy = evolution(space, population=3, sample=sample)
    strategy.ask(3)
    strategy.tell([answer(Proposal(code), i, error) for i, (code, error) in enumerate(members.items())])
    children = [p.code for p in strategy.ask(n)]
    return [sum(distance(child, code) == 1 for child in children) for code in members]


def test_tournament_of_one_is_random_drift(toy_space, answer):
    assert chisquare(parents(toy_space, answer, 1)).pvalue > 1e-3


def test_tournament_with_replacement_picks_the_best_as_often_as_it_should(toy_space, answer):
    # Of s draws among 3 with replacement: best with 1 - (2/3)^s, worst with (1/3)^s.
    expected = np.array([1 - 4 / 9, 4 / 9 - 1 / 9, 1 / 9]) * 6_000
    assert chisquare(parents(toy_space, answer, 2), expected).pvalue > 1e-3


def test_failed_trainings_are_never_parents(toy_space, answer):
    strategy = evolution(toy_space, population=4, sample=2)
    trained = set()
    for number in range(200):
        (proposal,) = strategy.ask(1)
        failed = proposal.code[0] == 0
        strategy.tell([answer(proposal, number, None if failed else 0.5)])
        if not failed:
            trained.add(proposal.code)
        assert {code for _, code in strategy._members} <= trained


def test_nothing_but_failures_goes_on_with_uniform_draws(toy_space, search):
    codes = search(evolution(toy_space, population=2), lambda code: None, 300)
    assert len(set(codes)) == 27


@pytest.mark.parametrize("workers", [2, 16])
def test_search_goes_on_while_trials_are_running(line, search, workers):
    space, error_of = line
    codes = search(evolution(space, population=8, sample=4), error_of, 300, workers=workers)
    assert len(codes) == 300
    assert np.mean([error_of(c) for c in codes[-100:]]) < np.mean([error_of(c) for c in codes[:8]])


def test_beats_random_search_under_the_same_seeds(line, search):
    space, error_of = line
    gains = []
    for seed in range(30):
        ours = search(evolution(space, seed, population=10, sample=3), error_of, 80)
        rival = search(RandomSearch(space, rng=generator(seed, "strategy")), error_of, 80)
        gains.append(min(map(error_of, rival)) - min(map(error_of, ours)))
    gains = np.array(gains)
    assert gains.mean() / (gains.std(ddof=1) / np.sqrt(len(gains))) > 3


@pytest.mark.parametrize("options", [{"population": 0}, {"sample": 0}, {"population": 2.5}, {"sample": "3"}])
def test_option_that_is_no_whole_number_above_zero_is_refused(toy_space, options):
    with pytest.raises(BadOption, match="population, sample: expected whole numbers >= 1, got"):
        evolution(toy_space, **options)
