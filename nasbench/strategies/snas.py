"""SNAS: weights of the operations are drawn from concrete distributions, trained with the shared weights.

1. Draw the weights of each edge: softmax of (log-probabilities + Gumbel noise) / temperature. They sum to one
   and are nearly one-hot where the temperature is low.
2. On one training minibatch, step the logits (Adam) and the shared weights (SGD) down the same loss: there is
   one level, and no validation half.
3. The temperature falls on a straight line from the first epoch to the last.
4. After each epoch the answer is the most probable operation of each edge.

| preset | epochs | learning rate | from |
|---|---|---|---|
| small | 10, or more to make 100 steps | 0.01 | ours, by [a pilot](pilot-weight-sharing.md) |
| darts | 150 | 0.0003 | the authors' search on CIFAR-10 |

Temperatures 1 and 0.03 and weight decay 0.001 are the authors', whose code lets the temperature fall only
when asked to; Adam's betas are those of ``darts``.

Deviations from Xie et al. 2019: there is no resource penalty; the loss is evaluated once for the logits and
once for the shared weights, at the same draw and minibatch, and both are paid. On a table the loss is the
expected error of the drawn weights.

Source: Xie, Zheng, Liu and Lin 2019.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nasbench.spaces import Space
from nasbench.spaces.mixture import Mixture
from nasbench.strategies.relaxed_search import Plan, RelaxedSearch, require_number, softmax
from nasbench.strategies.strategy import Card, Setting

if TYPE_CHECKING:
    import torch


class SNAS(RelaxedSearch):
    """Stochastic neural architecture search.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: Brings the relaxation.
        preset: ``"small"`` or ``"darts"``.
        epochs: Epochs instead of the preset's, >= 1.
        learning_rate: Of the architecture's Adam, instead of the preset's, > 0.
        temperature_start: Of the first epoch, > 0.
        temperature_end: Of the last epoch, > 0.

    Raises:
        BadOption: The source has no relaxation, or an option is out of its range.
        MissingExtra: torch is absent.
    """

    card: ClassVar[Card] = Card(
        family="differentiable", paper="Xie et al. 2019", table="analogue", needs=("torch",)
    )
    PLANS: ClassVar = {"small": Plan(10, 1e-2, steps=100), "darts": Plan(150, 3e-4)}

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        preset: str = "small",
        epochs: int | None = None,
        learning_rate: float | None = None,
        temperature_start: float = 1.0,
        temperature_end: float = 0.03,
    ) -> None:
        require_number("temperature_start", temperature_start, above=0.0)
        require_number("temperature_end", temperature_end, above=0.0)
        super().__init__(
            space, rng=rng, setting=setting, preset=preset, epochs=epochs, learning_rate=learning_rate
        )
        self._temperatures = temperature_start, temperature_end

    def _architecture_step(self) -> None:
        """Do nothing: the logits are stepped with the shared weights."""

    def _weight_step(self) -> None:
        """Draw weights; step the logits and the shared weights on one training minibatch."""
        mixture = self._mixture()
        loss = self._relaxation.training_loss(mixture)
        self._relaxation.weight_step(Mixture(mixture.weights.detach()))
        self._descend(loss)

    def _mixture(self) -> Mixture:
        """Mix the operations by one draw."""
        return Mixture(concrete(self._logits, self._ramp(*self._temperatures), self._rng))


def concrete(logits: torch.Tensor, temperature: float, rng: np.random.Generator) -> torch.Tensor:
    """Draw each row of (E, O) logits from its concrete distribution; differentiable."""
    import torch

    noise = torch.from_numpy(rng.gumbel(size=tuple(logits.shape)))
    return softmax((logits + noise) / temperature)
