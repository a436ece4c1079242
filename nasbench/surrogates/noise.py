"""Seed noise: how one training of an architecture differs from the next.

Estimated from architectures that were trained more than once: the deviations of single trainings from the
mean of their architecture, widened by sqrt(r / (r - 1)), as a standard deviation that depends on the error
and the epoch, and a correlation between epochs and between validation and test. A drawn training is one
correlated normal vector, addressed by (architecture, replicate), and laid off in log-odds: the same question
has the same answer in every run, and a shorter training is a prefix of a longer one.

Source: our own. Kept apart from what the model does not know (``calibration``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nasbench.records import Code
from nasbench.surrogates.curves import LEAST, from_log_odds, log_odds

Floats = npt.NDArray[np.float64]

_BINS = 8
_PER_BIN = 10  # fewest deviations behind one standard deviation
_SHRINKAGE = 0.05  # of the correlation towards none, which keeps it positive definite


@dataclass(frozen=True, slots=True)
class SeedNoise:
    """The noise of trainings with m metrics and e epochs.

    Attributes:
        centres: (m, e, b) errors at which a standard deviation is known, increasing.
        deviations: (m, e, b) standard deviations there, fractions.
        factor: (e * m, e * m) lower Cholesky factor of the correlation, epoch by epoch, in each the metrics.
        architectures: How many architectures it was estimated from.
    """

    centres: Floats
    deviations: Floats
    factor: Floats
    architectures: int

    def spread(self, errors: Floats, metric: int, epochs: npt.NDArray[np.int64]) -> Floats:
        """Return the standard deviation of trainings with these (n, len(epochs)) mean errors."""
        columns = [
            np.interp(errors[:, j], self.centres[metric, e], self.deviations[metric, e])
            for j, e in enumerate(epochs.tolist())
        ]
        return np.stack(columns, axis=1)

    def around(self, means: Floats, deviations: Floats) -> Floats:
        """Put single trainings around mean errors: (m, e) deviations of ``draw`` from (m, e) errors.

        The deviation is laid off in log-odds, where it is about as wide for every error, so that a lucky
        training of a poor architecture is as rare as it is, and no error leaves (0, 1).
        """
        errors = np.empty_like(means)
        for m, (centres, widths) in enumerate(zip(self.centres, self.deviations, strict=True)):
            inside = np.clip(centres, LEAST, 1.0 - LEAST)
            in_odds = widths / (inside * (1.0 - inside))
            width = [
                np.interp(mean, c, w) for mean, c, w in zip(means[m].tolist(), centres, in_odds, strict=True)
            ]
            errors[m] = from_log_odds(log_odds(means[m]) + np.array(width) * deviations[m])
        return errors

    def draw(self, key: str, code: Code, replicate: int) -> Floats:
        """Draw the deviations of one training in standard deviations, (m, e).

        Args:
            key: Names the surrogate; another one draws other trainings.
            code: The architecture.
            replicate: Which training.
        """
        address = f"{key} {replicate} {','.join(map(str, code))}".encode()
        words = np.frombuffer(hashlib.sha256(address).digest(), dtype="<u4")
        normal = np.random.Generator(np.random.PCG64(words.tolist())).standard_normal(len(self.factor))
        metrics = len(self.centres)
        return (self.factor @ normal).reshape(-1, metrics).T


def fit_noise(errors: Floats) -> SeedNoise | None:
    """Estimate the noise from (m, n, r, e) errors of m metrics; nan where nothing was trained.

    Returns:
        None where fewer than ``2 * _PER_BIN`` architectures have two or more whole trainings.
    """
    whole: npt.NDArray[np.bool_] = np.asarray(~np.isnan(errors).any(axis=(0, 3)))  # (n, r)
    repeats = whole.sum(axis=1)
    rows = np.flatnonzero(repeats >= 2)
    if len(rows) < 2 * _PER_BIN:
        return None
    kept = np.where(whole[None, rows, :, None], errors[:, rows], np.nan)
    means = np.nanmean(kept, axis=2, keepdims=True)
    widening = np.sqrt(repeats[rows] / (repeats[rows] - 1.0))
    deviations = (kept - means) * widening[None, :, None, None]
    metrics, _, _, epochs = errors.shape
    bins = min(_BINS, len(rows) // _PER_BIN)
    centres = np.empty((metrics, epochs, bins))
    spreads = np.empty((metrics, epochs, bins))
    scaled = np.empty_like(deviations)
    for m in range(metrics):
        for e in range(epochs):
            level = means[m, :, 0, e]
            parts = np.array_split(np.argsort(level, kind="stable"), bins)
            for b, part in enumerate(parts):
                centres[m, e, b] = level[part].mean()
                spreads[m, e, b] = np.sqrt(np.nanmean(deviations[m, part, :, e] ** 2))
            centres[m, e] = np.maximum.accumulate(centres[m, e])
            here = np.interp(level, centres[m, e], spreads[m, e])
            scaled[m, :, :, e] = deviations[m, :, :, e] / np.maximum(here, 1e-12)[:, None]
    return SeedNoise(centres, spreads, _correlation_factor(scaled), len(rows))


def _correlation_factor(scaled: Floats) -> Floats:
    """Factor the correlation of (m, n, r, e) scaled deviations, epochs outermost."""
    metrics, _, _, epochs = scaled.shape
    flat = scaled.transpose(1, 2, 3, 0).reshape(-1, epochs * metrics)
    flat = flat[~np.isnan(flat).any(axis=1)]
    spread = np.sqrt((flat**2).mean(axis=0))
    spread[spread == 0.0] = 1.0
    correlation = (flat / spread).T @ (flat / spread) / len(flat)
    np.fill_diagonal(correlation, 1.0)
    shrunk = (1.0 - _SHRINKAGE) * correlation + _SHRINKAGE * np.eye(len(correlation))
    return np.linalg.cholesky(shrunk)
