"""Where the files of data sets are looked for, and whether they are the ones they claim to be.

Nothing is ever downloaded.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from nasbench.errors import FormatError, MissingExtra

FOLDERS_VARIABLE = "NASBENCH_DATASETS"
_WELL_KNOWN = ("/usr/share/datasets", "~/.cache/nasbench/datasets")


def dataset_folders() -> tuple[Path, ...]:
    """List the folders that are searched, first one first, whether they exist or not.

    Those that the environment variable ``NASBENCH_DATASETS`` names, separated as in ``PATH``; then
    ``/usr/share/datasets``, where Debian's packages put data sets, and ``~/.cache/nasbench/datasets``.
    """
    named = os.environ.get(FOLDERS_VARIABLE, "").split(os.pathsep)
    return tuple(Path(folder).expanduser() for folder in (*filter(None, named), *_WELL_KNOWN))


def find_set(
    name: str,
    places: Sequence[str],
    *,
    missing_in: Callable[[Path], Sequence[str]],
    hint: str,
    path: Path | None = None,
) -> Path:
    """Find the file or folder that holds a data set.

    Args:
        name: Of the data set, for messages.
        places: Where it may lie inside a searched folder, or inside ``path``; ``""`` is the folder itself.
        missing_in: Lists what one place lacks; empty where the set is there.
        hint: What to install or to put there, a sentence.
        path: Where the person says it is; None searches ``dataset_folders()``.

    Raises:
        MissingExtra: No place holds it; the message says what is missing where.
    """
    roots = dataset_folders() if path is None else (path.expanduser(),)
    tried = [root / place for root in roots for place in (places if path is None else ("", *places))]
    for place in tried:
        if place.exists() and not missing_in(place):
            return place
    half = next((place for place in tried if place.is_dir() and _holds_some(place, missing_in)), None)
    if half is not None:
        raise MissingExtra(f"data: {name}: {half} lacks {', '.join(missing_in(half))}. {hint}")
    inside = " or ".join(place for place in places if place)
    where = ", ".join(map(str, roots)) + (f" (there: {inside})" if inside else "")
    raise MissingExtra(
        f"data: {name} is not on this machine; looked in {where}. {hint} Folders of your own are named "
        "by "
        f"{FOLDERS_VARIABLE}."
    )


def _holds_some(place: Path, missing_in: Callable[[Path], Sequence[str]]) -> bool:
    with_nothing = missing_in(place / "no such folder")
    return len(missing_in(place)) < len(with_nothing)


def read_bytes(path: Path) -> bytes:
    """Read a whole file.

    Raises:
        MissingExtra: There is none, or it may not be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise MissingExtra(
            f"data: expected a readable file {path}, got none ({error.strerror}). Put it there."
        ) from error


def check_known(name: str, content: bytes, known: Mapping[str, str], *, where: Path) -> None:
    """Compare a file with the published one of its name, where its checksum is known.

    Args:
        name: Of the file.
        content: Its bytes.
        known: SHA-256 (64 digits), or MD5 (32 digits) where nothing else is published, by file name.
        where: Where it was read, for messages.

    Raises:
        FormatError: It is another file.
    """
    wanted = known.get(name)
    if wanted is None:
        return
    kind = "SHA-256" if len(wanted) == 64 else "MD5"
    got = (
        hashlib.sha256(content) if kind == "SHA-256" else hashlib.md5(content, usedforsecurity=False)
    ).hexdigest()
    if got != wanted:
        raise FormatError(
            f"{where}: {name}: expected the published file ({kind} {wanted}), got another ({got}). Fetch "
            "it again."
        )
