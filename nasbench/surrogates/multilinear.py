"""A table relaxed: the expected error of architectures drawn edge by edge, exact and differentiable.

If every edge e draws its operation from probabilities p_e, independently, the expected error is

    f(p) = sum over architectures a of T(a) x product over edges e of p_e[a_e],

the multilinear extension of the table T (its mean validation error over recorded repeats). At an architecture
it is the table; in between it is what softmax weights of DARTS and its kin are descended on here. This is an
analogue of a supernet and no supernet: there are no shared weights, nothing is learned from data, and a
gradient knows every neighbouring architecture's recorded error. No paper runs these strategies so, and
results are never to be read as reproductions.

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

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, MissingExtra
from nasbench.spaces.mixture import Mixture
from nasbench.spaces.space import Space
from nasbench.store.table import Table

if TYPE_CHECKING:
    import torch

LARGEST = 100_000
"""Most architectures of a space that is relaxed: each gradient reads all of them."""

_SKIP = "skip_connect"
_UNROLLED_STEPS = 4

Floats = npt.NDArray[np.float64]


class MultilinearRelaxation:
    """The relaxation of a space all of whose errors are known.

    Args:
        space: A plain product whose decisions have equally many choices.
        errors: (size,) validation errors in lexicographic order of the codes.
        common_seconds: One epoch of what every network has.
        operation_seconds: (O,) one epoch of each operation on one edge.
        epoch_steps: Steps of one epoch, a convention: a table has no minibatches.

    Attributes:
        edges, operations, is_analogue, seconds, epoch_steps: As in ``strategies.relaxation.Relaxation``.

    Raises:
        BadOption: The space has another shape or is too large, or an error is missing.
        MissingExtra: torch is absent.
    """

    is_analogue = True

    def __init__(
        self,
        space: Space,
        errors: Floats,
        *,
        common_seconds: float = 0.0,
        operation_seconds: Sequence[float] | Floats | None = None,
        epoch_steps: int = 100,
    ) -> None:
        try:
            import torch  # noqa: F401 - refused now rather than at the first step
        except ImportError as error:
            raise MissingExtra.of("torch", "torch", "A relaxed table") from error
        if not can_be_relaxed(space):
            raise BadOption(
                f"space: expected decisions with equally many choices and at most {LARGEST:,} architectures, "
                f"all combinations of them, got {space.name}."
            )
        self._choices = [decision.choices for decision in space.decisions]
        self.edges = len(self._choices)
        self.operations = len(self._choices[0])
        if np.shape(errors) != (space.size,) or np.isnan(errors).any():
            raise BadOption(
                f"errors: expected an error of each of the {space.size:,} architectures of {space.name}, got "
                f"{int(np.sum(~np.isnan(errors)))} of shape {np.shape(errors)}."
            )
        self.seconds = 0.0
        self.epoch_steps = epoch_steps
        self._errors = np.asarray(errors, dtype=np.float64)
        prices = np.zeros(self.operations) if operation_seconds is None else np.asarray(operation_seconds)
        self._common_price = common_seconds / epoch_steps
        self._prices: Floats = prices / epoch_steps
        self._rank = space.rank

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
        weights = _array(mixture.weights)
        sums = weights.sum(axis=1, keepdims=True)
        if not (sums > 0).all():
            raise BadOption("weights: expected a positive sum on every edge.")
        shares = weights / sums
        seen = shares
        if mixture.part > 1:
            seen = shares / mixture.part + (1.0 - 1.0 / mixture.part) * self._skip()
        value, slopes = multilinear(self._errors, seen)
        gradient = (slopes - (slopes * shares).sum(axis=1, keepdims=True)) / (sums * mixture.part)
        return value, gradient if mixture.active is not None else np.where(executed, gradient, 0.0)

    def _skip(self) -> Floats:
        """Indicate ``skip_connect`` on every edge, (E, O).

        Raises:
            BadOption: The space has no such operation.
        """
        if any(_SKIP not in choices for choices in self._choices):
            raise BadOption(
                f"part: expected 1 in a space without {_SKIP}: what the bypassed channels become is unknown."
            )
        return np.array([[float(choice == _SKIP) for choice in choices] for choices in self._choices])

    def plan(self, epochs: int) -> None:
        """Do nothing: no weights are trained."""

    def weight_step(self, mixture: Mixture) -> float:
        """Charge one step of weights that do not exist; return the expected error."""
        executed = _executed(mixture)
        self._charge(executed)
        return self._gradient(mixture, executed)[0]

    def training_loss(self, mixture: Mixture) -> torch.Tensor:
        """Return the expected error: here training and validation are the same."""
        return self.architecture_loss(mixture)

    def architecture_loss(self, mixture: Mixture) -> torch.Tensor:
        """Return the expected error; it knows its first derivative in the mixture's weights."""
        import torch

        weights, executed = mixture.weights, _executed(mixture)
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

        executed = _executed(mixture)
        self._charge(executed, _UNROLLED_STEPS)
        return torch.from_numpy(self._gradient(mixture, executed)[1])

    def score(self, codes: npt.NDArray[np.int8]) -> Floats:
        """Look the errors of (n, E) architectures up, (n,)."""
        for code in np.asarray(codes, dtype=np.int64):
            self._charge(np.eye(self.operations, dtype=np.bool_)[code])
        errors: Floats = self._errors[self._rank(codes)]
        return errors


