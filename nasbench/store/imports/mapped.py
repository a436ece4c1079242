"""Any table by mapping: a file of rows, and what its columns mean, become a table.

The file is read once, as a stream; the table is written when all of it held together, aside and renamed. What
was gathered until then can be kept beside it from time to time (``half_done``), and a second start goes on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nasbench.errors import BadOption, FormatError
from nasbench.store.checks import same_split
from nasbench.store.data import TableData
from nasbench.store.imports.assembling import assemble
from nasbench.store.imports.collecting import Collector, DamagedRow
from nasbench.store.imports.half_done import HalfDone
from nasbench.store.imports.mapping import Column, FileMapping
from nasbench.store.imports.rows import Format, RowReader
from nasbench.store.writer import checked_table

Progress = Callable[[int, int, str], None]

_NOTED_EVERY = 1_000  # rows between two looks at the progress bar and the clock
_COPIED = 0.5  # share of architectures with equal repeats from which they look copied


@dataclass(frozen=True, slots=True)
class CurveRead:
    """What was read of one curve.

    Attributes:
        target: Its name in the table.
        column: Its column or pattern.
        unit: Unit in the file.
        values: Values recorded.
        least: Smallest value after conversion.
        most: Largest.
    """

    target: str
    column: str
    unit: str
    values: int
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import made of a file.

    Attributes:
        tables: The tables, checked, in the order of their names.
        rows: Rows taken in.
        empty_rows: Rows of these without any number.
        doubled: Values that another row had already said.
        damaged: (line, why) of rows that were left out.
        unused: Columns of the file that are not mapped.
        example: The first architecture as it was written, and as it was read.
        curves: What was read of each curve.
        cautions: What a person should look at, each a sentence.
        sha256: Of the file.
    """

    tables: tuple[TableData, ...]
    rows: int
    empty_rows: int
    doubled: int
    damaged: tuple[tuple[int, str], ...]
    unused: tuple[str, ...]
    example: tuple[str, str]
    curves: tuple[CurveRead, ...]
    cautions: tuple[str, ...]
    sha256: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for ``--json``."""
        return {
            "tables": [
                {
                    "name": table.name,
                    "dataset": table.info.dataset,
                    "space": table.info.space,
                    "architectures": len(table.codes),
                    "trainings": _trainings(table),
                    "replicates": int(table.curves["valid_error"].shape[1]),
                    "epochs": list(table.epochs),
                    "scalars": sorted(table.scalars),
                }
                for table in self.tables
            ],
            "rows": self.rows,
            "empty_rows": self.empty_rows,
            "doubled": self.doubled,
            "damaged": [{"line": line, "why": why} for line, why in self.damaged],
            "unused_columns": list(self.unused),
            "example": {"written": self.example[0], "read": self.example[1]},
            "curves": [
                {
                    "name": c.target,
                    "column": c.column,
                    "unit": c.unit,
                    "values": c.values,
                    "least": c.least,
                    "most": c.most,
                }
                for c in self.curves
            ],
            "cautions": list(self.cautions),
            "sha256": self.sha256,
        }


def read_mapped(
    path: Path,
    kind: Format,
    mapping: FileMapping,
    *,
    skip_damaged: bool = False,
    half_done: HalfDone | None = None,
    progress: Progress | None = None,
) -> Imported:
    """Read a file of rows under a mapping.

    Args:
        path: The file.
        kind: ``"csv"`` or ``"jsonl"``.
        mapping: What its columns mean.
        skip_damaged: Leave rows out that make no sense, and count them, instead of stopping at the first.
        half_done: Keeps what was gathered through a kill or Ctrl-C, and gives back what an earlier start
            gathered; whoever has written the tables removes it. None = nothing is kept.
        progress: Told (bytes read, bytes, what is going on).

    Raises:
        MissingExtra: No such file.
        FormatError: A damaged row (the message names its line), two rows that contradict each other, a mapped
            column that is nowhere, nothing to import, or numbers that cannot be right.
    """
    reader = RowReader(path, kind, delimiter=mapping.delimiter)
    collector, damaged = half_done.begin(reader, kind, mapping) if half_done else (Collector(mapping), [])
    if damaged and not skip_damaged:
        raise _damaged(path, *damaged[0])
    try:
        for number, row in enumerate(reader, start=1):
            try:
                collector.add(row)
            except DamagedRow as error:
                if not skip_damaged:
                    raise _damaged(path, row.line, str(error)) from None
                damaged.append((row.line, str(error)))
            if number % _NOTED_EVERY == 0:
                if progress is not None:
                    progress(reader.bytes_read, reader.size, "reading")
                if half_done is not None:
                    half_done.note(reader, collector, damaged)
    except KeyboardInterrupt:
        if half_done is not None:
            half_done.save(collector, damaged)
        raise
    if progress is not None:
        progress(reader.bytes_read, reader.size, "putting together")
    _require_columns(path, mapping, collector, damaged)
    tables, doubled = [], 0
    for dataset, batch in sorted(collector.batches.items()):
        info = replace(
            mapping.info,
            dataset=dataset or mapping.info.dataset,
            notes=_notes(mapping, reader, len(damaged)),
        )
        name = f"{mapping.name}-{_slug(dataset)}" if dataset else mapping.name
        data, again = assemble(batch, mapping, name=name, info=info, where=str(path))
        doubled += again
        tables.append(_checked(data, path))
    if len({table.name for table in tables}) != len(tables):
        raise FormatError(
            f"{path}: expected data sets whose names differ in letters and digits, got "
            f"{', '.join(sorted(collector.batches))}. Rename one."
        )
    return Imported(
        tables=tuple(tables),
        rows=collector.rows,
        empty_rows=collector.empty_rows,
        doubled=doubled,
        damaged=tuple(damaged),
        unused=tuple(collector.unused),
        example=collector.example or ("", ""),
        curves=tuple(_read(column, tables) for column in mapping.curves),
        cautions=tuple(_cautions(mapping, tables)),
        sha256=reader.sha256,
    )


def _damaged(path: Path, line: int, why: str) -> FormatError:
    return FormatError(
        f"{path}: line {line}: {why}. Correct the file, or leave such rows out and count them: "
        "--skip-damaged."
    )


def _require_columns(
    path: Path, mapping: FileMapping, collector: Collector, damaged: list[tuple[int, str]]
) -> None:
    """Refuse a file without rows, and a mapping whose columns are not in it."""
    if not collector.rows:
        why = f"; the first is line {damaged[0][0]}: {damaged[0][1]}" if damaged else ""
        raise FormatError(f"{path}: expected at least one whole row, got none{why}. Check file and mapping.")
    met = set(collector.used.values())
    for column in (*mapping.curves, *mapping.scalars):
        if column.target not in met:
            there = ", ".join([*collector.used, *collector.unused]) or "none besides"
            raise FormatError(
                f"{path}: expected a column {column.column!r} for {column.target}, got {there:.400}. Correct "
                f"the mapping: --map {column.target}=COLUMN."
            )


def _checked(data: TableData, path: Path) -> TableData:
    """Sort and check a table; refuse one that sells a split under two names."""
    try:
        table = checked_table(data)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None
    for finding in same_split(table):
        raise FormatError(f"{path}: {finding} Map the numbers once, as the split that they were measured on.")
    return table


def _notes(mapping: FileMapping, reader: RowReader, damaged: int) -> str:
    """Say in the table where its numbers stood."""
    columns = [f"{c.target} = {c.column!r} ({c.unit.text})" for c in (*mapping.curves, *mapping.scalars)]
    said = [f"Imported from {reader.path.name} (SHA-256 {reader.sha256}): {', '.join(columns)}."]
    shared = [c.target for c in mapping.curves if c.is_shared]
    if shared:
        said.append(f"One value of {', '.join(shared)} a row stands for all its trainings.")
    if damaged:
        said.append(f"{damaged} damaged rows were left out.")
    if not mapping.has_time:
        said.append("No training time was recorded: train_seconds counts epochs.")
    return " ".join([*([mapping.info.notes] if mapping.info.notes else []), *said])


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "unnamed"


def _trainings(table: TableData) -> int:
    recorded = ~np.isnan(table.curves["valid_error"]).all(axis=2)
    if table.failed is not None:
        recorded |= table.failed == 1
    return int(recorded.sum())


def _read(column: Column, tables: list[TableData]) -> CurveRead:
    found = [table.curves[column.target] for table in tables if column.target in table.curves]
    values = np.concatenate([curve[~np.isnan(curve)] for curve in found]) if found else np.empty(0)
    ends = (float(values.min()), float(values.max())) if len(values) else (float("nan"), float("nan"))
    return CurveRead(column.target, column.column, column.unit.text, len(values), *ends)


def _cautions(mapping: FileMapping, tables: list[TableData]) -> list[str]:
    """Say what is possible but seldom meant."""
    out = []
    for column in mapping.curves:
        read = _read(column, tables)
        far = read.least if column.unit.text.startswith("accuracy") else 1.0 - read.most
        if column.unit.text.endswith("percent") and read.values and far >= 0.99:
            out.append(
                f"{column.column}: no value above 1 %. Are these fractions? Then the unit is "
                f"'{column.unit.text.removesuffix(' percent')}'."
            )
    for table in tables:
        valid = table.curves["valid_error"]
        if valid.shape[1] < 2:
            continue
        first, second = valid[:, 0], valid[:, 1]
        pairs = ~np.isnan(first) & ~np.isnan(second)
        both = pairs.any(axis=1)
        equal = both & (~pairs | (first == second)).all(axis=1)
        if int(equal.sum()) > _COPIED * int(both.sum()):
            out.append(
                f"{table.name}: the first two repeats of {int(equal.sum()):,} of {int(both.sum()):,} "
                "architectures are equal. Was a missing repeat filled with another? Leave such values out."
            )
    return out


def require_new(path: Path, *, replace_it: bool) -> None:
    """Refuse to overwrite a file.

    Raises:
        BadOption: The file is there, or its folder is not.
    """
    if not path.parent.is_dir():
        raise BadOption(f"table: there is no folder {str(path.parent)!r}. Make it first.")
    if path.exists() and not replace_it:
        raise BadOption(f"table: {path} is there already. Give another name, or --replace.")


__all__ = ["CurveRead", "Imported", "read_mapped", "require_new"]
