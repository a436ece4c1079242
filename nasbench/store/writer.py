"""Writing table files: checked first, then written aside, synced and renamed.

The same content gives the same bytes: no time stamps, a fixed file version, a fixed order.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

import nasbench
from nasbench.errors import FormatError
from nasbench.store.checks import findings
from nasbench.store.content import attributes_of, entries_of, entry_hash, file_hash, table_hash
from nasbench.store.data import TableData, sorted_by_code
from nasbench.store.schema import FIRST_VERSION, FORMAT, SCHEMA_VERSION

# Data larger than the threshold begin at a multiple of the interval (bytes), so that a reader's memory map
# is aligned for every numpy type.
_ALIGNMENT_THRESHOLD = 1_024
_ALIGNMENT_INTERVAL = 64


def write_tables(path: str | Path, tables: Iterable[TableData]) -> None:
    """Write one file of one or more tables.

    Rows are sorted by code. Recipe and content hashes are computed here; ``created_by`` is filled in where
    it is empty. A failed write leaves an earlier file of that name as it was.

    Args:
        path: The file, usually ``*.h5``.
        tables: The tables, each of another name; stored in the order of their names. An iterator must give
            them in that order; then no more than one is held in memory.

    Raises:
        FormatError: No table, two of one name, or a table whose shapes or numbers are wrong; the message
            names table and field.
    """
    target = Path(path)
    if isinstance(tables, Sequence):
        tables = [checked_table(table) for table in sorted(tables, key=lambda table: table.name)]
    aside = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        _write(aside, tables)
        with aside.open("rb") as handle:
            os.fsync(handle.fileno())
        os.replace(aside, target)
    finally:
        aside.unlink(missing_ok=True)
    _sync_folder(target.parent)


def checked_table(table: TableData) -> TableData:
    """Sort a table, give it its stored types and check it.

    Raises:
        FormatError: The first thing wrong; the message names table and field.
    """
    data = sorted_by_code(table)
    for finding in findings(data):
        raise FormatError(f"{finding} Correct the data and write the table again.")
    return data


def _write(path: Path, tables: Iterable[TableData]) -> None:
    hash_by_table: dict[str, str] = {}
    version = FIRST_VERSION
    with h5py.File(
        path,
        "w",
        libver=("earliest", "v108"),
        track_order=False,
        alignment_threshold=_ALIGNMENT_THRESHOLD,
        alignment_interval=_ALIGNMENT_INTERVAL,
    ) as file:
        for table in tables:
            if hash_by_table and table.name <= max(hash_by_table):
                names = ", ".join([*hash_by_table, table.name])
                raise FormatError(
                    f"tables: expected one or more tables, each of another name, got {names}. An iterator "
                    "must give them in the order of their names."
                )
            data = checked_table(table)
            group = file.create_group(data.name)
            if _is_newer(data):
                version = SCHEMA_VERSION
            hash_by_path = {}
            for entry_path, entry in sorted(entries_of(data).items()):
                dataset = _create(group, entry_path, entry.array)
                hash_by_path[entry_path] = entry_hash(entry_path, entry)
                for name, value in {**entry.attributes, "content_hash": hash_by_path[entry_path]}.items():
                    dataset.attrs[name] = value
            created_by = data.info.created_by or f"nasbench {nasbench.__version__}"
            attributes = attributes_of(replace(data.info, created_by=created_by))
            hash_by_table[data.name] = table_hash(attributes, hash_by_path)
            for name, value in {**attributes, "content_hash": hash_by_table[data.name]}.items():
                group.attrs[name] = value
            del table, data
        if not hash_by_table:
            raise FormatError("tables: expected one or more tables, each of another name, got none.")
        file.attrs["format"] = FORMAT
        file.attrs["schema_version"] = version
        file.attrs["content_hash"] = file_hash(hash_by_table)


def _is_newer(data: TableData) -> bool:
    """Say whether a table holds something that version 1.0 did not know."""
    is_wide = any(curve.dtype == np.float64 for curve in data.curves.values())
    states_provenance = any(scalar.provenance for scalar in data.scalars.values())
    info = data.info
    is_described = bool(info.space_definition) or info.lengths != "one-training"
    return is_wide or states_provenance or is_described or info.device_kind == "none"


def _create(group: Any, path: str, array: npt.NDArray[np.generic]) -> Any:
    """Store one array; a curve of which nothing was measured is its fill value and takes no room."""
    if path.startswith("curves/") and np.isnan(array).all():
        return group.create_dataset(
            path, shape=array.shape, dtype=array.dtype, fillvalue=np.nan, track_times=False
        )
    return group.create_dataset(path, data=array, track_times=False)


def content_hash(table: TableData) -> str:
    """Compute the content hash that a table would be written with.

    Raises:
        FormatError: The table could not be written.
    """
    data = checked_table(table)
    return table_hash(attributes_of(data.info), {p: entry_hash(p, e) for p, e in entries_of(data).items()})


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable where the system can (it cannot on Windows)."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


__all__ = ["checked_table", "content_hash", "write_tables"]
