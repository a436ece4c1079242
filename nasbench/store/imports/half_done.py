"""What an unfinished import by mapping has gathered, kept beside the table so that a second start goes on.

The file is one line of JSON, the gathered columns as they are in memory, and the SHA-256 of both. It is
written aside and renamed: a kill leaves the old state or the new one. It is taken up only where the same
version of the program reads the same bytes of the source under the same mapping; else the import begins anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from array import array
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import nasbench
from nasbench.errors import FormatError
from nasbench.store.imports.collecting import Batch, Collector
from nasbench.store.imports.lines import Begun
from nasbench.store.imports.mapping import Column, FileMapping
from nasbench.store.imports.rows import Format, Place, RowReader

_VERSION = 1
_DIGEST_BYTES = 32
_BLOCK = 1 << 20
_SAVING_SHARE = 20
"""A saving waits until this many times as long has passed as the last one took: at most 5 % goes into it."""

Damaged = list[tuple[int, str]]
"""(line, why) of rows that were left out."""


def half_done_path(out: Path) -> Path:
    """Name the file that keeps what an unfinished import of the table file ``out`` has read."""
    return out.with_name(f"{out.name}.import.part")


@dataclass(frozen=True, slots=True)
class _Noted:
    """Where an import stood between two rows; of the columns, which only grow, it is enough to know how far.

    Attributes:
        place: In the file.
        rows, empty_rows, example: Of the collector.
        used, unused: How many columns had been met.
        damaged: How many rows had been left out.
        entries: By data set, how many entries and how many rows of scalars there were.
    """

    place: Place
    rows: int
    empty_rows: int
    example: tuple[str, str] | None
    used: int
    unused: int
    damaged: int
    entries: dict[str, tuple[int, int]]


class HalfDone:
    """Keeps an import through a kill.

    Args:
        path: The file that keeps it.
        save_every_seconds: Least time between two savings.
        say: Told from where an import goes on, or why it begins anew.
    """

    def __init__(
        self, path: Path, *, save_every_seconds: float = 5.0, say: Callable[[str], None] = lambda _text: None
    ) -> None:
        self.path = path
        self._save_every_seconds = save_every_seconds
        self._say = say
        self._meaning = ""
        self._noted: _Noted | None = None
        self._due = 0.0

    def begin(self, reader: RowReader, kind: Format, mapping: FileMapping) -> tuple[Collector, Damaged]:
        """Take up an earlier start, if there was one that fits; leave the reader where to go on."""
        self._meaning = _meaning(kind, mapping)
        self._noted, self._due = None, time.monotonic() + self._save_every_seconds
        if not self.path.exists():
            return Collector(mapping), []
        try:
            collector, about = self._load(mapping)
            if not reader.skip(Begun(about["position"], about["sha256"]), about["line"]):
                raise FormatError(f"{reader.path} changed in what was read of it")
        except FormatError as error:
            self._say(f"{self.path}: {error}; beginning anew")
            return Collector(mapping), []
        self._say(f"going on after line {reader.line:,} of {reader.path}, kept in {self.path}")
        return collector, [(line, why) for line, why in about["damaged"]]

    def note(self, reader: RowReader, collector: Collector, damaged: Damaged) -> None:
        """Note a state between two rows, and save it where it is time to."""
        self._noted = _Noted(
            reader.place,
            collector.rows,
            collector.empty_rows,
            collector.example,
            len(collector.used),
            len(collector.unused),
            len(damaged),
            {name: (len(batch.lines), len(batch.scalar_lines)) for name, batch in collector.batches.items()},
        )
        if time.monotonic() >= self._due:
            self.save(collector, damaged)

    def save(self, collector: Collector, damaged: Damaged) -> None:
        """Write the state that was noted last, aside first; nothing where none was."""
        if self._noted is None:
            return
        started = time.monotonic()
        aside = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            with aside.open("wb") as stream:
                _write(stream, self._about(self._noted, collector, damaged), collector, self._noted.entries)
            os.replace(aside, self.path)
        finally:
            aside.unlink(missing_ok=True)
        ended = time.monotonic()
        self._due = ended + max(self._save_every_seconds, _SAVING_SHARE * (ended - started))

    def remove(self) -> None:
        """Forget: the table is written."""
        self.path.unlink(missing_ok=True)

    # --------------------------------------------------------------------------------------------

    def _about(self, noted: _Noted, collector: Collector, damaged: Damaged) -> dict[str, Any]:
        begun = noted.place.mark.begun()
        return {
            "version": _VERSION,
            "meaning": self._meaning,
            "position": begun.position,
            "sha256": begun.sha256,
            "line": noted.place.line,
            "rows": noted.rows,
            "empty_rows": noted.empty_rows,
            "example": noted.example,
            "used": list(islice(collector.used.items(), noted.used)),
            "unused": list(islice(collector.unused, noted.unused)),
            "damaged": damaged[: noted.damaged],
            "entries": [[name, *count] for name, count in noted.entries.items()],
        }

    def _load(self, mapping: FileMapping) -> tuple[Collector, dict[str, Any]]:
        """Read what was saved.

        Raises:
            FormatError: It is damaged, or of another mapping; said in a few words.
        """
        with self.path.open("rb") as stream:
            _require_whole(stream)
            about = json.loads(stream.readline())
            if about["version"] != _VERSION or about["meaning"] != self._meaning:
                raise FormatError(
                    "it is of another mapping, another format or another version of the program"
                )
            collector = Collector(mapping)
            collector.rows, collector.empty_rows = about["rows"], about["empty_rows"]
            collector.example = about["example"] and tuple(about["example"])
            collector.used = dict(about["used"])
            collector.unused = dict.fromkeys(about["unused"])
            for name, entries, scalar_rows in about["entries"]:
                for column, length in _columns(collector.batch(name), entries, scalar_rows):
                    column.fromfile(stream, length)
        return collector, about


def _columns(batch: Batch, entries: int, scalar_rows: int) -> list[tuple[array[Any], int]]:
    """List the columns of a data set in a fixed order, with their lengths."""
    return [
        (batch.codes, entries * batch.length),
        (batch.replicates, entries),
        (batch.epochs, entries),
        (batch.lines, entries),
        (batch.failed, entries),
        *((column, entries) for column in batch.curves.values()),
        (batch.scalar_codes, scalar_rows * batch.length),
        (batch.scalar_lines, scalar_rows),
        *((column, scalar_rows) for column in batch.scalars.values()),
    ]


def _write(
    stream: IO[bytes], about: dict[str, Any], collector: Collector, entries: dict[str, tuple[int, int]]
) -> None:
    digest = hashlib.sha256()

    def put(data: bytes | memoryview) -> None:
        digest.update(data)
        stream.write(data)

    put(json.dumps(about).encode() + b"\n")
    for name, count in entries.items():
        for column, length in _columns(collector.batches[name], *count):
            with memoryview(column) as whole, whole[:length] as some, some.cast("B") as data:
                put(data)
    stream.write(digest.digest())


def _require_whole(stream: IO[bytes]) -> None:
    """Check a file against the SHA-256 at its end; leave the stream at the beginning.

    Raises:
        FormatError: They differ.
    """
    left = stream.seek(0, os.SEEK_END) - _DIGEST_BYTES
    stream.seek(0)
    digest = hashlib.sha256()
    while left > 0:
        data = stream.read(min(left, _BLOCK))
        digest.update(data)
        left -= len(data)
    if left < 0 or stream.read() != digest.digest():
        raise FormatError("it is damaged")
    stream.seek(0)


def _meaning(kind: Format, mapping: FileMapping) -> str:
    """Tell apart whatever may read a file in another way, or keep it in another."""

    def column(one: Column) -> list[Any]:
        return [one.target, one.column, one.unit.text, one.unit.stored, one.device, one.is_shared]

    about = {
        "program": nasbench.__version__,
        "bytes": sys.byteorder,
        "kind": kind,
        "name": mapping.name,
        "space": mapping.space.name,
        "columns": [
            mapping.architecture,
            mapping.replicate,
            mapping.epoch,
            mapping.dataset,
            mapping.failed,
        ],
        "epochs": mapping.epochs,
        "is_in_order": mapping.is_in_order,
        "curves": [column(curve) for curve in mapping.curves],
        "scalars": [column(scalar) for scalar in mapping.scalars],
        "missing": sorted(mapping.missing),
        "delimiter": mapping.delimiter,
        "info": asdict(mapping.info),
    }
    return hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()
