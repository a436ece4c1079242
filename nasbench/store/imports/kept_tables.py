"""Tables of an unfinished import, each kept in a folder beside the file to come as soon as it was read.

A table is taken up again only where its file is whole and it says of itself what the source would say now:
name and SHA-256 of the file it was read from, and the version of the program.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nasbench
from nasbench.errors import NasbenchError
from nasbench.store.data import TableData
from nasbench.store.info import TableInfo
from nasbench.store.table import open_table
from nasbench.store.verify import require_verified
from nasbench.store.writer import write_tables


def kept_folder(out: Path) -> Path:
    """Name the folder that keeps what an unfinished import of the table file ``out`` has read."""
    return out.with_name(f"{out.name}.importing")


class KeptTables:
    """Keeps tables through a kill.

    Args:
        folder: Where; made with the first table.
        say: Told what is taken up, and what is not and why.
    """

    def __init__(self, folder: Path, *, say: Callable[[str], None] = lambda _text: None) -> None:
        self._folder = folder
        self._say = say

    def take(self, name: str, info: TableInfo) -> TableData | None:
        """Return a table that was kept, if its attributes are ``info``; else None."""
        path = self._path(name)
        if not path.exists():
            return None
        try:
            require_verified(path)
            data = open_table(path, name).data()
        except (NasbenchError, OSError) as error:
            self._say(f"{path}: it is damaged ({error}); reading {name} anew")
            return None
        made = replace(data.info, content_hash="", recipe_hash="")
        if made != replace(info, created_by=f"nasbench {nasbench.__version__}"):
            self._say(f"{path}: it is of another file or version of the program; reading {name} anew")
            return None
        self._say(f"going on: {name} was read before and is kept in {path}")
        return replace(data, info=info)

    def put(self, table: TableData) -> None:
        """Keep a table; its file is written aside and renamed."""
        self._folder.mkdir(exist_ok=True)
        write_tables(self._path(table.name), [table])

    def remove(self) -> None:
        """Forget all: the tables are where they belong."""
        for pattern in ("*.h5", "*.h5.*.part"):
            for path in self._folder.glob(pattern):
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it is not there, or holds what is not ours
            self._folder.rmdir()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.h5"
