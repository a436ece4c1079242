"""Statements over several data sets: Friedman's test and the critical difference of mean ranks.

Both are refused below five data sets. Seeds are no substitute: runs with other seeds on one data set
repeat one question, and counting them as blocks would be pseudo-replication.

Source: Demsar 2006, section 3.2.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption

FEWEST_DATASETS = 5
ALPHA = 0.05


def friedman(scores: npt.NDArray[np.float64]) -> float:
    """Test whether any entry differs from the others over data sets.

    Args:
        scores: (k, d) mean final error of k >= 3 entries on d data sets.

    Returns:
        p of Friedman's chi-square test, corrected for ties.

    Raises:
        BadOption: Fewer than five data sets or fewer than three entries.
    """
    entries, datasets = scores.shape
    _require_datasets(datasets)
    if entries < 3:
        raise BadOption(
            f"scores: Friedman's test expects at least 3 entries, got {entries}. "
            "Compare two entries with paired_tests.wilcoxon over the data sets."
        )
    from scipy.stats import friedmanchisquare

    return float(friedmanchisquare(*scores).pvalue)


def critical_difference(entries: int, datasets: int) -> float:
    """Say by how much two mean ranks must differ to be separated at the 5 % level (Nemenyi).

    Args:
        entries: k >= 2 ranked entries.
        datasets: Number of data sets, >= 5.

    Returns:
        Difference of mean ranks.

    Raises:
        BadOption: Fewer than five data sets or fewer than two entries.

    Source: Demsar 2006, section 3.2.2.
    """
    _require_datasets(datasets)
    if entries < 2:
        raise BadOption(f"entries: expected at least 2 to compare, got {entries}. Add an entry.")
    from scipy.stats import studentized_range

    q = float(studentized_range.ppf(1.0 - ALPHA, entries, np.inf)) / math.sqrt(2.0)
    return q * math.sqrt(entries * (entries + 1) / (6.0 * datasets))


def _require_datasets(datasets: int) -> None:
    if datasets < FEWEST_DATASETS:
        raise BadOption(
            f"datasets: expected at least {FEWEST_DATASETS} data sets, got {datasets}. With fewer the test "
            "has no power, and seeds are not data sets (pseudo-replication). Compare pairs within each one."
        )
