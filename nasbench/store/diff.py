"""What differs between two tables of one space: attributes, architectures, cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.store.table import Table

_NOT_COMPARED = ("content_hash", "created_by")


@dataclass(frozen=True, slots=True)
class CellDifference:
    """How one curve or scalar differs over the architectures and epochs that both tables hold.

    Attributes:
        changed: Cells recorded in both with other values.
        max_abs: Largest absolute difference among them; 0 where none changed.
        only_a: Cells recorded in the first table only.
        only_b: Cells recorded in the second table only.
    """

    changed: int
    max_abs: float
    only_a: int
    only_b: int

    def __bool__(self) -> bool:
        return bool(self.changed or self.only_a or self.only_b)


@dataclass(frozen=True, slots=True)
class TableDifference:
    """What differs; empty parts are equal.

    Attributes:
        attributes: (first, second) value of each attribute that differs.
        only_a: Architectures in the first table only, in the space's notation.
        only_b: Architectures in the second table only.
        epochs_only_a: Training lengths in the first table only.
        epochs_only_b: Training lengths in the second table only.
        cells: Difference of each curve (``curves/...``), scalar (``scalars/...``) and of ``failed``.
    """

    attributes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    only_a: tuple[str, ...] = ()
    only_b: tuple[str, ...] = ()
    epochs_only_a: tuple[int, ...] = ()
    epochs_only_b: tuple[int, ...] = ()
    cells: Mapping[str, CellDifference] = field(default_factory=dict)

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return not any(getattr(self, part.name) for part in fields(self))


def diff_tables(a: Table, b: Table) -> TableDifference:
    """Compare two tables cell by cell.

    A curve or scalar that only one table has counts with all its recorded cells. Provenance is not compared:
    it says how numbers came about, not what they are.

    Raises:
        BadOption: The tables are of different spaces.
    """
    if a.space.name != b.space.name:
        raise BadOption(
            f"tables: expected two of one space, got {a.name} of {a.space.name} and {b.name} of "
            f"{b.space.name}."
        )
    row_a = {code.tobytes(): row for row, code in enumerate(a.codes)}
    row_b = {code.tobytes(): row for row, code in enumerate(b.codes)}
    shared = [(row, row_b[key]) for key, row in row_a.items() if key in row_b]
    rows_a = np.array([pair[0] for pair in shared], dtype=np.int64)
    rows_b = np.array([pair[1] for pair in shared], dtype=np.int64)
    epochs = sorted(set(a.epochs) & set(b.epochs))
    replicates = max(a.replicates, b.replicates)
    pairs = {}
    for metric in sorted({*a.metrics, *b.metrics}):
        first = _cells(a, metric, rows_a, epochs, replicates)
        pairs[f"curves/{metric}"] = first, _cells(b, metric, rows_b, epochs, replicates)
    for name in sorted({*a.scalars, *b.scalars}):
        pairs[f"scalars/{name}"] = _scalar(a, name, rows_a), _scalar(b, name, rows_b)
    pairs["failed"] = _failed(a, rows_a, replicates), _failed(b, rows_b, replicates)
    cells = {key: _compare(*pair) for key, pair in pairs.items()}
    return TableDifference(
        attributes={
            part.name: (getattr(a.info, part.name), getattr(b.info, part.name))
            for part in fields(a.info)
            if part.name not in _NOT_COMPARED and getattr(a.info, part.name) != getattr(b.info, part.name)
        },
        only_a=tuple(
            a.space.format(tuple(a.codes[row].tolist())) for k, row in row_a.items() if k not in row_b
        ),
        only_b=tuple(
            b.space.format(tuple(b.codes[row].tolist())) for k, row in row_b.items() if k not in row_a
        ),
        epochs_only_a=tuple(sorted(set(a.epochs) - set(b.epochs))),
        epochs_only_b=tuple(sorted(set(b.epochs) - set(a.epochs))),
        cells={key: difference for key, difference in cells.items() if difference},
    )


def _cells(
    table: Table, metric: str, rows: npt.NDArray[np.int64], epochs: list[int], replicates: int
) -> npt.NDArray[np.float64]:
    """Take a curve at the shared rows and epochs, padded with nan to the larger number of repeats."""
    out = np.full((len(rows), replicates, len(epochs)), np.nan)
    if table.has(metric) and epochs:
        places = [table.epochs.index(epoch) for epoch in epochs]
        out[:, : table.replicates] = table.column(metric)[rows][:, :, places]
    return out


def _scalar(table: Table, name: str, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    if name not in table.scalars:
        return np.full(len(rows), np.nan)
    return table.scalar(name)[rows].astype(np.float64)


def _failed(table: Table, rows: npt.NDArray[np.int64], replicates: int) -> npt.NDArray[np.float64]:
    out = np.zeros((len(rows), replicates))
    failed = table.failed
    if failed is not None:
        out[:, : table.replicates] = failed[rows]
    return out


def _compare(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> CellDifference:
    in_a, in_b = ~np.isnan(a), ~np.isnan(b)
    gap = np.abs(a - b)[in_a & in_b]
    return CellDifference(
        int((gap > 0).sum()),
        float(gap.max(initial=0.0)),
        int((in_a & ~in_b).sum()),
        int((in_b & ~in_a).sum()),
    )
