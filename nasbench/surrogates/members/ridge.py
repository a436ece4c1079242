"""Ridge regression whose penalty the data choose: for tables in which noise is large or rows are few.

Of several penalties each target takes the one with the lowest error when each architecture is predicted by
the weights that all others give, which has a closed form.

Source: Hoerl and Kennard 1970; Golub, Heath and Wahba 1979, section 2 (ordinary cross-validation).
"""

from __future__ import annotations

import numpy as np

from nasbench.surrogates.inputs import Inputs
from nasbench.surrogates.members import Floats
from nasbench.surrogates.members.linear import Linear

_PENALTIES = tuple(float(penalty) for penalty in np.logspace(0.0, 3.5, 8))
_LEAST_SHARE = 1e-6  # of an architecture's error that others do not explain


class Ridge(Linear):
    """Weights (d, k) and intercepts (k,)."""

    @classmethod
    def fit(cls, inputs: Inputs, targets: Floats, *, rng: np.random.Generator) -> Ridge:
        """Solve for each penalty in the eigenvectors of the normal equations; nothing is random."""
        flat = inputs.real
        middle, height = flat.mean(axis=0), targets.mean(axis=0)
        centred, wanted = flat - middle, targets - height
        values, vectors = np.linalg.eigh(centred.T @ centred)
        values = np.maximum(values, 0.0)
        turned = centred @ vectors
        along = turned.T @ wanted
        best = np.full(targets.shape[1], np.inf)
        weights = np.zeros((flat.shape[1], targets.shape[1]))
        for penalty in _PENALTIES:
            shrunk = along / (values + penalty)[:, None]
            own = (turned**2 / (values + penalty)).sum(axis=1) + 1.0 / len(flat)  # each one's say in itself
            left_out = (wanted - turned @ shrunk) / np.maximum(1.0 - own, _LEAST_SHARE)[:, None]
            loss = (left_out**2).mean(axis=0)
            better = loss < best
            best = np.where(better, loss, best)
            weights[:, better] = vectors @ shrunk[:, better]
        return cls(weights, height - middle @ weights)
