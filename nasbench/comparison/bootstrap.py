"""Paired percentile bootstrap over seeds.

The counts of how often each seed is drawn into each resample are made once per number of seeds and used
for every entry: two entries that ran the same seeds are resampled together, so the interval of their
difference is paired. Values are first put on a binary fixed-point grid fine enough to lose nothing that
is printed; every sum is then exact, and the result does not depend on the order of summation, on the
number of BLAS threads or on the processor.

Source: Efron and Tibshirani 1993, chapter 13 (percentile interval).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from nasbench import seeds
from nasbench.errors import BadOption

Floats = npt.NDArray[np.float64]

LEVEL = 0.95


@dataclass(slots=True)
class Resampler:
    """The resamples of one leaderboard.

    Attributes:
        resamples: Number of resamples, >= 1.
        seed: Root seed of the draws.
    """

    resamples: int = 10_000
    seed: int = 0
    _counts: dict[tuple[int, str], Floats] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Check the number of resamples.

        Raises:
            BadOption: It is below 1.
        """
        if self.resamples < 1:
            raise BadOption(
                f"resamples: expected a whole number >= 1, got {self.resamples}. Use 10000 for a page."
            )

    def counts(self, n: int, *, side: str = "") -> Floats:
        """Say how often each of ``n`` seeds is in each resample.

        Args:
            n: Number of seeds, >= 1.
            side: Name of an independent second set of draws, for samples that are not paired.

        Returns:
            (resamples, n) whole numbers as floats, each row summing to n. Read only.

        Raises:
            BadOption: ``n`` is below 1.
        """
        if n < 1:
            raise BadOption(f"n: expected at least 1 seed, got {n}. Leave out entries without runs.")
        if (n, side) not in self._counts:
            rng = seeds.generator(self.seed, "bootstrap", *([side] if side else []))
            drawn = (rng.random((self.resamples, n)) * n).astype(np.int64)
            drawn += n * np.arange(self.resamples)[:, None]
            counts = np.bincount(drawn.ravel(), minlength=n * self.resamples)
            table = counts.reshape(self.resamples, n).astype(np.float64)
            table.setflags(write=False)
            self._counts[n, side] = table
        return self._counts[n, side]


def exact(values: Floats, n: int) -> Floats:
    """Round to multiples of a power of two such that sums of ``n`` of them are exact.

    Args:
        values: Finite numbers of any shape.
        n: How many will be added, with repetition.

    Returns:
        The values moved by less than n * max|values| * 2**-52.
    """
    largest = float(np.max(np.abs(values), initial=0.0)) * n
    shift = 52 - math.frexp(largest)[1]
    return np.ldexp(np.rint(np.ldexp(values, shift)), -shift)


def mean(values: Floats) -> Floats:
    """Average over runs.

    Args:
        values: (n, g), n >= 1, finite.

    Returns:
        (g,) means.
    """
    n = values.shape[0]
    return np.asarray(exact(values, n).sum(axis=0) / n)


def mean_interval(values: Floats, resampler: Resampler) -> tuple[Floats, Floats] | None:
    """Bound the mean over runs at every grid point.

    Args:
        values: (n, g), finite, one row a seed in increasing order of seeds.
        resampler: The leaderboard's resamples.

    Returns:
        Low and high, each (g,): the 2.5 % and 97.5 % points of the resampled mean; None for n < 2.
    """
    n = values.shape[0]
    if n < 2:
        return None
    return _bounds(resampler.counts(n) @ exact(values, n) / n)


def difference_interval(first: Floats, second: Floats, resampler: Resampler) -> tuple[float, float] | None:
    """Bound mean(first) - mean(second) of two samples that share no seeds.

    For paired samples use ``mean_interval`` of the differences.

    Args:
        first: (n,) finite.
        second: (m,) finite.
        resampler: The leaderboard's resamples.

    Returns:
        Low and high; None where n or m is below 2.
    """
    n, m = len(first), len(second)
    if min(n, m) < 2:
        return None
    means = (
        resampler.counts(n) @ exact(first, n) / n - resampler.counts(m, side="second") @ exact(second, m) / m
    )
    low, high = _bounds(means[:, None])
    return float(low[0]), float(high[0])


def _bounds(resampled: Floats) -> tuple[Floats, Floats]:
    tail = (1.0 - LEVEL) / 2.0
    low, high = np.quantile(resampled, [tail, 1.0 - tail], axis=0)
    return low, high
