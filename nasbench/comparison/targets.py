"""Time to target: what a run spent until its incumbent was good enough, and how two entries compare in it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nasbench.comparison.bootstrap import LEVEL, Resampler
from nasbench.errors import BadOption

Floats = npt.NDArray[np.float64]

SLACK = 1e-12  # error fraction; a target is often a mean of the very scores it is held against


@dataclass(frozen=True, slots=True)
class Ratio:
    """Median time of an entry over the median time of a reference: 0.5 is half the cost.

    Attributes:
        value: Ratio of the medians.
        low: Lower bound, 95 % paired percentile bootstrap; None for fewer than two seeds, or where the
            resamples leave it unbounded.
        high: Upper bound, likewise.
    """

    value: float
    low: float | None
    high: float | None


def first_reach(spent: Floats, values: Floats, target: float) -> float:
    """Find what was spent when the incumbent's score was first at or below the target.

    The score need not fall steadily: the incumbent is chosen by validation error. A score within 1e-12 of
    the target counts as reaching it.

    Args:
        spent: (T,) charged seconds up to each trial.
        values: (T,) incumbent's score after each trial; nan before the first.
        target: Score to reach.

    Returns:
        Seconds; inf where the run never reached it.
    """
    reached = np.flatnonzero(values <= target + SLACK)
    return float(spent[reached[0]]) if len(reached) else math.inf


def median_time(times: Floats) -> float | None:
    """Take the median over runs, those that never reached the target being later than all others.

    Args:
        times: (n,) seconds; inf where never reached.

    Returns:
        Seconds; None where n is 0 or too few runs reached the target for a finite median.
    """
    if len(times) == 0:
        return None
    middle = _medians(times, np.ones((1, len(times))))[0]
    return float(middle) if math.isfinite(middle) else None


def median_ratio(times: Floats, reference: Floats, resampler: Resampler) -> Ratio | None:
    """Compare an entry's median time to target with a reference entry's.

    A resample in which neither side has a finite median says nothing; it is counted at both ends, which
    can only widen the interval.

    Args:
        times: (n,) seconds of the entry; inf where never reached.
        reference: (n,) seconds of the reference under the same seeds in the same order.
        resampler: The leaderboard's resamples.

    Returns:
        The ratio; None where either median is not finite, or the reference's is zero.

    Raises:
        BadOption: The samples differ in length.
    """
    if times.shape != reference.shape:
        raise BadOption(
            f"times: expected the seeds of the reference (= {len(reference)}), got {len(times)} runs. "
            "Keep only the seeds that both have."
        )
    top, bottom = median_time(times), median_time(reference)
    if top is None or bottom is None or bottom == 0.0:
        return None
    n = len(times)
    if n < 2:
        return Ratio(top / bottom, None, None)
    counts = resampler.counts(n)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = _medians(times, counts) / _medians(reference, counts)
    tail = (1.0 - LEVEL) / 2.0
    unknown = np.isnan(ratios)
    low = float(np.quantile(np.where(unknown, 0.0, ratios), tail, method="lower"))
    high = float(np.quantile(np.where(unknown, np.inf, ratios), 1.0 - tail, method="higher"))
    return Ratio(top / bottom, low if math.isfinite(low) else None, high if math.isfinite(high) else None)


def _medians(times: Floats, counts: Floats) -> Floats:
    # Median of each resample, (b,), from how often it holds each run, (b, n): mean of the two middle ones.
    n = counts.shape[1]
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    below = np.cumsum(counts[:, order], axis=1)  # (b, n)
    lower = (below < (n + 1) // 2).sum(axis=1)
    upper = (below < n // 2 + 1).sum(axis=1)
    return np.asarray(np.where(lower == upper, ordered[lower], ordered[lower] / 2.0 + ordered[upper] / 2.0))
