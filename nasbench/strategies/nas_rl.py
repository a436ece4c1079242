"""NAS-RL: a recurrent controller that writes architectures down, trained by REINFORCE on their accuracy.

1. Draw ``batch`` children from the controller, an LSTM of 2 layers with 35 units (see ``controller.py``),
   and propose them.
2. The reward of a child is its validation accuracy cubed; its advantage is the reward minus an exponential
   moving average of all rewards (see ``policy_search.py``).
3. When ``batch`` children were told, take one step of Adam along the mean over them of grad log P(child) x
   advantage; go to 1.

The log-probabilities are those of the current controller. With one worker it is the one that drew the
batch; with several, some children were drawn before the latest update and count as if they were new.

Defaults: size and initial spread of the LSTM and the learning rate of 6e-4 are those reported for the
paper's search over 12,800 children, 8 of them to a replica's update. A few hundred trainings hardly move a
policy at this rate; 0.005 learns in that time. ``momentum`` is our choice.

Deviations from Zoph and Le 2017: the accuracy is the one told at the end of the training, not the best of
the last five epochs; one learner with batches of ``batch`` in place of parameter servers with many
replicas; the number of decisions is the space's and does not grow during the search.

The spaces of ``chain_skip`` (``chain-skip-6`` is registered) are the paper's own, with its skip connections
drawn by set selection.

Source: Zoph and Le 2017, sections 3.1 to 3.3; Williams 1992.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from nasbench.errors import BadOption
from nasbench.seeds import uniforms
from nasbench.spaces import Space
from nasbench.strategies.controller import Controller, log_probabilities
from nasbench.strategies.policy_search import Child, PolicySearch
from nasbench.strategies.strategy import Card

if TYPE_CHECKING:
    import torch

_LAYERS, _UNITS = 2, 35  # of the LSTM
_SPREAD = 0.08  # initial weights are uniform in [-0.08, 0.08]


class NASRL(PolicySearch):
    """LSTM controller with REINFORCE.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        batch: Children an update, >= 1.
        learning_rate: Adam's step size, > 0.
        momentum: Of the moving average of rewards that is the baseline, in [0, 1).
        reward: ``"cubed-accuracy"`` or ``"accuracy"``.

    Raises:
        BadOption: An option is out of its range.
        MissingExtra: torch is not installed.
    """

    card: ClassVar[Card] = Card(family="reinforcement learning", paper="Zoph and Le 2017", needs=("torch",))

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        batch: int = 8,
        learning_rate: float = 6e-4,
        momentum: float = 0.95,
        reward: Literal["cubed-accuracy", "accuracy"] = "cubed-accuracy",
    ) -> None:
        super().__init__(batch=batch, momentum=momentum)
        if type(learning_rate) not in (int, float) or not 0 < learning_rate < math.inf:
            raise BadOption(f"learning_rate: expected a number > 0, got {learning_rate!r}.")
        if reward not in ("cubed-accuracy", "accuracy"):
            raise BadOption(f"reward: expected 'cubed-accuracy' or 'accuracy', got {reward!r}.")
        self._rate = learning_rate
        self._power = 3 if reward == "cubed-accuracy" else 1
        self._controller = Controller(space, rng=rng, layers=_LAYERS, units=_UNITS, spread=_SPREAD)
        self._draw = uniforms(rng)

    def _reward(self, valid_error: float) -> float:
        return float((1.0 - valid_error) ** self._power)

    def _draw_children(self, n: int) -> list[Child]:
        return [Child(code, log_p) for code, log_p in self._controller.sample(n, self._draw)]

    def _learn(self, children: Sequence[Child]) -> None:
        """Take one step along the REINFORCE estimate of the gradient."""
        import torch

        codes = [child.code for child in children]
        advantages = torch.tensor([child.advantage for child in children], dtype=torch.float64)

        def loss() -> torch.Tensor:
            log_p = log_probabilities(self._controller.policy(codes), codes).sum(1)
            return -(log_p * advantages).mean()

        self._controller.descend(loss, self._rate)
