"""The full loop against a loop written by hand; run: pytest tests/benchmarks/loop_benchmark.py

Ours: strategy, evaluator, simulated cluster, replicate draws, charging, sealed test error, record in memory.
By hand: a dictionary, ``random.Random`` and a list. Both are timed in turn within one test, so that the ratio
holds on a machine whose speed drifts.
"""

from __future__ import annotations

import statistics
import time

import pytest
from bare_loop import dictionary_of, random_search, regularized_evolution

from nasbench.evaluation.evaluator import Evaluator
from nasbench.evaluation.opening import open_source
from nasbench.runs.loop import run
from nasbench.runs.record import MemoryRecord
from nasbench.seeds import generator
from nasbench.strategies.random_search import RandomSearch
from nasbench.strategies.regularized_evolution import RegularizedEvolution
from nasbench.units import parse_budget

EVALUATIONS = 20_000
ROUNDS = 9


@pytest.fixture(scope="module")
def source():
    return open_source("nb201-cifar10")


@pytest.fixture(scope="module")
def rows(source):
    return dictionary_of(source.table)


def ours(source, strategy_class, **options):
    evaluator = Evaluator(source, seed=0)
    strategy = strategy_class(source.space, rng=generator(0, "strategy"), **options)
    record = MemoryRecord()
    outcome = run(strategy, evaluator, budget=parse_budget(f"{EVALUATIONS}evals"), record=record)
    assert outcome.trials == EVALUATIONS
    return record


def in_turn(benchmark, first, second):
    """Time two functions in turn; report the first and the ratio of medians."""
    times = {first: [], second: []}
    first(), second()
    for _ in range(ROUNDS):
        for function, seconds in times.items():
            start = time.perf_counter()
            function()
            seconds.append(time.perf_counter() - start)
    ratio = statistics.median(times[first]) / statistics.median(times[second])
    benchmark.extra_info["ratio_to_by_hand"] = ratio
    for name, function in (("ours", first), ("by_hand", second)):
        benchmark.extra_info[f"{name}_microseconds_an_evaluation"] = (
            statistics.median(times[function]) / EVALUATIONS * 1e6
        )
    benchmark.pedantic(first, rounds=1)
    return ratio


def test_regularized_evolution_through_the_full_loop(benchmark, source, rows):
    settings = {"population": 100, "sample": 10}
    ratio = in_turn(
        benchmark,
        lambda: ours(source, RegularizedEvolution, **settings),
        lambda: regularized_evolution(rows, EVALUATIONS, seed=0, **settings),
    )
    assert ratio <= 1.5


def test_random_search_through_the_full_loop(benchmark, source, rows):
    ratio = in_turn(
        benchmark, lambda: ours(source, RandomSearch), lambda: random_search(rows, EVALUATIONS, seed=0)
    )
    assert ratio <= 3.0
