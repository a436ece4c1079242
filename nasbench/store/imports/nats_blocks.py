"""Blocks of architectures put aside while a release is read, so that a killed import goes on where it was.

The folder ``TABLE.h5.importing`` beside the table holds one file a block, each written aside and renamed, and
what was being read. It goes when the table is there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nasbench.errors import BadOption, FormatError
from nasbench.records import Code
from nasbench.spaces import Space
from nasbench.store.imports.nats_record import Record
from nasbench.store.imports.nats_tables import Gathered

SIZE = 64
"""Architectures a block."""
_FORM = "2"


@dataclass(slots=True)
class Block:
    """Architectures that were read one after the other.

    Attributes:
        texts: Each in the authors' notation.
        index: Each in the release.
        records: Their trainings.
        digests: SHA-256 of each file that was read, damaged ones too; empty texts where all are one file.
        damage: What was wrong with the files left out.
    """

    texts: list[str] = field(default_factory=list)
    index: list[int] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)


class Aside:
    """The folder of blocks beside a table that is being made.

    Args:
        table: The file that will be made.
        fingerprint: Which bytes are being read.

    Raises:
        BadOption: The folder holds the blocks of another source.
    """

    def __init__(self, table: Path, fingerprint: str) -> None:
        self.folder = table.with_name(f"{table.name}.importing")
        self._state = f"{_FORM}\n{fingerprint}\n"
        self._note = self.folder / "source.txt"
        if self._note.is_file() and self._note.read_text(encoding="utf-8") != self._state:
            raise BadOption(
                f"table: {self.folder} holds the half-done import of another source. Remove that folder, or "
                "give another table."
            )
        self._codes: dict[str, Code] = {}
        self._done = sorted(self.folder.glob("block-*.npz"))

    def read_so_far(self) -> tuple[int, list[str], list[str]]:
        """Say how many architectures were read, the digests of their files, and the damage among them."""
        digests: list[str] = []
        damage: list[str] = []
        for path in self._done:
            with np.load(path, allow_pickle=False) as file:
                digests += file["digests"].tolist()
                damage += file["damage"].tolist()
        return len(digests), digests, damage

    def add(self, block: Block) -> None:
        """Put a block aside, durably; the folder is made for the first one."""
        if not self._note.is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            self._note.write_text(self._state, encoding="utf-8")
        path = self.folder / f"block-{len(self._done):06d}.npz"
        part = path.with_suffix(".part")
        with part.open("wb") as handle:
            np.savez(handle, **_arrays(block))
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(part, path)
        self._done.append(path)

    def keys(self) -> list[tuple[int, str]]:
        """List the (training length, data set) that any architecture has."""
        found = set()
        for path in self._done:
            with np.load(path, allow_pickle=False) as file:
                for name in file.files:
                    if name.endswith("|seeds"):
                        epochs, data_set, _ = name.split("|")
                        found.add((int(epochs), data_set))
        return sorted(found)

    def architectures(self) -> tuple[list[int], list[str]]:
        """List the index and the text of every architecture that was read, in order."""
        index: list[int] = []
        texts: list[str] = []
        for path in self._done:
            with np.load(path, allow_pickle=False) as file:
                index += file["index"].tolist()
                texts += file["texts"].tolist()
        return index, texts

    def gather(self, key: tuple[int, str], space: Space) -> Gathered:
        """Bring together what all architectures have of one data set and training length, in code order."""
        name = f"{key[0]}|{key[1]}|"
        shapes, codes, index = self._survey(name, space)
        n, repeats = len(codes), max(shapes)
        place_of = np.empty(n, dtype=np.int64)
        order = np.lexsort(codes.T[::-1])
        place_of[order] = np.arange(n)
        gathered = Gathered(
            codes[order],
            index[order],
            np.full((n, repeats), -1, dtype=np.int64),
            np.full((n, repeats), b"", dtype="S1"),
            {},
        )
        accounts: dict[int, Any] = {}
        done = 0
        for file in self._files():
            if f"{name}rows" not in file.files:
                continue
            m = len(file[f"{name}rows"])
            places = place_of[done : done + m]
            done += m
            of_rows = file[f"{name}accounts"].tolist()
            accounts.update({int(place): row for place, row in zip(places, of_rows, strict=True)})
            seeds, values = file[f"{name}seeds"], file[f"{name}values"]
            r = seeds.shape[1]
            gathered.seeds[places, :r] = seeds
            for what, array in zip(file[f"{name}names"].tolist(), values, strict=True):
                if what not in gathered.values:
                    gathered.values[what] = np.full((n, repeats, key[0]), np.nan)
                gathered.values[what][places, :r] = array
        rows = [accounts[place] + [b""] * (repeats - len(accounts[place])) for place in range(n)]
        return Gathered(gathered.codes, gathered.index, gathered.seeds, np.array(rows), gathered.values)

    def _survey(self, name: str, space: Space) -> tuple[list[int], Any, Any]:
        """Collect repeats, codes and indices of the architectures that have some trainings."""
        repeats, codes, index = [], [], []
        for file in self._files():
            if f"{name}rows" in file.files:
                rows = file[f"{name}rows"]
                repeats.append(file[f"{name}seeds"].shape[1])
                codes += [self._code(text, space) for text in file["texts"][rows].tolist()]
                index.append(file["index"][rows])
        return repeats, np.array(codes, dtype=np.int8), np.concatenate(index).astype(np.int32)

    def _code(self, text: str, space: Space) -> Code:
        """Read an architecture, once for all the tables that have it."""
        if text not in self._codes:
            self._codes[text] = space.parse(text)
        return self._codes[text]

    def _files(self) -> Iterator[Any]:
        for path in self._done:
            with np.load(path, allow_pickle=False) as file:
                yield file

    def remove(self) -> None:
        """Remove the folder and whatever a kill left in it."""
        shutil.rmtree(self.folder)


def _arrays(block: Block) -> dict[str, Any]:
    """Turn a block into arrays of plain types; what one architecture lacks and others have is nan."""
    out: dict[str, Any] = {
        "texts": np.array(block.texts, dtype=str),
        "index": np.array(block.index, dtype=np.int64),
        "digests": np.array(block.digests, dtype=str),
        "damage": np.array(block.damage, dtype=str),
    }
    for key in sorted({key for record in block.records for key in record}):
        name = f"{key[0]}|{key[1]}|"
        rows = [row for row, record in enumerate(block.records) if key in record]
        trainings = [block.records[row][key] for row in rows]
        repeats = max(len(t.seeds) for t in trainings)
        out[f"{name}rows"] = np.array(rows, dtype=np.int64)
        out[f"{name}seeds"] = _filled([np.array(t.seeds) for t in trainings], (repeats,), -1)
        accounts = [[text.encode() for text in t.accounts] for t in trainings]
        out[f"{name}accounts"] = np.array([row + [b""] * (repeats - len(row)) for row in accounts])
        names = sorted({what for t in trainings for what in t.values})
        values = np.full((len(names), len(rows), repeats, key[0]), np.nan)
        for row, training in enumerate(trainings):
            for i, what in enumerate(names):
                if (array := training.values.get(what)) is not None:
                    values[i, row, : len(array)] = array
        out[f"{name}names"], out[f"{name}values"] = np.array(names, dtype=str), values
    return out


def _filled(arrays: Sequence[Any], shape: tuple[int, ...], empty: float) -> Any:
    out = np.full((len(arrays), *shape), empty, dtype=type(empty))
    for row, array in enumerate(arrays):
        out[row, : len(array)] = array
    return out


def check_order(
    index: Sequence[int], texts: Sequence[str], architectures: Sequence[str], *, where: str
) -> None:
    """Hold every architecture that was read to its place in the release's own list.

    Raises:
        FormatError: One stands elsewhere, or twice.
    """
    if len(set(index)) != len(index):
        raise FormatError(f"{where}: expected each architecture once, got one index twice.")
    for i, text in zip(index, texts, strict=True):
        if not 0 <= i < len(architectures) or architectures[i] != text:
            wanted = architectures[i] if 0 <= i < len(architectures) else f"at most {len(architectures) - 1}"
            raise FormatError(f"{where}: architecture {i}: expected {wanted}, got {text}. Fetch it again.")
