"""The run record: JSON lines, one a finished trial, between a header and an end mark.

Line 1 is the header, then one line a trial in order of finish, then an end mark that carries the number of
trials and the SHA-256 of every byte before it. A record without end mark is unfinished; a torn last line is
tolerated and dropped. The test error stands here, sealed: nothing reads it back but the report.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from nasbench.errors import CallOrder, FormatError
from nasbench.records import Code, Measurement, Purpose, Trial
from nasbench.runs.columns import ENDS

FORMAT = "nasbench-run"
SCHEMA = 1
_FLUSH_SECONDS = 1.0


def header_line(header: dict[str, Any]) -> bytes:
    """Write a header: canonical JSON on one line."""
    return (json.dumps({"format": FORMAT, "schema": SCHEMA, **header}, sort_keys=True) + "\n").encode()


def _number(value: float | None) -> str:
    return "null" if value is None or value != value else repr(float(value))


Row = tuple[int, Code, int, int, Purpose, float, float]
"""A finished trial: number, code, epochs, replicate, purpose, charged seconds, finished seconds.

A copy, for the strategy is handed the trial itself and might alter it; status and errors are taken from the
measurement, which no strategy ever holds.
"""


def row_of(trial: Trial) -> Row:
    """Copy what only the trial says."""
    return (
        trial.number,
        trial.code,
        trial.epochs,
        trial.replicate,
        trial.purpose,
        trial.charged_seconds,
        trial.finished_seconds,
    )


def trial_line(row: Row, measurement: Measurement) -> bytes:
    """Write one trial as JSON; by hand, because a search writes millions."""
    number, code, epochs, replicate, purpose, charged_seconds, finished_seconds = row
    because = f',"reason":{json.dumps(measurement.reason)}' if measurement.reason else ""
    if measurement.origin:
        because += f',"origin":{json.dumps(measurement.origin)}'
    if measurement.reported:
        because += f',"reported":{json.dumps(measurement.reported)}'
    if measurement.health:
        because += f',"health":{json.dumps(dict(measurement.health), sort_keys=True)}'
    return (
        f'{{"n":{number},"code":[{",".join(map(str, bytes(code)))}],"epochs":{epochs},'
        f'"replicate":{replicate},"status":"{measurement.status}","purpose":"{purpose}",'
        f'"valid_error":{_number(measurement.valid_error)},"test_error":{_number(measurement.test_error)},'
        f'"charged_seconds":{_number(charged_seconds)},'
        f'"finished_seconds":{_number(finished_seconds)}{because}}}\n'
    ).encode()


def end_line(end: str, trials: int, digest: str, reason: str = "") -> bytes:
    """Write the end mark."""
    mark: dict[str, Any] = {"end": end, "trials": trials, "sha256": digest}
    if reason:
        mark["reason"] = reason
    return (json.dumps(mark) + "\n").encode()


class MemoryRecord:
    """Keeps the rows of a run in memory."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.measurements: list[Measurement] = []
        self.end = ""
        self.reason = ""

    def add(self, trial: Trial, measurement: Measurement) -> None:
        """Keep one finished trial and the measurement behind it."""
        self.rows.append(row_of(trial))
        self.measurements.append(measurement)

    def close(self, end: str, reason: str = "") -> None:
        """Mark the run as ended."""
        self.end, self.reason = end, reason


