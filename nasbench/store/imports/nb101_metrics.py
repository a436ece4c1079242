"""The metrics of NAS-Bench-101 records: protocol buffers read many at a time, without the library.

A message ``ModelMetrics`` has the repeated field 1, ``EvaluationData``, and the fields 2 (int32, trainable
parameters) and 3 (double, total seconds). ``EvaluationData`` has the doubles 1 epochs, 2 seconds of training
so far, 3 to 5 accuracy on train, validation and test images, and the text 6, a path. What is left out is 0.

Messages of one length are nearly always laid out alike. So the layout is read from one of them, and the
numbers of all that agree with it in every other byte are gathered at once.

Source: protobuf.dev, "Encoding"; google-research/nasbench, ``model_metrics.proto``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

EVALUATIONS = 3
"""Before training, half-way, at the end."""
NUMBERS = 5
"""Epochs, seconds, accuracy on train, validation and test images."""
_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5

_Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Metrics:
    """What (n,) messages say.

    Attributes:
        evaluations: (n, 3, 5) float64; see ``EVALUATIONS`` and ``NUMBERS``. nan where a message is malformed.
        parameters: (n,) trainable parameters.
        malformed: Which messages are not of this form, or have another number of evaluations.
    """

    evaluations: npt.NDArray[np.float64]
    parameters: npt.NDArray[np.int64]
    malformed: list[int]


@dataclass(frozen=True, slots=True)
class _Layout:
    doubles: list[list[int | None]]  # (3, 5) where each number stands
    parameters: tuple[int, int] | None  # first and last byte of the number
    unread: list[tuple[int, int]]  # first byte and end of values that nothing here needs


class _Malformed(Exception):
    """A message is not what it should be."""


def read_metrics(messages: Sequence[bytes]) -> Metrics:
    """Read (n,) messages; one that is malformed is named, not raised."""
    evaluations = np.full((len(messages), EVALUATIONS, NUMBERS), np.nan)
    parameters = np.zeros(len(messages), dtype=np.int64)
    malformed: list[int] = []
    by_length: dict[int, list[int]] = {}
    for i, message in enumerate(messages):
        by_length.setdefault(len(message), []).append(i)
    for length, members in by_length.items():
        left = np.array(members)
        raw = np.frombuffer(b"".join([messages[i] for i in members]), dtype=np.uint8).reshape(
            len(members), length
        )
        while len(left):
            try:
                layout = _layout(raw[0].tobytes())
            except _Malformed:
                malformed.append(int(left[0]))
                left, raw = left[1:], raw[1:]
                continue
            alike = _agree(raw, layout)
            here = raw[alike]
            for e, row in enumerate(layout.doubles):
                for number, at in enumerate(row):
                    value = 0.0 if at is None else _doubles(here, at)
                    evaluations[left[alike], e, number] = value
            parameters[left[alike]] = _varints(here, layout.parameters)
            left, raw = left[~alike], raw[~alike]
    return Metrics(evaluations, parameters, sorted(malformed))


def _agree(raw: _Bytes, layout: _Layout) -> npt.NDArray[np.bool_]:
    """Say which messages have the layout of the first: equal in all bytes that are no number's."""
    fixed = np.ones(raw.shape[1], dtype=bool)
    for at in (at for row in layout.doubles for at in row if at is not None):
        fixed[at : at + 8] = False
    for start, stop in layout.unread:
        fixed[start:stop] = False
    agree = np.ones(len(raw), dtype=bool)
    if layout.parameters is not None:
        first, last = layout.parameters
        fixed[first : last + 1] = False
        agree &= (raw[:, first:last] >= 0x80).all(axis=1) & (raw[:, last] < 0x80)
    agree &= (raw[:, fixed] == raw[0, fixed]).all(axis=1)
    return agree


def _doubles(raw: _Bytes, at: int) -> npt.NDArray[np.float64]:
    values: npt.NDArray[np.float64] = np.ascontiguousarray(raw[:, at : at + 8]).view("<f8").reshape(-1)
    return values


def _varints(raw: _Bytes, place: tuple[int, int] | None) -> npt.NDArray[np.int64]:
    value = np.zeros(len(raw), dtype=np.int64)
    if place is not None:
        first, last = place
        for at in range(last, first - 1, -1):
            value = (value << 7) | (raw[:, at] & 0x7F)
    return value


def _layout(message: bytes) -> _Layout:
    """Find where the numbers of one message stand.

    Raises:
        _Malformed: Not such a message.
    """
    doubles: list[list[int | None]] = []
    parameters = None
    unread = []
    for field, wire, start, stop in _fields(message, 0, len(message)):
        if (field, wire) == (1, _BYTES):
            row: list[int | None] = [None] * NUMBERS
            for inner, inner_wire, at, end in _fields(message, start, stop):
                if not 1 <= inner <= NUMBERS:
                    unread.append((at, end))
                elif inner_wire == _DOUBLE:
                    row[inner - 1] = at
                else:
                    raise _Malformed
            doubles.append(row)
        elif (field, wire) == (2, _VARINT):
            parameters = (start, stop - 1)
        else:
            unread.append((start, stop))
    if len(doubles) != EVALUATIONS:
        raise _Malformed
    return _Layout(doubles, parameters, unread)


def _fields(message: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (field, wire type, first byte of the value, end of it).

    Raises:
        _Malformed: A value breaks off, or has a wire type that is out of use.
    """
    while at < end:
        key, at = _number(message, at, end)
        field, wire = key >> 3, key & 7
        start = at
        if wire == _VARINT:
            _, at = _number(message, at, end)
        elif wire == _BYTES:
            size, start = _number(message, at, end)
            at = start + size
        elif wire in (_DOUBLE, _FLOAT):
            at += 8 if wire == _DOUBLE else 4
        else:
            raise _Malformed
        if at > end:
            raise _Malformed
        yield field, wire, start, at


def _number(message: bytes, at: int, end: int) -> tuple[int, int]:
    """Read one number of 7 bits a byte, low ones first; return it and where it ends.

    Raises:
        _Malformed: It breaks off or is longer than ten bytes.
    """
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            raise _Malformed
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _Malformed
