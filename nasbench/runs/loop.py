"""The only loop: ask, answer, wait for the next event, tell.

Workers are a heap of event times. The strategy is asked whenever a worker is idle and told each trial in
order of finish (ties: in order of proposal), so that W workers give the same bytes on any machine. A strategy
that has ``report`` is shown each epoch of its running trials in the same order. A run
spends charged seconds (summed over its workers) or evaluations; it ends before the first trial that would
exceed its budget, so that a shorter budget is an exact prefix of a longer one.

The epochs of a search that shares weights follow each other, however many workers there are: a report that
pays for its search starts when the one before it has ended.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass

from nasbench.errors import BadOption, CallOrder, Mismatch, NasbenchError
from nasbench.evaluation.evaluator import Answer, Evaluator
from nasbench.records import Measurement, Trial
from nasbench.runs.cluster import Cluster
from nasbench.runs.course import Course, Courses
from nasbench.runs.record import MemoryRecord
from nasbench.runs.watching import RAISED, Fault, Tally, Watcher
from nasbench.strategies.strategy import Strategy
from nasbench.units import Budget

FREE_ANSWERS_IN_A_ROW = 1_000
"""After this many trials in a row that spend none of its budget, a run is stalled: it would never end."""

Recorded = Callable[[int], "Answer | None"]
"""Gives the recorded answer of a proposal by its number while a live run is resumed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        end: ``"budget"``, ``"done"``, ``"stalled"`` or ``"failed"``.
        reason: For a failed run, what happened.
        trials: Trials told.
        spent_seconds: Charged seconds of these trials.
        thinking_seconds: Real time spent inside the strategy; not reproducible, kept apart.
    """

    end: str
    reason: str
    trials: int
    spent_seconds: float
    thinking_seconds: float


def run(
    strategy: Strategy,
    evaluator: Evaluator,
    *,
    budget: Budget,
    workers: int = 1,
    cluster: Cluster | None = None,
    record: MemoryRecord | None = None,
    recorded: Recorded | None = None,
) -> Outcome:
    """Run one strategy against one source until the budget is spent or the strategy is done.

    Args:
        strategy: What proposes.
        evaluator: What answers and prices; made for this run's seed.
        budget: What the run may spend.
        workers: Simulated workers, >= 1.
        cluster: How they run; None means that they are equal and nothing befalls them.
        record: Where finished trials go; in memory if None.
        recorded: Answers that a record being resumed already holds (live sources).

    Returns:
        How the run ended. A strategy that raises, proposes outside the space or asks for what the source
        does not hold ends its run as ``"failed"`` with the reason; trials told before stay.

    Raises:
        CallOrder: ``workers`` is below 1, or a live source is given more than one or a simulated cluster.
        FormatError: A live run is resumed and the strategy does not say again what it said.
        Mismatch: A live search is resumed and does not ask its supernet again what it asked.
        OSError: The record could not be written.
    """
    if workers < 1 or (workers > 1 and evaluator.source.is_live):
        raise CallOrder(
            f"workers: expected 1 for live training and at least 1 otherwise, got {workers}. "
            "Run several seeds side by side with --jobs instead."
        )
    cluster = cluster if cluster is not None else Cluster()
    if evaluator.source.is_live and not cluster.is_plain:
        raise CallOrder(
            f"cluster: expected no simulated speeds, delays or failures for live training, got "
            f"{cluster.as_dict()}. They are for tables and surrogates."
        )
    record = record if record is not None else MemoryRecord()
    tally = Tally()
    reason = ""
    try:
        end = _loop(strategy, evaluator, budget, workers, cluster, record, recorded, tally)
    except Fault as fault:
        end, reason = "failed", str(fault)
    finally:
        fault_in_close = _closed(strategy)
    if fault_in_close and end != "failed":
        end, reason = "failed", fault_in_close
    record.close(end, reason)
    return Outcome(end, reason, tally.trials, tally.spent_seconds, tally.thinking_seconds)


def _closed(strategy: Strategy) -> str:
    """Let a strategy that has ``close`` tidy up; return what went wrong, if anything did."""
    close = getattr(strategy, "close", None)
    if close is None:
        return ""
    try:
        close()
    except RAISED as error:
        return f"close raised {type(error).__name__}: {error}"
    return ""


def _loop(
    strategy: Strategy,
    evaluator: Evaluator,
    budget: Budget,
    workers: int,
    cluster: Cluster,
    record: MemoryRecord,
    recorded: Recorded | None,
    tally: Tally,
) -> str:
    """Run to the end and say why it ended. Flat and full of locals: it is the hot path of every search."""
    ask, tell, answer, add = strategy.ask, strategy.tell, evaluator.answer, record.add
    heappush, heappop, now = heapq.heappush, heapq.heappop, time.perf_counter
    limit_seconds = float("inf") if budget.seconds is None else budget.seconds
    limit_trials = budget.evaluations
    charge_thinking = evaluator.charging.thinking == "measured"
    report = getattr(strategy, "report", None)
    watcher = None if report is None else Watcher(report, tally)
    courses = None  # the hot path goes without
    if not evaluator.source.is_live and (watcher is not None or not cluster.is_plain):
        courses = Courses(evaluator, cluster, workers, watcher)
    running: list[tuple[float, int, Trial, Measurement | Course]] = []
    clock = spent = 0.0
    number = searched = free_in_a_row = 0
    search_ends = 0.0  # when the last report that pays for its search will have ended
    told = 0.0  # time spent in tell since the last ask
    while True:
        while len(running) < workers:
            idle = workers - len(running)
            before = now()
            try:
                proposals = ask(idle)
            except Mismatch:  # a resumed search that is another: no fault of the strategy's
                raise
            except RAISED as error:
                raise Fault(f"ask raised {type(error).__name__}: {error}") from error
            thought = now() - before
            tally.thinking_seconds += thought
            if not isinstance(proposals, list):
                raise Fault(f"ask({idle}) returned {type(proposals).__name__}, not a list of proposals")
            if not proposals:
                break
            if len(proposals) > idle:
                raise Fault(f"ask({idle}) returned {len(proposals)} proposals")
            for proposal in proposals:
                known = None if recorded is None else recorded(number)
                on_report = None
                if watcher is not None and courses is None:
                    if known is None:
                        on_report = watcher.live(number, proposal, clock)
                    else:
                        watcher.show_again(number, proposal, clock, known)
                try:
                    if (
                        running
                        and proposal.continues is not None
                        and _is_running(running, proposal.continues)
                    ):
                        raise BadOption(f"continues: trial {proposal.continues} is still running.")
                    measurement, epochs, replicate, charged = answer(proposal, known, on_report)
                except NasbenchError as error:
                    raise Fault(f"proposal {number}: {error}") from error
                except (AttributeError, TypeError, ValueError) as error:
                    raise Fault(f"proposal {number} is not a valid proposal: {error}") from error
                if charge_thinking and known is None:  # what a record holds was charged with its thinking
                    charged += thought + told
                starts = clock
                is_searched = proposal.purpose != "search" and proposal.search_seconds is not None
                if is_searched and search_ends > clock:
                    starts = search_ends
                finished = starts + charged
                trial = Trial(
                    number,
                    proposal.code,
                    epochs,
                    replicate,
                    measurement.status,
                    measurement.valid_error,
                    charged,
                    starts,
                    finished,
                    proposal.purpose,
                )
                if courses is None:
                    heappush(running, (finished, number, trial, measurement))
                else:
                    due, course = courses.start(proposal, trial, measurement)
                    heappush(running, (due, number, trial, course))
                if is_searched:
                    search_ends = trial.finished_seconds
                number += 1
            told = 0.0
        if not running:
            return "done"
        clock, at, trial, found = heappop(running)
        if isinstance(found, Course):
            next_due = courses.step(found, clock) if courses is not None else None
            if next_due is not None:
                heappush(running, (next_due, at, trial, found))
                continue
            trial, found = found.trial, found.measurement
        charged = trial.charged_seconds
        if spent + charged > limit_seconds:
            return "budget"
        spent += charged
        tally.trials += 1
        tally.spent_seconds = spent
        add(trial, found)
        if trial.purpose == "search":
            searched += 1
            if searched == limit_trials:
                return "budget"
            before = now()
            try:
                tell([trial])
            except RAISED as error:
                raise Fault(f"tell raised {type(error).__name__}: {error}") from error
            thought = now() - before
            tally.thinking_seconds += thought
            told += thought
        elif limit_trials is not None:
            charged = 0.0  # reports spend nothing of a budget in evaluations
        free_in_a_row = 0 if charged > 0.0 else free_in_a_row + 1
        if free_in_a_row >= FREE_ANSWERS_IN_A_ROW:
            return "stalled"


def _is_running(running: list[tuple[float, int, Trial, Measurement | Course]], number: int) -> bool:
    return any(entry[1] == number for entry in running)
