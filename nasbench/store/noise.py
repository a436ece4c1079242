"""Noise of a table: how much two trainings of one architecture differ, and what that hides.

All numbers are of one metric at one training length. A standard deviation between repeats is pooled over
architectures; two repeats are enough for each. Failed trainings have no error and are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.float64]

Z95 = 1.959963984540054  # two-sided 95 % of the normal distribution
_LEVELS = 5
_FEWEST = 5  # architectures with repeats in a level, or its noise is not told apart


@dataclass(frozen=True, slots=True)
class Level:
    """The noise among architectures of about one error.

    Attributes:
        low: Lowest mean error in the level, fraction.
        high: Highest.
        architectures: Architectures with two repeats or more.
        sd: Pooled standard deviation between repeats, fraction.
    """

    low: float
    high: float
    architectures: int
    sd: float


@dataclass(frozen=True, slots=True)
class Noise:
    """Differences between repeats.

    Attributes:
        architectures: Architectures with two repeats or more.
        sd: Pooled standard deviation between repeats, fraction; None where nothing was repeated.
        levels: The same by level of mean error, best first.
        floor: Smallest difference that two single trainings tell apart at 95 %, among the best level.
        spread_sd: Standard deviation between architectures (of single trainings, noise taken off).
        reliability: Share of the variance between single trainings that architectures explain, in [0, 1].
        replicates_for_top: (k, repeats): how many repeats of each would tell the best from the k-th; None
            where their means are equal.
    """

    architectures: int
    sd: float | None
    levels: tuple[Level, ...]
    floor: float | None
    spread_sd: float | None
    reliability: float | None
    replicates_for_top: tuple[tuple[int, int | None], ...]

    def sd_at(self, errors: npt.ArrayLike) -> Column:
        """Return the noise at some errors, (n,): that of their level; nan where nothing was repeated."""
        values = np.asarray(errors, dtype=np.float64)
        if self.sd is None:
            return np.full(values.shape, np.nan)
        if not self.levels:
            return np.full(values.shape, self.sd)
        edges = [level.high for level in self.levels[:-1]]
        return np.array([level.sd for level in self.levels])[np.searchsorted(edges, values)]


def noise(values: Column, *, top: tuple[int, ...] = (2, 5, 10, 20)) -> Noise:
    """Measure the noise between repeats.

    Args:
        values: (n, replicates) errors; nan = none.
        top: Ranks to tell from the best.
    """
    counts = (~np.isnan(values)).sum(axis=1)
    sums = np.nansum(values, axis=1)
    mean = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    squares = np.nansum((values - mean[:, None]) ** 2, axis=1)
    repeated = counts > 1
    levels = _levels(mean[repeated], squares[repeated], counts[repeated])
    sd = _pooled(squares[repeated], counts[repeated])
    best = levels[0].sd if levels else sd
    spread, reliability = _spread(values[:, 0], sd)
    return Noise(
        int(repeated.sum()),
        sd,
        levels,
        None if best is None else Z95 * math.sqrt(2.0) * best,
        spread,
        reliability,
        _replicates_for(np.sort(mean[~np.isnan(mean)]), best, top),
    )


def _pooled(squares: Column, counts: npt.NDArray[np.int64]) -> float | None:
    freedom = int((counts - 1).sum())
    return math.sqrt(float(squares.sum()) / freedom) if freedom else None


def _levels(mean: Column, squares: Column, counts: npt.NDArray[np.int64]) -> tuple[Level, ...]:
    """Cut the architectures into equal parts by mean error; one part where there are too few."""
    parts = min(_LEVELS, len(mean) // _FEWEST)
    if parts < 1:
        return ()
    out = []
    for rows in np.array_split(np.argsort(mean, kind="stable"), parts):
        sd = _pooled(squares[rows], counts[rows])
        assert sd is not None  # every row has two repeats
        out.append(Level(float(mean[rows[0]]), float(mean[rows[-1]]), len(rows), sd))
    return tuple(out)


def _spread(first: Column, sd: float | None) -> tuple[float | None, float | None]:
    """Take the noise off the variance between the first trainings of all architectures."""
    known = first[~np.isnan(first)]
    if sd is None or len(known) < 2:
        return None, None
    total = float(known.var(ddof=1))
    signal = max(0.0, total - sd**2)
    return math.sqrt(signal), signal / total if total > 0 else None


def _replicates_for(
    ordered: Column, sd: float | None, top: tuple[int, ...]
) -> tuple[tuple[int, int | None], ...]:
    """Solve z sd sqrt(2 / repeats) = difference of the means for the number of repeats."""
    if sd is None:
        return ()
    out: list[tuple[int, int | None]] = []
    for k in top:
        if k > len(ordered):
            break
        gap = float(ordered[k - 1] - ordered[0])
        out.append((k, max(1, math.ceil(2.0 * (Z95 * sd / gap) ** 2)) if gap > 0 else None))
    return tuple(out)
