"""What a run asks of its strategy about trials that still train, and what a strategy may do wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from nasbench.errors import FormatError
from nasbench.evaluation.evaluator import Answer, OnReport
from nasbench.records import Proposal, Trial, Verdict

Report = Callable[[Trial, int, float], Verdict]

RAISED = (Exception, SystemExit)
"""What a strategy may raise without taking the other runs down with it; SystemExit is not an Exception."""


class Fault(Exception):
    """What a strategy did wrong; becomes the run's reason."""


class Tally:
    """What a run has come to so far; kept outside the loop so that a fault does not lose it."""

    def __init__(self) -> None:
        self.trials = 0
        self.spent_seconds = 0.0
        self.thinking_seconds = 0.0


class Watcher:
    """Shows a strategy its running trials.

    Args:
        report: The strategy's ``report``.
        tally: Where its thinking time goes.
    """

    def __init__(self, report: Report, tally: Tally) -> None:
        self._report = report
        self._tally = tally

    def ask(self, trial: Trial) -> Verdict:
        """Ask what becomes of a trial as it stands; the trial is a copy that nobody else reads.

        Raises:
            Fault: The strategy raised, or returned no verdict.
        """
        number, epochs = trial.number, trial.epochs
        before = time.perf_counter()
        try:
            verdict = self._report(trial, epochs, _error_of(trial))
        except RAISED as error:
            raise Fault(f"report raised {type(error).__name__}: {error}") from error
        self._tally.thinking_seconds += time.perf_counter() - before
        if not isinstance(verdict, Verdict):
            raise Fault(
                f"report of trial {number} after epoch {epochs} returned {verdict!r}; expected "
                "Verdict.CONTINUE, Verdict.STOP or Verdict.PAUSE"
            )
        return verdict

    def live(self, number: int, proposal: Proposal, started_seconds: float) -> OnReport:
        """Return what a live training asks after each epoch."""

        def on_report(epochs: int, valid_error: float, charged_seconds: float, replicate: int) -> Verdict:
            return self.ask(
                Trial(
                    number,
                    proposal.code,
                    epochs,
                    replicate,
                    "ok",
                    valid_error,
                    charged_seconds,
                    started_seconds,
                    started_seconds + charged_seconds,
                    proposal.purpose,
                )
            )

        return on_report

    def show_again(self, number: int, proposal: Proposal, started_seconds: float, answer: Answer) -> None:
        """Show a strategy what a record says it was shown, while a live run is resumed.

        Raises:
            FormatError: It says something else of a training than it did then.
        """
        on_report = self.live(number, proposal, started_seconds)
        measurement, epochs, replicate, _ = answer
        for shown_epochs, valid_error, charged_seconds in measurement.reported:
            verdict = on_report(shown_epochs, valid_error, charged_seconds, replicate)
            then = Verdict.CONTINUE
            if shown_epochs == epochs:
                then = Verdict.STOP if measurement.status == "stopped" else Verdict.PAUSE
            if verdict is not then:
                raise FormatError(
                    f"trial {number}: after epoch {shown_epochs} the record has the strategy say "
                    f"{then.value}, replaying it says {verdict.value}. The strategy draws on something else "
                    "than its generator and its trials, or has changed; remove the record to start over."
                )


def _error_of(trial: Trial) -> float:
    return float("nan") if trial.valid_error is None else trial.valid_error


def as_it_stands(
    trial: Trial, *, epochs: int, valid_error: float | None, charged: float, now: float
) -> Trial:
    """Copy a trial with what is known of it after some of its epochs."""
    return replace(
        trial,
        epochs=epochs,
        status="ok",
        valid_error=valid_error,
        charged_seconds=charged,
        finished_seconds=now,
    )
