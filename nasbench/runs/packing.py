"""Packed records: all runs of a leaderboard in one compressed, byte-deterministic HDF5 file.

Layout: root attributes ``format``, ``schema_version``, ``suite`` (JSON), ``nasbench``, ``content_hash``. One
group ``p<i>`` a panel with attributes ``source`` (JSON), ``scored_by`` and ``reference`` (JSON), datasets
``codes`` (m, L), ``scores`` (m,) and, where the suite sets a cost against the error, ``costs`` (m,) of every
architecture that some run trained, and one group ``e<j>`` an
entry: attributes ``label`` and ``header`` (JSON, without seed), ``about`` (JSON: seeds, ends, reasons, and
the headers where they are not all equal), and the columns of its runs one after the other with ``offsets``
(runs + 1,). Every JSON-lines record can be written out again.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasbench.errors import FormatError
from nasbench.runs.columns import RunColumns
from nasbench.runs.reading import health_of

if TYPE_CHECKING:
    import h5py

FORMAT = "nasbench-records"
SCHEMA_VERSION = "1.0"
COSTS_SCHEMA_VERSION = "1.1"  # of files with costs; the others are as they were, byte for byte
_COLUMNS = (
    "number",
    "codes",
    "epochs",
    "replicate",
    "status",
    "purpose",
    "valid_error",
    "test_error",
    "charged_seconds",
    "finished_seconds",
)


@dataclass(frozen=True, slots=True)
class PackedEntry:
    """The runs of one row in one panel, in order of seed."""

    label: str
    runs: list[RunColumns]


@dataclass(frozen=True, slots=True)
class PackedPanel:
    """All runs against one source.

    Attributes:
        source: What the source says of itself, as data (the fields of ``SourceInfo``).
        scored_by: See ``Source.scored_by``.
        reference: What is known of the source apart from any run, as data.
        codes: (m, L) every architecture that a run trained, in lexicographic order.
        scores: (m,) the source's score of each; nan where it has none.
        entries: In the order of the suite.
        costs: (m,) what each costs, where the suite sets a cost against the error; else None.
    """

    source: dict[str, Any]
    scored_by: str
    reference: dict[str, Any]
    codes: npt.NDArray[np.int8]
    scores: npt.NDArray[np.float64]
    entries: list[PackedEntry]
    costs: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class PackedRecords:
    """A whole ``records.h5``."""

    suite: dict[str, Any]
    nasbench: str
    panels: list[PackedPanel]

    @property
    def schema_version(self) -> str:
        """Version of the file format that holds these records."""
        has_costs = any(panel.costs is not None for panel in self.panels)
        return COSTS_SCHEMA_VERSION if has_costs else SCHEMA_VERSION

    def content_hash(self) -> str:
        """Hash everything a leaderboard is made from, independent of the file's layout; SHA-256, hex."""
        digest = hashlib.sha256()
        for text in (FORMAT, self.schema_version, _json(self.suite), self.nasbench):
            digest.update(text.encode() + b"\0")
        for panel in self.panels:
            for text in (_json(panel.source), panel.scored_by, _json(panel.reference)):
                digest.update(text.encode() + b"\0")
            digest.update(np.ascontiguousarray(panel.codes).tobytes())
            digest.update(np.ascontiguousarray(panel.scores).tobytes())
            if panel.costs is not None:
                digest.update(np.ascontiguousarray(panel.costs).tobytes())
            for entry in panel.entries:
                for run in entry.runs:
                    about = [run.header, run.end, run.reason, {str(k): v for k, v in run.reasons.items()}]
                    if run.origins:
                        about.append({str(k): v for k, v in run.origins.items()})
                    if run.reported:
                        about.append({"reported": {str(k): v for k, v in run.reported.items()}})
                    if run.health:
                        about.append({"health": {str(k): dict(v) for k, v in run.health.items()}})
                    digest.update(_json(about).encode() + b"\0")
                    for name in _COLUMNS:
                        digest.update(np.ascontiguousarray(getattr(run, name)).tobytes())
        return digest.hexdigest()


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def distinct_codes(runs: list[RunColumns]) -> npt.NDArray[np.int8]:
    """List every architecture that these runs trained once, in lexicographic order; (m, L)."""
    filled = [run.codes for run in runs if len(run.codes)]
    if not filled:
        return np.empty((0, 0), dtype=np.int8)
    return np.unique(np.concatenate(filled), axis=0)


