"""Joining part tables into one: what shards of a populating job, or several people, have trained.

Parts must agree on space, data, splits and recipe. A training that two parts hold must have the same errors
in both; of its seconds the first part's are kept. Whatever is wrong is named with its file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, FormatError, Mismatch
from nasbench.records import Code
from nasbench.spaces import space_of
from nasbench.store.data import Curve, Provenance, Scalar, TableData
from nasbench.store.files import kebab, table_names
from nasbench.store.info import TableInfo, canonical_json
from nasbench.store.table import open_table
from nasbench.store.trainings import training_seeds
from nasbench.store.verify import verify_table
from nasbench.store.writer import write_tables

ROW_UNIT = "row of this table"
"""Unit of scalars that hold row numbers; merging renumbers them."""

MIXED_NOTE = "Trainings were made on several devices: see their provenance before seconds are compared."
_SAME = (
    "space", "space_definition", "dataset", "splits", "recipe", "device_kind", "rows_answer_for", "lengths",
)  # fmt: skip
_SECONDS = "train_seconds"


@dataclass(frozen=True, slots=True)
class Joined:
    """What a merge made.

    Attributes:
        name: Name of the table.
        architectures: Its rows.
        trainings: Its trainings.
        shared: Trainings that more than one part held.
    """

    name: str
    architectures: int
    trainings: int
    shared: int


@dataclass(frozen=True, slots=True)
class _Part:
    """One part and where its trainings lie."""

    path: Path
    data: TableData
    lengths: npt.NDArray[np.int64]  # (n, replicates): recorded epochs; 0 = no training
    failed: npt.NDArray[np.bool_]  # (n, replicates)


@dataclass(frozen=True, slots=True)
class _Cell:
    """One training of the merged table: the part, row and place it is taken from."""

    part: int
    row: int
    place: int
    length: int
    failed: bool


def merge_tables(
    out: Path, parts: Sequence[str], *, name: str | None = None, mixed_devices: bool = False
) -> Joined:
    """Join parts into the table file ``out``.

    Args:
        out: The file to write. Where it is there already it must be one of the parts; its other tables stay.
        parts: Table files, ``FILE.h5`` or ``FILE.h5:TABLE``.
        name: Name of the table; None = the first part's.
        mixed_devices: Accept parts whose seconds are of different hardware of one kind.

    Raises:
        BadOption: No part, parts of different space, data, splits, recipe or device, or ``out`` is there and
            no part.
        FormatError: Some parts are damaged; the message names them all.
        Mismatch: Two parts hold different numbers for one training; the message names it and both files.
        MissingExtra: A part does not exist.
    """
    if not parts:
        raise BadOption("parts: expected one or more table files, got none.")
    opened = _opened(parts)
    if out.exists() and not any(out.samefile(part.path) for part in opened):
        raise BadOption(
            f"out: {out} is there already and would be lost. Name it among the parts to add to it, or take "
            "another name."
        )
    for part in opened[1:]:
        _require_same(opened[0], part, mixed_devices=mixed_devices)
    cells, shared = _cells(opened)
    info = opened[0].data.info
    if len({part.data.info.reference_device for part in opened}) > 1 and MIXED_NOTE not in info.notes:
        info = replace(info, notes=f"{info.notes} {MIXED_NOTE}".strip())
    data = _joined(opened, cells, name=name or opened[0].data.name, info=info)
    others = []
    if out.exists():
        others = [
            open_table(out, other).data() for other in table_names(out) if kebab(other) != kebab(data.name)
        ]
    write_tables(out, [*others, data])
    trainings = sum(len(by_seed) for by_seed in cells.values())
    return Joined(data.name, len(cells), trainings, shared)


def _opened(parts: Sequence[str]) -> list[_Part]:
    """Open and verify every part.

    Raises:
        FormatError: Some are damaged; all of them are named.
    """
    opened, damaged = [], []
    for text in parts:
        stem, _, inner = text.rpartition(":")
        path, table = (Path(stem), inner) if stem.endswith(".h5") else (Path(text), None)
        try:
            found = verify_table(path, table)
            if found:
                damaged.append(f"{path}: {found[0]}")
                continue
            opened.append(_part(path, open_table(path, table).data()))
        except FormatError as error:
            damaged.append(str(error))
    if damaged:
        raise FormatError(
            f"parts: {len(damaged)} of {len(parts)} are damaged: {' '.join(damaged)} Move them away and give "
            "their shards again: what their ledgers hold is written again, the rest is trained again."
        )
    return opened


def _part(path: Path, data: TableData) -> _Part:
    recorded = ~np.isnan(data.curves["valid_error"])
    lengths = np.where(recorded.any(axis=2), recorded.shape[2] - recorded[:, :, ::-1].argmax(axis=2), 0)
    failed = np.zeros(lengths.shape, np.bool_) if data.failed is None else data.failed == 1
    return _Part(path, data, lengths, failed)


def _require_same(first: _Part, other: _Part, *, mixed_devices: bool) -> None:
    for field in _SAME:
        a, b = (getattr(part.data.info, field) for part in (first, other))
        shown = [canonical_json(dict(v)) if field in ("splits", "recipe") else str(v) for v in (a, b)]
        if shown[0] != shown[1]:
            raise BadOption(
                f"{field}: {first.path} and {other.path} cannot be one table: {_difference(a, b)}. "
                "Merge only parts of one job."
            )
    a, b = first.data.info.reference_device, other.data.info.reference_device
    if a != b and not mixed_devices:
        raise BadOption(
            f"reference_device: {first.path} counts seconds of {a}, {other.path} of {b}. Allow both in one "
            "table with --mixed-devices; each training says which."
        )


def _difference(a: Any, b: Any) -> str:
    """Name what differs between two attributes, by key where they have keys."""
    if not isinstance(a, dict) or not isinstance(b, dict):
        return f"{a} against {b}"
    keys = sorted(key for key in {*a, *b} if a.get(key) != b.get(key))
    return ", ".join(f"{key} {a.get(key)!r} against {b.get(key)!r}" for key in keys)


def _cells(parts: Sequence[_Part]) -> tuple[dict[Code, dict[int, _Cell]], int]:
    """Choose where each training is taken from; the longer of two, the first of equal ones."""
    cells: dict[Code, dict[int, _Cell]] = {}
    shared = 0
    for number, part in enumerate(parts):
        seeds = training_seeds(part.data).tolist()
        for row, code in enumerate(part.data.codes.tolist()):
            by_seed = cells.setdefault(tuple(code), {})
            for place, length in enumerate(part.lengths[row].tolist()):
                new = _Cell(number, row, place, length, bool(part.failed[row, place]))
                if not length and not new.failed:
                    continue
                seed = seeds[row][place]
                old = by_seed.get(seed)
                if old is not None:
                    shared += 1
                    _require_equal(parts, old, new, seed)
                if old is None or new.length > old.length:
                    by_seed[seed] = new
    return cells, shared


def _require_equal(parts: Sequence[_Part], old: _Cell, new: _Cell, seed: int) -> None:
    """Refuse two different answers to one question; seconds are measured anew each time and may differ."""
    a, b = parts[old.part], parts[new.part]

    def refuse(what: str) -> None:
        text = space_of(a.data.info.space, a.data.info.space_definition).format(
            tuple(a.data.codes[old.row].tolist())
        )
        raise Mismatch(
            f"{what}: {a.path} and {b.path} differ for {text}, seed {seed}. Decide which part is right and "
            "merge without the other."
        )

    if old.failed != new.failed:
        refuse("failed")
    common = sorted(set(a.data.epochs) & set(b.data.epochs))
    for metric in sorted(set(a.data.curves) & set(b.data.curves)):
        if metric.endswith("_seconds"):
            continue
        x, y = (
            part.data.curves[metric][cell.row, cell.place, [part.data.epochs.index(e) for e in common]]
            for part, cell in ((a, old), (b, new))
        )
        both = ~np.isnan(x) & ~np.isnan(y)
        if (x[both] != y[both]).any():
            refuse(metric)


def _joined(
    parts: Sequence[_Part], cells: dict[Code, dict[int, _Cell]], *, name: str, info: TableInfo
) -> TableData:
    codes = sorted(cells)
    epochs = tuple(sorted({epoch for part in parts for epoch in part.data.epochs}))
    shape = len(codes), max(len(by_seed) for by_seed in cells.values())
    metrics = sorted({metric for part in parts for metric in part.data.curves})
    curves: dict[str, Curve] = {}
    for metric in metrics:
        kinds = [part.data.curves[metric].dtype for part in parts if metric in part.data.curves]
        curves[metric] = np.full((*shape, len(epochs)), np.nan, np.result_type(*kinds))
    failed = np.zeros(shape, np.int8)
    texts = sorted({text for part in parts if part.data.provenance for text in part.data.provenance.rows})
    number_of = {text: number for number, text in enumerate(texts)}
    of = np.full(shape, -1, np.int32)
    places_of = [[epochs.index(epoch) for epoch in part.data.epochs] for part in parts]
    for row, code in enumerate(codes):
        full = len(epochs)
        order = sorted(
            cells[code].items(), key=lambda item: (-(full if item[1].failed else item[1].length), item[0])
        )
        for place, (_, cell) in enumerate(order):
            data = parts[cell.part].data
            for metric, array in data.curves.items():
                curves[metric][row, place, places_of[cell.part]] = array[cell.row, cell.place]
            if cell.failed:
                failed[row, place] = 1
                seconds = curves[_SECONDS][row, place]
                seconds[np.isnan(seconds)] = np.nanmax(seconds)
            if data.provenance is not None and data.provenance.of[cell.row, cell.place] >= 0:
                text = data.provenance.rows[data.provenance.of[cell.row, cell.place]]
                of[row, place] = number_of[text]
    return TableData(
        name,
        replace(info, created_by=""),
        np.array(codes, np.int8),
        epochs,
        curves,
        _scalars(parts, codes),
        failed if failed.any() else None,
        Provenance(tuple(texts), of) if texts else None,
    )


def _scalars(parts: Sequence[_Part], codes: Sequence[Code]) -> dict[str, Scalar]:
    """Join the values an architecture has; row numbers are renumbered, seconds taken from the first part.

    Raises:
        Mismatch: Two parts hold different values; the message names them.
    """
    row_of = {code: row for row, code in enumerate(codes)}
    rows = [np.array([row_of[tuple(code)] for code in part.data.codes.tolist()]) for part in parts]
    out: dict[str, Scalar] = {}
    for name in sorted({name for part in parts for name in part.data.scalars}):
        holders = [(part, r) for part, r in zip(parts, rows, strict=True) if name in part.data.scalars]
        first = holders[0][0].data.scalars[name]
        values = np.full(len(codes), np.nan)
        for part, r in holders:
            scalar = part.data.scalars[name]
            new = np.asarray(scalar.values, dtype=np.float64)
            if scalar.unit == ROW_UNIT:
                new = r[new.astype(np.int64)].astype(np.float64)
            held = values[r]
            differs = ~np.isnan(held) & ~np.isnan(new) & (held != new)
            is_alike = (scalar.unit, scalar.provenance) == (first.unit, first.provenance)
            if (differs.any() and scalar.unit != "seconds") or not is_alike:
                raise Mismatch(
                    f"scalars/{name}: {holders[0][0].path} or a part before {part.path} differs from it. "
                    "Decide which part is right and merge without the other."
                )
            values[r] = np.where(np.isnan(held), new, held)
        whole = all(part.data.scalars[name].values.dtype.kind in "iu" for part, _ in holders)
        kind = np.result_type(*(part.data.scalars[name].values.dtype for part, _ in holders))
        typed = values.astype(kind) if not np.isnan(values).any() or not whole else values
        out[name] = replace(first, values=typed)
    return out
