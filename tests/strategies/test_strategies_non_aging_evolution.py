"""Non-aging evolution removes the bad, whatever their age, and so keeps the lucky."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.records import Proposal
from nasbench.seeds import generator
from nasbench.spaces import get_space
from nasbench.strategies.non_aging_evolution import NonAgingEvolution
from nasbench.strategies.random_search import RandomSearch
from nasbench.strategies.regularized_evolution import RegularizedEvolution
from nasbench.testing import check_strategy

LUCKY = (0.0, (0, 0, 0))


def evolution(space, seed=0, **options):
    return NonAgingEvolution(space, rng=generator(seed, "strategy"), **options)


@pytest.mark.parametrize("space", [None, get_space("nb201")], ids=["toys", "nb201"])
@pytest.mark.parametrize("worst_of", ["sample", "population"])
def test_contract_is_kept(space, worst_of):
    assert check_strategy(NonAgingEvolution, space, worst_of=worst_of)


def test_population_keeps_the_best_ever_told(toy_space, answer):
    strategy = evolution(toy_space, population=4, worst_of="population")
    errors = np.random.default_rng(0).permutation(50) / 50
    for number, error in enumerate(errors.tolist()):
        strategy.tell([answer(Proposal((1, 1, 1)), number, error)])
        best = sorted(errors[: number + 1].tolist())[:4]
        assert sorted(error for error, _ in strategy._members) == best


def test_child_that_is_the_worst_does_not_enter_the_population(toy_space, answer):
    strategy = evolution(toy_space, population=2, worst_of="population")
    for number, error in enumerate([0.1, 0.2, 0.9]):
        strategy.tell([answer(Proposal((number, 0, 0)), number, error)])
    assert strategy._members == [(0.1, (0, 0, 0)), (0.2, (1, 0, 0))]


def test_child_enters_in_the_place_of_the_worst_of_the_sample(toy_space, answer):
    strategy = evolution(toy_space, population=3, sample=100)  # the sample holds everybody
    for number, error in enumerate([0.2, 0.3, 0.1, 0.9]):
        strategy.tell([answer(Proposal((2, 2, 2)), number, error)])
    assert sorted(error for error, _ in strategy._members) == [0.1, 0.2, 0.9]


@pytest.mark.parametrize("worst_of", ["sample", "population"])
def test_lucky_member_outlives_the_one_that_aging_drops(toy_space, answer, worst_of):
    ours = evolution(toy_space, population=4, sample=6, worst_of=worst_of)
    aging = RegularizedEvolution(toy_space, rng=generator(0, "strategy"), population=4, sample=6)
    for strategy in (ours, aging):
        strategy.tell([answer(Proposal(LUCKY[1]), 0, LUCKY[0])])
        for number in range(1, 60):
            strategy.tell([answer(Proposal((2, 2, 2)), number, 0.9)])
    assert LUCKY in ours._members
    assert LUCKY not in aging._members


@pytest.mark.parametrize("worst_of", ["sample", "population"])
def test_noise_leaves_more_luck_in_the_population_than_aging_does(line, search, worst_of):
    space, error_of = line

    def luck(strategy, seed):
        """How much lower the members' recorded errors are than their true ones, on average."""
        noise = np.random.default_rng(seed)
        search(strategy, lambda code: error_of(code) + noise.normal(0, 0.2), 300)
        return np.mean([error_of(code) - error for error, code in strategy._members])

    differences = []
    for seed in range(10):
        aging = RegularizedEvolution(space, rng=generator(seed, "strategy"))
        differences.append(luck(evolution(space, seed, worst_of=worst_of), seed) - luck(aging, seed))
    assert np.mean(differences) / (np.std(differences, ddof=1) / np.sqrt(10)) > 3


def test_failed_trainings_are_never_members(toy_space, answer):
    strategy = evolution(toy_space, population=2)
    for number in range(40):
        (proposal,) = strategy.ask(1)
        strategy.tell([answer(proposal, number, None if proposal.code[0] == 0 else 0.5)])
        assert all(code[0] != 0 for _, code in strategy._members)


@pytest.mark.parametrize("worst_of", ["sample", "population"])
def test_beats_random_search_under_the_same_seeds(line, search, worst_of):
    space, error_of = line
    gains = []
    for seed in range(30):
        ours = search(evolution(space, seed, worst_of=worst_of), error_of, 80)
        rival = search(RandomSearch(space, rng=generator(seed, "strategy")), error_of, 80)
        gains.append(min(map(error_of, rival)) - min(map(error_of, ours)))
    assert np.mean(gains) / (np.std(gains, ddof=1) / np.sqrt(len(gains))) > 3


def test_unknown_worst_is_refused(toy_space):
    with pytest.raises(BadOption, match="worst_of: expected 'sample' or 'population', got 'front'"):
        evolution(toy_space, worst_of="front")


def test_option_that_is_no_whole_number_is_refused(toy_space):
    with pytest.raises(BadOption, match="population, sample: expected whole numbers >= 1, got 0 and 3"):
        evolution(toy_space, population=0)
