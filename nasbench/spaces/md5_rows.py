"""The MD5 of many short texts of one padded length at once, in numpy.

The texts stand in columns, so that each of the 64 steps is a handful of operations on whole arrays; blocks of
columns stay in the cache. Pays off from a few hundred texts on.

Source: Rivest 1992 (RFC 1321), section 3.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt

DIGEST_BYTES = 16
_BLOCK_BYTES = 64
_WORDS = 16  # of 32 bits in a block
_COLUMNS = 1 << 14
_START = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_TURNS = ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21))
_PLACES = ((1, 0), (5, 1), (3, 5), (7, 0))  # of the word that a step takes: (a * step + b) modulo 16

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint32]


def padded(n: int, length: int) -> Bytes:
    """Make room for (n,) texts of ``length`` bytes each, padded as MD5 wants it; (n, padded length).

    The caller fills in the first ``length`` bytes of each row.
    """
    blocks = (length + 8) // _BLOCK_BYTES + 1  # one byte and eight bytes of length go behind the text
    out = np.zeros((n, blocks * _BLOCK_BYTES), dtype=np.uint8)
    out[:, length] = 0x80
    out[:, -8:] = np.array([8 * length], dtype="<u8").view(np.uint8)
    return out


def md5_rows(texts: Bytes) -> Bytes:
    """Return the (n, 16) digests of the (n, padded length) texts of ``padded``."""
    out = np.empty((len(texts), DIGEST_BYTES), dtype=np.uint8)
    for start in range(0, len(texts), _COLUMNS):
        columns = np.ascontiguousarray(texts[start : start + _COLUMNS].view("<u4").T, dtype=np.uint32)
        state = np.empty((4, columns.shape[1]), dtype=np.uint32)
        state[:] = np.array(_START, dtype=np.uint32)[:, None]
        for block in range(0, len(columns), _WORDS):
            state += _steps(state, columns[block : block + _WORDS])
        out[start : start + _COLUMNS] = np.ascontiguousarray(state.T, dtype="<u4").view(np.uint8)
    return out


def _steps(state: Words, words: Words) -> Words:
    """Carry out the 64 steps on a block of (16, n) words from a (4, n) state; section 3.4."""
    moved = state.copy()
    a, b, c, d = moved
    mix, high = np.empty_like(a), np.empty_like(a)
    for kind, place, turn, constant in _plan():
        if kind == 0:  # F: c where b, else d
            np.bitwise_xor(c, d, out=mix)
            mix &= b
            mix ^= d
        elif kind == 1:  # G: b where d, else c
            np.bitwise_xor(b, c, out=mix)
            mix &= d
            mix ^= c
        elif kind == 2:  # H
            np.bitwise_xor(b, c, out=mix)
            mix ^= d
        else:  # I
            np.bitwise_not(d, out=mix)
            mix |= b
            mix ^= c
        a += mix
        a += words[place]
        a += constant
        np.left_shift(a, turn, out=high)
        np.right_shift(a, np.uint32(32) - turn, out=a)
        a |= high
        a += b
        a, b, c, d = d, a, b, c
    return np.stack((a, b, c, d))


@functools.cache
def _plan() -> list[tuple[int, int, np.uint32, np.uint32]]:
    """List for each step the function, the place of its word, by how much it turns, and its constant."""
    plan = []
    for step in range(64):
        kind = step // 16
        factor, shift = _PLACES[kind]
        constant = np.uint32(int(abs(math.sin(step + 1)) * 2**32))
        plan.append((kind, (factor * step + shift) % 16, np.uint32(_TURNS[kind][step % 4]), constant))
    return plan
