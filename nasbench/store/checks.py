"""What must hold of a table's numbers, whether they are about to be written or were read from a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nasbench.errors import FormatError, UnknownName
from nasbench.spaces import space_of
from nasbench.store.data import Curve, Scalar, TableData
from nasbench.store.oneshot import OneShot, is_one_shot


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a table.

    Attributes:
        table: Name of the table.
        field: Attribute or dataset that is wrong.
        message: What was expected and what is there.
    """

    table: str
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.table}/{self.field}: {self.message}"


def findings(data: TableData) -> Iterator[Finding]:
    """Check a sorted and typed table: attributes, codes, epochs, ranges, order of repeats, seconds.

    Yields:
        What is wrong, most basic first; nothing when all holds.
    """

    def found(field: str, message: str) -> Finding:
        return Finding(data.name, field, message)

    if not data.name or "/" in data.name or data.name != data.name.strip():
        yield found("", f"name: expected text without '/' or outer spaces, got {data.name!r}.")
    if data.info.device_kind not in ("gpu", "cpu", "none"):
        yield found("device_kind", f"expected 'gpu', 'cpu' or 'none', got {data.info.device_kind!r}.")
    if data.info.rows_answer_for not in ("code", "class"):
        yield found("rows_answer_for", f"expected 'code' or 'class', got {data.info.rows_answer_for!r}.")
    if data.info.lengths not in ("one-training", "own-trainings"):
        yield found("lengths", f"expected 'one-training' or 'own-trainings', got {data.info.lengths!r}.")
    for name in ("dataset", "reference_device", "licence", "source"):
        if not getattr(data.info, name):
            yield found(name, "expected a text, got ''.")
    epochs = np.array(data.epochs)
    if not len(epochs) or epochs[0] < 1 or (np.diff(epochs) <= 0).any():
        yield found("epochs", f"expected increasing numbers >= 1, got {list(data.epochs)}.")
    yield from _code_findings(data)
    missing = [name for name in ("valid_error", "train_seconds") if name not in data.curves]
    for name in missing:
        yield found(f"curves/{name}", "expected this curve, got none.")
    if missing:
        return
    for metric, array in data.curves.items():
        if metric.endswith("_error"):
            yield from _outside(
                data, f"curves/{metric}", array, (array < 0) | (array > 1), "errors in [0, 1]"
            )
        elif np.isinf(array).any():
            yield from _outside(data, f"curves/{metric}", array, np.isinf(array), "finite numbers or nan")
    for name, scalar in data.scalars.items():
        if scalar.values.dtype.kind not in "iuf":
            yield found(f"scalars/{name}", f"expected numbers, got {scalar.values.dtype}.")
        elif is_one_shot(name):
            yield from _one_shot_findings(data.name, name, scalar)
    yield from _repeat_findings(data)


def _one_shot_findings(table: str, name: str, scalar: Scalar) -> Iterator[Finding]:
    field = f"scalars/{name}"
    values = np.asarray(scalar.values, dtype=np.float64)
    wrong = values[(values < 0) | (values > 1)]
    if len(wrong):
        yield Finding(table, field, f"expected errors in [0, 1], got {wrong[0]:g} ({len(wrong)} such).")
    try:
        OneShot.read(name, scalar)
    except FormatError as error:
        yield Finding(table, field, str(error))


def shape_findings(data: TableData) -> Iterator[Finding]:
    """Check that every array fits codes, repeats and epochs; a table read from a file may not."""
    n, replicates = data.curves["valid_error"].shape[:2]
    curve = (n, replicates, len(data.epochs))
    arrays: list[tuple[str, npt.NDArray[np.generic] | None, tuple[int, ...]]] = [
        ("codes", data.codes, (n, data.codes.shape[1])),
        *((f"curves/{metric}", array, curve) for metric, array in data.curves.items()),
        *((f"scalars/{name}", scalar.values, (n,)) for name, scalar in data.scalars.items()),
        ("failed", data.failed, (n, replicates)),
        ("provenance/of", None if data.provenance is None else data.provenance.of, (n, replicates)),
    ]
    for field, array, shape in arrays:
        if array is not None and array.shape != shape:
            yield Finding(data.name, field, f"expected shape {shape}, got {array.shape}.")


