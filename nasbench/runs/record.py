"""The run record: JSON lines, one a finished trial, between a header and an end mark.

Line 1 is the header, then one line a trial in order of finish, then an end mark that carries the number of
trials and the SHA-256 of every byte before it. A record without end mark is unfinished; a torn last line is
tolerated and dropped. The test error stands here, sealed: nothing reads it back but the report.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from nasbench.errors import CallOrder, FormatError
from nasbench.records import Measurement, Trial
from nasbench.runs.columns import PURPOSES, STATUSES, RunColumns

FORMAT = "nasbench-run"
SCHEMA = 1
_FLUSH_SECONDS = 1.0


def header_line(header: dict[str, Any]) -> bytes:
    """Write a header: canonical JSON on one line."""
    return (json.dumps({"format": FORMAT, "schema": SCHEMA, **header}, sort_keys=True) + "\n").encode()


def _number(value: float | None) -> str:
    return "null" if value is None or value != value else repr(float(value))


def trial_line(trial: Trial, test_error: float | None, reason: str = "") -> bytes:
    """Write one trial as JSON; by hand, because a search writes millions."""
    because = f',"reason":{json.dumps(reason)}' if reason else ""
    return (
        f'{{"n":{trial.number},"code":[{",".join(map(str, trial.code))}],"epochs":{trial.epochs},'
        f'"replicate":{trial.replicate},"status":"{trial.status}","purpose":"{trial.purpose}",'
        f'"valid_error":{_number(trial.valid_error)},"test_error":{_number(test_error)},'
        f'"charged_seconds":{_number(trial.charged_seconds)},'
        f'"finished_seconds":{_number(trial.finished_seconds)}{because}}}\n'
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
        self.trials: list[Trial] = []
        self.measurements: list[Measurement] = []
        self.end = ""
        self.reason = ""

    def add(self, trial: Trial, measurement: Measurement) -> None:
        """Keep one finished trial and the measurement behind it."""
        self.trials.append(trial)
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

    Raises:
        FormatError: The file is a record of another run, or is damaged before its last line.
        CallOrder: The record is already finished.
    """

    def __init__(self, path: Path, header: dict[str, Any], *, durable: bool = False) -> None:
        super().__init__()
        self._path = path
        self._durable = durable
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
        line = self._line(trial, measurement)
        at = len(self.trials)
        if at < len(self.past):
            if self.past[at] != line:
                raise FormatError(
                    f"{self._path}: line {at + 2}: replaying the run gave another trial "
                    f"({_difference(self.past[at], line)}). The record was edited, or the strategy or the "
                    "source changed; remove the file to start over."
                )
            line = b""
        self._hash.update(line or self.past[at])
        self.trials.append(trial)
        self.measurements.append(measurement)
        try:
            self._file.write(line)
            now = time.monotonic()
            if self._durable or now - self._last_flush > _FLUSH_SECONDS:
                self._last_flush = now
                self.flush()
        except OSError as error:
            raise self._rescued(error) from error

    @staticmethod
    def _line(trial: Trial, measurement: Measurement) -> bytes:
        return trial_line(trial, measurement.test_error, measurement.reason)

    def flush(self) -> None:
        """Bring everything written so far to the disk."""
        self._file.flush()
        if self._durable:
            os.fsync(self._file.fileno())

    def _rescued(self, error: OSError) -> OSError:
        """Write all rows to the temporary folder, since the record's own place refuses them."""
        rescue = Path(tempfile.gettempdir()) / f"nasbench-rescued-{self._path.name}"
        lines = [self._first, *map(self._line, self.trials, self.measurements)]
        try:
            rescue.write_bytes(b"".join(lines))
        except OSError:
            return OSError(
                error.errno, f"{self._path}: cannot write the record ({error}). Free space and resume."
            )
        return OSError(
            error.errno,
            f"{self._path}: cannot write the record ({error}). All {len(self.trials)} finished trials are "
            f"kept in {rescue}: free space, copy that file over the record, and resume.",
        )

    def close(self, end: str, reason: str = "") -> None:
        """Write the end mark and close the file."""
        super().close(end, reason)
        self._file.write(end_line(end, len(self.trials), self._hash.hexdigest(), reason))
        self._file.flush()
        if self._durable:
            os.fsync(self._file.fileno())
        self._file.close()

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
    header = _json(path, 1, lines[0])
    if header.get("format") != FORMAT:
        raise FormatError(
            f"{path}: format: expected {FORMAT!r}, got {header.get('format')!r}. Is this a run record?"
        )
    if header.get("schema") != SCHEMA:
        raise FormatError(
            f"{path}: schema: expected {SCHEMA}, got {header.get('schema')!r}. "
            "Another version of nasbench wrote it."
        )
    last = _json(path, len(lines), lines[-1])
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
    return body, True


