"""From the lines of a run record to its columns and back; every field is checked on the way in.

Only reports read what is read here: it holds the sealed test errors.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nasbench.errors import FormatError
from nasbench.records import Health, Measurement
from nasbench.runs.columns import PURPOSES, STATUSES, RunColumns
from nasbench.runs.record import (
    MemoryRecord,
    complete_lines,
    end_line,
    header_line,
    json_object,
    trial_line,
)


def _whole(value: Any) -> bool:
    return type(value) is int and value >= 0


def _real(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value >= 0


def _reports(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(seen, list) and len(seen) == 3 and _whole(seen[0]) and _real(seen[1]) and _real(seen[2])
        for seen in value
    )


def health_of(value: Any) -> Health | None:
    """Read what a watched search looked like; None where it is not of that form."""
    if not isinstance(value, dict):
        return None
    read: dict[str, float | tuple[float, ...]] = {}
    for name, found in value.items():
        numbers = found if isinstance(found, list) else [found]
        if not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
            return None
        read[name] = tuple(numbers) if isinstance(found, list) else found
    return read


_FIELDS: dict[str, Callable[[Any], bool]] = {
    "n": _whole,
    "code": lambda v: isinstance(v, list) and all(_whole(x) and x < 128 for x in v),
    "epochs": _whole,
    "replicate": _whole,
    "status": lambda v: v in STATUSES,
    "purpose": lambda v: v in PURPOSES,
    "valid_error": lambda v: v is None or (_real(v) and v <= 1),
    "test_error": lambda v: v is None or (_real(v) and v <= 1),
    "charged_seconds": _real,
    "finished_seconds": _real,
}


def trial_fields(path: Path, number: int, line: bytes) -> dict[str, Any]:
    """Read line ``number`` of a record as a trial.

    Raises:
        FormatError: A field is missing or not valid; the message names it.
    """
    parsed = json_object(path, number, line)
    for name, valid in _FIELDS.items():
        if name not in parsed:
            raise FormatError(f"{path}: line {number}: {name} is missing.")
        if not valid(parsed[name]):
            raise FormatError(f"{path}: line {number}: {name}: {parsed[name]!r} is not a valid value.")
    if parsed.get("origin", "live") not in ("table", "live"):
        raise FormatError(f"{path}: line {number}: origin: {parsed['origin']!r} is not a valid value.")
    if not _reports(parsed.get("reported", [])):
        raise FormatError(f"{path}: line {number}: reported: expected [epochs, error, seconds] triples.")
    if "health" in parsed:
        parsed["health"] = health_of(parsed["health"])
        if not parsed["health"]:
            raise FormatError(f"{path}: line {number}: health: expected finite numbers by name.")
    parsed["reported"] = tuple((e, v, s) for e, v, s in parsed.get("reported", []))
    return parsed


def read_run(path: Path) -> RunColumns:
    """Read a finished record into columns.

    Raises:
        FormatError: Not a finished, undamaged run record; the message names the field.
    """
    body, finished = complete_lines(path)
    if not finished:
        raise FormatError(f"{path}: end: this record is unfinished. Resume the run first.")
    header = json_object(path, 1, body[0])
    mark = json.loads(path.read_bytes().splitlines()[-1])
    trials = [trial_fields(path, i, line) for i, line in enumerate(body[1:], start=2)]
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
        origins={i: t["origin"] for i, t in enumerate(trials) if t.get("origin")},
        reported={i: t["reported"] for i, t in enumerate(trials) if t["reported"]},
        health={i: t["health"] for i, t in enumerate(trials) if t.get("health")},
    )


def _codes(codes: Sequence[Any]) -> np.ndarray[Any, np.dtype[np.int8]]:
    width = len(codes[0]) if codes else 0
    return np.array(codes, dtype=np.int8).reshape(len(codes), width)


def _floats(values: Iterable[float | None]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([math.nan if v is None else v for v in values], dtype=np.float64)


def columns_of(header: dict[str, Any], record: MemoryRecord) -> RunColumns:
    """Turn the rows of a run just finished into columns; equal to writing and reading its record."""
    rows, measurements = record.rows, record.measurements
    numbers, codes, epochs, replicates, purposes, charged, finished = (
        zip(*rows, strict=True) if rows else ((),) * 7
    )
    return RunColumns(
        header=header,
        end=record.end,
        reason=record.reason,
        number=np.array(numbers, dtype=np.int32),
        codes=_codes(codes),
        epochs=np.array(epochs, dtype=np.int32),
        replicate=np.array(replicates, dtype=np.int16),
        status=np.array([STATUSES.index(m.status) for m in measurements], dtype=np.int8),
        purpose=np.array([PURPOSES.index(p) for p in purposes], dtype=np.int8),
        valid_error=_floats(m.valid_error for m in measurements),
        test_error=_floats(m.test_error for m in measurements),
        charged_seconds=_floats(charged),
        finished_seconds=_floats(finished),
        reasons={i: m.reason for i, m in enumerate(measurements) if m.reason},
        origins={i: m.origin for i, m in enumerate(measurements) if m.origin},
        reported={i: m.reported for i, m in enumerate(measurements) if m.reported},
        health={i: m.health for i, m in enumerate(measurements) if m.health},
    )


def lines_of(run: RunColumns) -> list[bytes]:
    """Write a run in columns out again as the lines of its record, end mark included."""
    lines = [header_line(run.header)]
    codes = run.codes.tolist()
    for i, code in enumerate(codes):
        row = (
            int(run.number[i]),
            tuple(code),
            int(run.epochs[i]),
            int(run.replicate[i]),
            PURPOSES[run.purpose[i]],
            float(run.charged_seconds[i]),
            float(run.finished_seconds[i]),
        )
        valid, test = (float(column[i]) for column in (run.valid_error, run.test_error))
        measurement = Measurement(
            None if math.isnan(valid) else valid,
            None if math.isnan(test) else test,
            train_seconds=row[5],
            status=STATUSES[run.status[i]],
            reason=run.reasons.get(i, ""),
            origin=run.origins.get(i, ""),
            reported=run.reported.get(i, ()),
            health=run.health.get(i),
        )
        lines.append(trial_line(row, measurement))
    digest = hashlib.sha256(b"".join(lines)).hexdigest()
    lines.append(end_line(run.end, len(run.number), digest, run.reason))
    return lines
