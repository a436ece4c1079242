"""The trainings of an official NAS-Bench-101 file, gathered as they come, and kept through a kill."""

from __future__ import annotations

import os
from collections.abc import Sequence
from math import isqrt
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nasbench.errors import FormatError
from nasbench.spaces.nb101_canonical import Keys, canonical_key, pack_operations, pruned_keys
from nasbench.spaces.nb101_graph import BIT, INTERIOR, VERTICES, validity
from nasbench.spaces.nb101_hash import class_hash
from nasbench.spaces.nb101_notation import INPUT, OPERATIONS, OUTPUT
from nasbench.store.imports.nb101_records import EPOCHS, MEASURED, Records, Refused

REPEATS = 3
_FIRST_CAPACITY = 1_024
_VERSION = 1


class NB101Trainings:
    """Modules in the order in which they came, with what was measured of each.

    Attributes:
        rounded: How many of the source's numbers single precision does not hold exactly.
    """

    def __init__(self) -> None:
        self._row_of_hash: dict[bytes, int] = {}
        self._graph_of_text: dict[str, int] = {}
        self._packed_of_text: dict[str, int] = {}
        self._keys: list[int] = []
        self._parameters: list[int] = []
        self._counts = np.zeros((_FIRST_CAPACITY, len(EPOCHS)), dtype=np.int8)
        self._curves = _empty(_FIRST_CAPACITY)
        self.rounded = 0

    def __len__(self) -> int:
        """Number of modules."""
        return len(self._keys)

    @property
    def keys(self) -> Keys:
        """(n,) canonical cell of each module."""
        return np.array(self._keys, dtype=np.int32)

    @property
    def hashes(self) -> npt.NDArray[np.uint8]:
        """(n, 16) published hash of each module."""
        return np.frombuffer(b"".join(self._row_of_hash), dtype=np.uint8).reshape(-1, 16)

    @property
    def parameters(self) -> npt.NDArray[np.int64]:
        """(n,) trainable parameters of each module."""
        return np.array(self._parameters, dtype=np.int64)

    @property
    def counts(self) -> npt.NDArray[np.int8]:
        """(n, 4) trainings of each module at each length."""
        return self._counts[: len(self)]

    @property
    def curves(self) -> npt.NDArray[np.float32]:
        """(n, 3, 4, 8) what was measured, by ``MEASURED``; nan = not measured."""
        return self._curves[: len(self)]

    def add(self, records: Records) -> list[Refused]:
        """Add trainings; return those that contradict an earlier one or their own hash."""
        rows: list[int] = []
        repeats: list[int] = []
        lengths: list[int] = []
        taken: list[int] = []
        refused: list[Refused] = []
        parameters = records.parameters.tolist()
        for i, digest in enumerate(records.hashes):
            row = self._row_of_hash.get(digest)
            if row is None:
                try:
                    key = self._key(digest, *records.cells[i])
                except FormatError as error:
                    refused.append(Refused(records.at[i], str(error)))
                    continue
                row = self._new_row(digest, key, parameters[i])
            e = EPOCHS.index(records.epochs[i])
            repeat = int(self._counts[row, e])
            if parameters[i] != self._parameters[row]:
                why = f"expected {self._parameters[row]} parameters as in earlier records of the module, got "
                refused.append(Refused(records.at[i], f"{why}{parameters[i]}"))
            elif repeat == REPEATS:
                why = f"expected {REPEATS} trainings of a module at {EPOCHS[e]} epochs, got another"
                refused.append(Refused(records.at[i], why))
            else:
                self._counts[row, e] = repeat + 1
                rows.append(row)
                repeats.append(repeat)
                lengths.append(e)
                taken.append(i)
        measured = records.measured[taken]
        single = measured.astype(np.float32)
        self.rounded += int((single != measured).sum())
        self._curves[rows, repeats, lengths] = single
        return refused

    def _new_row(self, digest: bytes, key: int, parameters: int) -> int:
        row = self._row_of_hash[digest] = len(self._keys)
        self._keys.append(key)
        self._parameters.append(parameters)
        if row == len(self._counts):
            self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
            self._curves = np.concatenate([self._curves, _empty(row)])
        return row

    def _key(self, digest: bytes, matrix: str, operations: str) -> int:
        """Turn a module as written into the key of its canonical cell, and check its hash.

        Raises:
            FormatError: No valid cell, or one of another hash.
        """
        try:
            graph = self._graph_of_text[matrix]
            packed = self._packed_of_text[operations]
        except (KeyError, TypeError):
            graph = self._graph_of_text[matrix] = _graph(matrix)
            packed = self._packed_of_text[operations] = _packed(operations)
        key = int(pruned_keys(np.array([graph], np.int32), np.array([packed], np.int32))[0])
        if len(matrix) != (operations.count(",") + 1) ** 2:
            raise FormatError(f"expected as many operations as vertices, got {matrix!r} and {operations!r}")
        canonical = canonical_key(key)
        own = class_hash(canonical)
        if bytes.fromhex(own) != digest:
            raise FormatError(
                f"expected the hash of its own cell ({own}), got {digest.hex()} for {matrix} {operations}"
            )
        return canonical

    # Through a kill -----------------------------------------------------------------------------

    def save(self, path: Path, **more: npt.NDArray[np.generic]) -> None:
        """Write everything, and what else the caller must remember; aside first, then renamed."""
        aside = path.with_name(f"{path.name}.{os.getpid()}")
        with aside.open("wb") as stream:
            np.savez(
                stream,
                version=np.array(_VERSION),
                keys=self.keys,
                hashes=self.hashes,
                parameters=self.parameters,
                counts=self.counts,
                curves=self.curves,
                rounded=np.array(self.rounded),
                **more,  # type: ignore[arg-type]
            )
        os.replace(aside, path)

    @classmethod
    def load(cls, path: Path) -> tuple[NB101Trainings, dict[str, npt.NDArray[np.generic]]]:
        """Read back what ``save`` wrote.

        Raises:
            FormatError: Not such a file.
        """
        try:
            with np.load(path, allow_pickle=False) as stored:
                values = {name: stored[name] for name in stored.files}
            if values.pop("version") != _VERSION:
                raise ValueError("another version")
            made = cls()
            digests = values.pop("hashes")
            made._row_of_hash = {digest.tobytes(): row for row, digest in enumerate(digests)}
            made._keys = values.pop("keys").tolist()
            made._parameters = values.pop("parameters").tolist()
            made._counts, made._curves = values.pop("counts"), values.pop("curves")
            made.rounded = int(values.pop("rounded"))
        except (OSError, ValueError, KeyError) as error:
            raise FormatError(
                f"{path}: expected the half-done import of an earlier start, got something else ({error}). "
                "Remove it and start again."
            ) from error
        return made, values


