"""ASHA, asynchronous successive halving: nobody waits for a rung to fill.

``mode="promotion"``, as in the paper:

1. From the highest rung but the last down to the lowest (see ``rungs.py``): of the n trials told there, is
   one among the best floor(n / eta) that has not been promoted? Continue the best such to the next rung.
2. If there is none, train a new random architecture for the length of the lowest rung.

``mode="stopping"``: every architecture is trained in full, unless ``report`` stops it.

1. When a training reaches a rung, its error is filed there, with those of all that got there before.
2. It goes on if fewer than max(1, floor(n / eta)) of the n errors there are lower than its own, else stops.

Promotion is made early, on the trials told so far: what was promoted may later turn out not to belong to the
best 1/eta, so that more than floor(n / eta) may have left a rung. Equal errors are promoted in order of
proposal, and are not stopped for each other. A failed training ranks last and is never promoted.

Default: ``eta=3``, as for the other strategies of this family here. Deviations: of the paper's brackets there
is one, the one that begins at the shortest length (``min_epochs`` sets it); the stopping mode is not in the
paper.

Source: Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht and Talwalkar 2020, Algorithm 2.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

import numpy as np

from nasbench.errors import BadOption
from nasbench.records import Code, Proposal, Trial, Verdict
from nasbench.seeds import uniforms
from nasbench.spaces import Space
from nasbench.strategies.rungs import rung_lengths
from nasbench.strategies.strategy import Card, Setting


class PromotionRung:
    """The trials told at one training length, for ``mode="promotion"``."""

    def __init__(self) -> None:
        self._told = 0
        self._waiting: list[tuple[float, int, Code]] = []  # heap of (error, number, code)
        self._promoted: list[tuple[float, int]] = []  # sorted

    def add(self, trial: Trial) -> None:
        """File a told trial."""
        self._told += 1
        if trial.valid_error is not None:
            heapq.heappush(self._waiting, (trial.valid_error, trial.number, trial.code))

    def promote(self, eta: int) -> tuple[Code, int] | None:
        """Give the code and number of the best trial waiting, if it is among the best floor(n / eta)."""
        if not self._waiting:
            return None
        error, number, code = self._waiting[0]
        # Whatever is better than the best one waiting has been promoted, so these say its rank.
        if bisect_left(self._promoted, (error, number)) >= self._told // eta:
            return None
        heapq.heappop(self._waiting)
        insort(self._promoted, (error, number))
        return code, number


class ASHA:
    """Asynchronous successive halving.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: What the run offers.
        eta: One of ``eta`` architectures goes on to ``eta`` times the epochs, >= 2.
        min_epochs: No training is shorter; None means the shortest length of the source.
        mode: ``"promotion"`` or ``"stopping"``.

    Attributes:
        report: Only there with ``mode="stopping"``, so that no running trial is looked at without need.

    Raises:
        BadOption: An option is out of its range, or the source has one training length only.
    """

    card: ClassVar[Card] = Card(family="multi-fidelity", paper="Li et al. 2020", multi_fidelity=True)
    report: Callable[[Trial, int, float], Verdict]

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        eta: int = 3,
        min_epochs: int | None = None,
        mode: Literal["promotion", "stopping"] = "promotion",
    ) -> None:
        if mode not in ("promotion", "stopping"):
            raise BadOption(f"mode: expected 'promotion' or 'stopping', got {mode!r}.")
        self._lengths = rung_lengths(setting, eta=eta, min_epochs=min_epochs)
        self._sample_one = space.sample_one
        self._draw = uniforms(rng)
        self._eta = eta
        self._proposed = 0
        self._rungs = [PromotionRung() for _ in self._lengths[:-1]]
        self._rung_of: dict[int, int] = {}  # by number of the trial, while it runs
        self._reported: dict[int, list[float]] = {epochs: [] for epochs in self._lengths[:-1]}  # sorted
        self._stops = mode == "stopping"
        if self._stops:
            self.report = self._report

    def ask(self, n: int) -> list[Proposal]:
        """Propose promotions, highest rung first, else new architectures; always ``n``."""
        if self._stops:
            return [Proposal(self._sample_one(self._draw), self._lengths[-1]) for _ in range(n)]
        return [self._next() for _ in range(n)]

    def _next(self) -> Proposal:
        number, self._proposed = self._proposed, self._proposed + 1
        for k in range(len(self._rungs) - 1, -1, -1):
            promoted = self._rungs[k].promote(self._eta)
            if promoted is not None:
                code, continues = promoted
                self._rung_of[number] = k + 1
                return Proposal(code, self._lengths[k + 1], continues=continues)
        self._rung_of[number] = 0
        return Proposal(self._sample_one(self._draw), self._lengths[0])

    def tell(self, trials: Sequence[Trial]) -> None:
        """File each trial in its rung; in stopping mode the rungs hear reports, and nothing here."""
        if self._stops:
            return
        for trial in trials:
            k = self._rung_of.pop(trial.number)
            if k < len(self._rungs):
                self._rungs[k].add(trial)

    def _report(self, trial: Trial, epoch: int, valid_error: float) -> Verdict:
        """Stop a training that is not among the best 1/eta of those that reached this rung."""
        errors = self._reported.get(epoch)
        if errors is None:
            return Verdict.CONTINUE
        insort(errors, valid_error)
        n_lower = bisect_left(errors, valid_error)
        return Verdict.CONTINUE if n_lower < max(1, len(errors) // self._eta) else Verdict.STOP
