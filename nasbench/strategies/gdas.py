"""GDAS: only one drawn operation an edge is executed, and all logits learn from it.

1. Draw one operation an edge: the argmax of log-probabilities + Gumbel noise.
2. Train the shared weights of the drawn operations on a training minibatch.
3. Draw again; forward, the weights are the one-hot draw; backward, they are the softmax of the same noisy
   log-probabilities divided by the temperature (straight-through). Operations that were not drawn contribute
   their bare weight. Step the logits (Adam) down the validation loss; go to 1.
4. The temperature falls on a straight line from the first epoch to the last.
5. After each epoch the answer is the operation of the highest logit of each edge.

| preset | epochs | learning rate | from |
|---|---|---|---|
| small | 10, or more to make 100 steps | 0.01 | ours, by [a pilot](pilot-weight-sharing.md) |
| darts | 250 | 0.0003 | the authors' search on CIFAR-10 |
| nb201 | 250 | 0.0003 | the first version of NAS-Bench-201 |

Temperatures 10 and 0.1, Adam's betas 0.5 and 0.999 and weight decay 0.001 are the authors'.

Deviations from Dong and Yang 2019: edges and ``none`` as in ``darts``; the reduction cell is not fixed. On a
table the gradient of an operation that was not drawn is the recorded error of the neighbour that has it; the
step pays for all operations then, which the live search does not.

Source: Dong and Yang 2019.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from nasbench.spaces import Space
from nasbench.spaces.mixture import Mixture
from nasbench.strategies.relaxed_search import Plan, RelaxedSearch, one_hot, require_number
from nasbench.strategies.snas import concrete
from nasbench.strategies.strategy import Card, Setting


class GDAS(RelaxedSearch):
    """Gradient-based search using a differentiable architecture sampler.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: Brings the relaxation.
        preset: ``"small"``, ``"darts"`` or ``"nb201"``.
        epochs: Epochs instead of the preset's, >= 1.
        learning_rate: Of the architecture's Adam, instead of the preset's, > 0.
        temperature_start: Of the first epoch, > 0.
        temperature_end: Of the last epoch, > 0.

    Raises:
        BadOption: The source has no relaxation, or an option is out of its range.
        MissingExtra: torch is absent.
    """

    card: ClassVar[Card] = Card(
        family="differentiable", paper="Dong and Yang 2019", table="analogue", needs=("torch",)
    )
    PLANS: ClassVar = {"small": Plan(10, 1e-2, steps=100), "darts": Plan(250, 3e-4), "nb201": Plan(250, 3e-4)}

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        preset: str = "small",
        epochs: int | None = None,
        learning_rate: float | None = None,
        temperature_start: float = 10.0,
        temperature_end: float = 0.1,
    ) -> None:
        require_number("temperature_start", temperature_start, above=0.0)
        require_number("temperature_end", temperature_end, above=0.0)
        super().__init__(
            space, rng=rng, setting=setting, preset=preset, epochs=epochs, learning_rate=learning_rate
        )
        self._temperatures = temperature_start, temperature_end

    def _search_epoch(self) -> None:
        """Step the shared weights, then the logits, in turn."""
        for _ in range(self._relaxation.epoch_steps):
            self._weight_step()
            self._architecture_step()

    def _mixture(self) -> Mixture:
        """Draw one operation an edge, with the gradient of the soft draw."""
        soft = concrete(self._logits, self._ramp(*self._temperatures), self._rng)
        hard = one_hot(soft.detach().argmax(dim=1), soft.shape[1])
        return Mixture(hard - soft.detach() + soft, active=hard.bool())
