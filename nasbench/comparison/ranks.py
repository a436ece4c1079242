"""Ranks of entries against each other, seed by seed: 1 is best, ties share the average.

Within a seed the entries met the same draws of replicates, so ranks are made inside a seed and averaged
afterwards.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption

Floats = npt.NDArray[np.float64]


def paired_ranks(values: Floats) -> Floats:
    """Rank k entries within each seed at each grid point.

    Args:
        values: (k, n, g) scores, lower is better: k entries, n seeds that all of them ran.

    Returns:
        (k, n, g) ranks from 1 to k; nan wherever any entry has no value for this seed and point.

    Raises:
        BadOption: Not three-dimensional.
    """
    if values.ndim != 3:
        raise BadOption(
            f"values: expected (entries, seeds, grid), got shape {values.shape}. "
            "Stack the entries over the seeds that all of them have."
        )
    ranks = np.empty_like(values)
    for i, own in enumerate(values):
        lower = (values < own).sum(axis=0)
        equal = (values == own).sum(axis=0)
        ranks[i] = lower + (equal + 1) / 2.0  # equal counts the entry itself
    return np.where(np.isnan(values).any(axis=0), np.nan, ranks)
