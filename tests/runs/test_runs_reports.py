"""Trials under way: a strategy is shown their epochs and may stop or pause them, on tables and live."""

from __future__ import annotations

import pytest

from nasbench.records import Proposal, Verdict
from nasbench.runs.execute import execute
from nasbench.runs.loop import run
from nasbench.runs.packing import equal_runs
from nasbench.runs.reading import lines_of, read_run
from nasbench.units import parse_budget

A, B, C = (0, 0, 1), (2, 2, 2), (1, 0, 0)


def first(code, **options):
    return Proposal(code, replicate=0, **options)


class Watching:
    """Proposes a script and answers reports by a rule of (number, epoch); keeps all it was shown."""

    def __init__(self, *proposals, rule=None):
        self.left, self.rule = list(proposals), rule or (lambda number, epoch: Verdict.CONTINUE)
        self.shown, self.told, self.order = [], [], []

    def ask(self, n):
        out, self.left = self.left[:n], self.left[n:]
        return out

    def tell(self, trials):
        self.told.extend(trials)
        self.order += [("told", t.number, t.finished_seconds) for t in trials]

    def report(self, trial, epoch, valid_error):
        assert (trial.epochs, trial.valid_error) == (epoch, valid_error)
        self.shown.append((trial.number, epoch, valid_error, trial.charged_seconds))
        self.order.append(("shown", trial.number, trial.finished_seconds))
        return self.rule(trial.number, epoch)


def at(source, code, epochs):
    return source.answer(code, epochs=epochs, replicate=0)


def test_every_measured_epoch_but_the_last_is_shown_and_nothing_else_changes(scripted, go, curved_source):
    strategy, plain = Watching(first(A), first(B)), scripted(first(A), first(B))
    _, record = go(strategy, curved_source)
    _, bare = go(plain, curved_source)
    epochs = curved_source.epochs
    assert [(n, e) for n, e, _, _ in strategy.shown] == [(n, e) for n in (0, 1) for e in epochs[:-1]]
    for number, epoch, error, charged in strategy.shown:
        found = at(curved_source, (A, B)[number], epoch)
        assert (error, charged) == (found.valid_error, found.train_seconds)
    assert record.rows == bare.rows
    assert record.measurements == bare.measurements


def test_reports_of_several_workers_come_in_order_of_time(go, curved_source):
    strategy = Watching(*[first(c) for c in (B, A, C, A, B)])
    go(strategy, curved_source, workers=3)
    times = [seconds for _, _, seconds in strategy.order]
    assert times == sorted(times)
    assert [kind for kind, _, _ in strategy.order].count("told") == 5
    assert len({number for _, number, _ in strategy.order[:6]}) > 1  # they take turns


def test_a_stopped_trial_costs_what_it_trained_and_frees_its_worker(go, curved_source):
    early = curved_source.epochs[0]
    strategy = Watching(first(B), first(A), rule=lambda n, e: Verdict.STOP if n == 0 else Verdict.CONTINUE)
    outcome, record = go(strategy, curved_source)
    seen = at(curved_source, B, early)
    trial = strategy.told[0]
    assert (trial.status, trial.epochs, trial.valid_error) == ("stopped", early, seen.valid_error)
    assert trial.charged_seconds == seen.train_seconds
    assert strategy.told[1].started_seconds == seen.train_seconds
    assert record.measurements[0].test_error == seen.test_error
    assert record.measurements[0].status == "stopped"
    assert (
        outcome.spent_seconds
        == seen.train_seconds + at(curved_source, A, curved_source.epochs[-1]).train_seconds
    )


def test_a_stopped_trial_cannot_go_on(go, curved_source):
    strategy = Watching(first(B), Proposal(B, continues=0), rule=lambda n, e: Verdict.STOP)
    outcome, _ = go(strategy, curved_source)
    assert outcome.end == "failed"
    assert "expected a trial that trained and may go on, got 0, which failed or was stopped" in outcome.reason


def test_a_paused_trial_goes_on_for_what_is_left(go, curved_source):
    early, full = curved_source.epochs[0], curved_source.epochs[-1]
    strategy = Watching(
        first(B),
        Proposal(B, continues=0),
        rule=lambda n, e: Verdict.PAUSE if n == 0 else Verdict.CONTINUE,
    )
    outcome, _ = go(strategy, curved_source)
    paused, whole = strategy.told
    assert (paused.status, paused.epochs) == ("ok", early)
    assert (whole.status, whole.epochs) == ("ok", full)
    assert paused.charged_seconds + whole.charged_seconds == pytest.approx(
        at(curved_source, B, full).train_seconds
    )
    assert [e for n, e, _, _ in strategy.shown if n == 1] == list(curved_source.epochs[1:-1])
    assert outcome.end == "done"


def test_a_promotion_that_restarts_pays_all_again(go, curved_source):
    early, full = curved_source.epochs[0], curved_source.epochs[-1]
    strategy = Watching(
        first(B),
        Proposal(B, continues=0),
        rule=lambda n, e: Verdict.PAUSE if n == 0 else Verdict.CONTINUE,
    )
    outcome, _ = go(strategy, curved_source, promotion="restart")
    both = at(curved_source, B, early).train_seconds + at(curved_source, B, full).train_seconds
    assert outcome.spent_seconds == pytest.approx(both)


def test_a_running_trial_cannot_be_continued(go, curved_source):
    strategy = Watching(first(A), Proposal(A, continues=0))
    outcome, _ = go(strategy, curved_source, workers=2)
    assert outcome.end == "failed"
    assert outcome.reason == "proposal 1: continues: trial 0 is still running."


