"""The log beside a table file: trainings that are durable before the table itself is written again.

``FILE.h5.trainings.jsonl`` holds a header and one line a training, each appended under a lock and synced
before ``append`` returns, from any number of processes. ``merge_log`` adds them to the table and removes
the log. A line that a crash tore is passed over; the training it stood for is lost, nothing else.
"""

from __future__ import annotations

import fcntl
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from nasbench.errors import FormatError
from nasbench.store.content import attributes_of
from nasbench.store.data import TableData
from nasbench.store.files import table_names
from nasbench.store.info import TableInfo, canonical_json, recipe_hash
from nasbench.store.table import open_table
from nasbench.store.trainings import RecordedTraining, with_trainings
from nasbench.store.writer import write_tables

FORMAT = "nasbench-trainings"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class LogHeader:
    """The table that the trainings of a log belong to.

    Attributes:
        name: Name of the table, if the file does not exist yet.
        epochs: Its training lengths, likewise.
        info: Its attributes, likewise.
    """

    name: str
    epochs: tuple[int, ...]
    info: TableInfo

    def line(self) -> bytes:
        """Write the first line of the log."""
        about = {
            "format": FORMAT,
            "schema": SCHEMA,
            "name": self.name,
            "epochs": list(self.epochs),
            "info": asdict(self.info),
        }
        return canonical_json(about).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Merged:
    """What ``merge_log`` did.

    Attributes:
        trainings: Trainings that the log held.
        torn: Lines that a crash tore.
        architectures: Architectures in the table now.
    """

    trainings: int
    torn: int
    architectures: int


def log_path(table_file: Path) -> Path:
    """Name the log of a table file."""
    return table_file.with_name(f"{table_file.name}.trainings.jsonl")


def append(table_file: Path, header: LogHeader, training: RecordedTraining) -> None:
    """Add one training to the log of a table file; on the disk when this returns.

    Raises:
        FormatError: The log there belongs to another recipe, data set or space.
        OSError: The log cannot be written.
    """
    body = canonical_json(training.as_json())
    line = f'{{"crc":{zlib.crc32(body.encode())},"training":{body}}}\n'.encode()
    path = log_path(table_file)
    with _locked(path) as file:
        first = file.readline()
        if not first.endswith(b"\n"):
            file.truncate(0)  # new, or torn in its first line
            file.write(header.line())
        else:
            _require_same(path, first, header)
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - 1))
        if file.read(1) != b"\n":
            file.write(b"\n")  # ends the line that a crash tore
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def merge_log(table_file: Path) -> Merged | None:
    """Add the trainings of the log to the table file and remove the log; None where there is no log.

    Raises:
        FormatError: The log or the table file is damaged, or they do not belong together.
        OSError: The table cannot be written; the log stays.
    """
    path = log_path(table_file)
    if not path.exists():
        return None
    with _locked(path) as file:
        lines = file.read().split(b"\n")
        if len(lines) < 2:  # not even a whole header
            path.unlink()
            return Merged(0, 0, 0)
        header = _header(path, lines[0])
        trainings: list[RecordedTraining] = []
        torn = 0
        for line in filter(None, lines[1:]):
            training = _training(line)
            if training is None:
                torn += 1
            else:
                trainings.append(training)
        tables = _tables(table_file)
        at = matching_table(table_file, tables, header.info)
        architectures = 0 if at is None else len(tables[at].codes)
        if trainings:
            base = None if at is None else tables[at]
            merged = with_trainings(base, trainings, name=header.name, info=header.info, epochs=header.epochs)
            others = [table for i, table in enumerate(tables) if i != at]
            write_tables(table_file, [*others, merged])
            architectures = len(merged.codes)
        path.unlink()
        return Merged(len(trainings), torn, architectures)


@contextmanager
def merged_into(table_file: Path | None) -> Iterator[None]:
    """Merge what an earlier, killed process left in the log, run the body, and merge what it added.

    The body may end in an error or an interruption: what was trained is kept all the same.

    Args:
        table_file: The table file; None does nothing.
    """
    if table_file is None:
        yield
        return
    merge_log(table_file)
    try:
        yield
    finally:
        merge_log(table_file)


