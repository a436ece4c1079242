"""A small simulated cluster that drives a strategy for the checks, and writes down all that was said.

It is not the loop of ``nasbench.runs``: it has no source, budget or record, so that a check says something
of the strategy alone. It watches what it can see while driving (types, membership, counts, altered trials,
global random state).
"""

from __future__ import annotations

import copy
import heapq
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nasbench.errors import NotInSpace
from nasbench.records import Code, Proposal, Trial
from nasbench.spaces import Space
from nasbench.strategies.strategy import Strategy
from nasbench.testing.contract import ContractViolation, require

Answer = Callable[[Code, int], float | None]
"""From (code, number of the trial) to a validation error, or None for a failed training."""

_EPOCHS = 200  # what a proposal of the longest training is answered with


@dataclass
class Transcript:
    """All that was said in one simulated run, in order.

    Attributes:
        events: ``("ask", n, proposals)`` and ``("tell", trials)``, as deep copies.
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


def drive(strategy: Strategy, space: Space, *, answer: Answer, n_trials: int, workers: int = 1) -> Transcript:
    """Run a strategy on a simulated cluster until ``n_trials`` were proposed or it is done.

    Trials last between 1 and 13 seconds, mixed by their number, so that with several workers they finish out
    of order and the strategy is asked while others run.

    Args:
        strategy: A fresh one.
        space: Its space.
        answer: What a trial returns.
        n_trials: Most trials to propose.
        workers: Trials that run at once.

    Raises:
        ContractViolation: On rules ``"no exception"``, ``"proposals"``, ``"ask(n) <= n"``, ``"done"``,
            ``"trials unaltered"``.
    """
    transcript = Transcript()
    running: list[tuple[float, int, Trial, bool]] = []
    clock, number = 0.0, 0
    try:
        while True:
            free = min(workers - len(running), n_trials - number)
            if free > 0:
                proposals = said(strategy, "ask", free)
                check_proposals(proposals, free, space)
                transcript.events.append(("ask", free, copy.deepcopy(proposals)))
                for proposal in proposals:
                    finish = clock + 1.0 + number * 7919 % 13
                    trial = _trial(proposal, number, answer(proposal.code, number), clock, finish)
                    heapq.heappush(running, (finish, number, trial, proposal.purpose == "search"))
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
            clock, _, trial, is_told = heapq.heappop(running)
            if is_told:
                kept = copy.deepcopy(trial)
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


def replay(strategy: Strategy, transcript: Transcript) -> list[Proposal]:
    """Ask and tell a fresh strategy what a transcript says; return what it proposes."""
    proposals: list[Proposal] = []
    for event in transcript.events:
        if event[0] == "ask":
            proposals.extend(copy.deepcopy(said(strategy, "ask", event[1])))
        else:
            said(strategy, "tell", copy.deepcopy(event[1]))
    close = getattr(strategy, "close", None)
    if callable(close):
        close()
    return proposals


def said(strategy: Strategy, method: str, argument: Any) -> Any:
    """Call ask or tell.

    Raises:
        ContractViolation: Rule ``"no exception"``: it raised.
    """
    try:
        return getattr(strategy, method)(argument)
    except Exception as error:
        raise ContractViolation(
            "no exception", f"{method}: expected an answer, got {type(error).__name__}: {error}"
        ) from error


def check_proposals(proposals: Any, n: int, space: Space) -> None:
    """Check what one ask returned.

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
            proposal.epochs is None or (isinstance(proposal.epochs, int) and proposal.epochs > 0),
            "proposals",
            f"epochs: expected None or a whole number > 0, got {proposal.epochs!r}.",
        )


def _trial(proposal: Proposal, number: int, error: float | None, start: float, finish: float) -> Trial:
    return Trial(
        number=number,
        code=proposal.code,
        epochs=proposal.epochs or _EPOCHS,
        replicate=proposal.replicate or 0,
        status="failed" if error is None else "ok",
        valid_error=error,
        charged_seconds=finish - start,
        started_seconds=start,
        finished_seconds=finish,
        purpose=proposal.purpose,
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
