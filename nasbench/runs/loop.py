"""The only loop: ask, answer, wait for the next finish, tell.

Workers are a heap of finish times. The strategy is asked whenever a worker is idle and told each trial in
order of finish (ties: in order of proposal), so that W workers give the same bytes on any machine. A run
spends charged seconds (summed over its workers) or evaluations; it ends before the first trial that would
exceed its budget, so that a shorter budget is an exact prefix of a longer one.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass

from nasbench.errors import CallOrder, NasbenchError
from nasbench.evaluation.evaluator import Answer, Evaluator
from nasbench.records import Measurement, Trial
from nasbench.runs.record import MemoryRecord
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
    record: MemoryRecord | None = None,
    recorded: Recorded | None = None,
) -> Outcome:
    """Run one strategy against one source until the budget is spent or the strategy is done.

    Args:
        strategy: What proposes.
        evaluator: What answers and prices; made for this run's seed.
        budget: What the run may spend.
        workers: Simulated workers, >= 1.
        record: Where finished trials go; in memory if None.
        recorded: Answers that a record being resumed already holds (live sources).

    Returns:
        How the run ended. A strategy that raises, proposes outside the space or asks for what the source
        does not hold ends its run as ``"failed"`` with the reason; trials told before stay.

    Raises:
        CallOrder: ``workers`` is below 1, or more than one for a live source.
        OSError: The record could not be written.
    """
    if workers < 1 or (workers > 1 and evaluator.source.is_live):
        raise CallOrder(
            f"workers: expected 1 for live training and at least 1 otherwise, got {workers}. "
            "Run several seeds side by side with --jobs instead."
        )
    record = record if record is not None else MemoryRecord()
    tally = _Tally()
    reason = ""
    try:
        end = _loop(strategy, evaluator, budget, workers, record, recorded, tally)
    except _Fault as fault:
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
    except _RAISED as error:
        return f"close raised {type(error).__name__}: {error}"
    return ""


_RAISED = (Exception, SystemExit)
"""What a strategy may raise without taking the other runs down with it; SystemExit is not an Exception."""


class _Fault(Exception):
    """What a strategy did wrong; becomes the run's reason."""


class _Tally:
    """What a run has come to so far; kept outside the loop so that a fault does not lose it."""

    def __init__(self) -> None:
        self.trials = 0
        self.spent_seconds = 0.0
        self.thinking_seconds = 0.0


def _loop(
    strategy: Strategy,
    evaluator: Evaluator,
    budget: Budget,
    workers: int,
    record: MemoryRecord,
    recorded: Recorded | None,
    tally: _Tally,
) -> str:
    """Run to the end and say why it ended. Flat and full of locals: it is the hot path of every search."""
    ask, tell, answer, add = strategy.ask, strategy.tell, evaluator.answer, record.add
    heappush, heappop, now = heapq.heappush, heapq.heappop, time.perf_counter
    limit_seconds = float("inf") if budget.seconds is None else budget.seconds
    limit_trials = budget.evaluations
    charge_thinking = evaluator.charging.thinking == "measured"
    running: list[tuple[float, int, Trial, Measurement]] = []
    clock = spent = 0.0
    number = searched = free_in_a_row = 0
    told = 0.0  # time spent in tell since the last ask
    while True:
        while len(running) < workers:
            idle = workers - len(running)
            before = now()
            try:
                proposals = ask(idle)
            except _RAISED as error:
                raise _Fault(f"ask raised {type(error).__name__}: {error}") from error
            thought = now() - before
            tally.thinking_seconds += thought
            if not isinstance(proposals, list):
                raise _Fault(f"ask({idle}) returned {type(proposals).__name__}, not a list of proposals")
            if not proposals:
                break
            if len(proposals) > idle:
                raise _Fault(f"ask({idle}) returned {len(proposals)} proposals")
            for proposal in proposals:
                known = None if recorded is None else recorded(number)
                try:
                    measurement, epochs, replicate, charged = answer(proposal, known)
                except NasbenchError as error:
                    raise _Fault(f"proposal {number}: {error}") from error
                except (AttributeError, TypeError, ValueError) as error:
                    raise _Fault(f"proposal {number} is not a valid proposal: {error}") from error
                if charge_thinking and known is None:  # what a record holds was charged with its thinking
                    charged += thought + told
                finished = clock + charged
                trial = Trial(
                    number,
                    proposal.code,
                    epochs,
                    replicate,
                    measurement.status,
                    measurement.valid_error,
                    charged,
                    clock,
                    finished,
                    proposal.purpose,
                )
                heappush(running, (finished, number, trial, measurement))
                number += 1
            told = 0.0
        if not running:
            return "done"
        clock, _, trial, measurement = heappop(running)
        charged = trial.charged_seconds
        if spent + charged > limit_seconds:
            return "budget"
        spent += charged
        tally.trials += 1
        tally.spent_seconds = spent
        add(trial, measurement)
        if trial.purpose == "search":
            searched += 1
            if searched == limit_trials:
                return "budget"
            before = now()
            try:
                tell([trial])
            except _RAISED as error:
                raise _Fault(f"tell raised {type(error).__name__}: {error}") from error
            thought = now() - before
            tally.thinking_seconds += thought
            told += thought
        elif limit_trials is not None:
            charged = 0.0  # reports spend nothing of a budget in evaluations
        free_in_a_row = 0 if charged > 0.0 else free_in_a_row + 1
        if free_in_a_row >= FREE_ANSWERS_IN_A_ROW:
            return "stalled"
