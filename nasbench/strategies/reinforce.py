"""REINFORCE: a policy of independent softmaxes, one a decision, pushed towards what scored above average.

This is the tabular instance of the controller of Zoph and Le 2017 that NATS-Bench runs: no recurrent
network, one vector of logits a decision.

1. Draw the logits from a normal of standard deviation 0.001.
2. Draw an architecture decision by decision from the softmax of the logits, with values that
   ``space.allowed`` forbids masked out, and propose it.
3. When it is told, reward = 1 - validation error; update the baseline, a bias-corrected exponential moving
   average of the rewards, and take advantage = reward - baseline.
4. The gradient of -log P(architecture) x advantage with respect to the logits of each decision is
   (probabilities - one-hot of the value taken) x advantage.
5. Step with Adam; go to 2.

Defaults (learning rate 0.01, momentum 0.9, baseline updated before the advantage is taken) are those of
NATS-Bench's ``exps/NATS-algos/reinforce.py``. Deviations: the reward is a fraction where that code has
percent, because errors are fractions throughout here; Adam's step does not change with the scale of the
gradient (beyond its epsilon of 1e-8), so that the policy learns alike. With asynchronous workers
the gradient uses the probabilities that the architecture was drawn from, not those at the time of its
answer. A failed training has no reward and gives no update.

Source: Williams 1992; Zoph and Le 2017, section 3.2; Dong et al. 2021 (NATS-Bench) for this instance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.records import Code, Proposal, Trial
from nasbench.seeds import uniforms
from nasbench.spaces import Space
from nasbench.strategies.strategy import Card

_INITIAL_SPREAD = 1e-3  # of the logits; NATS-Bench reinforce.py
# Adam's constants, without unit; Kingma and Ba 2015, section 2.
_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8

_Array = npt.NDArray[np.float64]


class Reinforce:
    """Policy gradient on a factorised categorical policy.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        learning_rate: Adam's step size, > 0.
        momentum: Of the moving average that is the baseline, in [0, 1).

    Raises:
        BadOption: An option is out of its range.
    """

    card: ClassVar[Card] = Card(family="reinforcement learning", paper="Zoph and Le 2017")

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        learning_rate: float = 0.01,
        momentum: float = 0.9,
    ) -> None:
        if not learning_rate > 0 or not np.isfinite(learning_rate):
            raise BadOption(f"learning_rate: expected a number > 0, got {learning_rate!r}.")
        if not 0 <= momentum < 1:
            raise BadOption(f"momentum: expected a number in [0, 1), got {momentum!r}.")
        self._allowed = space.allowed
        self._counts = [len(decision.choices) for decision in space.decisions]
        shape = (len(self._counts), max(self._counts))  # (L, most choices); the rest of a row is unused
        self.logits: _Array = _INITIAL_SPREAD * rng.standard_normal(shape)
        self._draw = uniforms(rng)
        self._rate = learning_rate
        self._momentum = momentum
        self._average = 0.0  # momentum-weighted sum of rewards
        self._weight = 0.0  # sum of the same weights: what makes the average unbiased
        self._steps = 0
        self._first = np.zeros(shape)
        self._second = np.zeros(shape)
        self._pending: dict[Code, list[_Array]] = {}

    def ask(self, n: int) -> list[Proposal]:
        """Draw ``n`` architectures from the policy as it is now."""
        return [Proposal(self._sample()) for _ in range(n)]

    def _sample(self) -> Code:
        """Draw one architecture and keep the score (probabilities - one-hot) of its draw."""
        score = np.zeros_like(self.logits)
        code: Code = ()
        for i, count in enumerate(self._counts):
            allowed = self._allowed(code)
            logits = np.where(allowed, self.logits[i, :count], -np.inf)
            weights = np.exp(logits - logits.max())
            cumulative = weights.cumsum()
            value = int(np.searchsorted(cumulative, self._draw() * cumulative[-1], side="right"))
            score[i, :count] = weights / cumulative[-1]
            score[i, value] -= 1.0
            code = (*code, value)
        self._pending.setdefault(code, []).append(score)
        return code

    def tell(self, trials: Sequence[Trial]) -> None:
        """Take one step for each trial that trained, in order of finish."""
        for trial in trials:
            scores = self._pending[trial.code]
            score = scores.pop(0)
            if not scores:
                del self._pending[trial.code]
            if trial.valid_error is not None:
                self._step(score, 1.0 - trial.valid_error)

    def _step(self, score: _Array, reward: float) -> None:
        """Update the baseline, then the logits by one step of Adam."""
        self._average = self._momentum * self._average + (1.0 - self._momentum) * reward
        self._weight = self._momentum * self._weight + (1.0 - self._momentum)
        advantage = reward - self._average / self._weight
        gradient = score * advantage
        self._steps += 1
        self._first = _BETA1 * self._first + (1.0 - _BETA1) * gradient
        self._second = _BETA2 * self._second + (1.0 - _BETA2) * gradient**2
        first = self._first / (1.0 - _BETA1**self._steps)
        second = self._second / (1.0 - _BETA2**self._steps)
        self.logits = self.logits - self._rate * first / (np.sqrt(second) + _EPSILON)
