"""A table relaxed: the expected error of architectures drawn edge by edge, exact and differentiable.

If every edge e draws its operation from probabilities p_e, independently, the expected error is

    f(p) = sum over architectures a of T(a) x product over edges e of p_e[a_e],

the multilinear extension of the table T (its mean validation error over recorded repeats). At an architecture
it is the table; in between it is what softmax weights of DARTS and its kin are descended on here. This is an
analogue of a supernet and no supernet: there are no shared weights, nothing is learned from data, and a
gradient knows every neighbouring architecture's recorded error. No paper runs these strategies so, and
results are never to be read as reproductions.

How mixtures are read and what a step costs is that of every relaxation without weights (``analogue``). An
epoch has 100 steps, or, where the table's recipe says of how many images and batches, as many as a
supernet's, which trains on half of them; each step costs what one of the recorded trainings did.

Where the table has one-shot errors (``store.oneshot``), ``score`` answers by the shared weights of the
supernet behind the column. A score then costs what it took, and a weight step that executes one operation an
edge its share of the supernet's training, however many steps are planned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.spaces.mixture import Mixture
from nasbench.spaces.relaxed import PlainRelaxed, is_plain
from nasbench.spaces.space import Space
from nasbench.store.oneshot import OneShot, one_shot_columns
from nasbench.store.table import Table
from nasbench.surrogates.analogue import Analogue, Floats, executed_by, operation_seconds

if TYPE_CHECKING:
    import torch

LARGEST = 100_000
"""Most architectures of a space that is relaxed: each gradient reads all of them."""

_EPOCH_STEPS = 100  # where the recipe does not say


class MultilinearRelaxation(Analogue):
    """The relaxation of a space all of whose errors are known.

    Args:
        space: A plain product whose decisions have equally many choices.
        errors: (size,) validation errors in lexicographic order of the codes.
        common_seconds: One epoch of what every network has.
        operation_seconds: (O,) one epoch of each operation on one edge.
        epoch_steps: Steps of one epoch, a convention: a table has no minibatches.
        one_shot: A column of the table and (size,) its errors in lexicographic order of the codes; None
            scores by ``errors``.

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
        epoch_steps: int = _EPOCH_STEPS,
        one_shot: tuple[OneShot, Floats] | None = None,
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
        self._one_shot = one_shot
        self._planned_steps = epoch_steps

    def plan(self, epochs: int) -> None:
        """Note over how many steps the price of a supernet is spread; no weights are trained."""
        self._planned_steps = epochs * self.epoch_steps

    def weight_step(self, mixture: Mixture) -> float:
        """Charge one step of weights that do not exist, or of those behind one-shot errors.

        Returns:
            The expected error.

        Raises:
            BadOption: An edge has no weight, or there is a bypass and no ``skip_connect``.
        """
        executed = executed_by(mixture)
        is_path = bool((executed.sum(axis=1) == 1).all())
        if self._one_shot is not None and is_path:
            self.seconds += self._one_shot[0].train_seconds / self._planned_steps
        else:
            self._charge(executed)
        if is_path and mixture.part == 1 and mixture.active is None:
            return float(self._errors[self._rank(executed.argmax(axis=1)[None, :])[0]])
        return expected(self._errors, self._seen(self._shares(mixture)[0], mixture.part))

    def steady_loss(self, mixture: Mixture) -> torch.Tensor:
        """Return the expected error, differentiable any number of times; it costs nothing."""
        import torch

        weights = mixture.weights
        shares = weights / weights.sum(dim=1, keepdim=True)
        if mixture.part > 1:
            skip = torch.from_numpy(self._skip())
            shares = shares / mixture.part + (1.0 - 1.0 / mixture.part) * skip
        value = torch.from_numpy(self._errors)
        for share in shares:
            value = share @ value.reshape(self.operations, -1)
        return value[0]

    def _expected(self, shares: Floats) -> tuple[float, Floats]:
        return multilinear(self._errors, shares)

    def score(self, codes: npt.NDArray[np.int8]) -> Floats:
        """Look the errors of (n, E) architectures up, (n,): by shared weights where the table has them."""
        if self._one_shot is not None:
            column, scores = self._one_shot
            self.seconds += len(codes) * column.score_seconds
            return scores[self._rank(codes)]
        for code in np.asarray(codes, dtype=np.int64):
            self._charge(np.eye(self.operations, dtype=np.bool_)[code])
        errors: Floats = self._errors[self._rank(codes)]
        return errors


def expected(errors: Floats, shares: Floats) -> float:
    """Compute f alone; see ``multilinear``."""
    value = errors
    for share in shares:
        value = np.einsum("o,or->r", share, value.reshape(len(share), -1))
    return float(value[0])


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


def relax(table: Table, rng: np.random.Generator | None = None) -> MultilinearRelaxation:
    """Relax a table: its mean validation error over the recorded repeats of its longest training.

    A failed training has no error and is left out of the mean. One-shot errors are used where they are there
    for every architecture.

    Args:
        table: The table.
        rng: Draws a supernet where the table has the one-shot errors of several; None takes the first.

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
    steps, share = _epoch(table.info.recipe)
    return MultilinearRelaxation(
        table.space,
        table.mean("valid_error")[rows],
        common_seconds=share * common,
        operation_seconds=share * operations,
        epoch_steps=steps,
        one_shot=_one_shot(table, rows, rng),
    )


def _one_shot(
    table: Table, rows: npt.NDArray[np.int64], rng: np.random.Generator | None
) -> tuple[OneShot, Floats] | None:
    """Choose a column of one-shot errors, and lay it out by architecture; None where none is complete."""
    columns = [column for column in one_shot_columns(table) if not np.isnan(column.errors[rows]).any()]
    if not columns:
        return None
    several = rng is not None and len(columns) > 1
    column = columns[int(rng.integers(len(columns)))] if rng is not None and several else columns[0]
    return column, column.errors[rows]


def _epoch(recipe: Mapping[str, Any]) -> tuple[int, float]:
    """Count the steps of an epoch on half of the training images, and its share of a recorded epoch's."""
    images, size = recipe.get("train_images"), recipe.get("batch_size")
    if type(images) is not int or type(size) is not int or images < 2 or size < 1:
        return _EPOCH_STEPS, 1.0
    half = (images + 1) // 2
    steps = half // min(size, half)
    return steps, steps / (images // min(size, images))


def answering_rows(table: Table) -> npt.NDArray[np.int64] | None:
    """Return the row that answers for each architecture in lexicographic order; None where one is missing.

    One is missing too where all its trainings failed.
    """
    rows = table.rows_of_space() if can_be_relaxed(table.space) else None
    if rows is None or np.isnan(table.mean("valid_error")[rows]).any():
        return None
    return rows
