"""Power: about how many paired seeds would separate two entries."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

ALPHA = 0.05
POWER = 0.8
FEWEST_SEEDS = 6  # 2 / 2**6 < 0.05 < 2 / 2**5: the fewest pairs with which a signed-rank p can pass 5 %
_EFFICIENCY = 3.0 / math.pi  # of the signed-rank test against the t test for normal differences (Pitman)


def seeds_needed(differences: npt.NDArray[np.float64]) -> int | None:
    """Estimate how many paired seeds one would need to see the observed difference again.

    Approximate: normal differences, the observed mean and spread taken as true, one test at 5 % two-sided
    without correction, 80 % power, divided by the efficiency 3/pi of the signed-rank test.

    Args:
        differences: (n,) paired differences of final scores, n >= 2 for an answer.

    Returns:
        Number of seeds; None where n < 2 or the mean difference is zero.
    """
    if len(differences) < 2:
        return None
    values = differences.tolist()
    mean = math.fsum(values) / len(values)
    variance = math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1)
    if mean == 0.0:
        return None
    z = NormalDist().inv_cdf(1.0 - ALPHA / 2.0) + NormalDist().inv_cdf(POWER)
    return max(FEWEST_SEEDS, math.ceil(z**2 * variance / mean**2 / _EFFICIENCY))