def write_records(records: PackedRecords, path: Path) -> None:
    """Write a packed file beside its place and move it there.

    Raises:
        OSError: The file could not be written; the old one is untouched.
    """
    import h5py

    aside = path.with_name(path.name + ".part")
    try:
        with h5py.File(aside, "w", libver=("v110", "v110"), track_order=False) as file:
            file.attrs["format"] = FORMAT
            file.attrs["schema_version"] = records.schema_version
            file.attrs["suite"] = _json(records.suite)
            file.attrs["nasbench"] = records.nasbench
            file.attrs["content_hash"] = records.content_hash()
            for i, panel in enumerate(records.panels):
                _write_panel(file.create_group(f"p{i:03d}"), panel)
        with aside.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(aside, path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise


def _write_panel(group: h5py.Group, panel: PackedPanel) -> None:
    group.attrs["source"] = _json(panel.source)
    group.attrs["scored_by"] = panel.scored_by
    _store(group, "reference", np.frombuffer(_json(panel.reference).encode(), dtype=np.uint8))
    _store(group, "codes", panel.codes)
    _store(group, "scores", panel.scores)
    if panel.costs is not None:
        _store(group, "costs", panel.costs)
    for j, entry in enumerate(panel.entries):
        runs = entry.runs
        inside = group.create_group(f"e{j:03d}")
        header = {k: v for k, v in runs[0].header.items() if k != "seed"} if runs else {}
        inside.attrs["label"] = entry.label
        inside.attrs["header"] = _json(header)
        about = {
            "seeds": [run.header["seed"] for run in runs],
            "ends": [run.end for run in runs],
            "reasons": [run.reason for run in runs],
            "trial_reasons": [{str(k): v for k, v in run.reasons.items()} for run in runs],
        }
        if any(run.origins for run in runs):
            about["trial_origins"] = [{str(k): v for k, v in run.origins.items()} for run in runs]
        if any(run.reported for run in runs):
            about["trial_reports"] = [{str(k): v for k, v in run.reported.items()} for run in runs]
        if any(run.health for run in runs):
            about["trial_health"] = [{str(k): dict(v) for k, v in run.health.items()} for run in runs]
        # Seeds added later may have been run under another name of the suite or by another version.
        about["headers"] = [{k: v for k, v in run.header.items() if k != "seed"} for run in runs]
        if all(other == header for other in about["headers"]):
            del about["headers"]
        _store(inside, "about", np.frombuffer(_json(about).encode(), dtype=np.uint8))
        lengths = [len(run.number) for run in runs]
        _store(inside, "offsets", np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))
        width = max((run.codes.shape[1] for run in runs), default=0)
        for name in _COLUMNS:
            parts = [getattr(run, name) for run in runs]
            if name == "codes":
                parts = [part.reshape(len(part), width) for part in parts]
            if parts:
                _store(inside, name, np.concatenate(parts))


def _store(group: h5py.Group, name: str, array: npt.NDArray[Any]) -> None:
    if array.size == 0:
        group.create_dataset(name, data=array, track_times=False)
        return
    chunks = (min(len(array), 65_536), *array.shape[1:])
    group.create_dataset(
        name,
        data=array,
        chunks=chunks,
        compression="gzip",
        compression_opts=6,
        shuffle=True,
        track_times=False,
    )


