"""Gathered rows put together into a table: one row an architecture, repeats in the first places.

Two rows that say the same of one training are one; two that contradict each other are refused by their lines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nasbench.errors import FormatError
from nasbench.store.data import Provenance, Scalar, TableData
from nasbench.store.imports.collecting import Batch
from nasbench.store.imports.mapping import FileMapping
from nasbench.store.info import TableInfo, canonical_json

_MOST_CELLS = 2**31
_SECONDS = "train_seconds"
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Long:
    """One entry a (row, replicate, epochs), sorted, each once."""

    row: Ints
    replicate: Ints
    epochs: Ints
    lines: Ints
    failed: npt.NDArray[np.bool_]
    curves: dict[str, Floats]
    doubled: int


def assemble(
    batch: Batch, mapping: FileMapping, *, name: str, info: TableInfo, where: str
) -> tuple[TableData, int]:
    """Make a table of one data set's rows.

    Args:
        batch: The rows.
        mapping: What their columns mean.
        name: Name of the table.
        info: Its attributes.
        where: Name of the file, for messages.

    Returns:
        The table, not yet sorted and checked; and how many rows said again what another had said.

    Raises:
        FormatError: Two rows contradict each other (the message names their lines), no row has a validation
            error, or the table would be too large.
    """
    length = batch.length
    codes = np.frombuffer(batch.codes, dtype=np.int8).reshape(-1, length)
    known, row = np.unique(codes, axis=0, return_inverse=True)
    long = _sorted(batch, row.ravel().astype(np.int64), mapping, where)
    if mapping.has_time:
        _require_seconds(long, where)
    epochs = np.unique(long.epochs)
    place, replicates, seeds = _places(long, len(known))
    cells = len(known) * replicates * len(epochs)
    if cells > _MOST_CELLS:
        raise FormatError(
            f"{where}: expected at most {_MOST_CELLS:,} cells a curve, got {len(known):,} architectures x "
            f"{replicates:,} repeats x {len(epochs):,} epochs. Is the right column mapped as replicate?"
        )
    at = long.row, place, np.searchsorted(epochs, long.epochs)
    curves = {}
    for target, values in long.curves.items():
        curve = np.full((len(known), replicates, len(epochs)), np.nan, dtype=np.float32)
        curve[at] = values
        if not np.isnan(curve).all():
            curves[target] = curve
    failed = np.zeros((len(known), replicates), dtype=np.int8)
    failed[at[0][long.failed], at[1][long.failed]] = 1
    if "valid_error" not in curves:
        raise FormatError(f"{where}: expected a validation error in some row, got none. Check the mapping.")
    _fill_seconds(curves, failed, epochs, mapping)
    data = TableData(
        name,
        info,
        known,
        tuple(epochs.tolist()),
        curves,
        _scalars(batch, known, mapping, where),
        failed if failed.any() else None,
        _seeds(seeds),
    )
    return data, long.doubled


def _sorted(batch: Batch, row: Ints, mapping: FileMapping, where: str) -> _Long:
    """Sort the entries and join those of one training and length."""
    epochs = np.frombuffer(batch.epochs, dtype=np.intc).astype(np.int64)
    lines = np.frombuffer(batch.lines, dtype=np.int64)
    replicate = np.frombuffer(batch.replicates, dtype=np.int64)
    if mapping.is_in_order:
        replicate = _counted(row, epochs, lines)
    order = np.lexsort((lines, epochs, replicate, row))
    row, replicate, epochs, lines = row[order], replicate[order], epochs[order], lines[order]
    first = np.ones(len(row), dtype=np.bool_)
    first[1:] = (np.diff(row) != 0) | (np.diff(replicate) != 0) | (np.diff(epochs) != 0)
    starts = np.flatnonzero(first)
    curves = {}
    for target, stored in batch.curves.items():
        values = np.frombuffer(stored, dtype=np.float32)[order]
        curves[target] = np.fmax.reduceat(values, starts) if len(starts) else values
        _require_agreement(
            curves[target], np.fmin.reduceat(values, starts), values, starts, lines, target, where, len(row)
        )
    failed = np.frombuffer(batch.failed, dtype=np.int8)[order]
    most = np.maximum.reduceat(failed, starts).astype(np.float32)
    least = np.minimum.reduceat(failed, starts).astype(np.float32)
    _require_agreement(most, least, failed.astype(np.float32), starts, lines, "failed", where, len(row))
    doubled = len(row) - len(starts)
    return _Long(row[starts], replicate[starts], epochs[starts], lines[starts], most > 0, curves, doubled)


def _counted(row: Ints, epochs: Ints, lines: Ints) -> Ints:
    """Number the entries of one (architecture, epochs) in the order of their lines, from 0."""
    order = np.lexsort((lines, epochs, row))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (np.diff(row[order]) != 0) | (np.diff(epochs[order]) != 0)
    starts = np.flatnonzero(first)
    sizes = np.diff(np.append(starts, len(order)))
    counted = np.empty(len(order), dtype=np.int64)
    counted[order] = np.arange(len(order)) - np.repeat(starts, sizes)
    return counted


def _require_agreement(
    most: npt.NDArray[np.floating[Any]],
    least: npt.NDArray[np.floating[Any]],
    values: npt.NDArray[np.floating[Any]],
    starts: Ints,
    lines: Ints,
    target: str,
    where: str,
    total: int,
) -> None:
    """Refuse two values for one thing, naming the lines that have them."""
    wrong = np.flatnonzero(most > least)
    if len(wrong):
        start = int(starts[wrong[0]])
        end = int(starts[wrong[0] + 1]) if wrong[0] + 1 < len(starts) else total
        here = start + np.flatnonzero(~np.isnan(values[start:end]))
        a = here[0]
        b = next(i for i in here if values[i] != values[a])
        raise FormatError(
            f"{where}: lines {lines[a]} and {lines[b]}: expected one {target} of one training, got "
            f"{values[a]:g} and {values[b]:g}. Map the column that tells repeats apart (replicate), or say "
            "that they are repeats in order of rows, or correct the file."
        )


def _require_seconds(long: _Long, where: str) -> None:
    """Refuse an error or a failed training whose time nobody recorded, naming its line."""
    recorded = ~np.isnan(long.curves["valid_error"]) | long.failed
    without = np.flatnonzero(recorded & np.isnan(long.curves[_SECONDS]))
    if len(without):
        raise FormatError(
            f"{where}: line {long.lines[without[0]]}: expected train_seconds of each training, got none "
            f"({len(without):,} such values). Leave such rows out of the file, or say that no time was "
            "recorded: --about device_kind=none, without a column of it."
        )


def _places(long: _Long, n: int) -> tuple[Ints, int, npt.NDArray[np.int64]]:
    """Give each training a place: those with most recorded lengths first, then in order of their numbers.

    Returns:
        The place of each entry; the number of places; and (n, places) the file's number, -1 where none is.
    """
    is_recorded = ~np.isnan(long.curves["valid_error"]) | long.failed
    first = np.ones(len(long.row), dtype=np.bool_)
    first[1:] = (np.diff(long.row) != 0) | (np.diff(long.replicate) != 0)
    training = np.cumsum(first) - 1
    recorded = np.bincount(training, weights=is_recorded).astype(np.int64)
    of_row, number = long.row[first], long.replicate[first]
    order = np.lexsort((number, -recorded, of_row))
    begins = np.searchsorted(of_row[order], np.arange(n))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order)) - begins[of_row[order]]
    places = int(place.max()) + 1
    numbers = np.full((n, places), -1, dtype=np.int64)
    numbers[of_row, place] = number
    return place[training], places, numbers


def _seeds(numbers: npt.NDArray[np.int64]) -> Provenance | None:
    """Note the file's number of each training where it is not the training's place."""
    differs = (numbers >= 0) & (numbers != np.arange(numbers.shape[1]))
    if not differs.any():
        return None
    distinct, at = np.unique(numbers[differs], return_inverse=True)
    of = np.full(numbers.shape, -1, dtype=np.int32)
    of[differs] = at.ravel()
    return Provenance(tuple(canonical_json({"seed": int(seed)}) for seed in distinct), of)


def _fill_seconds(
    curves: dict[str, Floats], failed: npt.NDArray[np.int8], epochs: Ints, mapping: FileMapping
) -> None:
    """Give a failed training its seconds at every length; count epochs where no time was recorded."""
    if not mapping.has_time:
        recorded = np.any([~np.isnan(curve) for curve in curves.values()], axis=0)
        recorded |= (failed == 1)[:, :, None]
        curves[_SECONDS] = np.where(recorded, epochs.astype(np.float32), np.float32(np.nan))
    elif _SECONDS in curves:
        seconds = curves[_SECONDS]
        spent = np.fmax.reduce(seconds, axis=2, keepdims=True)
        lost = (failed == 1)[:, :, None] & np.isnan(seconds)
        curves[_SECONDS] = np.where(lost, spent, seconds)


def _scalars(
    batch: Batch, known: npt.NDArray[np.int8], mapping: FileMapping, where: str
) -> dict[str, Scalar]:
    """Give each architecture its one value of each scalar."""
    codes = np.frombuffer(batch.scalar_codes, dtype=np.int8).reshape(-1, batch.length)
    if not len(codes):
        return {}
    lines = np.frombuffer(batch.scalar_lines, dtype=np.int64)
    row_of_code = {code.tobytes(): i for i, code in enumerate(known)}
    row = np.array([row_of_code.get(code.tobytes(), -1) for code in codes], dtype=np.int64)
    order = np.lexsort((lines, row))
    order = order[row[order] >= 0]  # an architecture without any training is no row of the table
    row, lines = row[order], lines[order]
    starts = np.flatnonzero(np.append(True, np.diff(row) != 0)) if len(row) else np.empty(0, dtype=np.int64)
    out = {}
    for column in mapping.scalars:
        values = np.frombuffer(batch.scalars[column.target], dtype=np.float64)[order]
        stored = np.full(len(known), np.nan)
        if len(starts):
            most, least = np.fmax.reduceat(values, starts), np.fmin.reduceat(values, starts)
            _require_agreement(most, least, values, starts, lines, column.target, where, len(row))
            stored[row[starts]] = most
        if np.isnan(stored).all():
            continue
        rounded = np.round(stored)
        is_whole = bool((np.abs(stored - rounded) <= 1e-9 * np.abs(stored)).all())
        made = Scalar(stored, column.unit.stored, column.device)
        out[column.target] = replace(made, values=rounded.astype(np.int64)) if is_whole else made
    return out
