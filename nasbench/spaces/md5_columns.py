"""The MD5 of many short texts of one padded length at once, in numpy.

The texts stand in columns of words of 32 bits, so that each of the 64 steps is a handful of operations on
whole rows; blocks of columns stay in the cache. Pays off from a few hundred texts on.

Source: Rivest 1992 (RFC 1321), section 3.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt

DIGEST_BYTES = 16
DIGEST_WORDS = 4
_BLOCK_BYTES = 64
_WORD_BYTES = 4
_WORDS = 16  # in a block
_COLUMNS = 1 << 15
_START = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_TURNS = ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21))
_PLACES = ((1, 0), (5, 1), (3, 5), (7, 0))  # of the word that a step takes: (a * step + b) modulo 16

Words = npt.NDArray[np.uint32]


def padded_words(length: int) -> int:
    """Count the words of a text of ``length`` bytes once it is padded as MD5 wants it."""
    blocks = (length + 8) // _BLOCK_BYTES + 1  # one byte and eight bytes of length go behind the text
    return blocks * _WORDS


def pad(words: Words, length: int) -> None:
    """Write what stands behind texts of ``length`` bytes, in columns of (``padded_words``, n) words.

    The bytes of the texts are left as they are; those behind them must be zero.
    """
    words[length // _WORD_BYTES] |= np.uint32(0x80 << 8 * (length % _WORD_BYTES))
    words[-2] = 8 * length


def md5_columns(words: Words) -> Words:
    """Return the (4, n) words of the digests of padded texts, (words, n)."""
    out = np.empty((DIGEST_WORDS, words.shape[1]), dtype=np.uint32)
    out[:] = np.array(_START, dtype=np.uint32)[:, None]
    for start in range(0, words.shape[1], _COLUMNS):
        columns, state = words[:, start : start + _COLUMNS], out[:, start : start + _COLUMNS]
        for block in range(0, len(words), _WORDS):
            _add_steps(state, columns[block : block + _WORDS])
    return out


def _add_steps(state: Words, words: Words) -> None:
    """Carry out the 64 steps on a block of (16, n) words from a (4, n) state, and add to it; section 3.4."""
    moved = state.copy()
    a, b, c, d = moved
    mix, high = np.empty_like(a), np.empty_like(a)
    for kind, place, turn, back, constant in _plan():
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
        np.multiply(a, turn, out=high)  # by a power of two: numpy multiplies faster than it shifts
        np.right_shift(a, back, out=a)
        a |= high
        a += b
        a, b, c, d = d, a, b, c
    state += moved  # after 64 steps each word is where it was


@functools.cache
def _plan() -> list[tuple[int, int, np.uint32, np.uint32, np.uint32]]:
    """List for each step the function, the place of its word, two numbers that turn it, and its constant."""
    plan = []
    for step in range(64):
        kind = step // 16
        factor, shift = _PLACES[kind]
        turn = _TURNS[kind][step % 4]
        constant = np.uint32(int(abs(math.sin(step + 1)) * 2**32))
        place = (factor * step + shift) % 16
        plan.append((kind, place, np.uint32(1 << turn), np.uint32(32 - turn), constant))
    return plan
