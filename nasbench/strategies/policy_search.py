"""What the searches by policy have in common: children are drawn and learnt from in batches.

1. Draw ``batch`` architectures, the children, from the policy as it is, and propose them one by one.
2. When a child is told, its reward moves the baseline, an exponential moving average of all rewards that is
   divided by the sum of its weights, so that it is unbiased from the first reward on. The child's advantage
   is its reward minus the baseline so moved.
3. When ``batch`` children that trained have been told, the policy learns from them, children that were
   drawn but not proposed yet are dropped, and 1. draws from the new policy.

Workers never wait: while answers are out, step 1 draws further children from the same policy, so that some
of a batch may stem from an older policy than the one that learns from them. A failed training has no
reward; the batch waits for another child in its place.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.records import Code, Proposal, Trial


@dataclass(slots=True)
class Child:
    """An architecture drawn from a policy.

    Attributes:
        code: The architecture.
        log_probabilities: (L,) of its values under the policy that it was drawn from.
        advantage: Its reward minus the baseline; nan until it is told.
    """

    code: Code
    log_probabilities: npt.NDArray[np.float64]
    advantage: float = math.nan


class PolicySearch(ABC):
    """Asks and tells; the policy itself, and how it learns, is the subclass's.

    Args:
        batch: Children an update, >= 1.
        momentum: Of the moving average that is the baseline, in [0, 1).

    Raises:
        BadOption: An option is out of its range.
    """

    def __init__(self, *, batch: int, momentum: float) -> None:
        if type(batch) is not int or batch < 1:
            raise BadOption(f"batch: expected a whole number >= 1, got {batch!r}.")
        if type(momentum) not in (int, float) or not 0 <= momentum < 1:
            raise BadOption(f"momentum: expected a number in [0, 1), got {momentum!r}.")
        self._batch = batch
        self._momentum = momentum
        self._sum = 0.0  # momentum-weighted sum of rewards
        self._weight = 0.0  # sum of the same weights
        self._drawn: list[Child] = []  # not proposed yet, next last
        self._running: dict[int, Child] = {}  # by number of the trial
        self._proposed = 0
        self._told: list[Child] = []  # since the last update

    @abstractmethod
    def _draw_children(self, n: int) -> list[Child]:
        """Draw n architectures from the policy."""

    @abstractmethod
    def _learn(self, children: Sequence[Child]) -> None:
        """Update the policy from one batch."""

    def _reward(self, valid_error: float) -> float:
        """Turn an error into what is to be maximised."""
        return 1.0 - valid_error

    def ask(self, n: int) -> list[Proposal]:
        """Propose ``n`` children."""
        proposals = []
        for _ in range(n):
            if not self._drawn:
                self._drawn = self._draw_children(self._batch)[::-1]
            child = self._drawn.pop()
            self._running[self._proposed] = child
            self._proposed += 1
            proposals.append(Proposal(child.code))
        return proposals

    def tell(self, trials: Sequence[Trial]) -> None:
        """Give each child its advantage, and learn from every full batch."""
        for trial in trials:
            child = self._running.pop(trial.number)
            if trial.valid_error is None:
                continue
            reward = self._reward(trial.valid_error)
            self._sum = self._momentum * self._sum + (1.0 - self._momentum) * reward
            self._weight = self._momentum * self._weight + (1.0 - self._momentum)
            child.advantage = reward - self._sum / self._weight
            self._told.append(child)
            if len(self._told) == self._batch:
                self._learn(self._told)
                self._told = []
                self._drawn = []
