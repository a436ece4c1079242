"""How good predictions are: the numbers that people ask for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_SPARSE = 1e-3  # the grid of the sparse tau: a tenth of a percent of accuracy


def quality(actual: Floats, predicted: Floats) -> dict[str, float]:
    """Compare (n,) predicted errors with recorded mean errors.

    Returns:
        ``r2``: share of the variance explained; ``mae``: mean absolute error, fraction; ``kendall_tau``:
            tau-b; ``sparse_kendall_tau``: tau-b with predictions rounded to a tenth of a percent, so that
            differences too small to matter do not count (Yu et al. 2020; Zela et al. 2022).
    """
    from scipy.stats import kendalltau

    residual = float(((actual - predicted) ** 2).sum())
    total = float(((actual - actual.mean()) ** 2).sum())
    rounded = np.round(predicted / _SPARSE) * _SPARSE
    return {
        "r2": 1.0 - residual / total if total > 0 else float("nan"),
        "mae": float(np.abs(actual - predicted).mean()),
        "kendall_tau": float(kendalltau(actual, predicted).statistic),
        "sparse_kendall_tau": float(kendalltau(actual, rounded).statistic),
    }
