"""Local search: walk from neighbour to better neighbour, start again where no neighbour is better.

A simple baseline that is hard to beat on the tabular benchmarks. It keeps what it has been told in this
run, so that a neighbour already measured is compared without being paid again.

1. Propose a uniformly drawn architecture; its answer makes it the current one.
2. List the neighbours of the current architecture in a random order and propose them one after another.
3. Move to the first one with a lower validation error and go to 2; with ``move="best"`` hear all of them
   first and move to the lowest.
4. With every neighbour heard and none better, the current one is a local optimum: go to 1.
5. Stop when every architecture of the space has been proposed (never, with ``revisit=True``).

The first improvement is the default because it needs fewer queries a step. Asynchronous workers ask the next
neighbours of the same list; an answer that comes after a move is kept, and counts when its architecture is
a neighbour of the new current one. While everything that could be asked is running, free workers wait.
A failed training is never an improvement. On a space of unknown size the end is taken to be 1,000 draws in
a row that were all seen before.

Source: White, Nolen and Savani 2021, "Exploring the loss landscape in neural architecture search".
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np

from nasbench.errors import BadOption
from nasbench.records import Code, Proposal, Trial
from nasbench.seeds import uniforms
from nasbench.spaces import Space
from nasbench.strategies.strategy import Card

_DRAWS = 1_000  # random draws for an unseen start before the space is searched for one; our choice


class LocalSearch:
    """Hill climbing with restarts.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        move: ``"first"`` moves on the first better neighbour, ``"best"`` on the best of all.
        revisit: Whether a neighbour heard before in this run is asked (and paid) again, which on a noisy
            source may meet another training repeat; its last answer counts.

    Raises:
        BadOption: No such move, or ``revisit`` is not a truth value.
    """

    card: ClassVar[Card] = Card(family="local search", paper="White et al. 2021")

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        move: Literal["first", "best"] = "first",
        revisit: bool = False,
    ) -> None:
        if move not in ("first", "best"):
            raise BadOption(f"move: expected 'first' or 'best', got {move!r}.")
        if not isinstance(revisit, bool):
            raise BadOption(f"revisit: expected true or false, got {revisit!r}.")
        self._space = space
        self._rng = rng
        self._draw = uniforms(rng)
        self._first = move == "first"
        self._revisit = revisit
        self._known: dict[Code, float] = {}  # last error told; inf where the training failed
        self._running: Counter[Code] = Counter()
        self._start: Code | None = None  # proposed as a start and not yet told
        self._current: Code | None = None
        self._current_error = math.inf
        self._queue: list[Code] = []  # neighbours not yet proposed or compared, last first
        self._awaited: set[Code] = set()  # neighbours proposed or running, not yet told
        self._best: tuple[float, Code] | None = None  # best neighbour heard so far, for move="best"

    def ask(self, n: int) -> list[Proposal]:
        """Propose neighbours, or a start; fewer than ``n`` where only running answers can help."""
        proposals: list[Proposal] = []
        while len(proposals) < n:
            code = self._next()
            if code is None:
                break
            self._running[code] += 1
            proposals.append(Proposal(code))
        return proposals

    def _next(self) -> Code | None:
        """Find the next architecture worth its price; None while waiting, or at the end of the space."""
        while self._start is None:
            if self._current is None:
                self._start = self._unseen()
                return self._start
            while self._queue:
                code = self._queue.pop()
                if not self._revisit and code in self._known:
                    if self._compare(code, self._known[code]):
                        break
                    continue
                self._awaited.add(code)
                if self._revisit or not self._running[code]:
                    return code
            else:
                if self._awaited:
                    return None
                if self._best is not None and self._best[0] < self._current_error:
                    self._settle(self._best[1], self._best[0])
                else:
                    self._current = None
        return None

    def _unseen(self) -> Code | None:
        """Draw a start that was neither told nor is running (any code, with ``revisit``)."""
        for _ in range(_DRAWS):
            code = self._space.sample_one(self._draw)
            if self._revisit or (code not in self._known and not self._running[code]):
                return code
        if self._space.size is None:
            return None
        left = [
            code
            for block in self._space.enumerate()
            for code in map(tuple, block.tolist())
            if code not in self._known and not self._running[code]
        ]
        return left[int(self._draw() * len(left))] if left else None

    def _settle(self, code: Code, error: float) -> None:
        """Make an architecture the current one and queue its neighbours in a random order."""
        neighbours: list[Code] = [tuple(row) for row in self._space.neighbours(code).tolist()]
        self._current, self._current_error = code, error
        self._queue = [neighbours[i] for i in self._rng.permutation(len(neighbours)).tolist()]
        self._awaited = set()
        self._best = None

    def _compare(self, code: Code, error: float) -> bool:
        """Hear one neighbour; True where the walk moved to it."""
        if self._first:
            if error < self._current_error:
                self._settle(code, error)
                return True
        elif self._best is None or error < self._best[0]:
            self._best = (error, code)
        return False

    def tell(self, trials: Sequence[Trial]) -> None:
        """Remember the answers and move where one is better than the current architecture."""
        for trial in trials:
            code = trial.code
            error = math.inf if trial.valid_error is None else trial.valid_error
            self._known[code] = error
            self._running[code] -= 1
            if self._running[code] <= 0:
                del self._running[code]
            if code == self._start:
                self._start = None
                if trial.valid_error is not None:
                    self._settle(code, error)
            elif code in self._awaited:
                self._awaited.discard(code)
                self._compare(code, error)
