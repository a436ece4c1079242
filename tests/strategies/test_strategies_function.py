"""The five-line form: a function in a thread that moves only while the loop waits."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from nasbench.evaluation.evaluator import Evaluator
from nasbench.runs.loop import run
from nasbench.runs.record import MemoryRecord
from nasbench.seeds import generator
from nasbench.strategies.function import FunctionStrategy, RunEnded
from nasbench.units import parse_budget


def hill_climb(space, evaluate, rng):
    best = space.sample(1, rng=rng)[0]
    error = evaluate(best)
    while True:
        child = space.mutate(best[None], rng=rng)[0]
        child_error = evaluate(child)
        if child_error <= error:
            best, error = child, child_error


@pytest.fixture
def drive(toy_source):
    def go(function, budget="20evals", workers=1, source=toy_source, seed=0, **options):
        record = MemoryRecord()
        strategy = FunctionStrategy(
            source.space, rng=generator(seed, "strategy"), function=function, **options
        )
        evaluator = Evaluator(source, seed=seed)
        return run(strategy, evaluator, budget=parse_budget(budget), workers=workers, record=record), record

    return go


def functions_running():
    return [t for t in threading.enumerate() if t.name == "strategy-function"]


def test_same_seed_gives_the_same_run(drive):
    runs = [drive(hill_climb)[1].rows for _ in range(5)]
    assert all(rows == runs[0] for rows in runs)
    assert drive(hill_climb, seed=1)[1].rows != runs[0]


def test_example_of_the_module_runs_as_written(drive):
    import nasbench.strategies.function as module

    body = module.__doc__.split("    def mine", 1)[1].split("\n\n", 1)[0]
    names = {}
    exec("def mine" + body.replace("\n    ", "\n"), names)
    outcome, _ = drive(names["mine"], "40evals")
    assert (outcome.end, outcome.trials) == ("budget", 40)


def test_one_code_is_answered_with_a_number_and_many_with_an_array(drive):
    seen = []

    def asks(space, evaluate, rng):
        seen.append(evaluate((0, 0, 1)))
        seen.append(evaluate([0, 0, 1]))
        seen.append(evaluate(space.sample(4, rng=rng)))
        seen.append(evaluate(np.empty((0, 3), dtype=np.int8)))

    outcome, record = drive(asks)
    assert (outcome.end, outcome.trials) == ("done", 6)
    assert [type(s) for s in seen[:2]] == [float, float]
    assert seen[2].tolist() == [m.valid_error for m in record.measurements[2:]]
    assert seen[3].shape == (0,)


def test_array_is_evaluated_by_all_workers_at_once(drive, toy_source):
    def batches(space, evaluate, rng):
        evaluate(np.array([[2, 2, 2], [0, 0, 0], [1, 1, 1], [0, 0, 1]]))

    _, record = drive(batches, workers=4)
    assert len(record.rows) == 4
    charged = [row[5] for row in record.rows]
    finished = [row[6] for row in record.rows]
    assert finished == charged == sorted(charged)  # all four began at nought


def test_answers_keep_the_order_of_the_question(drive, toy_source):
    codes = np.array([[2, 2, 2], [0, 0, 0], [1, 1, 1]])
    answers = []

    def batch(space, evaluate, rng):
        answers.extend(evaluate(codes))

    _, record = drive(batch, workers=3)
    by_code = {row[1]: m.valid_error for row, m in zip(record.rows, record.measurements, strict=True)}
    assert answers == [by_code[tuple(code)] for code in codes.tolist()]
    assert [row[1] for row in record.rows] != [tuple(code) for code in codes.tolist()]


def test_one_architecture_asked_twice_at_once_is_trained_twice(drive):
    answers = []

    def twice(space, evaluate, rng):
        answers.append(evaluate(np.array([[1, 1, 1]] * 6)))

    outcome, record = drive(twice, workers=6)
    assert outcome.trials == 6
    assert sorted(answers[0]) == sorted(m.valid_error for m in record.measurements)


def test_failed_training_is_answered_with_nan(drive, failing_source):
    answers = []

    def asks(space, evaluate, rng):
        answers.extend([evaluate((1, 1, 1)), evaluate((2, 2, 2))])

    drive(asks, source=failing_source)
    assert np.isnan(answers[0])
    assert answers[1] > 0


def test_function_that_returns_is_done(drive):
    outcome, _ = drive(lambda space, evaluate, rng: evaluate((0, 0, 0)))
    assert (outcome.end, outcome.trials) == ("done", 1)


def test_function_that_never_asks_is_done(drive):
    assert drive(lambda space, evaluate, rng: None)[0].end == "done"


def test_exception_is_reported_with_its_text(drive):
    def fails(space, evaluate, rng):
        evaluate((0, 0, 0))
        raise ValueError("no such luck")

    outcome, record = drive(fails)
    assert (outcome.end, outcome.reason) == ("failed", "tell raised ValueError: no such luck")
    assert len(record.rows) == 1


def test_exit_in_a_function_fails_its_run_only(drive):
    def leaves(space, evaluate, rng):
        raise SystemExit(0)

    assert drive(leaves)[0].reason == "ask raised SystemExit: 0"


def test_architecture_outside_the_space_is_refused_where_it_is_asked_for(drive):
    outcome, _ = drive(lambda space, evaluate, rng: evaluate((0, 0, 9)))
    assert outcome.reason.startswith("ask raised NotInSpace: code: decision 'layer 2'")


def test_end_of_the_run_unwinds_the_function(drive):
    unwound = []

    def tidy(space, evaluate, rng):
        try:
            while True:
                evaluate((0, 0, 0))
        except RunEnded:
            unwound.append("told")
            raise
        finally:
            unwound.append("tidied")

    drive(tidy)
    assert unwound == ["told", "tidied"]


def test_function_that_asks_while_it_unwinds_is_told_again(drive):
    def stubborn(space, evaluate, rng):
        for _ in range(3):
            try:
                while True:
                    evaluate((0, 0, 0))
            except RunEnded:
                continue

    drive(stubborn)
    assert functions_running() == []


def test_catching_exceptions_does_not_keep_a_function_alive(drive):
    def catches(space, evaluate, rng):
        while True:
            try:
                evaluate((0, 0, 0))
            except Exception:
                continue

    assert drive(catches)[0].end == "budget"
    assert functions_running() == []


def test_no_thread_outlives_its_run(drive):
    for function in (hill_climb, lambda s, e, r: None, lambda s, e, r: 1 / 0):
        drive(function)
    drive(hill_climb, "1s")
    assert functions_running() == []


def test_no_thread_is_started_before_the_first_question(toy_space, rng):
    strategy = FunctionStrategy(toy_space, rng=rng, function=hill_climb)
    assert functions_running() == []
    strategy.close()


def test_options_reach_the_function(drive):
    def repeats(space, evaluate, rng, times):
        for _ in range(times):
            evaluate((0, 0, 0))

    assert drive(repeats, times=3)[0].trials == 3
