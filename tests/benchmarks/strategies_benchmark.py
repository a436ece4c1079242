"""Strategies through the full loop: the cheap ones against loops by hand, the others by their thinking time.

Run: pytest tests/benchmarks/strategies_benchmark.py

By hand means a dictionary, ``random.Random`` and a list, with neither record, replicate draws nor charging.
Both are timed in turn within one test, so that the ratio holds on a machine whose speed drifts.
"""

from __future__ import annotations

import statistics
import time

import pytest
from bare_fidelities import asha, curves_of, halving, local_search
from bare_loop import dictionary_of, regularized_evolution

from nasbench.evaluation.opening import open_source
from nasbench.runs.execute import RunSpec, execute
from nasbench.strategies.rungs import hyperband_brackets, rung_lengths
from nasbench.strategies.strategy import Setting

EVALUATIONS = 3_000
ROUNDS = 7
LIMIT = 3.0


@pytest.fixture(scope="module")
def cifar():
    return open_source("nb201-cifar10")


@pytest.fixture(scope="module")
def digits():
    return open_source("digits-nb201")


@pytest.fixture(scope="module")
def rows(cifar):
    return dictionary_of(cifar.table)


@pytest.fixture(scope="module")
def curves(digits):
    return curves_of(digits.table)


def ours(source, name, evaluations=EVALUATIONS, **options):
    spec = RunSpec("benchmark", name, name, options, f"{evaluations}evals")
    columns, outcome = execute(spec, 0, source)
    assert len(columns.number) == evaluations
    return outcome


def in_turn(benchmark, first, second, evaluations=EVALUATIONS):
    """Time two functions in turn; report both and the ratio of their medians."""
    times = {first: [], second: []}
    first(), second()
    for _ in range(ROUNDS):
        for function, seconds in times.items():
            start = time.perf_counter()
            function()
            seconds.append(time.perf_counter() - start)
    medians = [statistics.median(times[function]) for function in (first, second)]
    benchmark.extra_info["ratio_to_by_hand"] = medians[0] / medians[1]
    for name, median in zip(("ours", "by_hand"), medians, strict=True):
        benchmark.extra_info[f"{name}_microseconds_an_evaluation"] = median / evaluations * 1e6
    benchmark.pedantic(first, rounds=1)
    return medians[0] / medians[1]


@pytest.mark.parametrize("name", ["regularized-evolution", "non-aging-evolution"])
def test_evolution(benchmark, cifar, rows, name):
    settings = {"population": 100, "sample": 10}
    by_hand = lambda: regularized_evolution(rows, EVALUATIONS, seed=0, **settings)  # noqa: E731
    assert in_turn(benchmark, lambda: ours(cifar, name, **settings), by_hand) <= LIMIT


def test_local_search(benchmark, cifar, rows):
    by_hand = lambda: local_search(rows, EVALUATIONS, seed=0)  # noqa: E731
    assert in_turn(benchmark, lambda: ours(cifar, "local-search"), by_hand) <= LIMIT


@pytest.mark.parametrize("name", ["successive-halving", "hyperband"])
def test_brackets(benchmark, digits, curves, name):
    lengths = rung_lengths(Setting(digits.epochs), eta=3)
    brackets = [
        [(rung.epochs, rung.size) for rung in bracket]
        for bracket in hyperband_brackets(lengths, eta=3, formula="paper")
    ]
    if name == "successive-halving":
        brackets = brackets[:1]
    by_hand = lambda: halving(curves, EVALUATIONS, brackets=brackets, seed=0)  # noqa: E731
    assert in_turn(benchmark, lambda: ours(digits, name), by_hand) <= LIMIT


def test_asha(benchmark, digits, curves):
    lengths = list(rung_lengths(Setting(digits.epochs), eta=3))
    by_hand = lambda: asha(curves, EVALUATIONS, lengths=lengths, eta=3, seed=0)  # noqa: E731
    assert in_turn(benchmark, lambda: ours(digits, "asha"), by_hand) <= LIMIT


@pytest.mark.parametrize("name", ["bananas", "gp", "smac", "nasbot", "tpe", "nas-rl", "nasnet-ppo"])
def test_thinking_of_150_evaluations(benchmark, cifar, name):
    """The seconds that a strategy itself takes; 150 evaluations of nb201-cifar10.

    The limit is on processor time, which is what one core takes, whatever else the machine does.
    """
    start = time.process_time()
    outcome = benchmark.pedantic(lambda: ours(cifar, name, evaluations=150), rounds=1)
    processor = time.process_time() - start
    thinking = outcome.thinking_seconds
    benchmark.extra_info["processor_seconds"] = processor
    benchmark.extra_info["thinking_seconds"] = thinking
    benchmark.extra_info["thinking_milliseconds_a_proposal"] = thinking / 150 * 1e3
    if name in ("bananas", "gp", "smac"):
        assert processor < 20.0