def test_a_repeat_of_a_stopped_trial_is_no_cached_answer(go, curved_source):
    strategy = Watching(first(A), Proposal(A), rule=lambda n, e: Verdict.STOP if n == 0 else Verdict.CONTINUE)
    go(strategy, curved_source, repeat="cached")
    assert strategy.told[1].status == "ok"
    assert strategy.told[1].charged_seconds > 0


def test_cached_answers_are_not_reported(go, curved_source):
    strategy = Watching(Proposal(A), Proposal(A))
    go(strategy, curved_source, repeat="cached")
    assert {n for n, *_ in strategy.shown} == {0}


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (lambda n, e: "stop", "report of trial 0 after epoch 1 returned 'stop'; expected Verdict"),
        (lambda n, e: 1 / 0, "report raised ZeroDivisionError"),
    ],
)
def test_a_report_that_goes_wrong_fails_its_run(go, curved_source, rule, reason):
    outcome, _ = go(Watching(first(A), rule=rule), curved_source)
    assert outcome.end == "failed"
    assert reason in outcome.reason


def test_shorter_budget_is_a_prefix_with_stops(go, curved_source):
    def rule(n, e):
        return Verdict.STOP if (n * 7 + e) % 5 == 0 else Verdict.CONTINUE

    script = [first(c) for c in (A, B, C) * 4]
    long = go(Watching(*script, rule=rule), curved_source, workers=3)[1].rows
    for seconds in (100, 400, 900):
        short = go(Watching(*script, rule=rule), curved_source, f"{seconds}s", workers=3)[1].rows
        assert short == long[: len(short)]


STOPPER = """
from typing import ClassVar
from nasbench.records import Proposal, Verdict
from nasbench.strategies import Card

class Stopper:
    card: ClassVar[Card] = Card(family="test", paper="", multi_fidelity=True)
    def __init__(self, space, *, rng):
        self.space, self.rng, self.best = space, rng, 1.0
    def ask(self, n):
        return [Proposal(tuple(c)) for c in self.space.sample(n, rng=self.rng).tolist()]
    def tell(self, trials):
        self.best = min([self.best, *(t.valid_error for t in trials if t.status == "ok" and t.valid_error)])
    def report(self, trial, epoch, valid_error):
        return Verdict.STOP if valid_error > self.best else Verdict.CONTINUE
"""


@pytest.fixture
def stopper(tmp_path):
    file = tmp_path / "stopper.py"
    file.write_text(STOPPER)
    return f"{file}:Stopper"


def test_record_of_a_run_with_stops_reads_back_and_packs(stopper, spec, curved_source, tmp_path):
    path = tmp_path / "run.jsonl"
    about = spec(strategy=stopper, options={}, budget="3000s")
    columns, _ = execute(about, 0, curved_source, path=path)
    assert "stopped" in path.read_text()
    assert equal_runs(columns, read_run(path)) == ""
    assert b"".join(lines_of(columns)) == path.read_bytes()


class Watched:
    """A live source over the toy table: it can be watched, and counts its trainings."""

    is_live = True

    def __init__(self, source):
        self.source, self.trained = source, 0
        self.info, self.space, self.epochs, self.replicates = (
            source.info,
            source.space,
            source.epochs,
            source.replicates,
        )

    def replicates_of(self, code):
        return self.source.replicates_of(code)

    def answer(self, code, *, epochs, replicate):
        self.trained += 1
        return self.source.answer(code, epochs=epochs, replicate=replicate)

    def follow(self, code, *, epochs, replicate, on_epoch):
        self.trained += 1
        for epoch, found in self.source.curve(code, epochs=epochs, replicate=replicate):
            verdict = on_epoch(epoch, found.valid_error, found.train_seconds)
            if verdict is not Verdict.CONTINUE:
                import dataclasses

                status = "stopped" if verdict is Verdict.STOP else "ok"
                return dataclasses.replace(found, status=status), epoch
        return self.source.answer(code, epochs=epochs, replicate=replicate), epochs


def test_live_source_gives_the_trials_of_the_table(stopper, spec, curved_source):
    about = spec(strategy=stopper, options={}, budget="3000s")
    table, _ = execute(about, 0, curved_source)
    live, _ = execute(about, 0, Watched(curved_source))
    assert "reported" in equal_runs(table, live)
    live.reported.clear()
    assert equal_runs(table, live) == ""


def test_interrupted_live_run_shows_again_what_it_showed(stopper, spec, curved_source, tmp_path):
    about = spec(strategy=stopper, options={}, budget="3000s")
    whole, part = tmp_path / "whole.jsonl", tmp_path / "part.jsonl"
    columns, _ = execute(about, 0, Watched(curved_source), path=whole)
    assert columns.reported
    lines = whole.read_bytes().splitlines(keepends=True)
    part.write_bytes(b"".join(lines[:5]))
    again = Watched(curved_source)
    execute(about, 0, again, path=part)
    assert part.read_bytes() == whole.read_bytes()
    # The last one is the trial that would have exceeded the budget: it is trained, and not told.
    assert again.trained == len(lines) - 2 - 4 + 1


def test_live_source_that_cannot_be_watched_is_refused(curved_source):
    class Unwatched(Watched):
        follow = None

    from nasbench.evaluation.evaluator import Evaluator

    outcome = run(
        Watching(first(A)), Evaluator(Unwatched(curved_source), seed=0), budget=parse_budget("1000s")
    )
    assert outcome.end == "failed"
    assert "cannot be watched while it trains" in outcome.reason
