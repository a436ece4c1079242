"""Records of the official NAS-Bench-101 files: one training each, read a block at a time.

``[module hash, epochs, matrix, operations, metrics]`` as JSON: 32 hexadecimal digits, a whole number, a row
of zeros and ones for the matrix, names separated by commas, and a protocol buffer in base64.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nasbench.store.imports.nb101_metrics import read_metrics

EPOCHS = (4, 12, 36, 108)
MEASURED = (
    "halfway_train_seconds",
    "halfway_train_error",
    "halfway_valid_error",
    "halfway_test_error",
    "train_seconds",
    "train_error",
    "valid_error",
    "test_error",
)
"""What is taken from a record: of its second and of its last evaluation."""
_HASH_BYTES = 16
_FIELDS = "a list of module hash, epochs, matrix, operations and metrics"


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that is whole but does not say what it should.

    Attributes:
        at: Its number in the block.
        why: What was expected and what came.
    """

    at: int
    why: str


@dataclass(frozen=True, slots=True)
class Records:
    """The sound records of a block, in order.

    Attributes:
        at: Number of each in the block.
        hashes: Published hash of each module, 16 bytes.
        epochs: Training lengths.
        cells: Matrix and operations of each, as written.
        measured: (m, 8) by ``MEASURED``: seconds, and errors as fractions in [0, 1].
        parameters: (m,) trainable parameters.
        refused: The other records.
    """

    at: list[int]
    hashes: list[bytes]
    epochs: list[int]
    cells: list[tuple[str, str]]
    measured: npt.NDArray[np.float64]
    parameters: npt.NDArray[np.int64]
    refused: list[Refused]


def read_records(payloads: Sequence[bytes]) -> Records:
    """Read a block of payloads."""
    at: list[int] = []
    hashes: list[bytes] = []
    epochs: list[int] = []
    cells: list[tuple[str, str]] = []
    messages: list[bytes] = []
    refused: list[Refused] = []
    for i, fields in enumerate(_decoded(payloads)):
        try:
            name, length, matrix, operations, metrics = fields
            digest = bytes.fromhex(name)
            message = binascii.a2b_base64(metrics, strict_mode=True)
        except (ValueError, TypeError) as error:
            refused.append(Refused(i, f"expected {_FIELDS}, got {payloads[i][:60]!r} ({error})"))
            continue
        if length not in EPOCHS or len(digest) != _HASH_BYTES:
            wanted = f"{', '.join(map(str, EPOCHS))} epochs of a module with a hash of 32 digits"
            refused.append(Refused(i, f"expected {wanted}, got {length!r} of {name!r}"))
            continue
        at.append(i)
        hashes.append(digest)
        epochs.append(length)
        cells.append((matrix, operations))
        messages.append(message)
    found = read_metrics(messages)
    measured = _measured(found.evaluations)
    wrong = np.zeros(len(messages), dtype=bool)
    wrong[found.malformed] = True
    refused += [Refused(at[i], "expected metrics of three evaluations, got others") for i in found.malformed]
    for i in np.flatnonzero(~(_in_range(measured) | wrong)).tolist():
        values = ", ".join(f"{value:g}" for value in measured[i])
        refused.append(Refused(at[i], f"expected errors in [0, 1] and seconds > 0, got {values}"))
        wrong[i] = True
    if wrong.any():
        kept = np.flatnonzero(~wrong).tolist()
        at, hashes, epochs, cells = ([column[i] for i in kept] for column in (at, hashes, epochs, cells))  # type: ignore[assignment]
        measured, parameters = measured[kept], found.parameters[kept]
    else:
        parameters = found.parameters
    return Records(at, hashes, epochs, cells, measured, parameters, sorted(refused, key=lambda r: r.at))


def _decoded(payloads: Sequence[bytes]) -> list[Any]:
    """Read JSON texts, all in one go where all are sound; None for one that is not."""
    try:
        whole: list[Any] = json.loads(b"[%s]" % b",".join(payloads))
    except ValueError:
        whole = []
    return whole if len(whole) == len(payloads) else [_decoded_one(payload) for payload in payloads]


def _decoded_one(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return None


def _measured(evaluations: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Take seconds and errors half-way and at the end, (m, 8)."""
    late = evaluations[:, 1:]  # (m, 2, 5): epochs, seconds, three accuracies
    errors = 1.0 - late[:, :, 2:]
    both: npt.NDArray[np.float64] = np.concatenate([late[:, :, 1:2], errors], axis=2).reshape(len(late), -1)
    return both


def _in_range(measured: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    seconds, errors = measured[:, [0, 4]], measured[:, [1, 2, 3, 5, 6, 7]]
    good = (seconds > 0) & np.isfinite(seconds)
    inside = (errors >= 0) & (errors <= 1)
    return np.asarray(np.concatenate([good, inside], axis=1).all(axis=1))
