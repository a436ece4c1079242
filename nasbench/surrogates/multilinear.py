"""A table relaxed: the expected error of architectures drawn edge by edge, exact and differentiable.

If every edge e draws its operation from probabilities p_e, independently, the expected error is

    f(p) = sum over architectures a of T(a) x product over edges e of p_e[a_e],

the multilinear extension of the table T (its mean validation error over recorded repeats). At an architecture
it is the table; in between it is what softmax weights of DARTS and its kin are descended on here. This is an
analogue of a supernet and no supernet: there are no shared weights, nothing is learned from data, and a
gradient knows every neighbouring architecture's recorded error. No paper runs these strategies so, and
results are never to be read as reproductions.

How mixtures are read and what a step costs is that of every relaxation without weights (``analogue``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.spaces.relaxed import PlainRelaxed, is_plain
from nasbench.spaces.space import Space
from nasbench.store.table import Table
from nasbench.surrogates.analogue import Analogue, Floats, operation_seconds

LARGEST = 100_000
"""Most architectures of a space that is relaxed: each gradient reads all of them."""


class MultilinearRelaxation(Analogue):
    """The relaxation of a space all of whose errors are known.

    Args:
        space: A plain product whose decisions have equally many choices.
        errors: (size,) validation errors in lexicographic order of the codes.
        common_seconds: One epoch of what every network has.
        operation_seconds: (O,) one epoch of each operation on one edge.
        epoch_steps: Steps of one epoch, a convention: a table has no minibatches.

    Raises:
        BadOption: The space has another shape or is too large, or an error is missing.
        MissingExtra: torch is absent.
    """

    def __init__(
        self,
        space: Space,
        errors: Floats,
        *,
        common_seconds: float = 0.0,
        operation_seconds: Sequence[float] | Floats | None = None,
        epoch_steps: int = 100,
    ) -> None:
        if not can_be_relaxed(space):
            raise BadOption(
                f"space: expected decisions with equally many choices and at most {LARGEST:,} architectures, "
                f"all combinations of them, got {space.name}."
            )
        super().__init__(
            PlainRelaxed(space),
            common_seconds=common_seconds,
            operation_seconds=operation_seconds,
            epoch_steps=epoch_steps,
        )
        if np.shape(errors) != (space.size,) or np.isnan(errors).any():
            raise BadOption(
                f"errors: expected an error of each of the {space.size:,} architectures of {space.name}, got "
                f"{int(np.sum(~np.isnan(errors)))} of shape {np.shape(errors)}."
            )
        self._errors = np.asarray(errors, dtype=np.float64)
        self._rank = space.rank

    def _expected(self, shares: Floats) -> tuple[float, Floats]:
        return multilinear(self._errors, shares)

    def score(self, codes: npt.NDArray[np.int8]) -> Floats:
        """Look the errors of (n, E) architectures up, (n,)."""
        for code in np.asarray(codes, dtype=np.int64):
            self._charge(np.eye(self.operations, dtype=np.bool_)[code])
        errors: Floats = self._errors[self._rank(codes)]
        return errors


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
    return is_plain(space) and space.size is not None and space.size <= LARGEST


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
        PlainRelaxed(table.space).chosen(codes), table.mean("train_seconds")[rows] / table.epochs[-1]
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
