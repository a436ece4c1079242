"""Learning curves in a few numbers: a mean curve and a basis over the epochs.

Errors are taken as log-odds, so that whatever is predicted is an error in (0, 1). The basis is the leading
right singular vectors of the centred curves; its coefficients are what models predict.

Source: our own; a basis from a singular value decomposition as in Yan et al. 2021 (NAS-Bench-x11).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEAST = 1e-4
"""Errors nearer to 0 or 1 than this count as this far: their log-odds would be infinite."""


@dataclass(frozen=True, slots=True)
class CurveBasis:
    """What all curves of one metric have in common.

    Attributes:
        mean: (e,) mean curve, log-odds.
        vectors: (k, e) orthonormal.
    """

    mean: Floats
    vectors: Floats

    @property
    def coefficients(self) -> int:
        """How many numbers describe a curve."""
        return len(self.vectors)

    def project(self, errors: Floats) -> Floats:
        """Describe (n, e) errors by (n, k) coefficients."""
        projected: Floats = (log_odds(errors) - self.mean) @ self.vectors.T
        return projected

    def errors(self, coefficients: Floats, epochs: slice | npt.NDArray[np.int64] = slice(None)) -> Floats:
        """Turn (..., k) coefficients into (..., e) errors, fractions in (0, 1)."""
        return from_log_odds(coefficients @ self.vectors[:, epochs] + self.mean[epochs])


def fit_basis(errors: Floats, most: int = 4) -> CurveBasis:
    """Find the basis of (n, e) whole curves.

    Args:
        errors: Fractions in [0, 1], no nan.
        most: Most coefficients.
    """
    odds = log_odds(errors)
    mean = odds.mean(axis=0)
    vectors = np.linalg.svd(odds - mean, full_matrices=False)[2][:most]
    signs = np.sign(vectors[np.arange(len(vectors)), np.abs(vectors).argmax(axis=1)])
    return CurveBasis(mean, vectors * signs[:, None])


def log_odds(errors: Floats) -> Floats:
    """Return log(x / (1 - x)) of errors kept ``LEAST`` away from 0 and 1."""
    inside = np.clip(errors, LEAST, 1.0 - LEAST)
    odds: Floats = np.log(inside / (1.0 - inside))
    return odds


def from_log_odds(odds: Floats) -> Floats:
    """Undo ``log_odds``."""
    errors: Floats = 1.0 / (1.0 + np.exp(-odds))
    return errors
