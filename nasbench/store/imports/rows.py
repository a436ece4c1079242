"""Rows of CSV and JSON-lines files, one at a time: nothing of the file is kept but a running checksum."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from nasbench.errors import FormatError, MissingExtra
from nasbench.store.imports.lines import Begun, Lines, Mark

Format = Literal["csv", "jsonl"]

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        line: Line of the file it ends in, from 1.
        cells: Value by column: text of a CSV file; text, numbers, true, false or None of a JSON one, whose
            lists and objects are taken apart into ``name[0]`` and ``name.inner``.
        damage: Why it cannot be read, or ``""``.
    """

    line: int
    cells: dict[str, Any] = field(default_factory=dict)
    damage: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reading stands: behind one row, before the next.

    Attributes:
        mark: The place in the file.
        line: Lines of the file up to there.
    """

    mark: Mark
    line: int


class RowReader:
    """Reads a file once, row by row.

    Args:
        path: The file; UTF-8, with or without a byte-order mark.
        kind: ``"csv"`` (the first row names the columns) or ``"jsonl"`` (one object a line).
        delimiter: Between the cells of a CSV file.

    Attributes:
        path: The file.
        size: Its bytes.
        line: Line in which the last row ended.

    Raises:
        MissingExtra: No such file.
    """

    def __init__(self, path: Path, kind: Format, *, delimiter: str = ",") -> None:
        self.path = path
        self._kind = kind
        self._delimiter = delimiter
        self._lines = self._new_lines()
        self.line = 0
        try:
            self.size = path.stat().st_size
        except FileNotFoundError:
            raise MissingExtra(
                f"path: expected a file of results, got {str(path)!r}, which is not there. Correct the path."
            ) from None

    def _new_lines(self) -> Lines:
        return Lines(self.path, bare_returns=self._kind == "csv")

    def skip(self, begun: Begun, line: int) -> bool:
        """Go to where an earlier reading stood; False, and nothing done, if the file differs before it."""
        if not self._lines.skip(begun):
            return False
        self.line = line
        return True

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows that are left; damaged ones with what is wrong.

        Raises:
            FormatError: A CSV file has no header, or one that names a column twice.
        """
        for row in self._csv() if self._kind == "csv" else self._json():
            self.line = row.line
            yield row

    @property
    def bytes_read(self) -> int:
        """How far the file was read."""
        return self._lines.position

    @property
    def place(self) -> Place:
        """Where the reading stands."""
        return Place(self._lines.mark(), self.line)

    @property
    def sha256(self) -> str:
        """SHA-256 of what was read; of the whole file once it was read to its end."""
        return self._lines.mark().begun().sha256

    def _csv(self) -> Iterator[Row]:
        reader = csv.reader(_texts(self._lines), delimiter=self._delimiter, strict=True)
        before = self.line
        if before:
            first = csv.reader(_texts(self._new_lines()), delimiter=self._delimiter, strict=True)
            header = self._header(first)
        else:
            header = self._header(reader)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(before + reader.line_num, damage=f"expected CSV, got {error}")
                continue
            if not cells:
                continue
            line = before + reader.line_num
            if len(cells) != len(header):
                yield Row(line, damage=f"expected {len(header)} cells as in the header, got {len(cells)}")
            else:
                yield Row(line, dict(zip(header, cells, strict=True)))

    def _header(self, reader: Iterator[list[str]]) -> list[str]:
        try:
            header = [name.strip() for name in next(reader)]
        except (StopIteration, csv.Error) as error:
            raise FormatError(
                f"{self.path}: line 1: expected the names of the columns, got {str(error) or 'nothing'}. "
                "Put them into the first row."
            ) from None
        if len(set(header)) != len(header):
            twice = next(name for name in header if header.count(name) > 1)
            raise FormatError(
                f"{self.path}: line 1: expected each column once, got {twice!r} again. Rename one."
            )
        return header

    def _json(self) -> Iterator[Row]:
        for line, data in enumerate(self._lines, start=self.line + 1):
            text = data.removeprefix(_BOM).strip()
            if not text:
                continue
            try:
                value = json.loads(text, parse_constant=_constant)
            except (ValueError, RecursionError) as error:
                yield Row(line, damage=f"expected a JSON object, got {type(error).__name__}: {error}")
                continue
            if not isinstance(value, dict):
                yield Row(line, damage=f"expected a JSON object, got {type(value).__name__}")
                continue
            cells: dict[str, Any] = {}
            _take_apart("", value, cells)
            yield Row(line, cells)


def _texts(lines: Lines) -> Iterator[str]:
    """Decode lines; bytes that are no UTF-8 stay what they are."""
    is_first = lines.position == 0
    for line in lines:
        data = line.removeprefix(_BOM) if is_first else line
        is_first = False
        if data:
            yield data.decode("utf-8", "surrogateescape")


def _constant(name: str) -> float | None:
    """Read the names that Python's writer has for what is no number: NaN as missing, infinity as itself."""
    return None if name == "NaN" else float(name)


def _take_apart(name: str, value: Any, cells: dict[str, Any]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _take_apart(f"{name}.{key}" if name else key, inner, cells)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            _take_apart(f"{name}[{i}]", inner, cells)
    else:
        cells[name] = value
