"""Verifying a table file from the file alone: hashes recomputed, every number checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nasbench.errors import FormatError, Mismatch
from nasbench.store.checks import Finding, findings, same_split, shape_findings
from nasbench.store.content import entry_hash, file_hash, table_hash
from nasbench.store.files import attributes, choose, entries, open_file
from nasbench.store.info import canonical_json, recipe_hash
from nasbench.store.schema import unit_of
from nasbench.store.stored import StoredTable


def verify_table(path: str | Path, name: str | None = None) -> list[Finding]:
    """Check one table of a file, or all of them.

    Args:
        path: The file.
        name: Name of the table; None = every table, and the file's own hash.

    Returns:
        What is wrong; empty when all holds.

    Raises:
        MissingExtra: No such file.
        FormatError: Not a table file at all: truncated, foreign, of another version, or without a field that
            every table has; the message names file and field.
        UnknownName: The file holds no table of that name.
    """
    file_path = Path(path)
    out: list[Finding] = []
    with open_file(file_path) as file:
        names = tuple(sorted(file))
        chosen = names if name is None else (choose(file_path, names, name),)
        if not chosen:
            raise FormatError(f"{file_path}: expected at least one table, got none. Write the file again.")
        for one in chosen:
            out.extend(_verify(file_path, one, file[one]))
        if name is None:
            stated = file.attrs.get("content_hash")
            computed = file_hash({one: str(file[one].attrs["content_hash"]) for one in names})
            if stated != computed:
                out.append(Finding(file_path.name, "content_hash", f"expected {computed}, got {stated}."))
    return out


def require_verified(path: str | Path, name: str | None = None) -> None:
    """Raise on the first finding of ``verify_table``.

    Raises:
        Mismatch: Something is wrong; the message names file, table and field.
        FormatError: As ``verify_table``.
    """
    for finding in verify_table(path, name):
        raise Mismatch(f"{path}: {finding} Fetch or build the file again.")


def _verify(path: Path, name: str, group: Any) -> Iterator[Finding]:
    stated = attributes(path, group)
    entry_by_path = entries(path, group, all_attributes=True)
    hash_by_path = {key: entry_hash(key, entry) for key, entry in entry_by_path.items()}
    for key, entry in entry_by_path.items():
        found = entry.attributes.get("content_hash")
        if found != hash_by_path[key]:
            yield Finding(
                name, key, f"content_hash: expected {hash_by_path[key]}, got {found}: the data were edited."
            )
        if key.startswith("curves/"):
            wanted = unit_of(key.removeprefix("curves/"))
            unit = entry.attributes.get("unit"), entry.attributes.get("direction")
            if unit != wanted:
                yield Finding(name, key, f"expected unit and direction {wanted}, got {unit}.")
        if key.startswith("scalars/") and not entry.attributes.get("unit"):
            yield Finding(name, key, "expected a unit, got none.")
    computed = table_hash(stated, hash_by_path)
    if stated["content_hash"] != computed:
        yield Finding(
            name,
            "content_hash",
            f"expected {computed}, got {stated['content_hash']}: attributes or data were edited.",
        )
    data = StoredTable(name, path, stated, entry_by_path).data()
    if stated["recipe_hash"] != recipe_hash(data.info.recipe):
        yield Finding(
            name, "recipe_hash", f"expected {recipe_hash(data.info.recipe)}, got {stated['recipe_hash']}."
        )
    if stated["recipe"] != canonical_json(dict(data.info.recipe)):
        yield Finding(name, "recipe", "expected canonical JSON (sorted keys, no spaces).")
    misshapen = list(shape_findings(data))
    yield from misshapen
    if not misshapen:
        yield from findings(data)
        yield from same_split(data)
