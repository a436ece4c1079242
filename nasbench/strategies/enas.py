"""ENAS: a recurrent controller writes architectures down and learns from weights that they share.

1. For each training minibatch of an epoch draw one architecture from the controller and take one step of its
   weights (the controller stays as it is).
2. ``controller_steps`` times draw ``batch`` architectures; the reward of each is its accuracy, 1 - score, by
   the shared weights. Take one step of Adam along the mean of grad log P x (reward - baseline), plus
   ``entropy`` times the gradient of the controller's entropy. The baseline is an exponential moving average
   of all rewards, divided by the sum of its weights. The shared weights stay as they are.
3. Draw ``candidates`` architectures and report the one with the best score; go to 1.

Defaults: learning rate 0.0035, 10 architectures a step, entropy weight 1e-4 and baseline decay 0.99 as in the
authors' code, two LSTM layers of 32 units as in AutoDL-Projects' ENAS on NAS-Bench-201. Epochs, controller
steps and candidates are our choice: an epoch of a small data set has few steps.

Deviations from Pham et al. 2018: accuracy is that of ``score``, not of one minibatch; the controller is that
of ``controller.py``, whose logits have no temperature and no tanh; SGD as in ``training.supernets``; no prior
towards convolutions.

Source: Pham et al. 2018, section 2.2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nasbench.errors import BadOption
from nasbench.records import Code
from nasbench.spaces import Space
from nasbench.strategies.controller import Controller, entropies, log_probabilities
from nasbench.strategies.one_shot import OneShotSearch, require_count, require_share
from nasbench.strategies.strategy import Card, Setting

if TYPE_CHECKING:
    import torch

_LAYERS, _UNITS = 2, 32  # of the LSTM
_SPREAD = 0.1  # initial weights are uniform in [-0.1, 0.1]


class ENAS(OneShotSearch):
    """Efficient neural architecture search.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: Gives the shared weights.
        epochs: Of the shared weights and the controller in turn, >= 1.
        controller_steps: Updates of the controller in each epoch, >= 1.
        batch: Architectures for each update, >= 1.
        candidates: Architectures drawn for each report, >= 1.
        learning_rate: Adam's step size, > 0.
        entropy: Weight of the controller's entropy, >= 0.
        momentum: Of the moving average of rewards that is the baseline, in [0, 1).

    Raises:
        BadOption: An option is out of its range, or the source has no shared weights.
        MissingExtra: torch is not installed.
    """

    card: ClassVar[Card] = Card(
        family="one-shot", paper="Pham et al. 2018", table="analogue", needs=("torch",)
    )

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        epochs: int = 300,
        controller_steps: int = 3,
        batch: int = 10,
        candidates: int = 10,
        learning_rate: float = 0.0035,
        entropy: float = 1e-4,
        momentum: float = 0.99,
    ) -> None:
        require_count("controller_steps", controller_steps)
        require_count("batch", batch)
        require_count("candidates", candidates)
        require_share("momentum", momentum)
        if type(learning_rate) not in (int, float) or not 0 < learning_rate < math.inf:
            raise BadOption(f"learning_rate: expected a number > 0, got {learning_rate!r}.")
        if type(entropy) not in (int, float) or not 0 <= entropy < math.inf:
            raise BadOption(f"entropy: expected a number >= 0, got {entropy!r}.")
        super().__init__(space, rng=rng, setting=setting, epochs=epochs)
        self._controller = Controller(space, rng=rng, layers=_LAYERS, units=_UNITS, spread=_SPREAD)
        self._controller_steps = controller_steps
        self._batch = batch
        self._candidates = candidates
        self._rate = learning_rate
        self._entropy = entropy
        self._momentum = momentum
        self._sum = 0.0  # momentum-weighted sum of rewards
        self._weight = 0.0  # sum of the same weights

    def _search(self) -> Iterator[Code]:
        for _ in range(self._epochs):
            for code in self._drawn(self._relaxation.epoch_steps):
                self._relaxation.weight_step(self._path(code))
            for _ in range(self._controller_steps):
                self._learn(self._drawn(self._batch))
            yield self._best_of(self._drawn(self._candidates))

    def _drawn(self, n: int) -> list[Code]:
        """Draw n architectures from the controller."""
        return [code for code, _ in self._controller.sample(n, self._draw)]

    def _learn(self, codes: list[Code]) -> None:
        """Take one step along the REINFORCE estimate of the gradient."""
        import torch

        errors = self._scores(codes)
        advantages = torch.tensor([self._advantage(1.0 - error) for error in errors], dtype=torch.float64)

        def loss() -> torch.Tensor:
            policy = self._controller.policy(codes)
            log_p = log_probabilities(policy, codes).sum(1)
            return -(log_p * advantages).mean() - self._entropy * entropies(policy).mean()

        self._controller.descend(loss, self._rate)

    def _advantage(self, reward: float) -> float:
        """Return what a reward is beyond the baseline, which it moves first."""
        self._sum = self._momentum * self._sum + (1.0 - self._momentum) * reward
        self._weight = self._momentum * self._weight + (1.0 - self._momentum)
        return reward - self._sum / self._weight