class FileRecord(MemoryRecord):
    """Writes the rows of a run to a file as they come, and keeps them in memory.

    Args:
        path: The file. If it holds an unfinished record of the same header, this record resumes it: rows
            that are already there must come again, byte for byte, before new ones are written.
        header: What the run is; see ``RunColumns.header``.
        durable: Flush and fsync after each trial (live training) instead of once a second.
        after: Called after each trial, once it is written.

    Raises:
        FormatError: The file is a record of another run, or is damaged before its last line.
        CallOrder: The record is already finished.
    """

    def __init__(
        self,
        path: Path,
        header: dict[str, Any],
        *,
        durable: bool = False,
        after: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._path = path
        self._durable = durable
        self._after = after
        self.past: list[bytes] = []
        first = header_line(header)
        keep = b""
        if path.exists():
            lines, finished = complete_lines(path)
            if finished:
                raise CallOrder(f"{path}: this record is finished; nothing can be added to it.")
            if lines and lines[0] != first:
                raise FormatError(
                    f"{path}: header: this is the record of another run ({_difference(lines[0], first)}). "
                    "Give another --out, or remove the file."
                )
            if not lines and not first.startswith(path.read_bytes()):
                raise FormatError(
                    f"{path}: header: this is no run record of ours. Remove it or move it away."
                )
            self.past = lines[1:]
            keep = b"".join(lines)
        self._first = first
        self._hash = hashlib.sha256(first)
        self._file: BinaryIO = path.open("r+b" if keep else "wb")
        if keep:
            self._file.truncate(len(keep))
            self._file.seek(len(keep))
        else:
            self._file.write(first)
        self._last_flush = time.monotonic()

    def add(self, trial: Trial, measurement: Measurement) -> None:
        """Write one finished trial; while resuming, check it against the recorded one.

        Raises:
            FormatError: The replayed run differs from the recorded one.
        """
        row = row_of(trial)
        line = trial_line(row, measurement)
        at = len(self.rows)
        if at < len(self.past):
            if self.past[at] != line:
                raise FormatError(
                    f"{self._path}: line {at + 2}: replaying the run gave another trial "
                    f"({_difference(self.past[at], line)}). The record was edited, or the strategy or the "
                    "source changed; remove the file to start over."
                )
            line = b""
        self._hash.update(line or self.past[at])
        self.rows.append(row)
        self.measurements.append(measurement)
        try:
            self._file.write(line)
            now = time.monotonic()
            if self._durable or now - self._last_flush > _FLUSH_SECONDS:
                self._last_flush = now
                self.flush()
        except OSError as error:
            raise self._rescued(error) from error
        if self._after is not None:
            self._after()

    def flush(self) -> None:
        """Bring everything written so far to the disk."""
        self._file.flush()
        if self._durable:
            os.fsync(self._file.fileno())

    def _rescued(self, error: OSError) -> OSError:
        """Write all rows to the temporary folder, since the record's own place refuses them."""
        # Records of many rows have one file name, and a full disk stops them all at once.
        place = hashlib.sha256(str(self._path.resolve()).encode()).hexdigest()[:12]
        rescue = Path(tempfile.gettempdir()) / f"nasbench-rescued-{place}-{self._path.name}"
        lines = [self._first, *map(trial_line, self.rows, self.measurements)]
        try:
            rescue.write_bytes(b"".join(lines))
        except OSError:
            return OSError(
                error.errno, f"{self._path}: cannot write the record ({error}). Free space and resume."
            )
        return OSError(
            error.errno,
            f"{self._path}: cannot write the record ({error}). All {len(self.rows)} finished trials are "
            f"kept in {rescue}: free space, copy that file over the record, and resume.",
        )

    def close(self, end: str, reason: str = "") -> None:
        """Write the end mark and close the file.

        Raises:
            FormatError: The replayed run ended before the recorded one did.
            OSError: The record could not be written.
        """
        if len(self.rows) < len(self.past):
            raise FormatError(
                f"{self._path}: line {len(self.rows) + 2}: replaying the run ended ({end}) before this line"
                f"{': ' + reason if reason else ''}. The record was edited, or the strategy or the source "
                "changed; remove the file to start over."
            )
        super().close(end, reason)
        try:
            self._file.write(end_line(end, len(self.rows), self._hash.hexdigest(), reason))
            self.flush()
            self._file.close()
        except OSError as error:
            raise self._rescued(error) from error

    def abandon(self) -> None:
        """Close the file without an end mark: the run can be resumed."""
        with contextlib.suppress(OSError):
            self._file.close()


def _difference(recorded: bytes, new: bytes) -> str:
    """Name the first field in which two JSON lines differ."""
    try:
        a, b = json.loads(recorded), json.loads(new)
    except json.JSONDecodeError:
        return "not JSON"
    for key in [*a, *(k for k in b if k not in a)]:
        if a.get(key) != b.get(key):
            return f"{key}: recorded {a.get(key)!r}, now {b.get(key)!r}"
    return "same fields, other bytes"


def complete_lines(path: Path) -> tuple[list[bytes], bool]:
    """Read the complete lines of a record, without its end mark.

    Returns:
        The lines (header first) and whether the record is finished. A torn last line is dropped.

    Raises:
        FormatError: Not a run record, or a finished one whose bytes do not match its end mark.
    """
    data = path.read_bytes()
    lines = data.splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        lines.pop()
    if not lines:
        return [], False
    header = json_object(path, 1, lines[0])
    if header.get("format") != FORMAT:
        raise FormatError(
            f"{path}: format: expected {FORMAT!r}, got {header.get('format')!r}. Is this a run record?"
        )
    if header.get("schema") != SCHEMA:
        raise FormatError(
            f"{path}: schema: expected {SCHEMA}, got {header.get('schema')!r}. "
            "Another version of nasbench wrote it."
        )
    last = json_object(path, len(lines), lines[-1])
    if "end" not in last:
        return lines, False
    body = lines[:-1]
    digest = hashlib.sha256(b"".join(body)).hexdigest()
    if last.get("sha256") != digest:
        raise FormatError(f"{path}: sha256: the lines do not match the end mark; the record was edited.")
    if last.get("trials") != len(body) - 1:
        raise FormatError(
            f"{path}: trials: the end mark says {last.get('trials')}, the file holds {len(body) - 1}."
        )
    if last["end"] not in ENDS or not isinstance(last.get("reason", ""), str):
        raise FormatError(
            f"{path}: end: expected {', '.join(ENDS)} with a reason in words, got {last['end']!r} with "
            f"{last.get('reason', '')!r}; the record was edited."
        )
    return body, True


def json_object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    """Read line ``number`` of a record as a JSON object.

    Raises:
        FormatError: It is none.
    """
    try:
        parsed = json.loads(line)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: line {number}: not JSON ({error}).") from error
    if not isinstance(parsed, dict):
        raise FormatError(f"{path}: line {number}: expected a JSON object, got {type(parsed).__name__}.")
    return parsed


def is_finished(path: Path) -> bool:
    """Say whether the file is a whole record with an end mark."""
    return path.exists() and complete_lines(path)[1]
