"""NASP: proximal iterations keep one operation an edge at every step, and continuous numbers behind it.

1. Every operation of every edge has a number in [0, 1], at first 0.5 and a little noise.
2. Binarise: the operation of the highest number of each edge has weight 1, the others 0. Take the gradient of
   the validation loss with respect to these weights there, at the discrete architecture.
3. Step the continuous numbers by it (Adam) and clip them to [0, 1].
4. Binarise again and train the shared weights of the chosen operations alone; go to 2.
5. After each epoch the answer is the binarised architecture.

| preset | epochs | learning rate | from |
|---|---|---|---|
| small | 10, or more to make 100 steps | 0.1 | ours, by [a pilot](pilot-weight-sharing.md) |
| darts | 50 | 0.0003 | the authors' search on CIFAR-10 |

Weight decay 0.001 is the authors'; Adam's betas are those of ``darts``.

Deviations from Yao et al. 2020: the noise, without which all first choices would be the first operation;
first order only; no model-size penalty. In the space ``darts`` two edges a node are kept, as by the authors;
on all others every edge keeps one operation. On a table the gradient is the recorded errors of the
neighbours, less that of the architecture.

Source: Yao, Xu, Tu and Zhu 2020.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nasbench.spaces import Space
from nasbench.spaces.mixture import Mixture
from nasbench.strategies.relaxation import path
from nasbench.strategies.relaxed_search import Plan, RelaxedSearch
from nasbench.strategies.strategy import Card, Setting

if TYPE_CHECKING:
    import torch

_START = 0.5


class NASP(RelaxedSearch):
    """Neural architecture search via proximal iterations.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: Brings the relaxation.
        preset: ``"small"`` or ``"darts"``.
        epochs: Epochs instead of the preset's, >= 1.
        learning_rate: Of the architecture's Adam, instead of the preset's, > 0.

    Raises:
        BadOption: The source has no relaxation, or an option is out of its range.
        MissingExtra: torch is absent.
    """

    card: ClassVar[Card] = Card(
        family="differentiable", paper="Yao et al. 2020", table="analogue", needs=("torch",)
    )
    PLANS: ClassVar = {"small": Plan(10, 0.1, steps=100), "darts": Plan(50, 3e-4)}

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        preset: str = "small",
        epochs: int | None = None,
        learning_rate: float | None = None,
    ) -> None:
        super().__init__(
            space, rng=rng, setting=setting, preset=preset, epochs=epochs, learning_rate=learning_rate
        )
        import torch

        with torch.no_grad():
            self._logits += _START

    def _architecture_step(self) -> None:
        """Step the continuous numbers by the gradient at the discrete architecture, and clip them."""
        import torch

        discrete = self._mixture().weights.requires_grad_()
        everything = torch.ones_like(discrete, dtype=torch.bool)
        loss = self._relaxation.architecture_loss(Mixture(discrete, active=everything))
        (gradient,) = torch.autograd.grad(loss, discrete)
        self._descend((self._logits * gradient).sum())
        with torch.no_grad():
            self._logits.clamp_(0.0, 1.0)

    def _mean_mixture(self, logits: torch.Tensor) -> Mixture:
        """Return the continuous numbers themselves."""
        return Mixture(logits)

    def _mixture(self) -> Mixture:
        """Keep the operations of the architecture that the numbers stand for, and no others."""
        return path(self._relaxation.form, self.architecture())

    def _strengths(self) -> torch.Tensor:
        """Take the numbers as they are."""
        return self._logits.detach()