def matching_table(path: Path, tables: Sequence[TableData], info: TableInfo) -> int | None:
    """Find the table of a file that trainings belong to, by space, data set, recipe and kind of device.

    Returns:
        Its position; None where the file has no table yet.

    Raises:
        FormatError: The file holds tables, but none, or several, that these trainings belong to.
    """
    if not tables:
        return None

    def identity(about: TableInfo) -> tuple[str, ...]:
        return about.space, about.dataset, recipe_hash(about.recipe), about.device_kind

    found = [i for i, table in enumerate(tables) if identity(table.info) == identity(info)]
    if len(found) == 1:
        only = tables[found[0]]
        if "trained_row" not in only.scalars and only.info.rows_answer_for == "code":
            return found[0]
        raise FormatError(
            f"{path}: {only.name}: expected a table whose rows were each trained, got one "
            "that gives the training of one cell to all that equal it. Write into another file."
        )
    held = "; ".join(
        f"{t.name} ({t.info.space}, {t.info.dataset}, recipe {recipe_hash(t.info.recipe)[:12]}, "
        f"{t.info.device_kind})"
        for t in tables
    )
    raise FormatError(
        f"{path}: expected {'one table' if found else 'a table'} of space {info.space}, data {info.dataset}, "
        f"recipe {recipe_hash(info.recipe)[:12]} and {info.device_kind} seconds, got {held}. "
        "Write the trainings into another file."
    )


def _tables(path: Path) -> list[TableData]:
    """Read every table of a file; none where it does not exist."""
    if not path.exists():
        return []
    return [open_table(path, name).data() for name in table_names(path)]


def require_fits(path: Path, info: TableInfo) -> None:
    """Check, before anything is trained, that trainings can be written into a file.

    Raises:
        FormatError: The file, or the log beside it, belongs to something else.
    """
    matching_table(path, _tables(path), info)
    log = log_path(path)
    if log.exists():
        with _locked(log) as file:
            first = file.readline()
        if first.endswith(b"\n"):
            _require_same(log, first, LogHeader("", (), info))


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    """Open the log at its start under an exclusive lock; never one that was removed meanwhile."""
    while True:
        file = path.open("a+b")
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            same = os.path.samestat(os.fstat(file.fileno()), path.stat())
        except FileNotFoundError:
            same = False
        if same:
            break
        file.close()
    with file:
        file.seek(0)
        yield file


def _header(path: Path, line: bytes) -> LogHeader:
    try:
        data = json.loads(line)
        if data["format"] != FORMAT or data["schema"] != SCHEMA:
            raise ValueError(f"{data['format']} {data['schema']}")
        return LogHeader(str(data["name"]), tuple(data["epochs"]), TableInfo(**data["info"]))
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(
            f"{path}: line 1: expected a header of {FORMAT} schema {SCHEMA}, got {error!r}. "
            "Move the file away."
        ) from error


def _require_same(path: Path, first: bytes, header: LogHeader) -> None:
    """Refuse to mix the trainings of two recipes, data sets, spaces or kinds of device."""
    there = attributes_of(_header(path, first).info)
    here = attributes_of(header.info)
    for field in ("space", "dataset", "recipe_hash", "device_kind"):
        if there[field] != here[field]:
            raise FormatError(
                f"{path}: {field}: expected {here[field]!r}, got {there[field]!r}: the log holds other "
                "trainings. Write into another file."
            )


def _training(line: bytes) -> RecordedTraining | None:
    """Read one line; None where it was torn."""
    try:
        data: Mapping[str, Any] = json.loads(line)
        body = data["training"]
        if zlib.crc32(canonical_json(body).encode()) != data["crc"]:
            return None
        return RecordedTraining.from_json(body)
    except (ValueError, KeyError, TypeError, FormatError):
        return None
