"""Randomness: every draw of a run descends from the run's one root seed.

Three ways to draw, by need:

* ``generator(seed, *path)``: a numpy Generator of its own for each named purpose;
* ``uniforms(rng)``: scalar uniforms from a buffered block, for hot loops, at a tenth of a Generator call;
* ``Addressed``: one uniform for each (rank, visit), independent of the order of asking. This is what gives
  common random numbers: under one seed every strategy meets the same replicate of an architecture.

Nothing here or anywhere else in the package touches the global state of ``random``, numpy or torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import numpy as np

_MASK = (1 << 64) - 1
_BLOCK = 256


def generator(seed: int, *path: str) -> np.random.Generator:
    """Make the Generator of one purpose under a root seed.

    Args:
        seed: Root seed, >= 0.
        *path: Names of the purpose, e.g. ``"strategy"``; other names give independent streams.
    """
    words = [int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little") for name in path]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=tuple(words))))


def _stream(rng: np.random.Generator) -> Iterator[float]:
    while True:
        yield from rng.random(_BLOCK).tolist()


def uniforms(rng: np.random.Generator) -> Callable[[], float]:
    """Return a function that draws one uniform in [0, 1) from ``rng``, buffered in blocks of 256."""
    return _stream(rng).__next__


class Addressed:
    """Uniform draws addressed by (rank, visit) under one 64-bit key, in any order, without state.

    The mixing function is SplitMix64's finaliser (Steele, Lea and Flood 2014), applied to the key plus
    two odd multiples of the address.
    """

    __slots__ = ("_key",)

    def __init__(self, rng: np.random.Generator) -> None:
        self._key = int(rng.integers(0, 1 << 63, dtype=np.int64))

    def below(self, n: int, rank: int, visit: int) -> int:
        """Draw a whole number in [0, n) for this address."""
        z = (self._key + rank * 0x9E3779B97F4A7C15 + visit * 0xD1B54A32D192ED03) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((z ^ (z >> 31)) * n) >> 64
