"""Where the tables of releases are kept that a script names by the release: imported once, then opened.

The folder is ``nats`` in the one that ``NASBENCH_CACHE`` names, else in the user's cache folder.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from nasbench.cache import cache_folder
from nasbench.store.imports.nats import Progress, import_nats


def cached_table(release: Path, *, progress: Progress = lambda _done, _total, _label: None) -> Path:
    """Return the table file of a release, which is imported where that was not done before.

    A release is known by its name and by the sizes and times of its files, so that opening it takes no second
    reading.

    Args:
        release: A folder ``NATS-*-simple``, a file ``*.pickle.pbz2`` or a file ``*.pth``.
        progress: Is told after every architecture of an import.

    Raises:
        MissingExtra: No such release.
        FormatError: Not a release, or a damaged one.
    """
    files = sorted(release.iterdir()) if release.is_dir() else [release]
    states = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.is_file()]
    mark = hashlib.sha256(repr((release.resolve().name, states)).encode()).hexdigest()[:16]
    table = cache_folder() / "nats" / f"{release.name}-{mark}.h5"
    if not table.is_file():
        table.parent.mkdir(parents=True, exist_ok=True)
        import_nats(release, table, progress=progress)
    return table
