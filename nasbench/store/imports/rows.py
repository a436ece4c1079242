"""Rows of CSV and JSON-lines files, one at a time: nothing of the file is kept but a running checksum."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from nasbench.errors import FormatError, MissingExtra

Format = Literal["csv", "jsonl"]

_CHUNK = 1 << 20


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


class RowReader:
    """Reads a file once, row by row.

    Args:
        path: The file; UTF-8, with or without a byte-order mark.
        kind: ``"csv"`` (the first row names the columns) or ``"jsonl"`` (one object a line).
        delimiter: Between the cells of a CSV file.

    Attributes:
        path: The file.
        size: Its bytes.
        bytes_read: How far it was read.

    Raises:
        MissingExtra: No such file.
    """

    def __init__(self, path: Path, kind: Format, *, delimiter: str = ",") -> None:
        self.path = path
        self._kind = kind
        self._delimiter = delimiter
        self._digest = hashlib.sha256()
        self.bytes_read = 0
        try:
            self.size = path.stat().st_size
        except FileNotFoundError:
            raise MissingExtra(
                f"path: expected a file of results, got {str(path)!r}, which is not there. Correct the path."
            ) from None

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows; damaged ones with what is wrong.

        Raises:
            FormatError: A CSV file has no header, or one that names a column twice.
        """
        with self.path.open("rb", buffering=0) as raw:
            stream: Any = io.BufferedReader(_Watched(raw, self), _CHUNK)
            yield from self._csv(stream) if self._kind == "csv" else _json_rows(stream)

    @property
    def sha256(self) -> str:
        """SHA-256 of what was read; of the whole file once it was read to its end."""
        return self._digest.hexdigest()

    def saw(self, data: bytes | memoryview) -> None:
        """Take note of bytes that were read."""
        self._digest.update(data)
        self.bytes_read += len(data)

    def _csv(self, stream: IO[bytes]) -> Iterator[Row]:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        reader = csv.reader(text, delimiter=self._delimiter, strict=True)
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
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(reader.line_num, damage=f"expected CSV, got {error}")
                continue
            if not cells:
                continue
            if len(cells) != len(header):
                yield Row(
                    reader.line_num,
                    damage=f"expected {len(header)} cells as in the header, got {len(cells)}",
                )
            else:
                yield Row(reader.line_num, dict(zip(header, cells, strict=True)))


class _Watched(io.RawIOBase):
    """A raw file that tells a reader what went through it."""

    def __init__(self, raw: io.RawIOBase | io.FileIO, reader: RowReader) -> None:
        self._raw = raw
        self._reader = reader

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        n = self._raw.readinto(buffer) or 0
        self._reader.saw(memoryview(buffer)[:n])
        return n


def _json_rows(stream: IO[bytes]) -> Iterator[Row]:
    for line, data in enumerate(stream, start=1):
        text = data.removeprefix(b"\xef\xbb\xbf").strip()
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
