"""The controller of NASNet: a recurrent policy trained by proximal policy optimisation (PPO).

1. Draw ``batch`` children from the controller, an LSTM of 1 layer with 100 units (see ``controller.py``),
   propose them, and keep the probability of each of their values.
2. The reward of a child is its validation accuracy; its advantage is the reward minus an exponential moving
   average of all rewards (see ``policy_search.py``).
3. When ``batch`` children were told, take ``passes`` steps of Adam over the whole batch that increase the
   mean over children of the sum over decisions of min(r A, clip(r, 1 - clip, 1 + clip) A), plus
   ``entropy_weight`` times the entropy, with r the probability of the value taken now over that when it was
   drawn, and A the child's advantage; go to 1.

On the first pass of a batch drawn from the current controller every r is 1, and the gradient is that of
REINFORCE. Children drawn before the latest update are weighed by their r, which is what PPO is for.

Defaults: size and initial spread of the LSTM, learning rate, entropy weight, momentum and batch are those
reported for the paper's search over 20,000 children, ``clip`` is PPO's; ``passes`` is our choice. A few
hundred trainings move the policy little at this rate; 0.002 moves it in that time.

Source: Zoph, Vasudevan, Shlens and Le 2018, section 3 and appendix; Schulman et al. 2017, Eq. 7, for PPO.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nasbench.errors import BadOption
from nasbench.seeds import uniforms
from nasbench.spaces import Space
from nasbench.strategies.controller import Controller, entropies, log_probabilities
from nasbench.strategies.policy_search import Child, PolicySearch
from nasbench.strategies.strategy import Card

if TYPE_CHECKING:
    import torch

_LAYERS, _UNITS = 1, 100  # of the LSTM
_SPREAD = 0.1  # initial weights are uniform in [-0.1, 0.1]


class NASNetPPO(PolicySearch):
    """LSTM controller with PPO.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        batch: Children an update, >= 1.
        passes: Steps over each batch, >= 1.
        learning_rate: Adam's step size, > 0.
        clip: How far a probability ratio counts beyond 1, > 0.
        entropy_weight: Of the policy's entropy in what is increased, >= 0.
        momentum: Of the moving average of rewards that is the baseline, in [0, 1).

    Raises:
        BadOption: An option is out of its range.
        MissingExtra: torch is not installed.
    """

    card: ClassVar[Card] = Card(family="reinforcement learning", paper="Zoph et al. 2018", needs=("torch",))

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        batch: int = 20,
        passes: int = 4,
        learning_rate: float = 3.5e-4,
        clip: float = 0.2,
        entropy_weight: float = 1e-5,
        momentum: float = 0.95,
    ) -> None:
        super().__init__(batch=batch, momentum=momentum)
        if type(passes) is not int or passes < 1:
            raise BadOption(f"passes: expected a whole number >= 1, got {passes!r}.")
        for name, number in (("learning_rate", learning_rate), ("clip", clip)):
            if type(number) not in (int, float) or not 0 < number < math.inf:
                raise BadOption(f"{name}: expected a number > 0, got {number!r}.")
        if type(entropy_weight) not in (int, float) or not 0 <= entropy_weight < math.inf:
            raise BadOption(f"entropy_weight: expected a number >= 0, got {entropy_weight!r}.")
        self._passes = passes
        self._rate = learning_rate
        self._clip = clip
        self._entropy_weight = entropy_weight
        self._controller = Controller(space, rng=rng, layers=_LAYERS, units=_UNITS, spread=_SPREAD)
        self._draw = uniforms(rng)

    def _draw_children(self, n: int) -> list[Child]:
        return [Child(code, log_p) for code, log_p in self._controller.sample(n, self._draw)]

    def _learn(self, children: Sequence[Child]) -> None:
        """Take the passes over one batch."""
        for _ in range(self._passes):
            self._controller.descend(lambda: self._loss(children), self._rate)

    def _loss(self, children: Sequence[Child]) -> torch.Tensor:
        """Compute the negative of what is to be increased, under the controller's weights as they are."""
        import torch

        codes = [child.code for child in children]
        drawn = torch.from_numpy(np.stack([child.log_probabilities for child in children]))  # (n, L)
        advantages = torch.tensor([[child.advantage] for child in children], dtype=torch.float64)
        policy = self._controller.policy(codes)
        ratio = (log_probabilities(policy, codes) - drawn).exp()
        clipped = ratio.clamp(1.0 - self._clip, 1.0 + self._clip)
        surrogate = torch.minimum(ratio * advantages, clipped * advantages).sum(1).mean()
        return -surrogate - self._entropy_weight * entropies(policy).mean()