def _empty(rows: int) -> npt.NDArray[np.float32]:
    return np.full((rows, REPEATS, len(EPOCHS), len(MEASURED)), np.nan, dtype=np.float32)


def _graph(matrix: object) -> int:
    """Turn a matrix as written into the number of its graph.

    Raises:
        FormatError: Not the matrix of a valid cell.
    """
    text = matrix if isinstance(matrix, str) else ""
    size, graph = isqrt(len(text)), 0
    if 2 <= size <= VERTICES and len(text) == size**2 and set(text) <= {"0", "1"}:
        for place in (place for place, digit in enumerate(text) if digit == "1"):
            i, j = divmod(place, size)
            if i >= j:
                break
            graph |= BIT[i, VERTICES - 1 if j == size - 1 else j]
        else:
            if validity()[graph]:
                return graph
    raise FormatError(f"expected the matrix of a valid cell, upper triangular, got {matrix!r}")


def _packed(operations: object) -> int:
    """Turn operations as written into the low bits of a key.

    Raises:
        FormatError: Not the operations of a cell.
    """
    names: Sequence[str] = operations.split(",") if isinstance(operations, str) else ()
    inner = names[1:-1]
    if (
        names[:1] != [INPUT]
        or names[-1:] != [OUTPUT]
        or len(inner) > INTERIOR
        or not set(inner) <= set(OPERATIONS)
    ):
        raise FormatError(f"expected input, operations and output, got {operations!r}")
    numbers = [OPERATIONS.index(name) for name in inner] + [0] * (INTERIOR - len(inner))
    return int(pack_operations(np.array([numbers]))[0])
