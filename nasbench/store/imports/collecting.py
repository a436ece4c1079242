"""Rows of a file gathered into columns under a mapping: checked one by one, kept as plain numbers.

What is kept is of the size of the table that will be written, never of the text it is read from.
"""

from __future__ import annotations

import functools
import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nasbench.errors import FormatError, NotInSpace
from nasbench.records import Code
from nasbench.store.imports.mapping import Column, FileMapping
from nasbench.store.imports.rows import Row

_CACHED = 1 << 16
_TRUE = frozenset({"1", "true", "yes", "failed", "crashed", "diverged"})
_FALSE = frozenset({"", "0", "false", "no", "ok", "null", "none"})
_LARGEST_EPOCH = 2**31 - 1
_LARGEST_REPLICATE = 2**62

Place = tuple[int, int]
"""(replicate, epochs) of one value."""


class DamagedRow(FormatError):
    """A row that cannot be taken in; the importer adds the file and the line, or counts it."""


@dataclass(slots=True)
class Batch:
    """The rows of one data set in columns; entry i of each belongs to one (architecture, replicate, epochs).

    Attributes:
        length: Decisions of the space.
        codes: Architectures, ``length`` values each.
        replicates: Repeats as the file counts them.
        epochs: Training lengths.
        lines: Lines of the file.
        failed: 1 where the training failed.
        curves: Values by curve; nan = not measured.
        scalars: Values by scalar, one a row of the file; nan = not measured.
        scalar_codes: Architectures of those rows.
        scalar_lines: Their lines.
    """

    length: int
    codes: array[int] = field(default_factory=lambda: array("b"))
    replicates: array[int] = field(default_factory=lambda: array("q"))
    epochs: array[int] = field(default_factory=lambda: array("i"))
    lines: array[int] = field(default_factory=lambda: array("q"))
    failed: array[int] = field(default_factory=lambda: array("b"))
    curves: dict[str, array[float]] = field(default_factory=dict)
    scalars: dict[str, array[float]] = field(default_factory=dict)
    scalar_codes: array[int] = field(default_factory=lambda: array("b"))
    scalar_lines: array[int] = field(default_factory=lambda: array("q"))


