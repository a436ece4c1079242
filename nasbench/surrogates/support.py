"""How far an architecture lies from those a surrogate was fitted on.

The distance is the number of decisions in which an architecture differs from the nearest of at most
``REFERENCE`` fitted ones. One is far where that is more than 99 of 100 held-out architectures of the fitted
table have.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nasbench.records import Codes

REFERENCE = 500
_USUAL = 0.99
_BLOCK = 256  # rows at a time: what they need stays in the processor's cache


@dataclass(frozen=True, slots=True)
class Support:
    """Where predictions are backed by data.

    Attributes:
        reference: (m, L) fitted architectures that distances are taken to.
        limit: Largest distance that counts as near.
    """

    reference: Codes
    limit: int

    def distances(self, codes: Codes) -> npt.NDArray[np.int64]:
        """Count the decisions in which (n, L) codes differ from the nearest reference, (n,)."""
        nearest = np.empty(len(codes), dtype=np.int64)
        for start in range(0, len(codes), _BLOCK):
            block = codes[start : start + _BLOCK]
            differing = np.zeros((len(block), len(self.reference)), dtype=np.uint8)
            for mine, theirs in zip(block.T, self.reference.T, strict=True):
                differing += mine[:, None] != theirs[None]
            nearest[start : start + _BLOCK] = differing.min(axis=1)
        return nearest

    def is_far(self, codes: Codes) -> npt.NDArray[np.bool_]:
        """Say for each of (n, L) codes whether it lies beyond the limit; (n,)."""
        far: npt.NDArray[np.bool_] = self.distances(codes) > self.limit
        return far


def fit_support(fitted: Codes, held_out: Codes, *, rng: np.random.Generator) -> Support:
    """Choose the reference architectures at random and set the limit by the held-out ones."""
    chosen = np.sort(rng.permutation(len(fitted))[:REFERENCE])
    support = Support(fitted[chosen], 0)
    distances = np.sort(support.distances(held_out))
    return Support(support.reference, int(distances[math.ceil(_USUAL * len(distances)) - 1]))
