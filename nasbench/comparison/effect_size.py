"""Effect sizes: how often one entry ends lower than another, whatever the p value says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption

Floats = npt.NDArray[np.float64]


def a12(first: Floats, second: Floats) -> float:
    """Estimate the chance that a run of the first ends with the lower error; ties count half.

    0.5 means no difference; 0.56, 0.64 and 0.71 (or 0.44, 0.36, 0.29) are called small, medium and large.

    Args:
        first: (n,) errors.
        second: (m,) errors.

    Returns:
        In [0, 1].

    Raises:
        BadOption: A sample is empty.

    Source: Vargha and Delaney 2000, with the sense turned so that lower is better.
    """
    n, m = len(first), len(second)
    if min(n, m) == 0:
        raise BadOption(
            f"first, second: expected at least one run each, got {n} and {m}. Leave out entries without runs."
        )
    ordered = np.sort(second)
    above = m - np.searchsorted(ordered, first, side="right")
    at_or_above = m - np.searchsorted(ordered, first, side="left")
    return int((above + at_or_above).sum()) / (2 * n * m)


def probability_of_improvement(first: Sequence[Floats], second: Sequence[Floats]) -> float:
    """Average ``a12`` over data sets, each counting the same.

    Args:
        first: One (n,) sample of errors a data set.
        second: The same data sets in the same order.

    Returns:
        In [0, 1].

    Raises:
        BadOption: The numbers of data sets differ or are zero.

    Source: Agarwal et al. 2021, section 4.3.
    """
    if len(first) != len(second) or len(first) == 0:
        raise BadOption(
            f"first, second: expected the same data sets (>= 1), got {len(first)} and {len(second)}. "
            "Leave out data sets that only one of the entries ran."
        )
    return sum(a12(a, b) for a, b in zip(first, second, strict=True)) / len(first)
