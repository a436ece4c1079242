"""Anytime curves of one entry: mean with its interval, and median, over its runs at each grid point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nasbench.comparison.bootstrap import Resampler, mean, mean_interval

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Band:
    """One quantity over a grid, each (g,); nan where not every run has a value.

    Attributes:
        mean: Mean over runs.
        low: Lower bound of the mean; nan throughout for a single run.
        high: Upper bound of the mean.
        median: Median over runs.
    """

    mean: Floats
    low: Floats
    high: Floats
    median: Floats

    def minus(self, amount: float) -> Band:
        """Shift every value down by the same amount: what turns an error into a regret."""
        return Band(self.mean - amount, self.low - amount, self.high - amount, self.median - amount)


def band(values: Floats, resampler: Resampler) -> Band:
    """Summarise the runs of one entry.

    A mean over the runs that happen to have a result already would be a mean over the fast ones, so a
    grid point counts only where every run has one.

    Args:
        values: (n, g) one row a seed, nan = no result yet; n may be 0.
        resampler: The leaderboard's resamples.
    """
    n, points = values.shape
    missing = np.full(points, np.nan)
    made = Band(missing, missing.copy(), missing.copy(), missing.copy())
    complete = np.isfinite(values).all(axis=0) if n else np.zeros(points, dtype=bool)
    if not complete.any():
        return made
    kept = values[:, complete]
    made.mean[complete] = mean(kept)
    made.median[complete] = np.median(kept, axis=0)
    interval = mean_interval(kept, resampler)
    if interval is not None:
        made.low[complete], made.high[complete] = interval
    return made
