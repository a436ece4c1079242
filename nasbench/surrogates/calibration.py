"""Honest error bars: what the model does not know, and intervals that hold as often as they say.

1. The members of an ensemble disagree by a standard deviation u. What the model does not know is taken as
   s = sqrt((a u)**2 + b**2) with a and b of greatest likelihood on architectures that no member was fitted
   on, the noise of the recorded means taken off.
2. The standard deviation of one training is then t = sqrt(s**2 + noise**2).
3. On the same architectures the quantiles of abs(error - prediction) / t make intervals: split conformal
   prediction (Lei et al. 2018), with the rank (n + 1) * level, rounded up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEVELS = (0.5, 0.8, 0.9, 0.95)
"""Levels at which intervals are kept."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The spread of one metric, epoch by epoch.

    Attributes:
        slopes: (e,) a: standard deviations of error a standard deviation of disagreement.
        floors: (e,) b: what is not known even where all members agree, fraction.
        factors: (levels, e) half-widths in standard deviations of one training; inf where too few
            architectures were held out for the level.
    """

    slopes: Floats
    floors: Floats
    factors: Floats

    def unknown(self, disagreement: Floats, epochs: npt.NDArray[np.int64]) -> Floats:
        """Return s for (n, len(epochs)) disagreements."""
        unknown: Floats = np.hypot(self.slopes[epochs] * disagreement, self.floors[epochs])
        return unknown


def calibrate(
    trainings: Floats, predicted: Floats, disagreement: Floats, noise: Floats | None
) -> Calibration:
    """Calibrate one metric on held-out architectures.

    Args:
        trainings: (n, r, e) recorded errors; nan where nothing was recorded.
        predicted: (n, e) predictions.
        disagreement: (n, e) standard deviations between members.
        noise: (n, e) standard deviations of single trainings, or None where they are not known.
    """
    repeats = (~np.isnan(trainings)).sum(axis=1)
    means = np.nanmean(trainings, axis=1)
    known_noise = np.zeros_like(predicted) if noise is None else noise
    epochs = predicted.shape[1]
    slopes, floors = np.empty(epochs), np.empty(epochs)
    factors = np.empty((len(LEVELS), epochs))
    for e in range(epochs):
        residuals = means[:, e] - predicted[:, e]
        slopes[e], floors[e] = _likeliest(
            residuals, disagreement[:, e], known_noise[:, e] ** 2 / repeats[:, e]
        )
        unknown = np.hypot(slopes[e] * disagreement[:, e], floors[e])
        total = np.hypot(unknown, known_noise[:, e])
        # One training an architecture, the first recorded: scores of repeats are not independent.
        first = np.take_along_axis(
            trainings[:, :, e], np.argmax(~np.isnan(trainings[:, :, e]), axis=1)[:, None], 1
        )[:, 0]
        scores = np.sort(np.abs(first - predicted[:, e]) / total)
        for i, level in enumerate(LEVELS):
            rank = math.ceil((len(scores) + 1) * level)
            factors[i, e] = scores[rank - 1] if rank <= len(scores) else math.inf
    return Calibration(slopes, floors, factors)


def _likeliest(residuals: Floats, disagreement: Floats, noise: Floats) -> tuple[float, float]:
    """Find a and b of the normal likelihood of residuals on a grid about their size, refined twice."""
    scale = float(np.sqrt(np.mean(residuals**2)))
    usual = float(np.sqrt(np.mean(disagreement**2)))
    least = max(scale, 1e-6) * 1e-2
    best_slope, best_floor, width = 1.0, max(scale, 1e-6) / 2, 16.0
    for _ in range(3):
        spots = np.geomspace(1.0 / width, width, 17)
        slopes = np.concatenate([[0.0], best_slope * spots]) if usual > 0 else np.zeros(1)
        floors = np.maximum(best_floor * spots, least)
        grid = (slopes[:, None, None] * disagreement) ** 2 + floors[None, :, None] ** 2 + noise
        losses = (np.log(grid) + residuals**2 / grid).sum(axis=2)
        i, j = np.unravel_index(int(np.argmin(losses)), losses.shape)
        best_floor = float(floors[j])
        chosen = float(slopes[i])
        if chosen == 0.0:
            return 0.0, best_floor
        best_slope, width = chosen, math.sqrt(width)
    return best_slope, best_floor
