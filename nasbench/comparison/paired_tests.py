"""Tests between two entries, and the correction for making many of them.

Wilcoxon's signed-rank test where two entries ran the same seeds, Mann and Whitney's where they did not.
On a table many pairs of runs end on the same architecture, so differences are often exactly zero and
often tied. Zeros are kept in the ranking and then carry no sign (Pratt 1959): dropping them, Wilcoxon's
own rule, would forget that half of the seeds saw no difference at all. Under the null hypothesis each
difference is as likely to be of either sign; the exact distribution over all sign flips of the observed
mid-ranks is a short convolution, so no table and no tie correction is needed.

Sources: Wilcoxon 1945; Pratt 1959; Mann and Whitney 1947; Holm 1979.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption

Floats = npt.NDArray[np.float64]

EXACT_UP_TO = 200  # pairs; beyond it the normal approximation is indistinguishable at any level one prints
_DECIMALS = 12  # differences of error fractions equal to this many places are tied


def wilcoxon(differences: Floats) -> float:
    """Test whether paired differences lie around zero: two-sided signed-rank test.

    Args:
        differences: (n,) first minus second, error fractions of the same seeds, finite.

    Returns:
        p; 1.0 where every difference is zero. Exact up to 200 pairs, else the normal approximation with
        the variance of the observed mid-ranks, without continuity correction.

    Raises:
        BadOption: There is no pair, or a difference is not finite.
    """
    _require_sample("differences", differences)
    rounded = np.round(differences, _DECIMALS)
    doubled = _doubled_midranks(np.abs(rounded))
    signed = doubled[rounded != 0.0]
    if len(signed) == 0:
        return 1.0
    positive = int(doubled[rounded > 0.0].sum())
    total = int(signed.sum())
    smaller = min(positive, total - positive)
    if len(differences) <= EXACT_UP_TO:
        return min(1.0, 2.0 * _lower_tail(signed, smaller))
    spread = math.sqrt(float((signed.astype(np.float64) ** 2).sum())) / 2.0
    return math.erfc((total / 2.0 - smaller) / spread / math.sqrt(2.0))


def mann_whitney(first: Floats, second: Floats) -> float:
    """Test whether two independent samples differ in location: two-sided, normal approximation.

    Ties are corrected for; there is a continuity correction.

    Args:
        first: (n,) finite.
        second: (m,) finite.

    Returns:
        p; 1.0 where all values are equal.

    Raises:
        BadOption: A sample is empty or not finite.
    """
    _require_sample("first", first)
    _require_sample("second", second)
    if np.ptp(np.concatenate((first, second))) == 0.0:
        return 1.0
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(first, second, alternative="two-sided", method="asymptotic").pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p values for their number so that the chance of any false claim stays at the level.

    The i-th smallest of m is multiplied by m - i + 1; corrected values never decrease in that order.

    Args:
        p_values: Any number of p values, each in [0, 1].

    Returns:
        Corrected values in the order given.

    Raises:
        BadOption: A value is not in [0, 1].
    """
    if not all(0.0 <= p <= 1.0 for p in p_values):
        raise BadOption(
            f"p_values: expected numbers in [0, 1], got {list(p_values)}. Leave out pairs without a test."
        )
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected, floor = [0.0] * len(p_values), 0.0
    for passed, i in enumerate(order):
        corrected[i] = floor = max(floor, min(1.0, (len(p_values) - passed) * p_values[i]))
    return corrected


def _doubled_midranks(magnitudes: Floats) -> npt.NDArray[np.int64]:
    # Twice the average rank, which is whole: the values of a group that fills ranks a..b get a + b.
    _, group, size = np.unique(magnitudes, return_inverse=True, return_counts=True)
    last = np.cumsum(size)
    return np.asarray((2 * last - size + 1)[group], dtype=np.int64)


def _lower_tail(ranks: npt.NDArray[np.int64], limit: int) -> float:
    # Chance that the ranks given a plus sign by fair coins add up to at most ``limit``.
    chance = np.zeros(int(ranks.sum()) + 1)
    chance[0] = 1.0
    for rank in ranks.tolist():
        chance *= 0.5
        chance[rank:] += chance[:-rank].copy()
    return math.fsum(chance[: limit + 1].tolist())


def _require_sample(name: str, values: Floats) -> None:
    if len(values) == 0 or not np.isfinite(values).all():
        raise BadOption(
            f"{name}: expected at least one finite number, got {len(values)} values of which "
            f"{int(np.isfinite(values).sum())} are finite. Leave out runs without a result."
        )
