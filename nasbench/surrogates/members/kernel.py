"""The radial kernel between indicators, and what a weighted sum of it predicts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def squared_distances(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> Floats:
    """Return the squared Euclidean distances between (n, d) and (m, d) rows, (n, m)."""
    mine, theirs = a.astype(np.float64), b.astype(np.float64)
    lengths = (mine**2).sum(axis=1)[:, None] + (theirs**2).sum(axis=1)[None]
    distances: Floats = np.maximum(lengths - 2.0 * (mine @ theirs.T), 0.0)
    return distances


def weighted_sum(
    flat: npt.NDArray[np.float32], known: npt.NDArray[np.float32], weights: Floats, gammas: Floats
) -> Floats:
    """Sum exp(-gamma_k |x - x_i|^2) * weights[i, k] over the known rows, (n, k)."""
    distances = squared_distances(flat, known)
    columns = [np.exp(-gamma * distances) @ weights[:, k] for k, gamma in enumerate(gammas.tolist())]
    return np.stack(columns, axis=1)
