"""The loop: who is told what and when, what ends a run, and what becomes of a strategy's mistakes."""

from __future__ import annotations

import dataclasses
import gc
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasbench.errors import CallOrder
from nasbench.evaluation.charging import Charging
from nasbench.evaluation.evaluator import Evaluator
from nasbench.records import Proposal, Trial
from nasbench.runs.cluster import Cluster
from nasbench.runs.loop import FREE_ANSWERS_IN_A_ROW, run
from nasbench.runs.record import MemoryRecord
from nasbench.seeds import generator
from nasbench.strategies.random_search import RandomSearch
from nasbench.strategies.regularized_evolution import RegularizedEvolution
from nasbench.units import parse_budget

A, B, C = (0, 0, 1), (2, 2, 2), (1, 0, 0)  # 9 epochs: 99 s and more, 324 s and more, 171 s and more


def first(code, **options):
    return Proposal(code, replicate=0, **options)


class Endless:
    """Proposes one thing for ever."""

    def __init__(self, proposal):
        self.proposal = proposal
        self.told = []

    def ask(self, n):
        return [self.proposal] * n

    def tell(self, trials):
        self.told.extend(trials)


# Order ------------------------------------------------------------------------------------------


def test_one_worker_is_told_in_order_of_proposal(scripted, go, toy_source):
    strategy = scripted(first(B), first(A), first(C))
    go(strategy, toy_source)
    assert [t.code for t in strategy.told] == [B, A, C]
    assert [t.started_seconds for t in strategy.told] == [0.0, 324.0, 423.0]
    assert [t.finished_seconds for t in strategy.told] == [324.0, 423.0, 594.0]


def searched(code, seconds):
    return Proposal(code, purpose="report", search_seconds=seconds)


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_epochs_of_one_search_follow_each_other_on_any_number_of_workers(scripted, go, toy_source, workers):
    strategy = scripted(searched(B, 900.0), searched(A, 10.0), searched(C, 0.0), searched(A, 90.0))
    outcome, record = go(strategy, toy_source, workers=workers)
    assert [row[0] for row in record.rows] == [0, 1, 2, 3]
    assert [row[-1] for row in record.rows] == [900.0, 910.0, 910.0, 1000.0]
    assert outcome.spent_seconds == 1000.0


def test_last_report_of_a_search_is_its_answer_though_it_was_short(scripted, go, toy_source):
    strategy = scripted(searched(B, 900.0), searched(A, 10.0))
    _, record = go(strategy, toy_source, workers=2)
    assert record.rows[-1][1] == A


def test_trials_that_train_are_not_held_up_by_a_search(scripted, go, toy_source):
    strategy = scripted(searched(B, 900.0), first(A), searched(C, 50.0), first(C))
    _, record = go(strategy, toy_source, workers=4)
    assert [(row[0], row[-1]) for row in record.rows] == [(1, 99.0), (3, 171.0), (0, 900.0), (2, 950.0)]
    assert [t.started_seconds for t in strategy.told] == [0.0, 0.0]


def test_epochs_of_a_search_wait_for_one_that_a_slow_cluster_holds_up(scripted, toy_source):
    cluster = Cluster(speeds=(0.5, 1.0), startup_seconds=5.0)
    strategy, record = scripted(searched(B, 100.0), searched(A, 100.0)), MemoryRecord()
    run(
        strategy,
        Evaluator(toy_source, seed=0),
        budget=parse_budget("1000s"),
        workers=2,
        cluster=cluster,
        record=record,
    )
    assert [row[-1] for row in record.rows] == [205.0, 205.0 + 105.0]


def test_shorter_budget_is_a_prefix_of_a_search_on_several_workers(scripted, go, toy_source):
    script = [
        searched(code, seconds) for code, seconds in zip((A, B, C) * 4, range(120, 0, -10), strict=True)
    ]
    long = go(scripted(*script), toy_source, workers=3)[1].rows
    for seconds in (100, 300, 700):
        short = go(scripted(*script), toy_source, f"{seconds}s", workers=3)[1].rows
        assert short == long[: len(short)]


def test_workers_are_told_in_order_of_finish(scripted, go, toy_source):
    strategy = scripted(first(B), first(A), first(C))
    go(strategy, toy_source, workers=2)
    # A ends at 99 and frees its worker for C, which ends at 270; B ends at 324.
    assert [(t.code, t.started_seconds, t.finished_seconds) for t in strategy.told] == [
        (A, 0.0, 99.0),
        (C, 99.0, 270.0),
        (B, 0.0, 324.0),
    ]