def _array(tensor: torch.Tensor) -> Floats:
    return np.asarray(tensor.detach().cpu().numpy(), dtype=np.float64)


def _executed(mixture: Mixture) -> npt.NDArray[np.bool_]:
    """Say which operations a mixture executes, (E, O)."""
    if mixture.active is None:
        return np.not_equal(_array(mixture.weights), 0.0, dtype=np.bool_)
    return np.asarray(mixture.active.cpu().numpy(), dtype=np.bool_)


def multilinear(errors: Floats, shares: Floats) -> tuple[float, Floats]:
    """Compute f and its gradient.

    Args:
        errors: (O**E,) the table in lexicographic order.
        shares: (E, O) weights of the operations.

    Returns:
        The value, and the gradient (E, O): what the expectation would be with edge e fixed to operation o.
    """
    values = [errors]  # before each edge is contracted, (O, rest)
    for share in shares:
        left = values[-1].reshape(len(share), -1)
        values[-1] = left
        values.append(np.einsum("o,or->r", share, left))
    gradient = np.empty_like(shares)
    weight = np.ones(1)  # of each architecture of the edges behind, (rest,)
    for edge in reversed(range(len(shares))):
        gradient[edge] = np.einsum("or,r->o", values[edge], weight)
        weight = np.multiply.outer(shares[edge], weight).ravel()
    return float(values[-1][0]), gradient


def can_be_relaxed(space: Space) -> bool:
    """Say whether a space is a small plain product of decisions with equally many choices."""
    counts = {len(decision.choices) for decision in space.decisions}
    if len(counts) != 1 or space.size is None or space.size > LARGEST:
        return False
    return space.size == next(iter(counts)) ** len(space.decisions) and next(iter(counts)) > 1


def relax(table: Table) -> MultilinearRelaxation:
    """Relax a table: its mean validation error over the recorded repeats of its longest training.

    A failed training has no error and is left out of the mean.

    Raises:
        BadOption: The table does not answer for a whole small product space, or all trainings of an
            architecture failed; errors are never made up.
        MissingExtra: torch is absent.
    """
    rows = answering_rows(table)
    if rows is None:
        raise BadOption(
            f"table: expected one that answers for every architecture of a space of at most {LARGEST:,} with "
            f"equally many choices at each decision, got {table.name}. nb201-cifar10 is one."
        )
    codes = next(table.space.enumerate(LARGEST))
    common, operations = operation_seconds(
        codes, table.mean("train_seconds")[rows] / table.epochs[-1], len(table.space.decisions[0].choices)
    )
    return MultilinearRelaxation(
        table.space,
        table.mean("valid_error")[rows],
        common_seconds=common,
        operation_seconds=operations,
    )


def answering_rows(table: Table) -> npt.NDArray[np.int64] | None:
    """Return the row that answers for each architecture in lexicographic order; None where one is missing.

    One is missing too where all its trainings failed.
    """
    rows = table.rows_of_space() if can_be_relaxed(table.space) else None
    if rows is None or np.isnan(table.mean("valid_error")[rows]).any():
        return None
    return rows


def operation_seconds(codes: npt.NDArray[np.int8], seconds: Floats, operations: int) -> tuple[float, Floats]:
    """Split the seconds of networks into a common part and a price of each operation.

    Args:
        codes: (n, E) architectures.
        seconds: (n,) their seconds.
        operations: O, choices of each edge.

    Returns:
        Seconds of what all have, and (O,) of each operation on one edge, the cheapest of them 0.
    """
    from scipy.optimize import nnls  # a second to import, for who never relaxes a table too

    counts = np.stack([(codes == choice).sum(axis=1) for choice in range(operations)], axis=1)
    prices: Floats = nnls(counts.astype(np.float64), seconds)[0]
    cheapest = float(prices.min())
    return cheapest * codes.shape[1], prices - cheapest
