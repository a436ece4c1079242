"""Small official-looking NAS-Bench-101 files: the true format, written by hand, with made-up numbers."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path

import numpy as np

from nasbench.seeds import Addressed
from nasbench.spaces import get_space
from nasbench.spaces.nb101_hash import key_hash

SPACE = get_space("nb101")
EPOCHS = (4, 12, 36, 108)
IMAGES = 9_984  # the authors measured accuracies on so many images, as their numbers tell


def tag(field, wire):
    return bytes([field << 3 | wire])


def varint(number):
    out = []
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def double(field, value):
    return tag(field, 1) + struct.pack("<d", value)


def evaluation(numbers, path=None):
    """Write an EvaluationData of five doubles and, where given, a path."""
    text = b"".join(double(field, value) for field, value in enumerate(numbers, start=1))
    if path is not None:
        text += tag(6, 2) + varint(len(path)) + path.encode()
    return text


def metrics(evaluations, parameters, total=0.0, path=None):
    """Write a ModelMetrics."""
    parts = [evaluation(numbers, path) for numbers in evaluations]
    text = b"".join(tag(1, 2) + varint(len(part)) + part for part in parts)
    return text + tag(2, 0) + varint(parameters) + double(3, total)


def record(digest, epochs, matrix, operations, message):
    """Write the payload of one record."""
    digits = "".join(str(int(entry)) for row in matrix for entry in row)
    fields = [digest, epochs, digits, ",".join(operations), base64.b64encode(message).decode()]
    return json.dumps(fields).encode()


def single(value):
    return float(np.float32(value))


def made_up(key, epochs, repeat):
    """Three evaluations of one training, as different as their arguments, in the source's precision."""
    draw = Addressed(np.random.default_rng(epochs)).below
    best = 0.6 + 0.35 * draw(10_000, key, repeat) / 10_000 * (1 - 1 / epochs)
    seconds = single(epochs * (5 + draw(15_000, key, repeat + 3) / 1_000))
    before = [0.0, 0.0, *(single(int(IMAGES * 0.1) / IMAGES) for _ in range(3))]
    half = [
        epochs / 2,
        single(seconds / 2),
        *(single(int(IMAGES * best * f) / IMAGES) for f in (0.95, 0.9, 0.89)),
    ]
    last = [float(epochs), seconds, *(single(int(IMAGES * best * f) / IMAGES) for f in (1.02, 1.0, 0.99))]
    return [before, half, last]


def parameters_of(key):
    return 227_274 + key % 40_000_000


def cells(n, *, seed=0):
    """Draw n cells that differ, as (key, matrix, operations), not in their canonical order."""
    codes = SPACE.sample(20 * n, rng=np.random.default_rng(seed))
    keys = SPACE.keys(codes)
    _, first = np.unique(keys, return_index=True)
    chosen = sorted(first.tolist())[:n]
    assert len(chosen) == n
    return [(int(keys[i]), *SPACE.cell(tuple(codes[i].tolist()))) for i in chosen]


def records_of(drawn, *, epochs=EPOCHS, repeats=3, path=None):
    """Yield the payloads of all trainings of some cells, in the order of the official file."""
    for key, matrix, operations in drawn:
        for length in epochs:
            for repeat in range(repeats):
                message = metrics(made_up(key, length, repeat), parameters_of(key), path=path)
                yield record(key_hash(key), length, matrix, operations, message)


def crc32c(text):
    """Compute CRC-32C byte by byte."""
    register = 0xFFFFFFFF
    for byte in text:
        register = _CRC[(register ^ byte) & 0xFF] ^ (register >> 8)
    return register ^ 0xFFFFFFFF


def _of_byte(register):
    for _ in range(8):
        register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register


_CRC = [_of_byte(byte) for byte in range(256)]


def masked(text):
    crc = crc32c(text)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def framed(payload):
    """Write one record of a TFRecord file."""
    length = struct.pack("<Q", len(payload))
    return length + masked(length) + payload + masked(payload)


def write_file(path: Path, payloads) -> list[int]:
    """Write a TFRecord file; return where each record begins."""
    positions = []
    with path.open("wb") as stream:
        for payload in payloads:
            positions.append(stream.tell())
            stream.write(framed(payload))
    return positions