def read_records(path: Path) -> PackedRecords:
    """Read a packed file and check its content hash.

    Raises:
        FormatError: Not a packed records file, truncated, of another schema, or edited.
    """
    import h5py

    if not path.is_file():
        raise FormatError(f"{path}: no such file. Build it with: nasbench leaderboard build {path.parent}")
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT:
                raise FormatError(f"{path}: format: expected {FORMAT!r}, got {file.attrs.get('format')!r}.")
            if str(file.attrs.get("schema_version", "")).split(".")[0] != SCHEMA_VERSION.split(".")[0]:
                raise FormatError(
                    f"{path}: schema_version: expected {SCHEMA_VERSION}, got "
                    f"{file.attrs.get('schema_version')!r}. Another version of nasbench wrote it."
                )
            records = PackedRecords(
                suite=json.loads(file.attrs["suite"]),
                nasbench=str(file.attrs["nasbench"]),
                panels=[_read_panel(file[name]) for name in sorted(file)],
            )
            stated = str(file.attrs["content_hash"])
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path}: damaged or not a packed records file ({error}).") from error
    if records.content_hash() != stated:
        raise FormatError(
            f"{path}: content_hash: the content does not match the stated {stated[:12]}; the file was edited."
        )
    return records


def _read_panel(group: h5py.Group) -> PackedPanel:
    entries = []
    for name in sorted(n for n in group if n.startswith("e")):
        inside = group[name]
        header = json.loads(inside.attrs["header"])
        about = json.loads(bytes(inside["about"][()]).decode())
        offsets = inside["offsets"][()].tolist()
        columns = {column: inside[column][()] for column in _COLUMNS} if about["seeds"] else {}
        runs = [
            RunColumns(
                header={**(about["headers"][k] if "headers" in about else header), "seed": seed},
                end=about["ends"][k],
                reason=about["reasons"][k],
                reasons={int(i): text for i, text in about["trial_reasons"][k].items()},
                origins={int(i): text for i, text in about["trial_origins"][k].items()}
                if "trial_origins" in about
                else {},
                reported={
                    int(i): tuple((e, v, s) for e, v, s in seen)
                    for i, seen in about["trial_reports"][k].items()
                }
                if "trial_reports" in about
                else {},
                health={int(i): health_of(seen) or {} for i, seen in about["trial_health"][k].items()}
                if "trial_health" in about
                else {},
                **{column: array[offsets[k] : offsets[k + 1]] for column, array in columns.items()},
            )
            for k, seed in enumerate(about["seeds"])
        ]
        entries.append(PackedEntry(str(inside.attrs["label"]), runs))
    return PackedPanel(
        source=json.loads(group.attrs["source"]),
        scored_by=str(group.attrs["scored_by"]),
        reference=json.loads(bytes(group["reference"][()]).decode()),
        codes=group["codes"][()],
        scores=group["scores"][()],
        entries=entries,
        costs=group["costs"][()] if "costs" in group else None,
    )


def equal_runs(a: RunColumns, b: RunColumns) -> str:
    """Name the first field in which two runs differ, or return ``""``.

    The header's ``nasbench`` version is not compared: it says what wrote the run, not what it is.
    """
    for key in sorted({*a.header, *b.header} - {"nasbench"}):
        if a.header.get(key) != b.header.get(key):
            return f"header.{key}: {a.header.get(key)!r} against {b.header.get(key)!r}"
    for f in fields(RunColumns):
        x, y = getattr(a, f.name), getattr(b, f.name)
        if f.name == "header":
            continue
        if isinstance(x, np.ndarray):
            if not x.size and not y.size:
                continue  # runs without trials do not say how long their codes would be
            if x.shape != y.shape:
                return f"{f.name}: shape {x.shape} against {y.shape}"
            same = (x == y) | ((x != x) & (y != y))
            if not same.all():
                row = int(np.argwhere(~same)[0][0])
                return f"{f.name} of trial {row}: {x[row].tolist()} against {y[row].tolist()}"
        elif x != y:
            return f"{f.name}: {x!r} against {y!r}"
    return ""
