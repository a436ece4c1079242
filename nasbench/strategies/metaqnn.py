"""MetaQNN: tabular Q-learning with experience replay; the accuracy rewards the last decision.

1. Write an architecture decision by decision: with chance epsilon a uniform legal value, else the one with
   the highest utility Q (see ``q_learning.py``). One proposed before is not trained again: another is
   written, up to 100 times, after which the repeat is accepted.
2. When it is told, remember it with its validation accuracy.
3. Draw ``replay`` architectures with replacement from all that are remembered, and update Q along each
   backwards with the accuracy as reward of the last decision and 0 before.
4. Lower epsilon by the schedule; go to 1.

Defaults are those of the paper's code (utilities start at 0.5, rate 0.01, 128 replays for each new
architecture), except for the length of the schedule: epsilon is 1.0 for 1,500 architectures, then 0.9, 0.8,
0.7 for 100 each and 0.6 to 0.1 for 150 each, 2,700 in all, times ``scale``, which by default makes it 200.
``scale=1`` is theirs.

Deviations from Baker et al. 2017: the state is the index of the decision with the value of the decision
before (``state="layer"``); the paper's also holds a bucket of the representation size, for which a space of
any kind has no word. Where the accuracy depends on decisions that lie further back, this state is not
Markov; ``state="prefix"`` is, and learns slowly. Schedules count proposals, also those that run or failed.

Source: Baker, Gupta, Naik and Raskar 2017, section 4 and Algorithms 1 to 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from nasbench.errors import BadOption
from nasbench.records import Proposal, Trial
from nasbench.seeds import uniforms
from nasbench.spaces import Space
from nasbench.strategies.q_learning import QTable, State, Step, back_up, scheduled_epsilon
from nasbench.strategies.strategy import Card

_NETWORKS = 2_700  # length of the paper's schedule
_SCHEDULE = (
    *((1.0, 1_500), (0.9, 100), (0.8, 100), (0.7, 100)),
    *((0.6, 150), (0.5, 150), (0.4, 150), (0.3, 150), (0.2, 150), (0.1, 150)),
)
_INITIAL = 0.5  # utility of what was never tried


class MetaQNN:
    """Q-learning with experience replay.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        scale: Length of the epsilon schedule over the paper's, > 0.
        learning_rate: Of Q, in (0, 1].
        replay: Remembered architectures that Q is updated with after each answer, >= 1.
        state: ``"layer"`` or ``"prefix"``.

    Raises:
        BadOption: An option is out of its range.
    """

    card: ClassVar[Card] = Card(family="reinforcement learning", paper="Baker et al. 2017")

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        scale: float = 200 / _NETWORKS,
        learning_rate: float = 0.01,
        replay: int = 128,
        state: State = "layer",
    ) -> None:
        if type(scale) not in (int, float) or not 0 < scale < np.inf:
            raise BadOption(f"scale: expected a number > 0, got {scale!r}.")
        if type(learning_rate) not in (int, float) or not 0 < learning_rate <= 1:
            raise BadOption(f"learning_rate: expected a number in (0, 1], got {learning_rate!r}.")
        if type(replay) is not int or replay < 1:
            raise BadOption(f"replay: expected a whole number >= 1, got {replay!r}.")
        self._table = QTable(space, state=state, initial=_INITIAL)
        self._draw = uniforms(rng)
        self._scale = scale
        self._rate = learning_rate
        self._replay = replay
        self._proposed = 0
        self._memory: list[tuple[list[Step], float]] = []

    @property
    def epsilon(self) -> float:
        """Chance of a random value at each decision of the next proposal."""
        return scheduled_epsilon(_SCHEDULE, self._proposed, self._scale)

    def ask(self, n: int) -> list[Proposal]:
        """Write ``n`` architectures."""
        proposals = []
        for _ in range(n):
            proposals.append(Proposal(self._table.write(self.epsilon, self._draw)))
            self._proposed += 1
        return proposals

    def tell(self, trials: Sequence[Trial]) -> None:
        """Remember each answer and replay."""
        for trial in trials:
            if trial.valid_error is None:
                continue
            self._memory.append((self._table.episode(trial.code), 1.0 - trial.valid_error))
            for _ in range(self._replay):
                episode, accuracy = self._memory[int(self._draw() * len(self._memory))]
                back_up(episode, intermediate=0.0, last=accuracy, rate=self._rate)
