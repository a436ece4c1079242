"""What relaxations without shared weights have in common: what they cost, and how a mixture is read.

Weights of any size are taken by their proportions: each edge's row is divided by its sum, as batch
normalisation undoes the scale of an edge in the networks. For that reason ``edge_weights`` change nothing.
Where operations see 1/part of the channels and the rest passes by (PC-DARTS), the row is
p/part + (1 - 1/part) on ``skip_connect``.

Prices are estimates in the table's own seconds. A non-negative regression of the recorded seconds on the
number of edges with each operation gives the seconds of each operation; what the cheapest one costs on all
edges cannot be told from what every network has (stem, head, data) and counts as that. An epoch of a mixture
then takes the common part and the sum over the operations that it executes, on each edge; its steps share
that evenly. A step of the weights, a loss with or without its gradient, and the score of one architecture
each cost one step; an unrolled gradient costs four (one for the virtual weights, one for the validation loss,
two for the finite difference). A loss whose mixture names its active operations, but is differentiated with
respect to all, costs all: the table is asked for the neighbours too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, MissingExtra
from nasbench.spaces.mixture import Mixture
from nasbench.spaces.relaxed import SKIP, RelaxedSpace

if TYPE_CHECKING:
    import torch

_UNROLLED_STEPS = 4

Floats = npt.NDArray[np.float64]


class Analogue(ABC):
    """A relaxation of which every mixture has a known error and a known gradient.

    Args:
        form: The edges and operations of the space.
        common_seconds: One epoch of what every network has.
        operation_seconds: (O,) one epoch of each operation on one edge.
        epoch_steps: Steps of one epoch, a convention: a table has no minibatches.

    Attributes:
        form, edges, operations, is_analogue, seconds, epoch_steps: As in
            ``strategies.relaxation.Relaxation``.

    Raises:
        MissingExtra: torch is absent.
    """

    is_analogue = True

    def __init__(
        self,
        form: RelaxedSpace,
        *,
        common_seconds: float,
        operation_seconds: Sequence[float] | Floats | None,
        epoch_steps: int,
    ) -> None:
        try:
            import torch  # noqa: F401 - refused now rather than at the first step
        except ImportError as error:
            raise MissingExtra.of("torch", "torch", "A relaxed table") from error
        self.form = form
        self.edges, self.operations = form.choosable.shape
        self.seconds = 0.0
        self.epoch_steps = epoch_steps
        prices = np.zeros(self.operations) if operation_seconds is None else np.asarray(operation_seconds)
        self._common_price = common_seconds / epoch_steps
        self._prices: Floats = prices / epoch_steps

    @abstractmethod
    def _expected(self, shares: Floats) -> tuple[float, Floats]:
        """Compute the error of a mixture of shares (E, O), rows of sum one, and its gradient in them."""

    @abstractmethod
    def score(self, codes: npt.NDArray[np.int8]) -> Floats:
        """Give the errors of (n, L) architectures, (n,)."""

    # What it costs ------------------------------------------------------------------------------

    def _charge(self, executed: npt.NDArray[np.bool_], steps: int = 1) -> None:
        """Add the price of steps that execute these operations, (E, O)."""
        self.seconds += steps * (self._common_price + float((executed * self._prices).sum()))

    # What it is worth ---------------------------------------------------------------------------

    def _gradient(self, mixture: Mixture, executed: npt.NDArray[np.bool_]) -> tuple[float, Floats]:
        """Compute the expected error of a mixture and its gradient in the mixture's weights, (E, O).

        Operations that are not executed get no gradient, unless the mixture names those that are.

        Raises:
            BadOption: An edge has no weight, or there is a bypass and no ``skip_connect``.
        """
        shares, sums = self._shares(mixture)
        value, slopes = self._expected(self._seen(shares, mixture.part))
        gradient = (slopes - (slopes * shares).sum(axis=1, keepdims=True)) / (sums * mixture.part)
        return value, gradient if mixture.active is not None else np.where(executed, gradient, 0.0)

    def _shares(self, mixture: Mixture) -> tuple[Floats, Floats]:
        """Return each edge's weights as proportions (E, O), and their sums (E, 1).

        Raises:
            BadOption: An edge has no weight.
        """
        weights = _array(mixture.weights)
        sums = weights.sum(axis=1, keepdims=True)
        if not (sums > 0).all():
            raise BadOption("weights: expected a positive sum on every edge.")
        return weights / sums, sums

    def _seen(self, shares: Floats, part: int) -> Floats:
        """Let what passes by count as ``skip_connect``, (E, O)."""
        return shares if part == 1 else shares / part + (1.0 - 1.0 / part) * self._skip()

    def _skip(self) -> Floats:
        """Indicate ``skip_connect`` on every edge, (E, O).

        Raises:
            BadOption: The space has no such operation.
        """
        if any(SKIP not in names for names in self.form.names):
            raise BadOption(
                f"part: expected 1 in a space without {SKIP}: what the bypassed channels become is unknown."
            )
        return np.array([[float(name == SKIP) for name in names] for names in self.form.names])

    def plan(self, epochs: int) -> None:  # noqa: B027 - the same for all
        """Do nothing: no weights are trained."""

    def weight_step(self, mixture: Mixture) -> float:
        """Charge one step of weights that do not exist; return the expected error."""
        executed = executed_by(mixture)
        self._charge(executed)
        return self._gradient(mixture, executed)[0]

    def training_loss(self, mixture: Mixture) -> torch.Tensor:
        """Return the expected error: here training and validation are the same."""
        return self.architecture_loss(mixture)

    def architecture_loss(self, mixture: Mixture) -> torch.Tensor:
        """Return the expected error; it knows its first derivative in the mixture's weights."""
        import torch

        weights, executed = mixture.weights, executed_by(mixture)
        is_differentiated = weights.requires_grad and torch.is_grad_enabled()
        asks_neighbours = is_differentiated and mixture.active is not None
        self._charge(np.ones_like(executed) if asks_neighbours else executed)
        # Computed outside torch, which for so few numbers starts threads that cost more than they do.
        value, gradient = self._gradient(mixture, executed)
        if not is_differentiated:
            return torch.tensor(value, dtype=torch.float64)
        slope = torch.from_numpy(gradient).to(weights.device)
        return value + ((weights - weights.detach()) * slope).sum()

    def unrolled_gradient(self, mixture: Mixture, *, is_exact: bool = False) -> torch.Tensor:
        """Return the first-order gradient, (E, O): without weights nothing is unrolled."""
        import torch

        executed = executed_by(mixture)
        self._charge(executed, _UNROLLED_STEPS)
        return torch.from_numpy(self._gradient(mixture, executed)[1])


def _array(tensor: torch.Tensor) -> Floats:
    return np.asarray(tensor.detach().cpu().numpy(), dtype=np.float64)


def executed_by(mixture: Mixture) -> npt.NDArray[np.bool_]:
    """Say which operations a mixture executes, (E, O)."""
    if mixture.active is None:
        return np.not_equal(_array(mixture.weights), 0.0, dtype=np.bool_)
    return np.asarray(mixture.active.cpu().numpy(), dtype=np.bool_)


def operation_seconds(chosen: npt.NDArray[np.bool_], seconds: Floats) -> tuple[float, Floats]:
    """Split the seconds of networks into a common part and a price of each operation.

    Args:
        chosen: (n, E, O) operations of the architectures, one an edge.
        seconds: (n,) their seconds.

    Returns:
        Seconds of what all have, and (O,) of each operation on one edge, the cheapest of them 0.
    """
    from scipy.optimize import nnls  # a second to import, for who never relaxes a table too

    prices: Floats = nnls(chosen.sum(axis=1).astype(np.float64), seconds)[0]
    cheapest = float(prices.min())
    return cheapest * chosen.shape[1], prices - cheapest
