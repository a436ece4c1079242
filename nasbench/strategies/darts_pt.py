"""DARTS-PT: after a DARTS search, operations are chosen by how much their absence hurts.

1. Search as first-order DARTS.
2. Take an undecided edge at random. For each of its operations, set the weight of that operation to zero,
   leave the others as they are, and measure the validation loss, one pass over the validation minibatches.
3. Keep the operation whose absence brings the highest loss, alone on its edge.
4. Fine-tune the shared weights for ``tune_epochs`` epochs; go to 2 until all edges are decided.
5. In a space that keeps some of the edges into a node (``darts`` keeps two): take an undecided node at
   random, take away each of its edges alone, measure the loss, and keep the edges whose absence brings the
   highest; fine-tune; go on until all nodes are decided.
6. After each epoch of the search, and after each edge and node, the answer is what was kept, and what first-
   order DARTS would answer where it is undecided.

| preset | epochs | learning rate | from |
|---|---|---|---|
| small | 10, or more to make 100 steps | 0.01 | ours, by [a pilot](pilot-weight-sharing.md) |
| darts | 50 | 0.0003 | the authors' search on CIFAR-10 |
| nb201 | 100 | 0.0003 | the authors' search on this cell |

Five epochs of fine-tuning an edge are the authors', at a tenth of the learning rate; here it is the lowest
of the relaxation's schedule. ``selection="magnitude"`` keeps the operation of the highest logit instead, with
the same fine-tuning, which is the comparison that the paper makes.

Deviations from Wang et al. 2021: validation loss instead of accuracy. On a table an edge without one
operation is the others in proportion to their weights.

Source: Wang, Cheng, Chen, Tang and Hsieh 2021.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nasbench.errors import BadOption
from nasbench.spaces import Space
from nasbench.spaces.mixture import Mixture
from nasbench.spaces.relaxed import NONE
from nasbench.strategies.relaxed_search import Plan, RelaxedSearch, softmax
from nasbench.strategies.strategy import Card, Setting

if TYPE_CHECKING:
    import torch

_SELECTIONS = ("projection", "magnitude")


class DARTSPT(RelaxedSearch):
    """Perturbation-based architecture selection after a DARTS search.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: Brings the relaxation.
        preset: ``"small"``, ``"darts"`` or ``"nb201"``.
        epochs: Epochs instead of the preset's, >= 1.
        learning_rate: Of the architecture's Adam, instead of the preset's, > 0.
        selection: ``"projection"`` or ``"magnitude"``.
        tune_epochs: Of the shared weights after each edge, >= 0.

    Raises:
        BadOption: The source has no relaxation, or an option is out of its range.
        MissingExtra: torch is absent.
    """

    card: ClassVar[Card] = Card(
        family="differentiable", paper="Wang et al. 2021", table="analogue", needs=("torch",)
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
        selection: str = "projection",
        tune_epochs: int = 5,
    ) -> None:
        if selection not in _SELECTIONS:
            raise BadOption(f"selection: expected one of {', '.join(_SELECTIONS)}, got {selection!r}.")
        if type(tune_epochs) is not int or tune_epochs < 0:
            raise BadOption(f"tune_epochs: expected a whole number >= 0, got {tune_epochs!r}.")
        super().__init__(
            space, rng=rng, setting=setting, preset=preset, epochs=epochs, learning_rate=learning_rate
        )
        self._selection = selection
        self._tune_epochs = tune_epochs
        self._undecided = rng.permutation(self._relaxation.edges).tolist()
        self._kept: dict[int, int] = {}  # operation by decided edge
        self._dropped: set[int] = set()  # decided edges that are not kept
        form = self._relaxation.form
        crowded = [] if form.kept is None else [node for node in form.nodes if len(node) > form.kept]
        self._crowded = [crowded[at] for at in rng.permutation(len(crowded))] if crowded else []
        self._rounds = self.epochs + self._relaxation.edges + len(self._crowded)

    def _search_epoch(self) -> None:
        """Search one epoch or, when all are done, decide one edge or one node."""
        import torch

        if self._epoch < self.epochs:
            super()._search_epoch()
            return
        with torch.no_grad():
            if self._undecided:
                self._decide(self._undecided.pop())
            else:
                self._thin(self._crowded.pop())
            for _ in range(self._tune_epochs * self._relaxation.epoch_steps):
                self._weight_step()

    def _decide(self, edge: int) -> None:
        """Keep one operation of an edge."""
        choices = np.flatnonzero(self._relaxation.form.choosable[edge]).tolist()
        if self._selection == "projection":
            worth = [self._loss_without(edge, choice) for choice in choices]
        else:
            worth = self._logits.detach()[edge, choices].tolist()
        self._kept[edge] = choices[int(np.argmax(worth))]

    def _thin(self, node: tuple[int, ...]) -> None:
        """Drop the edges of a node that are missed least."""
        if self._selection == "projection":
            worth = [self._loss_without(edge) for edge in node]
        else:
            worth = softmax(self._logits.detach())[list(node), [self._kept[edge] for edge in node]].tolist()
        order = np.argsort(-np.array(worth), kind="stable")
        self._dropped |= {node[at] for at in order[self._relaxation.form.kept :]}

    def _loss_without(self, edge: int, choice: int | None = None) -> float:
        """Measure the validation loss without one operation, or one edge, over one pass."""
        weights = self._mixture().weights.clone()
        if choice is None:
            weights[edge] = self._row(edge, NONE)
        else:
            weights[edge, choice] = 0.0
        losses = [
            float(self._relaxation.architecture_loss(Mixture(weights)))
            for _ in range(self._relaxation.epoch_steps)
        ]
        return float(np.mean(losses))

    def _mixture(self) -> Mixture:
        """Mix the operations of undecided edges; decided edges have one."""
        return Mixture(self._decided(softmax(self._logits)))

    def _mean_mixture(self, logits: torch.Tensor) -> Mixture:
        """Mix the operations of undecided edges by other logits; decided edges have one."""
        return Mixture(self._decided(softmax(logits)))

    def _decided(self, weights: torch.Tensor) -> torch.Tensor:
        """Replace the rows of decided edges."""
        import torch

        for edge, choice in self._kept.items():
            names = self._relaxation.form.names[edge]
            row = self._row(edge, NONE if edge in self._dropped else names[choice])
            weights = weights.index_put((torch.tensor([edge]),), row)
        return weights

    def _row(self, edge: int, name: str) -> torch.Tensor:
        """Put all weight of an edge on one operation, (O,)."""
        import torch

        names = self._relaxation.form.names[edge]
        return torch.tensor([float(other == name) for other in names], dtype=torch.float64)

    def _strengths(self) -> torch.Tensor:
        """Leave decided edges the operation that was kept, with its own weight; dropped ones have nothing."""
        strengths = softmax(self._logits.detach())
        for edge, choice in self._kept.items():
            weight = float(strengths[edge, choice])
            strengths[edge] = -1.0
            if edge not in self._dropped:
                strengths[edge, choice] = weight
        return strengths
