"""TFRecord files without TensorFlow: framing and check sums, a few megabytes at a time.

A record is its length (8 bytes, little-endian), the masked CRC-32C of those (4), the payload, and the masked
CRC-32C of the payload (4).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nasbench.errors import FormatError
from nasbench.store.imports.crc32c import masked_crcs

_CHUNK = 1 << 23
_HEAD, _TAIL = 12, 4
_LENGTH = struct.Struct("<Q")
_SEARCHED = 1 << 16
_LONGEST = 1 << 26  # bytes of a payload; what says that it is longer is damaged


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive records.

    Attributes:
        positions: Byte position of each record in the file.
        payloads: What each holds.
        damaged: Positions of the damaged stretches among them that were left out.
        end: Where the next block begins.
    """

    positions: list[int]
    payloads: list[bytes]
    damaged: list[int]
    end: int


def read_blocks(
    path: Path,
    *,
    start: int = 0,
    skip_damaged: bool = False,
    on_bytes: Callable[[bytes], None] = lambda _: None,
) -> Iterator[Block]:
    """Yield the records of a file in order, block by block.

    Args:
        path: The file.
        start: Position of a record to begin with.
        skip_damaged: Leave damaged records out, and say where they were.
        on_bytes: Handed every byte of the file from ``start`` on, in order, before its records are yielded.

    Raises:
        FormatError: A record is damaged or breaks off; the message has its byte position.
        OSError: The file cannot be read.
    """
    with path.open("rb") as stream:
        stream.seek(start)
        rest = b""
        position = start  # of the first byte of ``rest``
        while chunk := stream.read(_CHUNK):
            on_bytes(chunk)
            block, rest = _split(path, rest + chunk, position, skip_damaged=skip_damaged)
            position = block.end
            if block.payloads or block.damaged:
                yield block
        if rest:
            if not skip_damaged:
                _refuse(path, position, "the file breaks off inside it")
            yield Block([], [], [position], position + len(rest))


def _split(path: Path, data: bytes, base: int, *, skip_damaged: bool) -> tuple[Block, bytes]:
    """Cut the whole records off a buffer; what is left begins with one that goes on."""
    raw = np.frombuffer(data, dtype=np.uint8)
    positions: list[int] = []
    payloads: list[bytes] = []
    damaged: list[int] = []
    at = 0
    while True:
        starts, sound = _walk(data, raw, at)
        if len(starts):
            lengths = np.diff(starts, append=sound) - _HEAD - _TAIL
            stated = _crcs_at(raw, starts + _HEAD + lengths)
            good = masked_crcs(raw, starts + _HEAD, lengths) == stated
            for s, length, is_good in zip(starts.tolist(), lengths.tolist(), good.tolist(), strict=True):
                if is_good:
                    positions.append(base + s)
                    payloads.append(data[s + _HEAD : s + _HEAD + length])
                elif skip_damaged:
                    damaged.append(base + s)
                else:
                    _refuse(path, base + s, "the check sum of its payload is another")
        at = sound
        if len(data) - at < _HEAD or (_is_head(raw, at) and _LENGTH.unpack_from(data, at)[0] <= _LONGEST):
            break  # goes on in the next chunk
        if not skip_damaged:
            _refuse(path, base + at, "its length or the check sum of it is wrong")
        damaged.append(base + at)
        at = _next_head(raw, at + 1)
        if len(data) - at < _HEAD:
            break
    return Block(positions, payloads, damaged, base + at), data[at:]


def _walk(data: bytes, raw: npt.NDArray[np.uint8], at: int) -> tuple[npt.NDArray[np.int64], int]:
    """List where whole records begin whose length is sound, and where the last of them ends."""
    starts = []
    unpack = _LENGTH.unpack_from
    size = len(data)
    end = at
    while end + _HEAD + _TAIL <= size:
        following = end + _HEAD + unpack(data, end)[0] + _TAIL
        if following > size:
            break
        starts.append(end)
        end = following
    found = np.array(starts, dtype=np.int64)
    sound = masked_crcs(raw, found, np.full(len(found), 8)) == _crcs_at(raw, found + 8)
    if not sound.all():
        first = int(np.argmin(sound))
        return found[:first], int(found[first])
    return found, end


def _crcs_at(raw: npt.NDArray[np.uint8], places: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    """Read little-endian numbers of four bytes, (n,)."""
    four = np.ascontiguousarray(raw[places[:, None] + np.arange(4)])
    return four.view("<u4").reshape(-1)


def _is_head(raw: npt.NDArray[np.uint8], at: int) -> bool:
    """Say whether a sound length stands here."""
    place = np.array([at])
    return bool((masked_crcs(raw, place, np.array([8])) == _crcs_at(raw, place + 8))[0])


def _next_head(raw: npt.NDArray[np.uint8], at: int) -> int:
    """Find the next place where a sound length stands; where there is none, so near the end that one may."""
    last = len(raw) - _HEAD
    while at <= last:
        places = np.arange(at, min(at + _SEARCHED, last + 1))
        sound = masked_crcs(raw, places, np.full(len(places), 8)) == _crcs_at(raw, places + 8)
        if sound.any():
            return int(places[int(np.argmax(sound))])
        at = int(places[-1]) + 1
    return max(at, last + 1)


def _refuse(path: Path, position: int, what: str) -> None:
    raise FormatError(
        f"{path}: record at byte {position:,}: expected a whole record, but {what}. Fetch the file again, or "
        "leave damaged records out with --skip-damaged."
    )
