"""A small simulated cluster that drives a strategy for the checks, and writes down all that was said.

It is not the loop of ``nasbench.runs``: it has no source, budget or record, so that a check says something
of the strategy alone. It watches what it can see while driving (types, membership, counts, altered trials,
global random state).
"""

from __future__ import annotations

import heapq
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nasbench.errors import NotInSpace
from nasbench.records import Code, Proposal, Trial, Verdict
from nasbench.spaces import Space
from nasbench.strategies.strategy import Setting, Strategy
from nasbench.testing.contract import ContractViolation, require

Answer = Callable[[Code, int], float | None]
"""From (code, number of the trial) to a validation error after the full length, or None where it fails."""


@dataclass
class Transcript:
    """All that was said in one simulated run, in order.

    Attributes:
        events: ``("ask", n, proposals)``, ``("tell", trials)`` and ``("report", trial, verdict)``, as copies.
        is_done: Whether the strategy ended the run itself.
    """

    events: list[tuple[Any, ...]] = field(default_factory=list)
    is_done: bool = False

    @property
    def proposals(self) -> list[Proposal]:
        """Every proposal, in order."""
        return [proposal for event in self.events if event[0] == "ask" for proposal in event[2]]

    @property
    def trials(self) -> list[Trial]:
        """Every trial told, in order of finish."""
        return [trial for event in self.events if event[0] == "tell" for trial in event[1]]


def drive(
    strategy: Strategy, space: Space, *, answer: Answer, setting: Setting, n_trials: int, workers: int = 1
) -> Transcript:
    """Run a strategy on a simulated cluster until ``n_trials`` were proposed or it is done.

    Trials of full length last between 1 and 13 seconds, mixed by their number, and shorter ones as long as
    their part of it, so that with several workers they finish out of order and the strategy is asked while
    others run. A validation error falls on a straight line from halfway to 1 down to its last value.

    Args:
        strategy: A fresh one.
        space: Its space.
        answer: What a trial returns.
        setting: As the strategy was given.
        n_trials: Most trials to propose.
        workers: Trials that run at once.

    Raises:
        ContractViolation: On rules ``"no exception"``, ``"proposals"``, ``"ask(n) <= n"``, ``"done"``,
            ``"trials unaltered"``.
    """
    transcript = Transcript()
    reports = callable(getattr(strategy, "report", None))
    running: list[tuple[float, int, _Running]] = []
    told: dict[int, Trial] = {}
    clock, number = 0.0, 0
    try:
        while True:
            free = min(workers - len(running), n_trials - number)
            if free > 0:
                proposals = said(strategy, "ask", free)
                check_proposals(proposals, free, space, setting, told)
                transcript.events.append(("ask", free, [replace(proposal) for proposal in proposals]))
                for proposal in proposals:
                    error = answer(proposal.code, number)
                    before = told[proposal.continues].epochs if proposal.continues is not None else 0
                    started = _Running(proposal, number, error, clock, setting, before)
                    heapq.heappush(running, (started.next_seconds(reports), number, started))
                    number += 1
                if not proposals and not running:
                    transcript.is_done = True
                    require(number > 0, "done", "expected at least one proposal before the end, got none.")
                    again = said(strategy, "ask", 1)
                    require(
                        again == [],
                        "done",
                        "expected [] to mean done when nothing is running, got a proposal when asked again.",
                    )
                    return transcript
            if not running:
                return transcript
            clock, at, now = heapq.heappop(running)
            trial = now.trial(reports)
            kept = replace(trial)
            if trial.epochs < now.asked:
                verdict = said(strategy, "report", trial, trial.epochs, trial.valid_error)
                require(isinstance(verdict, Verdict), "report", f"expected a Verdict, got {verdict!r}.")
                transcript.events.append(("report", kept, verdict))
                if verdict is Verdict.CONTINUE:
                    now.done = trial.epochs
                    heapq.heappush(running, (now.next_seconds(reports), at, now))
                    continue
                trial.status = "stopped" if verdict is Verdict.STOP else "ok"
                trial.finished_seconds = clock
                kept = replace(trial)
            if trial.purpose == "search":
                told[trial.number] = kept
                transcript.events.append(("tell", [kept]))
                said(strategy, "tell", [trial])
                require(
                    trial == kept,
                    "trials unaltered",
                    f"expected told trials to be left as they are, got {trial} for {kept}.",
                )
    finally:
        close = getattr(strategy, "close", None)
        if callable(close):
            close()


