"""A table: recorded trainings of one space on one data set, mapped into memory and asked by row.

A table knows results and never a clock: what a repeated or stopped training costs is not its affair.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, NotMeasured
from nasbench.records import Code, Measurement, Measurements
from nasbench.store.content import Entry
from nasbench.store.files import attributes, choose, entries, open_file
from nasbench.store.index import ARRAY_LIMIT, RowIndex
from nasbench.store.stored import StoredTable

Column = npt.NDArray[np.float64]
_Cells = tuple[list[float | None], list[float | None], list[float]]

_LISTED = 100_000  # rows up to which a table is kept as lists once it is asked
_HINT_EPOCHS = "Use one of these."


def open_table(path: str | Path, name: str | None = None) -> Table:
    """Open one table of a file by memory map; nothing is read but its attributes and small arrays.

    The content hash is taken from the file as it stands; ``nasbench.store.verify`` recomputes it.

    Args:
        path: The file.
        name: Name of the table; needed only where the file holds several.

    Raises:
        MissingExtra: No such file.
        FormatError: Not a whole table file; the message names file and field.
        UnknownName: The file holds no table of that name, or several and none was named.
    """
    file_path = Path(path)
    with open_file(file_path) as file:
        chosen = choose(file_path, tuple(sorted(file)), name)
        group = file[chosen]
        return Table(chosen, file_path, attributes(file_path, group), entries(file_path, group))


class Table(StoredTable):
    """One table, asked by architecture.

    Every look-up it has made ready is kept, so the second question of a kind is answered from plain lists
    and columns. Single questions to a table of more than 100,000 rows are answered from the mapped file, and
    nothing is kept. Attributes: see ``StoredTable``.
    """

    def __init__(
        self, name: str, path: Path, attribute_by_name: dict[str, str], entry_by_path: dict[str, Entry]
    ) -> None:
        super().__init__(name, path, attribute_by_name, entry_by_path)
        self._epoch_index = {epoch: i for i, epoch in enumerate(self.epochs)}
        self._row_by_code: dict[Code, int] = {}
        self._cells: dict[tuple[int, int], _Cells] = {}
        self._columns: dict[tuple[str, int, int], Column] = {}
        self._complete: set[tuple[str, int, int]] = set()
        self._means: dict[tuple[str, int], Column] = {}
        self._is_large = len(self) > _LISTED

    # From architectures to rows -----------------------------------------------------------------

    @cached_property
    def _index(self) -> RowIndex:
        return RowIndex(self.space, self.codes, by_class=self.info.rows_answer_for == "class")

    def rows_of_space(self) -> npt.NDArray[np.int64] | None:
        """Return the row that answers for each architecture of the space, in lexicographic order.

        None where the space is unbounded or beyond four million codes, or the table does not answer for all.
        """
        if self.space.size is None or self.space.size > ARRAY_LIMIT:
            return None
        rows = np.concatenate([self._index.rows(codes) for codes in self.space.enumerate()])
        return None if rows.min() < 0 else rows

    def row(self, code: Sequence[int]) -> int:
        """Return the row of one architecture.

        Raises:
            NotInSpace: Not an architecture of the table's space.
            NotMeasured: The table does not hold it.
        """
        try:
            return self._row_by_code[code]  # type: ignore[index]  # whatever else it is, it is asked below
        except (KeyError, TypeError):
            checked = self.space.check(code)
        row = self._index.row(checked)
        if row < 0:
            self._refuse_architecture(checked)
        self._row_by_code[checked] = row
        return row

    def rows(self, codes: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return the rows of (n, L) architectures, (n,).

        Raises:
            NotInSpace: One of them does not belong to the table's space.
            NotMeasured: The table does not hold one of them; the message names the first.
        """
        rows = self._index.rows(codes)
        if len(rows) and rows.min() < 0:
            self._refuse_architecture(tuple(np.asarray(codes)[int(np.argmin(rows))].tolist()))
        return rows

    def _refuse_architecture(self, code: Code) -> NoReturn:
        size = f" of the {self.most_rows:,}" if self.most_rows is not None else ""
        raise NotMeasured(
            f"architecture: table {self.name} holds {len(self):,}{size} architectures of space "
            f"{self.space.name}, got {self.space.format(code)}, which is not one of them. Use one that it "
            "holds, or train it: --source live:DATA."
        )

    # Repeats ------------------------------------------------------------------------------------

    def replicate_counts(
        self, metric: str = "valid_error", epochs: int | None = None
    ) -> npt.NDArray[np.int64]:
        """Count the recorded repeats of every architecture, (n,).

        A training that failed is recorded too: it answers, with its cost and without an error.

        Args:
            metric: A curve.
            epochs: Training length; None = the longest.

        Raises:
            NotMeasured: No such curve or training length.
        """
        column = self.column(metric)
        recorded = ~np.isnan(column[:, :, self._epoch(self.epochs[-1] if epochs is None else epochs)])
        if self.failed is not None:
            recorded |= self.failed == 1
        counts: npt.NDArray[np.int64] = recorded.sum(axis=1)
        return counts

    @cached_property
    def _counts(self) -> list[int]:
        counts: list[int] = self.replicate_counts().tolist()
        return counts

    def replicates_of(self, row: int) -> int:
        """Count the recorded repeats of one row at the longest training length."""
        return self._counts[row]

    # Answers ------------------------------------------------------------------------------------

    def query(self, code: Code, *, epochs: int, replicate: int) -> Measurement:
        """Return one recorded training: validation, test and seconds of the same repeat.

        Raises:
            NotInSpace: Not an architecture of the table's space.
            NotMeasured: The table has no such architecture, training length or repeat.
        """
        if self._is_large:
            return self._read(self.row(code), epochs, replicate)
        try:
            valid, test, seconds = self._cells[epochs, replicate]
            row = self._row_by_code[code]
        except (KeyError, TypeError):
            valid, test, seconds = self._warm_cells(epochs, replicate)
            row = self.row(code)
        error = valid[row]
        if error is None:
            return self._failure(row, epochs, replicate, seconds[row])
        return Measurement(error, test[row], seconds[row])

    def _read(self, row: int, epochs: int, replicate: int) -> Measurement:
        """Read one training from the mapped file; slower than a list, and nothing is held in memory."""
        epoch = self._epoch(epochs)
        if not 0 <= replicate < self.replicates:
            self._refuse_replicate(None, epochs, replicate)
        error = float(self._curves["valid_error"][row, replicate, epoch])
        seconds = float(self._curves["train_seconds"][row, replicate, epoch])
        if math.isnan(error):
            return self._failure(row, epochs, replicate, seconds)
        test = math.nan
        if "test_error" in self._curves:
            test = float(self._curves["test_error"][row, replicate, epoch])
        return Measurement(error, None if math.isnan(test) else test, seconds)

    def _warm_cells(self, epochs: int, replicate: int) -> _Cells:
        """Turn one (epochs, replicate) into Python lists: indexing them is the fastest look-up there is."""
        key = epochs, replicate
        if key not in self._cells:
            none: list[float | None] = [None] * len(self)
            valid, seconds = (self._column(m, epochs, replicate) for m in ("valid_error", "train_seconds"))
            test = self._column("test_error", epochs, replicate) if self.has("test_error") else None
            self._cells[key] = _optional(valid), none if test is None else _optional(test), seconds.tolist()
        return self._cells[key]

    def _failure(self, row: int, epochs: int, replicate: int, seconds: float) -> Measurement:
        """Answer for a cell without a validation error: the training failed, or there was none."""
        if self.failed is None or self.failed[row, replicate] != 1:
            self._refuse_replicate(row, epochs, replicate)
        return Measurement(None, None, seconds, "failed", f"recorded as failed in table {self.name}")

    def lookup(self, codes: npt.ArrayLike, *, epochs: int, replicate: int) -> Measurements:
        """Return recorded trainings of (n, L) architectures; equal to ``query`` one by one, in order.

        Raises:
            NotInSpace: One of them does not belong to the table's space.
            NotMeasured: As ``query``, for any of them.
        """
        rows = self.rows(codes)
        valid = self.values(rows, "valid_error", epochs=epochs, replicate=replicate)
        seconds = self._column("train_seconds", epochs, replicate)[rows]
        if self.has("test_error"):
            test = self._column("test_error", epochs, replicate)[rows]
        else:
            test = np.full(len(rows), np.nan)
        test[np.isnan(valid)] = np.nan
        return Measurements(valid, test, seconds)

    def values(self, architectures: npt.ArrayLike, metric: str, *, epochs: int, replicate: int) -> Column:
        """Return one metric of many trainings, (n,); nan only where the training is recorded as failed.

        Args:
            architectures: (n, L) codes, or (n,) rows as ``rows`` returns them.
            metric: A curve.
            epochs: Training length.
            replicate: Training repeat.

        Raises:
            BadOption: Neither codes nor rows, or a row that is not in the table.
            NotInSpace: A code does not belong to the table's space.
            NotMeasured: No such curve, architecture, training length or repeat.
        """
        array = np.asarray(architectures)
        if array.ndim == 1 and array.dtype.kind in "iu":
            rows = array
            if len(rows) and (rows.min() < 0 or rows.max() >= len(self)):
                raise BadOption(
                    f"architectures: expected rows 0 to {len(self) - 1} of table {self.name}, got "
                    f"{rows.min()} to {rows.max()}. Get them from Table.rows."
                )
        elif array.ndim == 2:
            rows = self.rows(array)
        else:
            raise BadOption(
                f"architectures: expected (n, L) codes or (n,) rows, got {array.dtype} of shape "
                f"{array.shape}."
            )
        out = self._column(metric, epochs, replicate).take(rows)
        if (metric, epochs, replicate) not in self._complete:
            missing = np.isnan(out)
            if self.failed is not None:
                missing &= self.failed[rows, replicate] != 1
            if missing.any():
                self._refuse_replicate(int(rows[int(np.argmax(missing))]), epochs, replicate, metric=metric)
        return out

    def mean(self, metric: str, epochs: int | None = None) -> Column:
        """Return the mean of a metric over the recorded repeats of every architecture, (n,); nan = none.

        Args:
            metric: A curve.
            epochs: Training length; None = the longest.

        Raises:
            NotMeasured: No such curve or training length.
        """
        length = self.epochs[-1] if epochs is None else epochs
        if (metric, length) not in self._means:
            values = self.column(metric)[:, :, self._epoch(length)].astype(np.float64)
            recorded = ~np.isnan(values)
            counts = recorded.sum(axis=1)
            sums = np.where(recorded, values, 0.0).sum(axis=1)
            mean = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
            mean.setflags(write=False)
            self._means[metric, length] = mean
        return self._means[metric, length]

    def _column(self, metric: str, epochs: int, replicate: int) -> Column:
        """Return one metric of every row at (epochs, replicate), (n,), kept once asked for."""
        key = metric, epochs, replicate
        if key not in self._columns:
            curve = self.column(metric)
            epoch = self._epoch(epochs)
            if not 0 <= replicate < self.replicates:
                self._refuse_replicate(None, epochs, replicate)
            column = curve[:, replicate, epoch].astype(np.float64)
            if not np.isnan(column).any():
                self._complete.add(key)
            self._columns[key] = column
        return self._columns[key]

    def _epoch(self, epochs: int) -> int:
        try:
            return self._epoch_index[epochs]
        except (KeyError, TypeError):
            raise NotMeasured(
                f"epochs: table {self.name} holds {listed(self.epochs)}, got {epochs}. {_HINT_EPOCHS}"
            ) from None

    def _refuse_replicate(
        self, row: int | None, epochs: int, replicate: int, *, metric: str = "valid_error"
    ) -> NoReturn:
        if row is None:
            holder, there = f"table {self.name} holds", list(range(self.replicates))
        else:
            cells = self.column(metric)[row, :, self._epoch(epochs)]
            text = self.space.format(tuple(self.codes[row].tolist()))
            holder = f"table {self.name} holds {metric} of {text} at {epochs} epochs for"
            there = np.flatnonzero(~np.isnan(cells)).tolist()
        raise NotMeasured(
            f"replicate: {holder} {listed(there) or 'none'}, got {replicate}. Use one that is there."
        )


def _optional(column: Column) -> list[float | None]:
    """List a column with None for nan."""
    out: list[float | None] = column.tolist()
    for row in np.flatnonzero(np.isnan(column)).tolist():
        out[row] = None
    return out


def listed(numbers: Sequence[int]) -> str:
    """Write numbers for a person: ``12 and 200``; long runs as ``1 to 200``."""
    if len(numbers) > 6 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]} to {numbers[-1]}"
    *most, last = map(str, numbers) if numbers else ("",)
    return f"{', '.join(most)} and {last}" if most else last
