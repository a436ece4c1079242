"""CRC-32C (Castagnoli) of many short texts at once, as TFRecord files carry it.

The register is linear: one that starts from zero ignores leading zeros, so that texts of all lengths are
lined up at their ends, run through in the same steps, and each corrected by what the real start, all ones,
comes to after as many bytes as the text has. Two bytes are one step by a table of 65,536 entries.

Source: RFC 3720, section 12.1 and appendix B.4; the mask is that of TensorFlow's record files.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

_POLYNOMIAL = 0x82F63B78  # reflected
_ONES = 0xFFFFFFFF
_MASK = 0xA282EAD8
_BLOCK_BYTES = 1 << 21

Registers = npt.NDArray[np.uint32]


def masked_crcs(
    data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> Registers:
    """Compute the masked CRC-32C of (n,) stretches of ``data``, (n,).

    Args:
        data: (size,) bytes.
        starts: (n,) where each stretch begins.
        lengths: (n,) bytes of each; every stretch lies inside ``data``.
    """
    width = int(lengths.max(initial=0))
    width += width % 2
    padded = np.concatenate(
        [np.zeros(width, dtype=np.uint8), data]
    )  # ends move by as much as starts lie before
    windows = (
        np.lib.stride_tricks.sliding_window_view(padded, width)
        if width
        else np.empty((len(padded) + 1, 0), dtype=np.uint8)
    )
    out = np.empty(len(starts), dtype=np.uint32)
    rows = max(1, _BLOCK_BYTES // max(width, 1))
    for at in range(0, len(starts), rows):
        block = slice(at, at + rows)
        lined = windows[starts[block] + lengths[block]]
        out[block] = _registers(lined, lengths[block])
    # The mask turns right by 15 bits and adds a constant (TensorFlow, lib/hash/crc32c.h).
    masked: Registers = ((out >> np.uint32(15)) | (out << np.uint32(17))) + np.uint32(_MASK)
    return masked


def _registers(lined: npt.NDArray[np.uint8], lengths: npt.NDArray[np.int64]) -> Registers:
    """Compute the CRC-32C of the last ``lengths`` bytes of (n, width) ones lined up at their ends."""
    width = lined.shape[1]
    lined[np.arange(-width, 0) < -lengths[:, None]] = 0
    words = np.ascontiguousarray(lined.view("<u2").T.astype(np.uint32))  # (width / 2, n)
    table = _two_bytes()
    register = np.zeros(len(lengths), dtype=np.uint32)
    for word in words:
        word ^= register
        word &= np.uint32(0xFFFF)
        register >>= np.uint32(16)
        register ^= table[word]
    return register ^ _ones_after(width)[lengths] ^ np.uint32(_ONES)


@functools.cache
def _one_byte() -> Registers:
    """Say what the register's low byte becomes after one step, (256,)."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1).astype(np.uint32)
    return table


@functools.cache
def _two_bytes() -> Registers:
    """Say what the register's low two bytes become after two steps, (65536,)."""
    one = _one_byte()
    words = np.arange(1 << 16, dtype=np.uint32)
    first = one[words & 0xFF] ^ (words >> 8)
    second: Registers = one[first & 0xFF] ^ (first >> 8)
    return second


@functools.lru_cache(maxsize=256)
def _ones_after(longest: int) -> Registers:
    """Run the register from all ones through 0 to ``longest`` zero bytes, (longest + 1,)."""
    one = _one_byte().tolist()
    registers = [_ONES]
    for _ in range(longest):
        last = registers[-1]
        registers.append(one[last & 0xFF] ^ (last >> 8))
    return np.array(registers, dtype=np.uint32)
