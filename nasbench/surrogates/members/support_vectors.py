"""Support vector regression with a radial kernel (Drucker et al. 1997), by scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from nasbench.errors import MissingExtra
from nasbench.surrogates.inputs import Inputs
from nasbench.surrogates.members import Arrays, Floats
from nasbench.surrogates.members.kernel import RadialSum

_PENALTY = 3.0
_TUBE = 0.05  # in standard deviations of a target


class SupportVectors:
    """Known architectures' indicators, their weights (m, k), and for each target gamma and intercept."""

    most_rows = 3_000

    def __init__(
        self, known: npt.NDArray[np.float32], weights: Floats, gammas: Floats, intercepts: Floats
    ) -> None:
        self.known, self.weights, self.gammas, self.intercepts = known, weights, gammas, intercepts
        self._sum = RadialSum(known, weights, gammas)

    @classmethod
    def fit(cls, inputs: Inputs, targets: Floats, *, rng: np.random.Generator) -> SupportVectors:
        """Fit one machine a target; see ``Member.fit``. Nothing is random.

        Raises:
            MissingExtra: scikit-learn is absent.
        """
        try:
            from sklearn.svm import SVR
        except ImportError as error:
            raise MissingExtra.of("surrogate", "scikit-learn", "A surrogate of support vectors") from error
        flat = inputs.flat
        spread = float(flat.var()) * flat.shape[1]
        gamma = 1.0 / max(spread, 1e-12)
        weights = np.zeros((len(flat), targets.shape[1]))
        intercepts = np.zeros(targets.shape[1])
        for k in range(targets.shape[1]):
            machine = SVR(C=_PENALTY, epsilon=_TUBE, gamma=gamma).fit(flat, targets[:, k])
            weights[machine.support_, k] = machine.dual_coef_[0]
            intercepts[k] = machine.intercept_[0]
        used = np.flatnonzero(weights.any(axis=1))
        return cls(flat[used], weights[used], np.full(targets.shape[1], gamma), intercepts)

    def predict(self, inputs: Inputs) -> Floats:
        """Predict (n, k) targets."""
        return self._sum.predict(inputs.flat) + self.intercepts

    def arrays(self) -> Arrays:
        """Return known rows, weights, gammas and intercepts."""
        return {
            "known": self.known,
            "weights": self.weights,
            "gammas": self.gammas,
            "intercepts": self.intercepts,
        }

    @classmethod
    def load(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> SupportVectors:
        """Make the member from its arrays."""
        return cls(
            arrays["known"].astype(np.float32),
            arrays["weights"].astype(np.float64),
            arrays["gammas"].astype(np.float64),
            arrays["intercepts"].astype(np.float64),
        )
