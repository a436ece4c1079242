"""SDARTS: shared weights are trained at perturbed architecture weights, so that discretising harms less.

1. Step the logits down the validation loss at their own softmax, as first-order DARTS.
2. Perturb the softmax weights, each by at most epsilon:

   * ``random``: add uniform noise;
   * ``adversarial``: climb the training loss by seven steps of projected gradient ascent, of size
     2 epsilon / 7, from a random start; keep the weights where that did not raise the loss.

   Clip to [0, 1] and divide each edge's row by its sum.
3. Train the shared weights at the perturbed weights; go to 1.
4. Epsilon grows on a straight line from the first epoch to the last.
5. After each epoch the answer is the operation of the highest logit of each edge.

| preset | epochs | learning rate | from |
|---|---|---|---|
| small | 10, or more to make 100 steps | 0.01 | ours, by [a pilot](pilot-weight-sharing.md) |
| darts | 50 | 0.0003 | the authors' search on CIFAR-10 |
| nb201 | 100 | 0.0003 | the authors' search on this cell |

Epsilon 0.03 to 0.3 is the authors'; Adam is that of ``darts``.

Deviations from Chen and Hsieh 2020: edges and ``none`` as in ``darts``. On a table no shared weights could be
trained at the perturbed weights; there step 1 takes its gradient at them instead, which is no step of the
paper's.

Source: Chen and Hsieh 2020.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nasbench.errors import BadOption
from nasbench.spaces import Space
from nasbench.spaces.mixture import Mixture
from nasbench.strategies.relaxed_search import Plan, RelaxedSearch, require_number, softmax
from nasbench.strategies.strategy import Card, Setting

if TYPE_CHECKING:
    import torch

_ASCENT_STEPS = 7
_PERTURBATIONS = ("random", "adversarial")


class SDARTS(RelaxedSearch):
    """Smooth differentiable architecture search by perturbation.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: Brings the relaxation.
        preset: ``"small"``, ``"darts"`` or ``"nb201"``.
        epochs: Epochs instead of the preset's, >= 1.
        learning_rate: Of the architecture's Adam, instead of the preset's, > 0.
        perturbation: ``"random"`` or ``"adversarial"``.
        epsilon_start: Largest change of a weight in the first epoch, >= 0.
        epsilon_end: The same in the last epoch, >= 0.

    Raises:
        BadOption: The source has no relaxation, or an option is out of its range.
        MissingExtra: torch is absent.
    """

    card: ClassVar[Card] = Card(
        family="differentiable", paper="Chen and Hsieh 2020", table="analogue", needs=("torch",)
    )
    PLANS: ClassVar = {"small": Plan(10, 1e-2, steps=100), "darts": Plan(50, 3e-4), "nb201": Plan(100, 3e-4)}

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        preset: str = "small",
        epochs: int | None = None,
        learning_rate: float | None = None,
        perturbation: str = "random",
        epsilon_start: float = 0.03,
        epsilon_end: float = 0.3,
    ) -> None:
        if perturbation not in _PERTURBATIONS:
            raise BadOption(
                f"perturbation: expected one of {', '.join(_PERTURBATIONS)}, got {perturbation!r}."
            )
        require_number("epsilon_start", epsilon_start, at_least=0.0)
        require_number("epsilon_end", epsilon_end, at_least=0.0)
        super().__init__(
            space, rng=rng, setting=setting, preset=preset, epochs=epochs, learning_rate=learning_rate
        )
        self._perturb = self._randomly if perturbation == "random" else self._adversely
        self._epsilons = epsilon_start, epsilon_end

    def _architecture_step(self) -> None:
        """Descend the validation loss; on a table, at perturbed weights."""
        weights = softmax(self._logits)
        if self._relaxation.is_analogue:
            weights = weights + (self._perturbed(weights) - weights.detach())
        self._descend(self._relaxation.architecture_loss(Mixture(weights)))

    def _weight_step(self) -> None:
        """Train the shared weights at perturbed weights."""
        self._relaxation.weight_step(Mixture(self._perturbed(softmax(self._logits))))

    def _perturbed(self, weights: torch.Tensor) -> torch.Tensor:
        """Perturb weights by this epoch's epsilon; constant."""
        epsilon = self._ramp(*self._epsilons)
        return self._perturb(weights.detach(), epsilon) if epsilon > 0 else weights.detach()

    def _noise(self, weights: torch.Tensor, epsilon: float) -> torch.Tensor:
        import torch

        return torch.from_numpy(self._rng.uniform(-epsilon, epsilon, size=tuple(weights.shape)))

    def _randomly(self, weights: torch.Tensor, epsilon: float) -> torch.Tensor:
        """Add uniform noise."""
        return _normalised(weights + self._noise(weights, epsilon), weights)

    def _adversely(self, weights: torch.Tensor, epsilon: float) -> torch.Tensor:
        """Climb the training loss within the box of size epsilon."""
        import torch

        training_loss = self._relaxation.training_loss
        moved = _normalised(weights + self._noise(weights, epsilon), weights)
        for _ in range(_ASCENT_STEPS):
            moved.requires_grad_()
            (gradient,) = torch.autograd.grad(training_loss(Mixture(moved)), moved)
            climbed = moved.detach() + 2.0 * epsilon / _ASCENT_STEPS * gradient.sign()
            boxed = torch.minimum(torch.maximum(climbed, weights - epsilon), weights + epsilon)
            moved = _normalised(boxed, weights)
        with torch.no_grad():
            is_worse = training_loss(Mixture(moved)) > training_loss(Mixture(weights))
        return moved if bool(is_worse) else weights


def _normalised(moved: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Clip moved weights to [0, 1] and let each row sum to one; a row of nothing stays unmoved."""
    clipped = moved.clamp(0.0, 1.0)
    sums = clipped.sum(dim=1, keepdim=True)
    return (clipped / sums).where(sums > 0, weights)