def _json(path: Path, number: int, line: bytes) -> dict[str, Any]:
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


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read the finished trials of a record, finished or not, as dictionaries.

    Raises:
        FormatError: As ``complete_lines``; or a line that is not a trial.
    """
    lines, _ = complete_lines(path)
    return [_trial_fields(path, i, line) for i, line in enumerate(lines[1:], start=2)]


_FIELDS: dict[str, Callable[[Any], bool]] = {
    "n": lambda v: isinstance(v, int) and v >= 0,
    "code": lambda v: isinstance(v, list) and all(isinstance(x, int) for x in v),
    "epochs": lambda v: isinstance(v, int) and v >= 0,
    "replicate": lambda v: isinstance(v, int) and v >= 0,
    "status": lambda v: v in STATUSES,
    "purpose": lambda v: v in PURPOSES,
    "valid_error": lambda v: v is None or (isinstance(v, float | int) and 0 <= v <= 1),
    "test_error": lambda v: v is None or (isinstance(v, float | int) and 0 <= v <= 1),
    "charged_seconds": lambda v: isinstance(v, float | int) and math.isfinite(v) and v >= 0,
    "finished_seconds": lambda v: isinstance(v, float | int) and math.isfinite(v) and v >= 0,
}


def _trial_fields(path: Path, number: int, line: bytes) -> dict[str, Any]:
    parsed = _json(path, number, line)
    for name, valid in _FIELDS.items():
        if name not in parsed:
            raise FormatError(f"{path}: line {number}: {name} is missing.")
        if not valid(parsed[name]):
            raise FormatError(f"{path}: line {number}: {name}: {parsed[name]!r} is not a valid value.")
    return parsed


def read_run(path: Path) -> RunColumns:
    """Read a finished record into columns.

    Raises:
        FormatError: Not a finished, undamaged run record; the message names the field.
    """
    body, finished = complete_lines(path)
    if not finished:
        raise FormatError(f"{path}: end: this record is unfinished. Resume the run first.")
    header = _json(path, 1, body[0])
    mark = json.loads(path.read_bytes().splitlines()[-1])
    trials = [_trial_fields(path, i, line) for i, line in enumerate(body[1:], start=2)]
    return RunColumns(
        header={k: v for k, v in header.items() if k not in ("format", "schema")},
        end=mark["end"],
        reason=mark.get("reason", ""),
        number=np.array([t["n"] for t in trials], dtype=np.int32),
        codes=_codes([t["code"] for t in trials]),
        epochs=np.array([t["epochs"] for t in trials], dtype=np.int32),
        replicate=np.array([t["replicate"] for t in trials], dtype=np.int16),
        status=np.array([STATUSES.index(t["status"]) for t in trials], dtype=np.int8),
        purpose=np.array([PURPOSES.index(t["purpose"]) for t in trials], dtype=np.int8),
        valid_error=_floats(t["valid_error"] for t in trials),
        test_error=_floats(t["test_error"] for t in trials),
        charged_seconds=_floats(t["charged_seconds"] for t in trials),
        finished_seconds=_floats(t["finished_seconds"] for t in trials),
        reasons={i: t["reason"] for i, t in enumerate(trials) if t.get("reason")},
    )


def _codes(codes: list[Any]) -> np.ndarray[Any, np.dtype[np.int8]]:
    width = len(codes[0]) if codes else 0
    return np.array(codes, dtype=np.int8).reshape(len(codes), width)


def _floats(values: Iterable[float | None]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([math.nan if v is None else v for v in values], dtype=np.float64)


def columns_of(header: dict[str, Any], record: MemoryRecord) -> RunColumns:
    """Turn the rows of a run just finished into columns; equal to writing and reading its record."""
    trials, measurements = record.trials, record.measurements
    return RunColumns(
        header=header,
        end=record.end,
        reason=record.reason,
        number=np.array([t.number for t in trials], dtype=np.int32),
        codes=_codes([t.code for t in trials]),
        epochs=np.array([t.epochs for t in trials], dtype=np.int32),
        replicate=np.array([t.replicate for t in trials], dtype=np.int16),
        status=np.array([STATUSES.index(t.status) for t in trials], dtype=np.int8),
        purpose=np.array([PURPOSES.index(t.purpose) for t in trials], dtype=np.int8),
        valid_error=_floats(t.valid_error for t in trials),
        test_error=_floats(m.test_error for m in measurements),
        charged_seconds=_floats(t.charged_seconds for t in trials),
        finished_seconds=_floats(t.finished_seconds for t in trials),
        reasons={i: m.reason for i, m in enumerate(measurements) if m.reason},
    )


def lines_of(run: RunColumns) -> list[bytes]:
    """Write a run in columns out again as the lines of its record, end mark included."""
    lines = [header_line(run.header)]
    codes = run.codes.tolist()
    for i in range(len(run.number)):
        valid = float(run.valid_error[i])
        trial = Trial(
            number=int(run.number[i]),
            code=tuple(codes[i]),
            epochs=int(run.epochs[i]),
            replicate=int(run.replicate[i]),
            status=STATUSES[run.status[i]],  # type: ignore[arg-type]
            valid_error=None if math.isnan(valid) else valid,
            charged_seconds=float(run.charged_seconds[i]),
            finished_seconds=float(run.finished_seconds[i]),
            purpose=PURPOSES[run.purpose[i]],  # type: ignore[arg-type]
        )
        lines.append(trial_line(trial, float(run.test_error[i]), run.reasons.get(i, "")))
    digest = hashlib.sha256(b"".join(lines)).hexdigest()
    lines.append(end_line(run.end, len(run.number), digest, run.reason))
    return lines