def test_trials_that_finish_together_are_told_in_order_of_proposal(scripted, go, toy_source):
    strategy = scripted(*[first(C)] * 6)
    go(strategy, toy_source, workers=3)
    assert [t.number for t in strategy.told] == [0, 1, 2, 3, 4, 5]


def test_idle_workers_are_asked_for_all_at_once(scripted, go, toy_source):
    strategy = scripted(first(A), first(B), first(C), first(A))
    go(strategy, toy_source, workers=3)
    assert strategy.asked[:2] == [3, 1]


def test_a_strategy_that_waits_is_asked_again_after_the_next_finish(go, toy_source):
    class OneAtATime:
        running, told = False, 0

        def ask(self, n):
            if self.running or self.told == 3:
                return []
            self.running = True
            return [first(A)]

        def tell(self, trials):
            self.running, self.told = False, self.told + len(trials)

    outcome, record = go(OneAtATime(), toy_source, workers=4)
    assert (outcome.end, outcome.trials) == ("done", 3)
    assert [row[6] for row in record.rows] == [99.0, 198.0, 297.0]


# Budgets ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy_class", [RandomSearch, RegularizedEvolution])
@pytest.mark.parametrize("workers", [1, 8])
@given(st.integers(1, 4_000), st.integers(1, 4_000))
def test_shorter_budget_in_seconds_is_a_prefix(go, toy_source, strategy_class, workers, a, b):
    short, long = (
        go(
            strategy_class(toy_source.space, rng=generator(1, "strategy")),
            toy_source,
            f"{seconds}s",
            workers=workers,
        )
        for seconds in sorted((a, b))
    )
    assert long[1].rows[: len(short[1].rows)] == short[1].rows
    assert long[1].measurements[: len(short[1].rows)] == short[1].measurements
    assert short[0].spent_seconds <= min(a, b)


@pytest.mark.parametrize("workers", [1, 8])
@given(st.integers(1, 60), st.integers(1, 60))
def test_shorter_budget_in_evaluations_is_a_prefix(go, toy_source, workers, a, b):
    short, long = (
        go(
            RegularizedEvolution(toy_source.space, rng=generator(2, "strategy")),
            toy_source,
            f"{n}evals",
            workers=workers,
        )[1].rows
        for n in sorted((a, b))
    )
    assert len(short) == min(a, b)
    assert long[: len(short)] == short


def test_budget_smaller_than_one_evaluation_gives_no_trial(scripted, go, toy_source):
    strategy = scripted(first(A))
    outcome, record = go(strategy, toy_source, "98s")
    assert (outcome.end, outcome.trials, outcome.spent_seconds) == ("budget", 0, 0.0)
    assert record.rows == []
    assert strategy.told == []


def test_budget_that_is_met_exactly_is_spent(scripted, go, toy_source):
    outcome, _ = go(scripted(first(A), first(A)), toy_source, "99s")
    assert (outcome.end, outcome.trials) == ("budget", 1)


def test_budget_counts_the_seconds_of_all_workers(scripted, go, toy_source):
    outcome, _ = go(scripted(*[first(C)] * 10), toy_source, "520s", workers=5)
    assert (outcome.trials, outcome.spent_seconds) == (3, 513.0)


def test_strategy_with_nothing_more_to_propose_is_done(scripted, go, toy_source):
    outcome, record = go(scripted(first(A)), toy_source)
    assert (outcome.end, outcome.reason, outcome.trials) == ("done", "", 1)
    assert record.end == "done"


def test_free_repeats_stall(go, toy_source):
    outcome, _ = go(Endless(Proposal(A)), toy_source, repeat="cached")
    assert (outcome.end, outcome.trials) == ("stalled", 1 + FREE_ANSWERS_IN_A_ROW)


def test_free_repeats_spend_a_budget_in_evaluations(go, toy_source):
    outcome, _ = go(Endless(Proposal(A)), toy_source, "300evals", repeat="cached")
    assert (outcome.end, outcome.trials, outcome.spent_seconds > 0) == ("budget", 300, True)


def test_endless_reports_do_not_hang_a_budget_in_evaluations(go, toy_source):
    outcome, _ = go(Endless(first(A, purpose="report")), toy_source, "5evals")
    assert (outcome.end, outcome.trials) == ("stalled", FREE_ANSWERS_IN_A_ROW)


