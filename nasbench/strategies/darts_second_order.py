"""DARTS, second order: the architecture's gradient looks through one step of the shared weights.

1. As first-order DARTS, but for the gradient of the logits: take one virtual step of the shared weights on
   the training minibatch that the next real step will take, and the validation loss there.
2. Its gradient has a second term, a product of a Hessian and a vector, which is the difference of two
   gradients of the training loss at weights moved by a small amount along the validation gradient.
3. Step the logits with Adam, then the shared weights; repeat.

Presets and defaults are those of ``darts``. Each architecture step costs about four steps of the weights.

On a table there are no shared weights to look through: the second term is zero and the search is first-order
DARTS that pays more, which the page calls degenerate.

Source: Liu, Simonyan and Yang 2019, Equations 6 to 8.
"""

from __future__ import annotations

from typing import ClassVar

from nasbench.spaces.mixture import Mixture
from nasbench.strategies.darts import DARTS
from nasbench.strategies.relaxed_search import softmax
from nasbench.strategies.strategy import Card


class DARTSSecondOrder(DARTS):
    """Differentiable architecture search, second-order approximation.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: Brings the relaxation.
        preset: ``"small"``, ``"darts"`` or ``"nb201"``.
        epochs: Epochs instead of the preset's, >= 1.
        learning_rate: Of the logits, instead of the preset's, > 0.

    Raises:
        BadOption: The source has no relaxation, or an option is out of its range.
        MissingExtra: torch is absent.
    """

    card: ClassVar[Card] = Card(
        family="differentiable", paper="Liu et al. 2019", table="degenerate", needs=("torch",)
    )

    def _architecture_step(self) -> None:
        """Descend the validation loss as it would be after one step of the shared weights."""
        weights = softmax(self._logits)
        gradient = self._relaxation.unrolled_gradient(Mixture(weights.detach()))
        self._descend((weights * gradient).sum())
