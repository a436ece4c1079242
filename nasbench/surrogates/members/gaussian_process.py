"""The mean of a Gaussian process with a radial kernel and noise, for small tables, one a target.

Kernel width and noise are those of greatest marginal likelihood on a grid (Rasmussen and Williams 2006,
Algorithm 2.1). The spread of a surrogate is the members' disagreement, calibrated, as for every other kind.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from nasbench.surrogates.inputs import Inputs
from nasbench.surrogates.members import Arrays, Floats
from nasbench.surrogates.members.kernel import RadialSum, squared_distances

_WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # in median squared distances
_NOISES = (1e-3, 1e-2, 3e-2, 0.1, 0.3)  # variances, in variances of a target


class GaussianProcess:
    """Known architectures' indicators, their weights (m, k), and gamma for each target."""

    most_rows = 1_000

    def __init__(self, known: npt.NDArray[np.float32], weights: Floats, gammas: Floats) -> None:
        self.known, self.weights, self.gammas = known, weights, gammas
        self._sum = RadialSum(known, weights, gammas)

    @classmethod
    def fit(cls, inputs: Inputs, targets: Floats, *, rng: np.random.Generator) -> GaussianProcess:
        """Choose width and noise, and solve; see ``Member.fit``. Nothing is random."""
        from scipy.linalg import cho_factor, cho_solve

        distances = squared_distances(inputs.flat, inputs.flat)
        typical = float(np.median(distances[distances > 0])) if (distances > 0).any() else 1.0
        best = np.full(targets.shape[1], -np.inf)
        weights = np.zeros_like(targets)
        gammas = np.ones(targets.shape[1])
        for width in _WIDTHS:
            gamma = 1.0 / (width * typical)
            kernel = np.exp(-gamma * distances)
            for noise in _NOISES:
                factor = cho_factor(kernel + noise * np.eye(len(kernel)), lower=True)
                solved = cho_solve(factor, targets)
                log_determinant = np.log(np.diag(factor[0])).sum()
                likelihoods = -0.5 * (targets * solved).sum(axis=0) - log_determinant
                for k in np.flatnonzero(likelihoods > best).tolist():
                    best[k], gammas[k], weights[:, k] = likelihoods[k], gamma, solved[:, k]
        return cls(inputs.flat, weights, gammas)

    def predict(self, inputs: Inputs) -> Floats:
        """Predict (n, k) targets."""
        return self._sum.predict(inputs.flat)

    def arrays(self) -> Arrays:
        """Return known rows, weights and gammas."""
        return {"known": self.known, "weights": self.weights, "gammas": self.gammas}

    @classmethod
    def load(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> GaussianProcess:
        """Make the member from its arrays."""
        return cls(
            arrays["known"].astype(np.float32),
            arrays["weights"].astype(np.float64),
            arrays["gammas"].astype(np.float64),
        )