# Faults -----------------------------------------------------------------------------------------


class Faulty:
    """Does well twice, then answers ``ask`` with whatever the test wants."""

    def __init__(self, then):
        self.then, self.told = then, 0

    def ask(self, n):
        return [first(A)] if self.told < 2 else self.then(n)

    def tell(self, trials):
        self.told += len(trials)


def raises(error):
    def fail(n):
        raise error

    return fail


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        (raises(KeyError("lost")), "ask raised KeyError: 'lost'"),
        (raises(SystemExit(0)), "ask raised SystemExit: 0"),
        (lambda n: [first(A)] * (n + 1), "ask(1) returned 2 proposals"),
        (lambda n: None, "ask(1) returned NoneType, not a list of proposals"),
        (lambda n: (p for p in [first(A)]), "ask(1) returned generator, not a list of proposals"),
        (lambda n: [A], "proposal 2 is not a valid proposal: 'tuple' object has no attribute 'code'"),
        (lambda n: [Proposal([0, 0, 1])], "proposal 2 is not a valid proposal"),
        (lambda n: [Proposal((0.0, 0.0, 1.0))], "proposal 2 is not a valid proposal: 'float' object"),
        (lambda n: [Proposal((0, 0.7, 1))], "proposal 2 is not a valid proposal: 'float' object"),
        (lambda n: [Proposal((0, 0, 3))], "proposal 2: code: decision 'layer 2' of space toy takes 0 to 2"),
        (lambda n: [Proposal((0, 0))], "proposal 2: code: expected 3 decisions for space toy, got 2"),
        (lambda n: [first(A, epochs=5)], "proposal 2: epochs: table toy holds 3 and 9, got 5"),
        (lambda n: [first(A, epochs=9.0)], "proposal 2 is not a valid proposal: 'float' object"),
        (lambda n: [Proposal(A, replicate=2)], "proposal 2: replicate: table toy holds valid_error of"),
        (lambda n: [first(A, continues=7)], "proposal 2: continues: expected the number of an earlier"),
        (lambda n: [first(A, purpose="fun")], "proposal 2: purpose: expected search or report, got 'fun'"),
    ],
)
def test_fault_in_ask_fails_the_run_with_its_reason_and_keeps_the_trials(go, toy_source, then, reason):
    outcome, record = go(Faulty(then), toy_source)
    assert (outcome.end, outcome.trials, outcome.spent_seconds) == ("failed", 2, 198.0)
    assert outcome.reason.startswith(reason)
    assert (record.end, record.reason) == ("failed", outcome.reason)
    assert len(record.rows) == 2


def test_floats_are_refused_whether_or_not_the_architecture_is_known(go, toy_source):
    unknown = go(Faulty(lambda n: [Proposal((2.0, 1.0, 1.0))]), toy_source)[0]
    go(Endless(Proposal((2, 1, 1))), toy_source, "1evals")
    assert go(Faulty(lambda n: [Proposal((2.0, 1.0, 1.0))]), toy_source)[0].reason == unknown.reason


def test_fault_in_tell_fails_the_run_and_keeps_the_trial(scripted, go, toy_source):
    strategy = scripted(first(A), first(B))
    strategy.tell = raises(ZeroDivisionError("nought"))
    outcome, record = go(strategy, toy_source)
    assert (outcome.end, outcome.reason) == ("failed", "tell raised ZeroDivisionError: nought")
    assert len(record.rows) == 1


def test_fault_in_close_fails_the_run(scripted, go, toy_source):
    strategy = scripted(first(A))
    strategy.close = lambda: 1 / 0
    outcome, record = go(strategy, toy_source)
    assert (outcome.end, outcome.reason) == ("failed", "close raised ZeroDivisionError: division by zero")
    assert len(record.rows) == 1