class Collector:
    """Takes rows in.

    Args:
        mapping: What the columns mean.

    Attributes:
        batches: What was gathered, by data set (``""`` where no column says one).
        rows: Rows that were taken in.
        empty_rows: Rows of these without any number.
        used: Columns that were met and are mapped.
        unused: Columns that were met and are not.
        example: The first architecture as it was written and as it was read, or None.
    """

    def __init__(self, mapping: FileMapping) -> None:
        self._mapping = mapping
        self.batches: dict[str, Batch] = {}
        self.rows = self.empty_rows = 0
        self.used: dict[str, str] = {}
        self.unused: dict[str, None] = {}
        self.example: tuple[str, str] | None = None
        self._matchers = [(curve, curve.matcher()) for curve in mapping.curves]
        self._scalars = {scalar.column: scalar for scalar in mapping.scalars}
        self._resolved: dict[str, tuple[Column, int | None, int | None] | None] = {}
        roles = (*mapping.architecture, mapping.replicate, mapping.epoch, mapping.dataset, mapping.failed)
        self._roles = {name for name in roles if name}
        self._parsed = functools.lru_cache(maxsize=_CACHED)(self._parse)
        self._limits = [len(decision.choices) for decision in mapping.space.decisions]

    def add(self, row: Row) -> None:
        """Take one row in, whole or not at all.

        Raises:
            DamagedRow: It does not make sense; the message says why.
        """
        if row.damage:
            raise DamagedRow(row.damage)
        mapping, cells = self._mapping, row.cells
        code, written = self._architecture(cells)
        replicate = self._whole(cells, mapping.replicate, least=0, most=_LARGEST_REPLICATE)
        epoch = self._whole(cells, mapping.epoch, least=1, most=_LARGEST_EPOCH)
        dataset = self._needed(cells, mapping.dataset) if mapping.dataset else ""
        failed = self._failed(cells)
        values, shared = self._values(
            cells,
            0 if replicate is None else replicate,
            mapping.epochs if epoch is None else epoch,
        )
        if failed and not values:
            last = mapping.epochs if epoch is None else epoch
            if last is None:
                raise DamagedRow("expected the epochs of a failed training, got none")
            values[0 if replicate is None else replicate, last] = {}
        scalars = self._scalar_values(cells)
        for place, found in values.items():
            for curve, value in shared:
                found.setdefault(curve.target, self._converted(curve, value, place[1]))
        if self.example is None:
            self.example = written, mapping.space.format(code)
        self.rows += 1
        self.empty_rows += not values and not scalars
        self._keep(self.batch(dataset), row.line, code, values, failed, scalars)

    def batch(self, dataset: str) -> Batch:
        """Return what is gathered of a data set, a new one where there is nothing yet."""
        if dataset not in self.batches:
            batch = Batch(len(self._limits))
            batch.curves = {curve.target: array("f") for curve in self._mapping.curves}
            batch.scalars = {scalar.target: array("d") for scalar in self._mapping.scalars}
            self.batches[dataset] = batch
        return self.batches[dataset]

    @staticmethod
    def _keep(
        batch: Batch,
        line: int,
        code: Code,
        values: Mapping[Place, Mapping[str, float]],
        failed: bool,
        scalars: Mapping[str, float],
    ) -> None:
        for (replicate, epoch), found in values.items():
            batch.codes.extend(code)
            batch.replicates.append(replicate)
            batch.epochs.append(epoch)
            batch.lines.append(line)
            batch.failed.append(failed)
            for target, column in batch.curves.items():
                column.append(found.get(target, math.nan))
        if scalars:
            batch.scalar_codes.extend(code)
            batch.scalar_lines.append(line)
            for target, column in batch.scalars.items():
                column.append(scalars.get(target, math.nan))

    # Cells --------------------------------------------------------------------------------------

    def _architecture(self, cells: Mapping[str, Any]) -> tuple[Code, str]:
        texts = tuple(self._needed(cells, name) for name in self._mapping.architecture)
        try:
            return self._parsed(texts), " ".join(texts)
        except NotInSpace as error:
            raise DamagedRow(str(error).removesuffix(".")) from None

    def _parse(self, texts: tuple[str, ...]) -> Code:
        space = self._mapping.space
        if len(texts) == 1:
            return space.parse(texts[0])
        if len(texts) != len(space.decisions):
            raise NotInSpace(
                f"architecture: expected {len(space.decisions)} columns, one a decision of space "
                f"{space.name}, got {len(texts)}."
            )
        values = []
        for text, decision in zip(texts, space.decisions, strict=True):
            if text not in decision.choices:
                raise NotInSpace(
                    f"architecture: decision {decision.name!r} of space {space.name} takes "
                    f"{', '.join(decision.choices)}, got {text!r}."
                )
            values.append(decision.choices.index(text))
        return space.check(values)

    def _needed(self, cells: Mapping[str, Any], name: str) -> str:
        """Return a cell that every row must have, as text."""
        if name not in cells:
            raise DamagedRow(f"{name}: expected this column, got none")
        value = cells[name]
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        text = "" if value is None else str(value).strip()
        if not text:
            raise DamagedRow(f"{name}: expected a text, got an empty cell")
        return text

    def _number(self, name: str, value: Any) -> float:
        """Read one cell as a number; nan = nothing was measured."""
        if value is None or (isinstance(value, str) and value.strip().lower() in self._mapping.missing):
            return math.nan
        if isinstance(value, bool):
            raise DamagedRow(f"{name}: expected a number, got {value}")
        if isinstance(value, str) and "_" in value:  # Python reads 1_000, nobody else does
            raise DamagedRow(f"{name}: expected a number, got {value!r}")
        try:
            number = float(value)
        except (ValueError, OverflowError):
            raise DamagedRow(f"{name}: expected a number, got {value!r}") from None
        if str(int(number) if number.is_integer() else number) in self._mapping.missing:
            return math.nan
        if not math.isfinite(number):
            raise DamagedRow(f"{name}: expected a finite number, got {value!r}")
        return number

    def _whole(self, cells: Mapping[str, Any], name: str, *, least: int, most: int) -> int | None:
        if not name:
            return None
        number = self._number(name, self._needed(cells, name))
        if not least <= number <= most or number != int(number):
            raise DamagedRow(f"{name}: expected a whole number >= {least}, got {cells[name]!r}")
        return int(number)

    def _failed(self, cells: Mapping[str, Any]) -> bool:
        name = self._mapping.failed
        if not name:
            return False
        if name not in cells:
            raise DamagedRow(f"{name}: expected this column, got none")
        text = "" if cells[name] is None else str(cells[name]).strip().lower()
        if text not in _TRUE | _FALSE:
            raise DamagedRow(f"{name}: expected one of true, false, failed, ok, 1, 0, got {cells[name]!r}")
        return text in _TRUE

    # Values -------------------------------------------------------------------------------------

    def _values(
        self, cells: Mapping[str, Any], replicate: int, epoch: int | None
    ) -> tuple[dict[Place, dict[str, float]], list[tuple[Column, float]]]:
        """Read the curves of a row: by place, and those that stand for every training of the row."""
        values: dict[Place, dict[str, float]] = {}
        shared: list[tuple[Column, float]] = []
        for name, cell in cells.items():
            resolved = self._resolve(name)
            if resolved is None:
                continue
            curve, named_replicate, named_epoch = resolved
            number = self._number(name, cell)
            if math.isnan(number):
                continue
            if curve.is_shared:
                shared.append((curve, number))
                continue
            at = epoch if named_epoch is None else named_epoch
            if at is None:
                raise DamagedRow(f"{name}: expected to know its epochs, got none")
            place = (replicate if named_replicate is None else named_replicate, at)
            found = values.setdefault(place, {})
            if curve.target in found:
                raise DamagedRow(f"{name}: expected {curve.target} of one training once, got it twice")
            found[curve.target] = self._converted(curve, number, at)
        return values, shared

    def _converted(self, curve: Column, number: float, epoch: int) -> float:
        value = curve.unit.convert(number * epoch if curve.unit.is_an_epoch else number)
        name = curve.column
        if curve.target.endswith("_error") and not 0.0 <= value <= 1.0:
            wanted = "from 0 to 100" if curve.unit.text.endswith("percent") else "from 0 to 1"
            raise DamagedRow(f"{name}: expected {curve.unit.text} {wanted}, got {number:g}")
        if curve.target.endswith("_seconds") and value <= 0.0:
            raise DamagedRow(f"{name}: expected {curve.unit.text} > 0, got {number:g}")
        return value

    def _scalar_values(self, cells: Mapping[str, Any]) -> dict[str, float]:
        found: dict[str, float] = {}
        for name, scalar in self._scalars.items():
            number = self._number(name, cells.get(name))
            if not math.isnan(number):
                found[scalar.target] = scalar.unit.convert(number)
        return found

    def _resolve(self, name: str) -> tuple[Column, int | None, int | None] | None:
        """Find what curve a column belongs to, and which replicate and epochs its name says."""
        if name in self._resolved:
            return self._resolved[name]
        found: tuple[Column, int | None, int | None] | None = None
        for curve, matcher in self._matchers:
            match = matcher.fullmatch(name)
            if match is None:
                continue
            groups = match.groupdict()
            places = [
                None if groups.get(place) is None else int(groups[place]) + curve.shift(place)
                for place in ("replicate", "epoch")
            ]
            if places[1] is None or places[1] >= 1:
                found = curve, places[0], places[1]
                self.used[name] = curve.target
        if found is None and name in self._scalars:
            self.used[name] = self._scalars[name].target
        elif found is None and name not in self._roles:
            self.unused[name] = None
        self._resolved[name] = found
        return found
