"""NSGA-II spreads along the front of error against costs."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.seeds import generator
from nasbench.spaces import get_space
from nasbench.strategies.nondominated import dominance, front_numbers
from nasbench.strategies.nsga2 import NSGA2
from nasbench.strategies.random_search import RandomSearch
from nasbench.strategies.strategy import Setting
from nasbench.testing import check_strategy, toy_setting


def against(error_of):
    """A cost that is low where the error is high, and another that only the first decision has."""
    return Setting(
        epochs=(1,),
        costs={"parameters": lambda code: 10.0 - 8 * error_of(code), "macs": lambda code: 1.0 + code[0]},
    )


def nsga2(line, seed=0, setting=None, **options):
    space, error_of = line
    return NSGA2(space, rng=generator(seed, "strategy"), setting=setting or against(error_of), **options)


def generation(strategy, answer, error_of, start=0):
    """Ask and answer one generation; returns its codes."""
    proposals = strategy.ask(1_000)
    strategy.tell([answer(p, start + i, error_of(p.code)) for i, p in enumerate(proposals)])
    return [p.code for p in proposals]


@pytest.mark.parametrize("space", [None, get_space("nb201")], ids=["toys", "nb201"])
@pytest.mark.parametrize("costs", ["parameters", ["parameters", "macs"]], ids=["one", "two"])
def test_contract_is_kept(space, costs):
    assert check_strategy(NSGA2, space, costs=costs, population=8)


def test_survivors_are_the_first_fronts_of_all_that_was_told(line, answer):
    _, error_of = line
    strategy = nsga2(line, costs="macs", population=10)
    pool = generation(strategy, answer, error_of) + generation(strategy, answer, error_of, 10)
    strategy.ask(1)
    survivors = [code for code, _ in strategy._pool]
    fronts = front_numbers([[error_of(code), code[0]] for code in pool]).tolist()
    kept = [fronts[pool.index(code)] for code in survivors]
    assert sorted(kept) == sorted(fronts)[:10]
    assert [front for front, _ in strategy._ranking] == kept


def test_of_the_front_that_does_not_fit_the_crowded_go(line, answer):
    strategy = nsga2(line, costs="macs", population=4)
    strategy._queue = [(4, 0, 0, 0), (3, 0, 0, 0), (2, 0, 0, 0), (0, 0, 0, 0)]
    error_of = {0: 0.9, 1: 0.5, 2: 0.45, 3: 0.4, 4: 0.0}
    generation(strategy, answer, lambda code: error_of[code[0]])
    strategy._queue = [(1, 0, 0, 0)]
    generation(strategy, answer, lambda code: error_of[code[0]], 4)
    strategy.ask(1)
    # All five are one front; of 1, 2, 3 the neighbours of 2 are the nearest.
    assert sorted(code[0] for code, _ in strategy._pool) == [0, 1, 3, 4]
    ends = {
        code[0] for (code, _), rank in zip(strategy._pool, strategy._ranking, strict=True) if rank < (0, -9)
    }
    assert ends == {0, 4}


def test_front_of_the_population_is_never_pushed_back(line, answer):
    _, error_of = line
    strategy = nsga2(line, costs=["macs", "parameters"], population=12)
    start, before = 0, np.full((1, 3), np.inf)
    for _ in range(8):
        start += len(generation(strategy, answer, error_of, start))
        strategy._survive()
        points = np.array([point for _, point in strategy._pool])
        after = points[front_numbers(points) == 0]
        both = dominance(np.concatenate([before, after]))
        assert not both[: len(before), len(before) :].any()
        before = after


def test_binary_tournament_prefers_the_lower_front_then_the_less_crowded(line):
    strategy = nsga2(line, population=3)
    strategy._pool = [((i, 0, 0, 0), (0.0, 0.0)) for i in range(3)]
    strategy._ranking = [(0, -1.0), (0, -float("inf")), (1, -float("inf"))]
    winners = np.bincount([strategy._parent()[0] for _ in range(9_000)])
    assert winners / 9_000 == pytest.approx([3 / 9, 5 / 9, 1 / 9], abs=0.02)


def test_failed_training_takes_no_place(line, answer):
    strategy = nsga2(line, population=6)
    trained = [c for c in generation(strategy, answer, lambda c: None if c[0] > 1 else 0.5) if c[0] <= 1]
    assert sorted(code for code, _ in strategy._pool) == sorted(trained)


def test_nothing_but_failures_goes_on_with_uniform_draws(line, search):
    codes = search(nsga2(line, population=5), lambda code: None, 60)
    assert len(set(codes)) > 45


def test_generation_waits_for_its_last_trial(line, answer):
    strategy = nsga2(line, population=4)
    first = strategy.ask(9)
    assert len(first) == 4
    strategy.tell([answer(p, i, 0.5) for i, p in enumerate(first[:3])])
    assert strategy.ask(9) == []
    strategy.tell([answer(first[3], 3, 0.5)])
    assert len(strategy.ask(9)) == 4


def test_children_are_new_where_new_ones_can_be_had(line, answer):
    _, error_of = line
    strategy = nsga2(line, population=10)
    generation(strategy, answer, error_of)
    children = [p.code for p in strategy.ask(10)]
    survivors = {code for code, _ in strategy._pool}
    assert len(set(children)) == 10
    assert not survivors & set(children)


def test_whole_front_is_found_where_random_search_misses_most(line, search):
    space, error_of = line
    ends = []
    for seed in range(5):
        ours = search(nsga2(line, seed, costs="macs"), error_of, 300)
        rival = search(RandomSearch(space, rng=generator(seed, "strategy")), error_of, 300)
        front = {(0, 2, 2, 2), (1, 2, 2, 2), (2, 2, 2, 2)}
        ends.append((len(front & set(ours)), len(front & set(rival))))
    found, by_chance = np.mean(ends, axis=0)
    assert found > 2.5
    assert by_chance < 2


@pytest.mark.parametrize("costs", ["macs,parameters", "macs + parameters", ["macs", "parameters"]])
def test_several_costs_are_a_list_or_a_text(line, costs):
    strategy = nsga2(line, costs=costs)
    assert [cost((2, 2, 2, 2)) for cost in strategy._cost_functions] == [3.0, 10.0]


def test_cost_that_the_run_does_not_know_is_refused(line):
    with pytest.raises(BadOption, match=r"costs: this run does not know latency_seconds\. Known: macs, par"):
        nsga2(line, costs="macs,latency_seconds")
    with pytest.raises(BadOption, match=r"costs: this run does not know parameters\. Known: none\."):
        nsga2(line, setting=Setting(epochs=(1,)))


@pytest.mark.parametrize("costs", ["", [], ["macs", "macs"], ["macs", 3], 7, ["macs", ""]])
def test_costs_that_are_no_names_are_refused(line, costs):
    with pytest.raises(BadOption, match="costs: expected one or more different names of costs, got"):
        nsga2(line, costs=costs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"population": 1}, r"population: expected a whole number >= 2, got 1\."),
        ({"crossover": -1}, r"crossover: expected a number in \[0, 1\], got -1"),
        ({"mutation": "x"}, r"mutation: expected a number in \[0, 1\], got 'x'"),
    ],
)
def test_option_out_of_range_is_refused(toy_space, options, message):
    with pytest.raises(BadOption, match=message):
        NSGA2(toy_space, rng=np.random.default_rng(0), setting=toy_setting(), **options)