def _code_findings(data: TableData) -> Iterator[Finding]:
    try:
        space = space_of(data.info.space, data.info.space_definition)
    except (UnknownName, FormatError) as error:
        yield Finding(data.name, "space", str(error))
        return
    if data.codes.shape[1] != len(space.decisions):
        yield Finding(
            data.name,
            "codes",
            f"expected shape (n, L) (= (n, {len(space.decisions)})) for space {space.name}, got "
            f"{data.codes.shape}.",
        )
        return
    outside = np.flatnonzero(~space.contains(data.codes))
    if len(outside):
        code = data.codes[outside[0]].tolist()
        yield Finding(
            data.name, "codes", f"expected codes of space {space.name}, got {code} in row {outside[0]}."
        )
        return
    if data.info.rows_answer_for == "class":
        classes, first = np.unique(space.canonical(data.codes), axis=0, return_index=True)
        if len(classes) < len(data.codes):
            row = int(np.setdiff1d(np.arange(len(data.codes)), first)[0])
            text = space.format(tuple(data.codes[row].tolist()))
            yield Finding(
                data.name, "codes", f"expected one row a canonical class, got another of that of {text}."
            )
            return
    change = np.diff(data.codes.astype(np.int16), axis=0)
    differs = change != 0
    equal = np.flatnonzero(~differs.any(axis=1))
    if len(equal):
        text = space.format(tuple(data.codes[equal[0]].tolist()))
        yield Finding(data.name, "codes", f"expected each architecture once, got {text} more than once.")
        return
    first = differs.argmax(axis=1)
    if (change[np.arange(len(change)), first] < 0).any():
        yield Finding(data.name, "codes", "expected lexicographic order, got rows out of order.")


def _outside(
    data: TableData, field: str, array: Curve, wrong: npt.NDArray[np.bool_], wanted: str
) -> Iterator[Finding]:
    if wrong.any():
        row, replicate, epoch = np.argwhere(wrong)[0].tolist()
        yield Finding(
            data.name,
            field,
            f"expected {wanted}, got {array[row, replicate, epoch]:g} in row {row}, replicate {replicate}, "
            f"epochs {data.epochs[epoch]} ({int(wrong.sum())} such cells).",
        )


def _repeat_findings(data: TableData) -> Iterator[Finding]:
    valid, seconds = data.curves["valid_error"], data.curves["train_seconds"]
    if data.failed is not None and not np.isin(data.failed, (0, 1)).all():
        yield Finding(data.name, "failed", "expected 0 or 1.")
        return
    with np.errstate(invalid="ignore"):
        yield from _outside(data, "curves/train_seconds", seconds, seconds <= 0, "seconds > 0")
    if data.info.device_kind == "none":
        epochs = np.array(data.epochs, dtype=np.float32)
        other = ~np.isnan(seconds) & (seconds != epochs)
        yield from _outside(
            data, "curves/train_seconds", seconds, other, "the number of epochs where no time was recorded"
        )
    recorded = ~np.isnan(valid)
    if data.failed is not None:
        recorded |= (data.failed == 1)[:, :, None]
    yield from _outside(
        data,
        "curves/train_seconds",
        seconds,
        recorded & np.isnan(seconds),
        "seconds wherever valid_error is recorded",
    )
    if data.info.lengths == "one-training":
        falls = np.zeros_like(recorded)
        so_far = np.fmax.accumulate(seconds, axis=2)
        falls[:, :, 1:] = seconds[:, :, 1:] < so_far[:, :, :-1]
        yield from _outside(
            data, "curves/train_seconds", seconds, falls, "seconds that never fall along a training"
        )
    gap = np.zeros_like(recorded)
    gap[:, 1:] = recorded[:, 1:] & ~recorded[:, :-1]
    yield from _outside(
        data,
        "curves/valid_error",
        valid,
        gap,
        "recorded repeats in the first places, none missing before them",
    )
    if data.provenance is not None:
        of, rows = data.provenance.of, len(data.provenance.rows)
        if (of < -1).any() or (of >= rows).any():
            yield Finding(
                data.name, "provenance/of", f"expected -1 to {rows - 1}, got {of.min()} to {of.max()}."
            )


def same_split(data: TableData) -> Iterator[Finding]:
    """Find a table that sells one split under two names: test errors equal to validation errors.

    Equality of a few numbers happens; of every pair it does not, once the errors vary at all.
    """
    test = data.curves.get("test_error")
    if test is None:
        return
    valid = data.curves["valid_error"]
    both = ~np.isnan(valid) & ~np.isnan(test)
    pairs = valid[both]
    if len(pairs) > 1 and (pairs == test[both]).all() and pairs.min() != pairs.max():
        yield Finding(
            data.name,
            "curves/test_error",
            f"expected a split of its own, got numbers equal to valid_error in all {len(pairs)} cells.",
        )
