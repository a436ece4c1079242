"""Hierarchical evolution starts from scrambled trivial codes, selects among all and removes nobody."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, chisquare

from nasbench.errors import BadOption
from nasbench.records import Proposal
from nasbench.seeds import generator
from nasbench.spaces import get_space
from nasbench.strategies.hierarchical_evolution import HierarchicalEvolution, trivial_code
from nasbench.strategies.random_search import RandomSearch
from nasbench.testing import ToyChain, check_strategy, toy_space


def evolution(space, seed=0, **options):
    return HierarchicalEvolution(space, rng=generator(seed, "strategy"), **options)


def distance(a, b):
    return sum(x != y for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize(
    ("space", "options"),
    [(None, {"scrambling": 5}), (None, {"scrambling": 5, "repeats": 3}), (get_space("nb201"), {})],
    ids=["toys", "toys-repeats", "nb201"],
)
def test_contract_is_kept(space, options):
    assert check_strategy(HierarchicalEvolution, space, **options)


def test_trivial_code_is_the_first_legal_value_of_every_decision():
    assert trivial_code(toy_space()) == (0, 0, 0)
    assert trivial_code(ToyChain()) == (1, 0, 0, 0)


@pytest.mark.parametrize("moves", [1, 2])
def test_first_members_are_a_trivial_code_after_so_many_moves(line, moves):
    space, _ = line
    codes = [p.code for p in evolution(space, population=200, scrambling=moves).ask(200)]
    distances = {distance(code, (0, 0, 0, 0)) for code in codes}
    assert distances == ({1} if moves == 1 else {0, 1, 2})


def test_default_scrambling_spreads_first_members_evenly(line):
    space, _ = line
    codes = np.array([p.code for p in evolution(space, population=4_000).ask(4_000)])
    for values in codes.T:
        assert chisquare(np.bincount(values, minlength=5)).pvalue > 1e-4


def test_nobody_is_removed(line, search):
    space, error_of = line
    strategy = evolution(space)
    search(strategy, error_of, 150, workers=4)
    assert len(strategy._members) == 150


def test_tournament_is_a_twentieth_of_all_members(line, answer):
    space, _ = line
    n_members, n_parents = 100, 4_000
    strategy = evolution(space, population=n_members, scrambling=1)
    strategy.ask(n_members)
    for number in range(n_members):
        best = number < 10
        code = (4, 4, 4, 4) if best else (0, 0, 0, 0)
        strategy.tell([answer(Proposal(code), number, 0.1 if best else 0.9)])
    near_best = sum(distance(p.code, (4, 4, 4, 4)) == 1 for p in strategy.ask(n_parents))
    chance = 1 - 0.9**5  # that one of five draws is among the best ten
    assert binomtest(near_best, n_parents, chance).pvalue > 1e-3


def test_architecture_joins_with_the_mean_of_its_repeats(line, answer):
    space, _ = line
    strategy = evolution(space, population=2, repeats=3)
    first = strategy.ask(2) + strategy.ask(4)
    assert [p.code for p in first] == [first[0].code] * 3 + [first[3].code] * 3
    strategy.tell([answer(first[3], 3, 0.9), answer(first[0], 0, 0.2)])
    strategy.tell([answer(first[2], 2, None)])
    assert strategy._members == []
    strategy.tell([answer(first[1], 1, 0.4)])
    assert strategy._members == [(pytest.approx(0.3), first[0].code)]


def test_architecture_that_failed_in_every_repeat_does_not_join(line, answer):
    space, _ = line
    strategy = evolution(space, population=1, repeats=2)
    strategy.tell([answer(p, i, None) for i, p in enumerate(strategy.ask(2))])
    assert strategy._members == []
    assert len(strategy.ask(2)) == 2


def test_beats_random_search_under_the_same_seeds(line, search):
    space, error_of = line
    gains = []
    for seed in range(30):
        ours = search(evolution(space, seed), error_of, 100)
        rival = search(RandomSearch(space, rng=generator(seed, "strategy")), error_of, 100)
        gains.append(min(map(error_of, rival)) - min(map(error_of, ours)))
    assert np.mean(gains) / (np.std(gains, ddof=1) / np.sqrt(len(gains))) > 3


@pytest.mark.parametrize("name", ["population", "scrambling", "repeats"])
@pytest.mark.parametrize("value", [0, 1.5, "3", True])
def test_option_that_is_no_whole_number_above_zero_is_refused(toy_space, name, value):
    with pytest.raises(BadOption, match=f"{name}: expected a whole number >= 1, got {value!r}"):
        evolution(toy_space, **{name: value})


def test_its_own_space_begins_with_chains_of_identities_changed_edge_by_edge(rng):
    space = get_space("hierarchical")
    strategy = HierarchicalEvolution(space, rng=rng, population=30, scrambling=1)
    first = [proposal.code for proposal in strategy.ask(30)]
    assert all(code in {tuple(row) for row in space.neighbours(space.trivial).tolist()} for code in first)
    assert len(set(first)) > 20
