"""Finding tables by name: in a folder of one's own, in the installed package, or in the checkout."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import nasbench
from nasbench.errors import FormatError, MissingExtra, UnknownName
from nasbench.store.files import kebab, table_names
from nasbench.store.table import Table, open_table

DATA_VARIABLE = "NASBENCH_DATA"


def data_folders() -> tuple[Path, ...]:
    """List the folders that are searched, first one first, those that exist only.

    The folder that the environment variable ``NASBENCH_DATA`` names; the data inside the installed package;
    ``data`` beside the package, where it is used from a checkout.
    """
    package = Path(nasbench.__file__).parent
    named = os.environ.get(DATA_VARIABLE)
    folders = [*([Path(named).expanduser()] if named else []), package / "_data", package.parent / "data"]
    return tuple(folder for folder in folders if folder.is_dir())


def data_folder() -> Path:
    """Return the first folder that is searched.

    Raises:
        MissingExtra: There is none.
    """
    folders = data_folders()
    if not folders:
        raise MissingExtra(
            f"data: expected tables inside the package or in the folder that {DATA_VARIABLE} names, got "
            "neither. "
            f"Install nasbench again, or set {DATA_VARIABLE} to a folder with table files."
        )
    return folders[0]


def find_data_file(name: str) -> Path:
    """Return the first file of this name in the data folders.

    Raises:
        MissingExtra: No data folder holds it.
    """
    for folder in data_folders():
        if (folder / name).is_file():
            return folder / name
    searched = ", ".join(str(folder) for folder in data_folders()) or "no folder"
    raise MissingExtra(
        f"data: expected the file {name}, got none in {searched}. Install nasbench again, or set "
        f"{DATA_VARIABLE} to "
        "a folder that holds it."
    )


def list_tables() -> tuple[str, ...]:
    """List the names of all tables in the data folders, sorted; reads group names only."""
    return tuple(sorted({name for _, names in _files() for name in names}))


def find_table(name: str) -> Table:
    """Open a table by its name, or by a path: ``path.h5`` or ``path.h5:table``.

    Names are forgiving: case and underscores do not matter. Where two folders hold a table of one name, the
    first folder wins. The file is not hashed; ``nasbench table verify`` does that.

    Raises:
        UnknownName: No such table; the message lists the near ones.
        MissingExtra: A path that does not exist.
        FormatError: The file is not a table file.
    """
    path, _, inner = name.rpartition(":")
    if path.endswith(".h5"):
        return open_table(path, inner)
    if name.endswith(".h5"):
        return open_table(name)
    wanted = kebab(name)
    known: list[str] = []
    for file, names in _files():
        for candidate in names:
            if kebab(candidate) == wanted:
                return open_table(file, candidate)
        known.extend(names)
    raise UnknownName.among(
        "table", name, known, hint="List them with: nasbench list tables. A path to an .h5 file works too."
    )


def _files() -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Yield every table file of the data folders with its tables; other files are passed over."""
    for folder in data_folders():
        for file in sorted(folder.glob("*.h5")):
            try:
                yield file, table_names(file)
            except FormatError:
                continue
