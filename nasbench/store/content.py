"""The content of a table independent of any file: named arrays with attributes, and their hashes.

The rule of the hash is written out in ``docs/table-schema.md``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt

from nasbench.store.data import TableData
from nasbench.store.info import TableInfo, canonical_json, recipe_hash
from nasbench.store.schema import unit_of

_JSON = ("splits", "recipe")
_LEFT_OUT = {"rows_answer_for": "code", "space_definition": "", "lengths": "one-training"}
"""Defaults of later attributes; they are left out, so that they change no hash."""
_UNHASHED = ("content_hash", "created_by")


@dataclass(frozen=True, slots=True)
class Entry:
    """One dataset: its array and the attributes it carries."""

    array: npt.NDArray[np.generic]
    attributes: Mapping[str, str] = field(default_factory=dict)


def entries_of(data: TableData) -> dict[str, Entry]:
    """List the datasets of a table that is already sorted and typed, by path."""
    entries = {"codes": Entry(data.codes), "epochs": Entry(np.array(data.epochs, dtype="<i4"))}
    for metric, array in data.curves.items():
        unit, direction = unit_of(metric)
        entries[f"curves/{metric}"] = Entry(array, {"unit": unit, "direction": direction})
    if data.failed is not None:
        entries["failed"] = Entry(data.failed)
    for name, scalar in data.scalars.items():
        more = {"device": scalar.device, "provenance": scalar.provenance}
        stated = {"unit": scalar.unit, **{key: text for key, text in more.items() if text}}
        entries[f"scalars/{name}"] = Entry(scalar.values, stated)
    if data.provenance is not None:
        entries["provenance/of"] = Entry(data.provenance.of)
        texts = [text.encode("utf-8") for text in data.provenance.rows]
        width = max([1, *(len(text) for text in texts)])
        entries["provenance/rows"] = Entry(np.array(texts, dtype=f"S{width}"))
    return entries


def attributes_of(info: TableInfo) -> dict[str, str]:
    """Write a table's attributes as text, content hash left out; the recipe hash is computed."""
    attributes: dict[str, str] = {}
    for part in fields(info):
        value = getattr(info, part.name)
        if _LEFT_OUT.get(part.name) == value:
            continue
        attributes[part.name] = canonical_json(dict(value)) if part.name in _JSON else str(value)
    attributes["recipe_hash"] = recipe_hash(info.recipe)
    del attributes["content_hash"]
    return attributes


def info_from(attributes: Mapping[str, str]) -> TableInfo:
    """Read attributes back; the caller has checked that all are there."""
    names = [part.name for part in fields(TableInfo)]
    values: dict[str, object] = {name: attributes[name] for name in names if name in attributes}
    for name in _JSON:
        values[name] = json.loads(attributes[name])
    return TableInfo(**values)  # type: ignore[arg-type]


def entry_hash(path: str, entry: Entry) -> str:
    """Hash one dataset."""
    array = np.ascontiguousarray(entry.array)
    if array.dtype.byteorder == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    digest = hashlib.sha256()
    digest.update(_text(path) + _text(array.dtype.str) + _text(",".join(map(str, array.shape))))
    digest.update(_attributes(entry.attributes))
    digest.update(array.tobytes())
    return digest.hexdigest()


def table_hash(attributes: Mapping[str, str], hash_by_path: Mapping[str, str]) -> str:
    """Hash one table from its attributes and its datasets' hashes."""
    digest = hashlib.sha256(_attributes(attributes))
    for path in sorted(hash_by_path):
        digest.update(_text(path) + _text(hash_by_path[path]))
    return digest.hexdigest()


def file_hash(hash_by_table: Mapping[str, str]) -> str:
    """Hash a file from its tables' hashes."""
    lines = [f"{name} {hash_by_table[name]}\n" for name in sorted(hash_by_table)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _text(text: str) -> bytes:
    data = text.encode("utf-8")
    return b"%d:%s" % (len(data), data)


def _attributes(attributes: Mapping[str, str]) -> bytes:
    return b"".join(
        _text(name) + _text(attributes[name]) for name in sorted(attributes) if name not in _UNHASHED
    )
