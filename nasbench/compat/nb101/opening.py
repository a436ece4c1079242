"""Finding the table behind a dataset file; an official one is imported once and kept in a cache."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from nasbench.cache import cache_folder
from nasbench.errors import FormatError
from nasbench.store.bundled import find_table
from nasbench.store.imports.nb101 import import_nb101
from nasbench.store.table import Table


def open_dataset(dataset_file: str | os.PathLike[str]) -> Table:
    """Open a table of NAS-Bench-101 cells.

    Args:
        dataset_file: A ``.tfrecord`` file of the authors, or a table file ``FILE.h5`` or ``FILE.h5:TABLE``.

    Raises:
        FormatError: The table is of another space, or the official file is damaged.
        MissingExtra: There is no such file.
    """
    text = os.fspath(dataset_file)
    path, _, _ = text.rpartition(":")
    if text.endswith(".h5") or path.endswith(".h5"):
        table = find_table(text)
    else:
        source = Path(text)
        cached = cached_path(source)
        if not cached.exists():
            cached.parent.mkdir(parents=True, exist_ok=True)
            print(f"nasbench: reading {source} once, into {cached}; this takes minutes", file=sys.stderr)
            import_nb101(source, cached)
        table = find_table(str(cached))
    if table.space.name != "nb101":
        raise FormatError(
            f"{text}: space: expected a table of nb101, got {table.name} of {table.space.name}. "
            "Make one with: nasbench import nb101"
        )
    return table


def cached_path(source: Path) -> Path:
    """Name the table that an official file is kept as; another file of that path has another name."""
    stamp = "no such file"
    if source.is_file():
        found = source.stat()
        stamp = f"{source.resolve()}:{found.st_size}:{found.st_mtime_ns}"
    digest = hashlib.sha256(stamp.encode()).hexdigest()[:12]
    return cache_folder() / "nb101" / f"{source.stem}-{digest}.h5"