def test_interruption_is_not_taken_for_a_fault(scripted, go, toy_source):
    strategy = scripted(first(A))
    strategy.ask = raises(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        go(strategy, toy_source)


def test_strategy_is_closed_however_the_run_ends(scripted, go, toy_source):
    closed = []
    for ask in (lambda n: [], raises(ValueError("no")), lambda n: [first(A)]):
        strategy = scripted()
        strategy.ask, strategy.close = ask, lambda: closed.append(1)
        go(strategy, toy_source, "100s")
    assert len(closed) == 3


# What a strategy is told ------------------------------------------------------------------------


def test_failed_trainings_are_told_without_error_and_cost_their_time(scripted, go, failing_source):
    strategy = scripted(first((1, 1, 1)), first(A))
    outcome, record = go(strategy, failing_source)
    failed = strategy.told[0]
    assert (failed.status, failed.valid_error, failed.charged_seconds) == ("failed", None, 9 * 23.0)
    assert outcome.spent_seconds == 9 * 23.0 + 99.0
    assert record.measurements[0].reason == "recorded as failed in table toy"


def test_reports_are_recorded_and_never_told(scripted, go, toy_source):
    strategy = scripted(first(A), first(B, purpose="report"), first(C))
    outcome, record = go(strategy, toy_source, "2evals")
    assert [row[4] for row in record.rows] == ["search", "report", "search"]
    assert [t.code for t in strategy.told] == [A]  # C spends the budget; nobody is left to learn from it
    assert outcome.trials == 3


def reachable(root, *, depth=12):
    """Collect every float that can be reached from an object by following references."""
    seen, floats, layer = {id(root)}, set(), [root]
    for _ in range(depth):
        layer = [
            o
            for x in layer
            for o in gc.get_referents(x)
            if not isinstance(o, type) and type(o).__name__ not in ("module", "function")
        ]
        layer = [o for o in layer if not (id(o) in seen or seen.add(id(o)))]
        floats |= {o for o in layer if isinstance(o, float)}
    return floats


def test_strategy_never_sees_a_test_error(go, toy_source):
    class Spy(RandomSearch):
        def __init__(self, space, *, rng):
            super().__init__(space, rng=rng)
            self.handed = [space, rng]

        def tell(self, trials):
            self.handed.extend(trials)

    spy = Spy(toy_source.space, rng=generator(0, "strategy"))
    outcome, record = go(spy, toy_source, "30evals")
    sealed = {m.test_error for m in record.measurements}
    assert outcome.trials == 30
    assert {t.valid_error for t in spy.handed[2:]} <= reachable(spy.handed)
    assert not sealed & reachable(spy.handed)
    assert not [f.name for f in dataclasses.fields(Trial) if "test" in f.name]


def test_strategy_that_alters_its_trials_does_not_alter_the_record(go, toy_source):
    class Forger(Endless):
        def tell(self, trials):
            for trial in trials:
                trial.valid_error = trial.charged_seconds = trial.finished_seconds = 0.0
                trial.status = "stopped"

    honest = go(Endless(first(A)), toy_source, "5evals")
    forged = go(Forger(first(A)), toy_source, "5evals")
    assert forged[1].rows == honest[1].rows
    assert forged[1].measurements == honest[1].measurements
    assert forged[0].spent_seconds == honest[0].spent_seconds


# Thinking ---------------------------------------------------------------------------------------


class Thinker(Endless):
    """Thinks 20 ms in ask and 20 ms in tell."""

    def ask(self, n):
        time.sleep(0.02)
        return super().ask(n)

    def tell(self, trials):
        time.sleep(0.02)


def test_thinking_is_recorded_apart_and_free_by_default(go, toy_source):
    outcome, _ = go(Thinker(first(A)), toy_source, "3evals")
    assert outcome.spent_seconds == 3 * 99.0
    assert outcome.thinking_seconds >= 0.1


def test_thinking_is_charged_where_the_suite_says_so(go, toy_source):
    outcome, record = go(Thinker(first(A)), toy_source, "3evals", thinking="measured")
    charged = [row[5] for row in record.rows]
    assert charged[0] >= 99.02
    assert min(charged[1:]) >= 99.04  # the tell before it and the ask for it
    assert outcome.spent_seconds == pytest.approx(sum(charged))


# Calls ------------------------------------------------------------------------------------------


def test_no_workers_are_refused(scripted, go, toy_source):
    with pytest.raises(CallOrder, match=r"workers: expected 1 for live training and at least 1 otherwise"):
        go(scripted(), toy_source, workers=0)


def test_several_workers_on_a_live_source_are_refused(scripted, toy_source):
    toy_source.is_live = True
    evaluator = Evaluator(toy_source, seed=0, charging=Charging())
    with pytest.raises(CallOrder, match=r"workers: expected 1 for live .* got 2\. Run several seeds"):
        run(scripted(), evaluator, budget=parse_budget("1s"), workers=2)


def test_run_without_a_record_keeps_none(scripted, toy_source):
    outcome = run(scripted(first(A)), Evaluator(toy_source, seed=0), budget=parse_budget("1000s"))
    assert outcome.trials == 1
