"""The five-line form: a plain function ``strategy(space, evaluate, rng)`` as a strategy.

    def mine(space, evaluate, rng):
        best = space.sample(1, rng=rng)
        error = evaluate(best)
        while True:
            child = space.mutate(best, rng=rng)
            if (child_error := evaluate(child)) <= error:
                best, error = child, child_error

``evaluate`` takes one code (a sequence, returns a float) or an (n, L) array (returns an (n,) array) and
returns validation errors, nan for failed trainings. The function runs in a thread of its own that only ever
moves while the loop waits for it, so that runs stay deterministic; when the run ends, ``evaluate`` raises
``RunEnded`` inside it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from nasbench.records import Code, Proposal, Trial
from nasbench.spaces import Space
from nasbench.strategies.strategy import Card


class RunEnded(BaseException):
    """Unwinds a strategy function when its run is over; do not catch it."""


class FunctionStrategy:
    """Drives a strategy function through ask and tell.

    Args:
        space: The space to search.
        rng: Handed to the function.
        function: ``function(space, evaluate, rng, **options)``.
        **options: Handed to the function.
    """

    card: ClassVar[Card] = Card(family="function", paper="")

    def __init__(
        self, space: Space, *, rng: np.random.Generator, function: Callable[..., Any], **options: Any
    ) -> None:
        self._space = space
        self._requests: queue.SimpleQueue[list[Code] | BaseException | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[list[float] | None] = queue.SimpleQueue()
        self._waiting: list[Code] = []
        self._pending: list[tuple[Code, float | None]] = []
        self._finished = False
        self._is_over = False
        self._thread = threading.Thread(
            target=self._body, args=(function, space, rng, options), name="strategy-function", daemon=True
        )
        self._started = False

    def _body(
        self, function: Callable[..., Any], space: Space, rng: np.random.Generator, options: dict[str, Any]
    ) -> None:
        try:
            if self._answers.get() is None:
                return
            function(space, self._evaluate, rng, **options)
            self._requests.put(None)
        except RunEnded:
            pass
        except BaseException as error:  # handed to the loop, which raises it where the run can see it
            self._requests.put(error)

    def _evaluate(self, codes: npt.ArrayLike) -> Any:
        """Ask for the validation error of one code or of (n, L) codes."""
        if self._is_over:  # asked again while it unwinds
            raise RunEnded
        array = np.asarray(codes)
        many = array.reshape(1, -1) if array.ndim == 1 else array
        wanted = [self._space.check(code) for code in many.tolist()]
        if not wanted:
            return np.empty(0)
        self._requests.put(wanted)
        errors = self._answers.get()
        if errors is None:
            raise RunEnded
        return errors[0] if array.ndim == 1 else np.array(errors)

    def _step(self, answers: list[float]) -> None:
        """Let the function run until it asks again, returns or raises."""
        if not self._started:
            self._thread.start()
            self._started = True
        self._answers.put(answers)
        request = self._requests.get()
        if isinstance(request, BaseException):
            self._finished = True
            raise request
        if request is None:
            self._finished = True
            return
        self._waiting = request
        self._pending = [(code, None) for code in request]

    def ask(self, n: int) -> list[Proposal]:
        """Propose what the function waits for."""
        if not self._started:
            self._step([])
        out, self._waiting = self._waiting[:n], self._waiting[n:]
        return [Proposal(code) for code in out]

    def tell(self, trials: Sequence[Trial]) -> None:
        """Collect answers; once all that were asked for are here, let the function go on."""
        for trial in trials:
            error = float("nan") if trial.valid_error is None else trial.valid_error
            for i, (code, known) in enumerate(self._pending):
                if known is None and code == trial.code:
                    self._pending[i] = (code, error)
                    break
        if self._pending and all(known is not None for _, known in self._pending) and not self._finished:
            answers = [float(known) for _, known in self._pending if known is not None]
            self._pending = []
            self._step(answers)

    def close(self) -> None:
        """End the function: its ``evaluate`` raises RunEnded."""
        self._is_over = True
        if self._started and self._thread.is_alive():
            self._answers.put(None)
            self._thread.join(timeout=5.0)
