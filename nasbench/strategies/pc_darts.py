"""PC-DARTS: a part of the channels is searched, and edges into one node compete.

1. On each edge the operations see the first 1/part of the channels; the rest passes by unchanged.
2. Each edge's output is multiplied by its share among the edges into its node, a softmax of one number an
   edge (edge normalisation). Edges of a space that names no nodes go unweighted.
3. Operations' logits and edges' numbers are trained as in first-order DARTS, after the first 30 % of the
   epochs, which train the shared weights alone.
4. After each epoch the answer is read off from the operations' shares times their edge's.

| preset | epochs | learning rate | from |
|---|---|---|---|
| small | 10, or more to make 100 steps | 0.03 | ours, by [a pilot](pilot-weight-sharing.md) |
| darts | 50 | 0.0006 | the authors' search on CIFAR-10, 15 of the epochs without the logits |

``part`` 4 and weight decay 0.001 are the authors'; Adam's betas are those of ``darts``.

Deviations from Xu et al. 2020: edges and ``none`` as in ``darts``; where every edge keeps one operation the
edges' shares choose nothing and only help the training. On a table, bypassed channels count as
``skip_connect`` (a space without that operation needs ``part=1``) and edges' shares change nothing.

Source: Xu et al. 2020.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nasbench.errors import BadOption
from nasbench.spaces import Space
from nasbench.spaces.mixture import Mixture
from nasbench.strategies.relaxed_search import Plan, RelaxedSearch, softmax
from nasbench.strategies.strategy import Card, Setting

if TYPE_CHECKING:
    import torch

_INITIAL_SPREAD = 1e-3  # of the edges' numbers; the authors' code


class PCDARTS(RelaxedSearch):
    """Partially connected differentiable architecture search.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: Brings the relaxation.
        preset: ``"small"`` or ``"darts"``.
        epochs: Epochs instead of the preset's, >= 1.
        learning_rate: Of the architecture's Adam, instead of the preset's, > 0.
        part: One of so many channels is searched, >= 1.

    Raises:
        BadOption: The source has no relaxation, or an option is out of its range.
        MissingExtra: torch is absent.
    """

    card: ClassVar[Card] = Card(
        family="differentiable", paper="Xu et al. 2020", table="analogue", needs=("torch",)
    )
    PLANS: ClassVar = {"small": Plan(10, 3e-2, steps=100), "darts": Plan(50, 6e-4)}
    WARMUP = 0.3

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        preset: str = "small",
        epochs: int | None = None,
        learning_rate: float | None = None,
        part: int = 4,
    ) -> None:
        if type(part) is not int or part < 1:
            raise BadOption(f"part: expected a whole number >= 1, got {part!r}.")
        super().__init__(
            space, rng=rng, setting=setting, preset=preset, epochs=epochs, learning_rate=learning_rate
        )
        import torch

        if part > 1:
            self._require_bypass(space, "part")
        self._part = part
        numbers = _INITIAL_SPREAD * rng.standard_normal(self._relaxation.edges)
        self._edge_numbers = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
        self._optimizer.add_param_group({"params": [self._edge_numbers]})

    def _mixture(self) -> Mixture:
        """Mix the operations on a part of the channels, and the edges."""
        return Mixture(softmax(self._logits), part=self._part, edge_weights=self._edge_shares())

    def _mean_mixture(self, logits: torch.Tensor) -> Mixture:
        """Mix the operations as the search does; the edges' numbers stay as they are."""
        return Mixture(softmax(logits), part=self._part, edge_weights=self._edge_shares().detach())

    def _edge_shares(self) -> torch.Tensor:
        """Share each node's input among its edges, (E,); edges that compete with none have 1."""
        import torch

        shares = torch.ones_like(self._edge_numbers)
        for edges in self._relaxation.form.nodes:
            into = torch.tensor(edges)
            shares = shares.index_put((into,), softmax(self._edge_numbers[into][None, :])[0])
        return shares

    def _strengths(self) -> torch.Tensor:
        """Weigh the operations of an edge by its share of the node."""
        return softmax(self._logits.detach()) * self._edge_shares().detach()[:, None]
