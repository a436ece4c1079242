"""Brackets: synchronous successive halving, one rung after another, for any number of workers.

A bracket trains a number of new architectures at its shortest length; when all have been told, the best go on
to the next length, each continuing its own training. While the oldest bracket waits for its last answers the
next one begins, so that no worker is idle (as HpBandSter does); an older bracket always goes first.

Equal errors rank in order of proposal. A failed training ranks last and never goes on, and where fewer
trained than the next rung has places, that rung is smaller.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from nasbench.records import Code, Proposal, Trial
from nasbench.seeds import uniforms
from nasbench.spaces import Space
from nasbench.strategies.rungs import Rung


class Place(NamedTuple):
    """A free place in a rung.

    Attributes:
        epochs: Training length of the rung.
        code: The promoted architecture; None where the rung wants a new one.
        continues: Number of the trial that the promoted architecture carries on.
    """

    epochs: int
    code: Code | None = None
    continues: int | None = None


class Bracket:
    """One run of successive halving.

    Args:
        rungs: From the shortest training length to the longest.

    Attributes:
        is_finished: Whether the last rung was told, or none of a rung trained.
    """

    def __init__(self, rungs: Sequence[Rung]) -> None:
        self._rungs = rungs
        self._current = 0
        self._places = [Place(rungs[0].epochs)] * rungs[0].size  # free ones, last first
        self._running = 0
        self._trained: list[tuple[float, int, Code]] = []  # of the current rung
        self.is_finished = False

    def next(self) -> Place | None:
        """Give away a place of the current rung; None while all its trainings are running."""
        if not self._places:
            return None
        self._running += 1
        return self._places.pop()

    def tell(self, trial: Trial) -> int:
        """Hear one trial; with the last one of a rung the best of it are promoted.

        Returns:
            The training length of the rung, which the trial was proposed for.
        """
        epochs = self._rungs[self._current].epochs
        self._running -= 1
        if trial.valid_error is not None:
            self._trained.append((trial.valid_error, trial.number, trial.code))
        if not self._running and not self._places:
            self._promote()
        return epochs

    def _promote(self) -> None:
        """Open the next rung to the best of this one, best first."""
        self._current += 1
        if self._current < len(self._rungs):
            epochs, size = self._rungs[self._current]
            best = sorted(self._trained)[:size]
            self._places = [Place(epochs, code, number) for _, number, code in reversed(best)]
        self._trained = []
        self.is_finished = not self._places


class Brackets:
    """Brackets under way, the oldest first.

    Args:
        to_come: The rungs of one bracket after another; may be endless.
    """

    def __init__(self, to_come: Iterator[Sequence[Rung]]) -> None:
        self._to_come = to_come
        self._active: list[Bracket] = []
        self._bracket_of: dict[int, Bracket] = {}  # by number of the trial, while it runs

    def next(self, number: int) -> Place | None:
        """Find a place for the proposal of this number; None where all brackets wait and none is to come."""
        for bracket in self._active:
            place = bracket.next()
            if place is not None:
                self._bracket_of[number] = bracket
                return place
        rungs = next(self._to_come, None)
        if rungs is None:
            return None
        self._active.append(Bracket(rungs))
        return self.next(number)

    def tell(self, trial: Trial) -> int:
        """Hear one trial that was given a place; return the training length it was proposed for."""
        bracket = self._bracket_of.pop(trial.number)
        epochs = bracket.tell(trial)
        if bracket.is_finished:
            self._active.remove(bracket)
        return epochs


class BracketStrategy:
    """What the strategies that run brackets share: they differ in the brackets and in the architectures.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        brackets: The rungs of one bracket after another, without end.
    """

    def __init__(self, space: Space, *, rng: np.random.Generator, brackets: Iterator[Sequence[Rung]]) -> None:
        self._space = space
        self._draw = uniforms(rng)
        self._brackets = Brackets(brackets)
        self._proposed = 0

    def ask(self, n: int) -> list[Proposal]:
        """Propose promotions of the oldest bracket that has some, else new architectures."""
        proposals = []
        for _ in range(n):
            place = self._brackets.next(self._proposed)
            if place is None:
                break
            epochs, code, continues = place
            if code is None:
                code = self._new_code()
            proposals.append(Proposal(code, epochs, continues=continues))
            self._proposed += 1
        return proposals

    def _new_code(self) -> Code:
        """Draw an architecture for the first rung of a bracket."""
        return self._space.sample_one(self._draw)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Hand each trial to its bracket."""
        for trial in trials:
            self._brackets.tell(trial)