class _Running:
    """A training under way: where it stands and when its next epoch of interest ends."""

    def __init__(
        self,
        proposal: Proposal,
        number: int,
        error: float | None,
        start: float,
        setting: Setting,
        before: int,
    ) -> None:
        self.proposal, self.number, self.error, self.start = proposal, number, error, start
        self.setting, self.before, self.done = setting, before, before
        self.asked = proposal.epochs or setting.epochs[-1]
        self._full_seconds = 1.0 + number * 7919 % 13

    def _next_epochs(self, reports: bool) -> int:
        if not reports or self.error is None:
            return self.asked
        return next((e for e in self.setting.epochs if self.done < e < self.asked), self.asked)

    def next_seconds(self, reports: bool) -> float:
        """Say when the next report or the end is due."""
        epochs = self._next_epochs(reports) - self.before
        return self.start + self._full_seconds * epochs / self.setting.epochs[-1]

    def trial(self, reports: bool) -> Trial:
        """Describe the trial as it stands when that is due."""
        epochs = self._next_epochs(reports)
        error = self.error
        if error is not None:
            error += 0.5 * (1.0 - error) * (1.0 - epochs / self.setting.epochs[-1])
        finish = self.next_seconds(reports)
        return Trial(
            number=self.number,
            code=self.proposal.code,
            epochs=epochs,
            replicate=self.proposal.replicate or 0,
            status="failed" if error is None else "ok",
            valid_error=error,
            charged_seconds=finish - self.start,
            started_seconds=self.start,
            finished_seconds=finish,
            purpose=self.proposal.purpose,
        )


def replay(strategy: Strategy, transcript: Transcript) -> list[Proposal]:
    """Ask and tell a fresh strategy what a transcript says; return what it proposes."""
    proposals: list[Proposal] = []
    for event in transcript.events:
        if event[0] == "ask":
            proposals.extend(replace(proposal) for proposal in said(strategy, "ask", event[1]))
        elif event[0] == "report":
            trial = replace(event[1])
            verdict = said(strategy, "report", trial, trial.epochs, trial.valid_error)
            require(
                verdict is event[2],
                "replay reproduces",
                f"expected the recorded verdict {event[2]} on trial {trial.number}, got {verdict}.",
            )
        else:
            said(strategy, "tell", [replace(trial) for trial in event[1]])
    close = getattr(strategy, "close", None)
    if callable(close):
        close()
    return proposals


def said(strategy: Strategy, method: str, *arguments: Any) -> Any:
    """Call ask, tell or report.

    Raises:
        ContractViolation: Rule ``"no exception"``: it raised.
    """
    try:
        return getattr(strategy, method)(*arguments)
    except Exception as error:
        raise ContractViolation(
            "no exception", f"{method}: expected an answer, got {type(error).__name__}: {error}"
        ) from error


def check_proposals(proposals: Any, n: int, space: Space, setting: Setting, told: dict[int, Trial]) -> None:
    """Check what one ask returned; ``told`` holds the finished trials by number.

    Raises:
        ContractViolation: Rule ``"proposals"`` or ``"ask(n) <= n"``.
    """
    require(isinstance(proposals, list), "proposals", f"expected a list, got {type(proposals).__name__}.")
    require(len(proposals) <= n, "ask(n) <= n", f"expected at most {n} proposals, got {len(proposals)}.")
    for proposal in proposals:
        require(isinstance(proposal, Proposal), "proposals", f"expected Proposal, got {proposal!r}.")
        code = proposal.code
        require(
            isinstance(code, tuple) and all(type(value) is int for value in code),
            "proposals",
            f"code: expected a tuple of Python ints, got {code!r}. Use tuple(row.tolist()) on array rows.",
        )
        try:
            space.check(code)
        except NotInSpace as error:
            raise ContractViolation("proposals", f"expected architectures of the space; {error}") from error
        require(
            proposal.epochs is None or (type(proposal.epochs) is int and proposal.epochs in setting.epochs),
            "proposals",
            f"epochs: expected None or a length of setting.epochs, got {proposal.epochs!r}.",
        )
        if proposal.continues is not None:
            earlier = told.get(proposal.continues)
            require(
                earlier is not None
                and earlier.code == code
                and earlier.status == "ok"
                and earlier.epochs < (proposal.epochs or setting.epochs[-1]),
                "proposals",
                "continues: expected the number of a finished trial of the same architecture with fewer "
                f"epochs, got {proposal.continues}, which is {earlier}.",
            )


def global_random_state() -> list[tuple[str, Any]]:
    """Read the global states of ``random``, ``numpy.random`` and, where it is imported, torch."""
    legacy = np.random.get_state(legacy=False)  # noqa: NPY002 - reading it is the point
    state: list[tuple[str, Any]] = [
        ("random", random.getstate()),
        ("numpy.random", repr(legacy) + str(legacy["state"]["key"].tolist())),
    ]
    torch = sys.modules.get("torch")
    if torch is not None:
        state.append(("torch", torch.random.get_rng_state().tolist()))
    return state


def first_difference(a: Sequence[Proposal], b: Sequence[Proposal]) -> str:
    """Say where two lists of proposals part."""
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return f"proposal {i} is {x} in one and {y} in the other"
    return f"{len(a)} proposals in one and {len(b)} in the other"
