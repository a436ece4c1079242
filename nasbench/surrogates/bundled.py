"""Finding surrogates by name: files ``NAME.surrogate.h5`` in the data folders."""

from __future__ import annotations

from pathlib import Path

from nasbench.errors import UnknownName
from nasbench.store.bundled import data_folders
from nasbench.store.files import kebab
from nasbench.surrogates.names import ENDING


def list_surrogates() -> tuple[str, ...]:
    """List the names of all surrogates in the data folders, sorted."""
    return tuple(sorted({path.name.removesuffix(ENDING) for path in _files()}))


def find_surrogate(name: str) -> Path:
    """Return the file of a surrogate, given by name or path.

    Raises:
        UnknownName: No such surrogate; the message lists the near ones.
    """
    if name.endswith(ENDING):
        return Path(name)
    for path in _files():
        if kebab(path.name.removesuffix(ENDING)) == kebab(name):
            return path
    raise UnknownName.among(
        "surrogate", name, list_surrogates(), hint="Fit one with: nasbench surrogate fit TABLE"
    )


def _files() -> list[Path]:
    return [path for folder in data_folders() for path in sorted(folder.glob(f"*{ENDING}"))]
