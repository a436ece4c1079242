"""One entry against another at the end of the budget: difference, effect size and test."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nasbench.comparison.bootstrap import Resampler, difference_interval, mean, mean_interval
from nasbench.comparison.effect_size import a12
from nasbench.comparison.paired_tests import mann_whitney, wilcoxon
from nasbench.comparison.power import seeds_needed

Floats = npt.NDArray[np.float64]

WILCOXON = "Wilcoxon signed-rank"
MANN_WHITNEY = "Mann-Whitney"


@dataclass(frozen=True, slots=True)
class Contrast:
    """How two entries differ in the final score of their incumbents.

    Attributes:
        n: Seeds compared; where they are not paired, the smaller number of runs.
        difference: mean(first) - mean(second), error fraction.
        low: Lower bound of the difference, 95 % percentile bootstrap.
        high: Upper bound.
        a12: Chance that a run of the first ends lower, ties half.
        p: Two-sided p value, not corrected.
        test: Which test gave it.
        seeds_needed: Paired seeds that would separate them at 80 % power, approximately; None where the
            seeds are not paired or the means are equal.
    """

    n: int
    difference: float
    low: float
    high: float
    a12: float
    p: float
    test: str
    seeds_needed: int | None

    def turned(self) -> Contrast:
        """Return the same comparison seen from the second entry."""
        return dataclasses.replace(
            self, difference=-self.difference, low=-self.high, high=-self.low, a12=1.0 - self.a12
        )


def contrast(first: dict[int, float], second: dict[int, float], resampler: Resampler) -> Contrast | None:
    """Compare two entries, paired by seed where at least half of the smaller one's seeds are shared.

    Args:
        first: Final score by seed, runs without a result left out.
        second: The same of the other entry.
        resampler: The leaderboard's resamples.

    Returns:
        The comparison; None where there are not two runs of each to compare.
    """
    smaller = min(len(first), len(second))
    shared = sorted(first.keys() & second.keys())
    if smaller < 2:
        return None
    if len(shared) >= 2 and 2 * len(shared) >= smaller:
        a = np.array([first[seed] for seed in shared])
        b = np.array([second[seed] for seed in shared])
        gap = (a - b)[:, None]
        bounds = mean_interval(gap, resampler)
        if bounds is None:  # cannot be: at least two seeds are shared
            return None
        low, high = float(bounds[0][0]), float(bounds[1][0])
        difference = float(mean(gap)[0])
        return Contrast(
            len(shared), difference, low, high, a12(a, b), wilcoxon(a - b), WILCOXON, seeds_needed(a - b)
        )
    a = np.array([first[seed] for seed in sorted(first)])
    b = np.array([second[seed] for seed in sorted(second)])
    unpaired = difference_interval(a, b, resampler)
    if unpaired is None:  # cannot be: both have at least two runs
        return None
    difference = float(mean(a[:, None])[0] - mean(b[:, None])[0])
    return Contrast(smaller, difference, *unpaired, a12(a, b), mann_whitney(a, b), MANN_WHITNEY, None)
