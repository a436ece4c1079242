"""The radial kernel between indicators, and what a weighted sum of it predicts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indicators = npt.NDArray[np.float32]

_BLOCK = 256  # rows at a time: what they need stays in the processor's cache


def squared_distances(a: Indicators, b: Indicators) -> Floats:
    """Return the squared Euclidean distances between (n, d) and (m, d) indicators, (n, m).

    They are whole numbers below 2**24, which single precision holds exactly.
    """
    distances: Floats = (a.sum(axis=1)[:, None] + b.sum(axis=1)[None] - 2.0 * (a @ b.T)).astype(np.float64)
    return distances


class RadialSum:
    """Sums exp(-gamma_k |x - x_i|^2) * weights[i, k] over known indicators x_i, for k targets.

    Args:
        known: (m, d) indicators.
        weights: (m, k).
        gammas: (k,) > 0; targets of one gamma share their kernel.
    """

    def __init__(self, known: Indicators, weights: Floats, gammas: Floats) -> None:
        self._turned = np.ascontiguousarray(known.T)
        self._lengths = known.sum(axis=1)[None]
        self._groups = []
        for gamma in np.unique(gammas).tolist():
            columns = np.flatnonzero(gammas == gamma)
            self._groups.append((gamma, columns, np.ascontiguousarray(weights[:, columns])))

    def predict(self, flat: Indicators) -> Floats:
        """Sum around (n, d) indicators, (n, k)."""
        out = np.empty((len(flat), sum(len(columns) for _, columns, _ in self._groups)))
        for start in range(0, len(flat), _BLOCK):
            rows = flat[start : start + _BLOCK]
            near = rows @ self._turned
            near *= 2.0
            near -= rows.sum(axis=1)[:, None]
            near -= self._lengths
            for gamma, columns, weights in self._groups:
                out[start : start + _BLOCK, columns] = np.exp(gamma * near.astype(np.float64)) @ weights
        return out
