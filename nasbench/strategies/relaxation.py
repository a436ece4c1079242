"""What weight-sharing and differentiable strategies act on: operations mixed by real numbers.

A relaxation turns the choice of one operation an edge into weights over all operations of all edges; how a
space's architectures are read off from these is the space's (``spaces.relaxed``). There are two kinds:
``training.supernets`` (real shared weights, live) and ``surrogates`` (a table's multilinear extension, or a
differentiable model of one). A strategy is written once against this protocol and runs on
both; it gets one from ``Setting.relaxation``.

Losses are differentiable in the mixture. On a supernet they are cross-entropies of the next minibatch; on a
table they are expected validation errors, which is an analogue: there are no weights to train, so that
``weight_step`` only costs its time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.records import Code
from nasbench.spaces.mixture import Mixture
from nasbench.spaces.relaxed import RelaxedSpace

if TYPE_CHECKING:
    import torch

__all__ = ["Mixture", "Relaxation", "RelaxationFactory", "discretise", "no_relaxation", "path"]


@runtime_checkable
class Relaxation(Protocol):
    """A space relaxed: every edge carries all operations, mixed by real numbers.

    Attributes:
        form: What the edges and operations are, and how codes are read as mixtures and back.
        edges: E, rows of ``form``.
        operations: O, its columns.
        is_analogue: True where no weights are shared: a table or a model of one.
        seconds: Metered so far: measured on a supernet, priced from the table's recorded seconds otherwise.
        epoch_steps: Weight steps of one epoch.
    """

    form: RelaxedSpace
    edges: int
    operations: int
    is_analogue: bool
    epoch_steps: int

    @property
    def seconds(self) -> float:
        """Metered so far."""
        ...

    def plan(self, epochs: int) -> None:
        """Say how many epochs the shared weights will be trained; their learning rate falls over these."""
        ...

    def weight_step(self, mixture: Mixture) -> float:
        """Take one step of the shared weights on the next training minibatch; return its loss."""
        ...

    def training_loss(self, mixture: Mixture) -> torch.Tensor:
        """Return the loss on the training minibatch that the next ``weight_step`` will take."""
        ...

    def architecture_loss(self, mixture: Mixture) -> torch.Tensor:
        """Return the loss on the next validation minibatch."""
        ...

    def unrolled_gradient(self, mixture: Mixture, *, is_exact: bool = False) -> torch.Tensor:
        """Return the gradient (E, O) of the validation loss after one virtual weight step.

        This is DARTS' second order (Liu et al. 2019, Eq. 6 to 8), with respect to the mixture's weights.

        Args:
            mixture: Where.
            is_exact: By automatic differentiation through the step instead of finite differences.

        Returns:
            On an analogue, which has no weights, the first-order gradient: second order is degenerate there.
        """
        ...

    def score(self, codes: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
        """Estimate the validation error of (n, L) discrete architectures with the shared weights, (n,)."""
        ...


RelaxationFactory = Callable[[np.random.Generator], Relaxation]
"""Makes the relaxation of a run; draws only from the generator it is given."""


def no_relaxation(what: str) -> BadOption:
    """Say that a source has none, and what would serve.

    Args:
        what: What was expected of it.
    """
    return BadOption(
        f"setting: expected a source with {what}, got one without. The spaces nb201 and darts have "
        "supernets: use live training (--source live:digits or live:digits@digits-darts), a table backed by "
        "it (digits-nb201+live), or a table of one of these spaces (nb201-cifar10), but no surrogate."
    )


def discretise(form: RelaxedSpace, strengths: torch.Tensor) -> Code:
    """Read an architecture off from strengths (E, O) that compare across the edges into a node."""
    return form.architecture(strengths.detach().cpu().numpy())


def path(form: RelaxedSpace, code: Code) -> Mixture:
    """Return the mixture of one discrete architecture: one operation an edge, of weight one."""
    import torch

    return Mixture(torch.from_numpy(form.chosen([code])[0].astype(np.float64)))
