"""Tables for other programs: CSV, a block of rows at a time, and Parquet where pyarrow is installed."""

from __future__ import annotations

import csv
import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, MissingExtra
from nasbench.store.data import Curve
from nasbench.store.table import Table

Layout = Literal["long", "wide"]

_BLOCK = 4_096


def export_csv(table: Table, target: str | Path | IO[str], *, layout: Layout = "long") -> None:
    """Write a table as CSV; numbers read back as they were, and what is not measured is empty.

    Args:
        table: The table.
        target: A file, written aside and renamed; or an open text stream.
        layout: ``"long"``: a row for each recorded (architecture, replicate, epochs) with every metric.
            ``"wide"``: a row an architecture, with its scalars and one column for each
            ``<metric>@<epochs>/<replicate>``.

    Raises:
        BadOption: No such layout.
    """
    if layout not in ("long", "wide"):
        raise BadOption(f"layout: expected 'long' or 'wide', got {layout!r}.")
    if not isinstance(target, str | Path):
        _write_csv(table, target, layout)
        return
    path = Path(target)
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with aside.open("w", newline="", encoding="utf-8") as stream:
            _write_csv(table, stream, layout)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def export_parquet(table: Table, target: str | Path) -> None:
    """Write the long layout as Parquet.

    Raises:
        MissingExtra: pyarrow is not installed.
    """
    try:
        arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise MissingExtra("Exporting Parquet needs pyarrow. Install it with: pip install pyarrow") from None
    path = Path(target)
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    fields = [("architecture", arrow.string()), ("replicate", arrow.int32()), ("epochs", arrow.int32())]
    types = {m: arrow.from_numpy_dtype(table.column(m).dtype) for m in table.metrics}
    schema = arrow.schema([*fields, *types.items()])
    try:
        with parquet.ParquetWriter(aside, schema) as writer:
            for texts, replicate, epochs, values in _long_blocks(table):
                columns = [arrow.array(texts), arrow.array(replicate), arrow.array(epochs)]
                columns += [arrow.array(column, from_pandas=True) for column in values]
                writer.write_table(
                    arrow.table([c.cast(f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)
                )
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _write_csv(table: Table, stream: IO[str], layout: Layout) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    if layout == "long":
        writer.writerow(["architecture", "replicate", "epochs", *table.metrics])
        for texts, replicate, epochs, values in _long_blocks(table):
            columns = [texts, replicate.tolist(), epochs.tolist(), *(_numbers(column) for column in values)]
            writer.writerows(zip(*columns, strict=True))
        return
    names = [f"{m}@{e}/{r}" for m in table.metrics for e in table.epochs for r in range(table.replicates)]
    writer.writerow(["architecture", *table.scalars, *names])
    for start in range(0, len(table), _BLOCK):
        rows = slice(start, start + _BLOCK)
        columns = [_texts(table, rows), *(_numbers(table.scalar(name)[rows]) for name in table.scalars)]
        for metric in table.metrics:
            block = table.column(metric)[rows].transpose(2, 1, 0).reshape(-1, len(columns[0]))
            columns += [_numbers(column) for column in block]
        writer.writerows(zip(*columns, strict=True))


def _long_blocks(
    table: Table,
) -> Iterator[tuple[list[str], npt.NDArray[np.int64], npt.NDArray[np.int64], list[Curve]]]:
    """Yield the recorded (architecture, replicate, epochs) of a block of rows, and each metric there."""
    epochs = np.array(table.epochs)
    for start in range(0, len(table), _BLOCK):
        rows = slice(start, start + _BLOCK)
        curves = [table.column(metric)[rows] for metric in table.metrics]
        recorded = np.any([~np.isnan(curve) for curve in curves], axis=0)
        row, replicate, epoch = np.nonzero(recorded)
        texts = _texts(table, rows)
        yield (
            [texts[i] for i in row.tolist()],
            replicate,
            epochs[epoch],
            [curve[recorded] for curve in curves],
        )


def _texts(table: Table, rows: slice) -> list[str]:
    return [table.space.format(tuple(code)) for code in table.codes[rows].tolist()]


def _numbers(values: npt.NDArray[np.generic]) -> list[str]:
    """Write numbers with the fewest digits that read back as the same value of their type."""
    return ["" if text == "nan" else text for text in values.astype("U32").tolist()]
