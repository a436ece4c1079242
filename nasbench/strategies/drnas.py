"""DrNAS: the weights of the operations are drawn from Dirichlet distributions that are learned.

1. Every edge has a number beta for each operation; its weights are one draw from the Dirichlet distribution
   of concentration elu(beta) + 1.
2. Step the numbers (Adam) down the validation loss at a draw, through the pathwise derivative of the draw.
3. Train the shared weights at another draw; go to 2.
4. After each epoch the answer is the operation of the highest mean weight of each edge.

With ``progressive``, the first half of the epochs searches a quarter of the channels; then half of the
operations, those of the lowest means, leave every edge, and the second half of the epochs searches half of
the channels. The first fifth of either half trains the shared weights alone.

| preset | epochs | learning rate | from |
|---|---|---|---|
| small | 10, or more to make 100 steps | 0.01 | ours, by [a pilot](pilot-weight-sharing.md) |
| darts | 50 | 0.0006 | the authors' search on CIFAR-10 |
| nb201 | 100 | 0.0003 | the authors' search on this cell |

Adam's betas are those of ``darts``; its weight decay of 0.001 on the numbers is the regulariser that draws
the concentrations towards 1.

Deviations from Chen et al. 2021: edges and ``none`` as in ``darts``; ``progressive`` does not widen a network
that keeps its weights but searches more of the channels of the same one. On a table a partial channel counts
as ``skip_connect`` for the rest.

Source: Chen, Wang, Cheng, Tang and Hsieh 2021; Jankowiak and Obermeyer 2018 for the
pathwise derivative.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nasbench.errors import BadOption
from nasbench.spaces import Space
from nasbench.spaces.mixture import Mixture
from nasbench.strategies.relaxed_search import Plan, RelaxedSearch
from nasbench.strategies.strategy import Card, Setting

if TYPE_CHECKING:
    import torch

_PARTS = (4, 2)  # of the channels, in the two halves of a progressive search
_WAIT = 0.2  # share of either half that trains the shared weights alone
_SMALLEST = 1e-30  # of a drawn weight: one of zero has no derivative


class DrNAS(RelaxedSearch):
    """Dirichlet neural architecture search.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: Brings the relaxation.
        preset: ``"small"``, ``"darts"`` or ``"nb201"``.
        epochs: Epochs instead of the preset's, >= 1.
        learning_rate: Of the architecture's Adam, instead of the preset's, > 0.
        progressive: Whether channels grow and operations are dropped at half-time.

    Raises:
        BadOption: The source has no relaxation, or an option is out of its range.
        MissingExtra: torch is absent.
    """

    card: ClassVar[Card] = Card(
        family="differentiable", paper="Chen et al. 2021", table="analogue", needs=("torch",)
    )
    PLANS: ClassVar = {"small": Plan(10, 1e-2, steps=100), "darts": Plan(50, 6e-4), "nb201": Plan(100, 3e-4)}

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        preset: str = "small",
        epochs: int | None = None,
        learning_rate: float | None = None,
        progressive: bool = False,
    ) -> None:
        if type(progressive) is not bool:
            raise BadOption(f"progressive: expected True or False, got {progressive!r}.")
        super().__init__(
            space, rng=rng, setting=setting, preset=preset, epochs=epochs, learning_rate=learning_rate
        )
        import torch

        if progressive:
            self._require_bypass(space, "progressive")
        self._progressive = progressive
        operations = self._relaxation.operations
        self._kept = torch.arange(operations).expand(self._relaxation.edges, operations)  # (E, k)

    def _search_epoch(self) -> None:
        """Search one epoch; at half-time of a progressive search, drop operations first."""
        half = (self.epochs + 1) // 2
        self._is_late = self._progressive and self._epoch >= half
        if self._progressive and self._epoch == half:
            keep = (self._relaxation.operations + 1) // 2
            self._kept = self._logits.detach().topk(keep, dim=1).indices.sort(dim=1).values
        waits = self._progressive and self._epoch % half < int(_WAIT * half)
        for _ in range(self._relaxation.epoch_steps):
            if not waits:
                self._architecture_step()
            self._weight_step()

    def _mixture(self) -> Mixture:
        """Draw the weights of the operations that are left."""
        import torch

        numbers = self._logits.gather(1, self._kept)
        shares = dirichlet(torch.nn.functional.elu(numbers) + 1.0, self._rng)
        weights = torch.zeros_like(self._logits).scatter(1, self._kept, shares)
        return Mixture(weights, part=_PARTS[self._is_late] if self._progressive else 1)

    def _strengths(self) -> torch.Tensor:
        """Return the mean weights of the operations that are left, and less than any for the others."""
        import torch

        concentrations = torch.nn.functional.elu(self._logits.detach().gather(1, self._kept)) + 1.0
        means = concentrations / concentrations.sum(dim=1, keepdim=True)
        return torch.full_like(self._logits, -1.0).scatter(1, self._kept, means).detach()

    def _mean_mixture(self, logits: torch.Tensor) -> Mixture:
        """Return the mean of the distributions."""
        import torch

        concentration = torch.nn.functional.elu(logits.gather(1, self._kept)) + 1.0
        shares = concentration / concentration.sum(dim=1, keepdim=True)
        weights = torch.zeros_like(logits).scatter(1, self._kept, shares)
        return Mixture(weights, part=_PARTS[self._is_late] if self._progressive else 1)


def dirichlet(concentration: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Draw each row of (E, k) from a Dirichlet distribution, with its derivative in the concentration."""
    import torch

    fixed = concentration.detach()
    rows = np.stack([rng.dirichlet(row) for row in fixed.numpy()])
    draw = torch.from_numpy(rows).clamp(min=_SMALLEST)
    # As in torch.distributions, which draws from the global generator only.
    slope = torch._dirichlet_grad(draw, fixed, fixed.sum(dim=1, keepdim=True).expand_as(fixed))
    change = (concentration - fixed) * slope  # zero, with a derivative
    return draw + change - draw * change.sum(dim=1, keepdim=True)
