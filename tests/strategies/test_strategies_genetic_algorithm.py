"""The genetic algorithm breeds generation after generation, from parents, with an elite that stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasbench.errors import BadOption
from nasbench.seeds import generator, uniforms
from nasbench.spaces import get_space
from nasbench.strategies.genetic_algorithm import GeneticAlgorithm
from nasbench.strategies.random_search import RandomSearch
from nasbench.testing import ToyChain, check_strategy, toy_space


def algorithm(space, seed=0, **options):
    return GeneticAlgorithm(space, rng=generator(seed, "strategy"), **options)


def generation(strategy, answer, error_of, start=0):
    """Ask and answer one generation; returns its codes."""
    proposals = strategy.ask(1_000)
    strategy.tell([answer(p, start + i, error_of(p.code)) for i, p in enumerate(proposals)])
    return [p.code for p in proposals]


@pytest.mark.parametrize("space", [None, get_space("nb201")], ids=["toys", "nb201"])
def test_contract_is_kept(space):
    assert check_strategy(GeneticAlgorithm, space)


def test_contract_is_kept_without_elite_and_in_small_generations():
    assert check_strategy(GeneticAlgorithm, population=2, elite=0, sample=1, crossover=0.0, mutation=0.0)


@pytest.mark.parametrize("space", [toy_space(), ToyChain(), get_space("nb201")], ids=lambda s: s.name)
@given(seed=st.integers(0, 1_000))
def test_crossover_of_identical_parents_is_identity(space, seed):
    draw = uniforms(np.random.default_rng(seed))
    code = space.sample_one(draw)
    assert space.crossover_one(code, code, draw) == code


def test_population_of_one_architecture_breeds_only_it_without_mutation(line, answer):
    space, _ = line
    strategy = algorithm(space, population=6, elite=0, mutation=0.0, crossover=1.0)
    strategy._queue = [(1, 2, 3, 4)] * 6
    for start in (0, 6, 12):
        assert generation(strategy, answer, lambda code: 0.5, start) == [(1, 2, 3, 4)] * 6


def test_genes_of_children_come_from_their_parents(line, answer):
    space, _ = line
    strategy = algorithm(space, population=2, elite=0, sample=1, mutation=0.0, crossover=1.0)
    strategy._queue = [(0, 0, 0, 0), (1, 2, 3, 4)]
    seen = set()
    for start in range(0, 40, 2):
        parents = generation(strategy, answer, lambda code: 0.5, start)
        seen.update(parents)
        assert all(gene in (0, i + 1) for code in parents for i, gene in enumerate(code))
        if len(set(parents)) == 1:
            break
    assert len(seen) > 2  # some child mixed them


def test_mutation_is_one_move_from_a_parent(line, answer):
    space, error_of = line
    strategy = algorithm(space, population=8, elite=0, mutation=1.0, crossover=0.0)
    parents = generation(strategy, answer, error_of)
    for child in generation(strategy, answer, error_of, 8):
        near = {tuple(row) for row in space.neighbours(child).tolist()}
        assert near & set(parents)


def test_elite_stays_with_its_error_and_is_not_trained_again(line, answer):
    space, error_of = line
    strategy = algorithm(space, population=8, elite=3)
    first = generation(strategy, answer, error_of)
    second = strategy.ask(1_000)
    assert len(second) == 5
    best = sorted(error_of(code) for code in first)[:3]
    assert [error for error, _ in strategy._members] == best


def test_best_error_of_the_generation_never_rises(line, answer):
    space, error_of = line
    strategy = algorithm(space, population=6, elite=1)
    start, best = 0, []
    for _ in range(10):
        start += len(generation(strategy, answer, error_of, start))
        best.append(min(error for error, _ in strategy._members))
    assert best == sorted(best, reverse=True)


def test_generation_waits_for_its_last_trial(line, answer):
    space, error_of = line
    strategy = algorithm(space, population=4, elite=1)
    first = strategy.ask(3)
    assert len(strategy.ask(3)) == 1
    assert strategy.ask(3) == []
    for number in (2, 0, 1):
        strategy.tell([answer(first[number], number, error_of(first[number].code))])
        assert strategy.ask(3) == []
    strategy.tell([answer(first[0], 3, 0.5)])
    assert len(strategy.ask(10)) == 3


@pytest.mark.parametrize("step", [1, 2, 5])
def test_children_do_not_depend_on_how_many_are_asked_at_once(line, answer, step):
    space, error_of = line
    strategy, whole = algorithm(space), algorithm(space)
    generation(strategy, answer, error_of)
    expected = (generation(whole, answer, error_of), generation(whole, answer, error_of, 20))[1]
    got = []
    while proposals := strategy.ask(step):
        got += [p.code for p in proposals]
    assert got == expected


def test_failed_training_loses_every_tournament_against_one_that_trained(line, answer):
    space, _ = line
    strategy = algorithm(space, population=4, elite=1, sample=50, crossover=0.0, mutation=0.0)
    strategy._queue = [(0, 0, 0, 0), (1, 1, 1, 1), (2, 2, 2, 2), (3, 3, 3, 3)]
    generation(strategy, answer, lambda code: 1.0 if code[0] == 2 else None)
    assert generation(strategy, answer, lambda code: 1.0, 4) == [(2, 2, 2, 2)] * 3


def test_beats_random_search_under_the_same_seeds(line, search):
    space, error_of = line
    gains = []
    for seed in range(30):
        ours = search(algorithm(space, seed), error_of, 100)
        rival = search(RandomSearch(space, rng=generator(seed, "strategy")), error_of, 100)
        gains.append(min(map(error_of, rival)) - min(map(error_of, ours)))
    assert np.mean(gains) / (np.std(gains, ddof=1) / np.sqrt(len(gains))) > 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"population": 1}, r"population: expected a whole number >= 2, got 1\."),
        ({"elite": 20}, r"elite: expected a whole number in \[0, 19\], got 20"),
        ({"elite": -1}, r"elite: expected a whole number in \[0, 19\], got -1"),
        ({"sample": 0}, "sample: expected a whole number >= 1, got 0"),
        ({"crossover": 1.5}, r"crossover: expected a number in \[0, 1\], got 1.5"),
        ({"mutation": True}, r"mutation: expected a number in \[0, 1\], got True"),
    ],
)
def test_option_out_of_range_is_refused(toy_space, options, message):
    with pytest.raises(BadOption, match=message):
        algorithm(toy_space, **options)
