"""Large-scale evolution: one death a tournament, a constant population, nobody waits."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.stats import binomtest

from nasbench.errors import BadOption
from nasbench.records import Proposal
from nasbench.seeds import generator
from nasbench.spaces import Decision, ProductSpace, get_space
from nasbench.strategies.large_scale_evolution import LargeScaleEvolution
from nasbench.strategies.random_search import RandomSearch
from nasbench.testing import check_strategy


def evolution(space, seed=0, **options):
    return LargeScaleEvolution(space, rng=generator(seed, "strategy"), **options)


@pytest.fixture
def wide():
    return ProductSpace("wide", [Decision(f"d{i}", tuple("abcdefghij")) for i in range(20)])


def distance(a, b):
    return sum(x != y for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("space", [None, get_space("nb201")], ids=["toys", "nb201"])
def test_contract_is_kept(space):
    assert check_strategy(LargeScaleEvolution, space)


def test_tournament_kills_exactly_the_worse_of_two(toy_space, answer):
    for seed in range(20):
        strategy = evolution(toy_space, seed, population=2, retrain=0.0)
        strategy.ask(2)
        strategy.tell([answer(Proposal((0, 0, 0)), 0, 0.5), answer(Proposal((2, 2, 2)), 1, 0.4)])
        (child,) = strategy.ask(1)
        assert strategy._members == [(0.4, (2, 2, 2))]
        assert distance(child.code, (2, 2, 2)) == 1


def test_every_tournament_has_one_death(line, answer):
    space, error_of = line
    strategy = evolution(space, population=12)
    for number, proposal in enumerate(strategy.ask(12)):
        strategy.tell([answer(proposal, number, error_of(proposal.code))])
    before = Counter(strategy._members)
    strategy.ask(1)
    lost = before - Counter(strategy._members)
    assert lost.total() == 1
    assert Counter(strategy._members) <= before


def test_best_member_never_dies_and_worst_never_breeds(wide, answer):
    strategy = evolution(wide, population=10, retrain=1.0)
    seeds = strategy.ask(10)
    strategy.tell([answer(p, number, number / 10) for number, p in enumerate(seeds)])
    parents = {proposal.code for proposal in strategy.ask(9)}
    assert strategy._members == [(0.0, seeds[0].code)]
    assert parents < {proposal.code for proposal in seeds[:9]}


@pytest.mark.parametrize("workers", [1, 3, 12])
def test_members_and_running_children_are_always_the_population(line, search, workers):
    space, error_of = line

    class Watched(LargeScaleEvolution):
        running = 0

        def ask(self, n):
            proposals = super().ask(n)
            self.running += len(proposals)
            if not self._to_seed:
                assert len(self._members) + self.running == 12
            return proposals

        def tell(self, trials):
            super().tell(trials)
            self.running -= len(trials)

    strategy = Watched(space, rng=generator(0, "strategy"), population=12)
    assert len(search(strategy, error_of, 200, workers)) == 200


def test_free_worker_gets_a_child_while_others_run(line, answer):
    space, _ = line
    strategy = evolution(space, population=4)
    seeds = strategy.ask(4)
    assert strategy.ask(1) == []  # nobody to compare yet
    strategy.tell([answer(seeds[3], 3, 0.5)])
    assert strategy.ask(1) == []
    strategy.tell([answer(seeds[1], 1, 0.4)])
    assert len(strategy.ask(5)) == 1  # one tournament, then one member is left
    assert strategy._members == [(0.4, seeds[1].code)]


def test_parent_is_trained_again_as_often_as_asked(wide, answer):
    strategy = evolution(wide, population=801, retrain=0.25)
    seeds = {proposal.code for proposal in strategy.ask(801)}
    strategy.tell([answer(Proposal(code), number, 0.5) for number, code in enumerate(seeds)])
    children = [proposal.code for proposal in strategy.ask(800)]
    n_again = sum(child in seeds for child in children)  # no two of them are one move apart
    assert binomtest(n_again, 800, 0.25).pvalue > 1e-3


def test_failed_training_dies_in_its_first_tournament(toy_space, answer):
    for seed in range(20):
        strategy = evolution(toy_space, seed, population=2)
        strategy.ask(2)
        strategy.tell([answer(Proposal((0, 0, 0)), 0, None), answer(Proposal((1, 1, 1)), 1, 1.0)])
        strategy.ask(1)
        assert strategy._members == [(1.0, (1, 1, 1))]


def test_beats_random_search_under_the_same_seeds(line, search):
    space, error_of = line
    gains = []
    for seed in range(30):
        ours = search(evolution(space, seed), error_of, 100)
        rival = search(RandomSearch(space, rng=generator(seed, "strategy")), error_of, 100)
        gains.append(min(map(error_of, rival)) - min(map(error_of, ours)))
    assert np.mean(gains) / (np.std(gains, ddof=1) / np.sqrt(len(gains))) > 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"population": 1}, r"population: expected a whole number >= 2, got 1\."),
        ({"population": 2.5}, "population: expected a whole number >= 2, got 2.5"),
        ({"retrain": -0.1}, r"retrain: expected a number in \[0, 1\], got -0.1"),
        ({"retrain": "often"}, r"retrain: expected a number in \[0, 1\], got 'often'"),
    ],
)
def test_option_out_of_range_is_refused(toy_space, options, message):
    with pytest.raises(BadOption, match=message):
        evolution(toy_space, **options)
