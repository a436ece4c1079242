"""Ridge regression on the indicators and a constant: what each choice is worth by itself."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from nasbench.surrogates.inputs import Inputs
from nasbench.surrogates.members import Arrays, Floats

_PENALTY = 1.0  # on squared weights, in squared standard deviations of a target


class Linear:
    """Weights (d, k) and intercepts (k,)."""

    most_rows = 1_000_000

    def __init__(self, weights: Floats, intercepts: Floats) -> None:
        self.weights, self.intercepts = weights, intercepts

    @classmethod
    def fit(cls, inputs: Inputs, targets: Floats, *, rng: np.random.Generator) -> Linear:
        """Solve the normal equations; see ``Member.fit``. Nothing is random."""
        flat = inputs.real
        middle, height = flat.mean(axis=0), targets.mean(axis=0)
        centred = flat - middle
        gram = centred.T @ centred + _PENALTY * np.eye(centred.shape[1])
        weights = np.linalg.solve(gram, centred.T @ (targets - height))
        return cls(weights, height - middle @ weights)

    def predict(self, inputs: Inputs) -> Floats:
        """Predict (n, k) targets."""
        predicted: Floats = inputs.real @ self.weights + self.intercepts
        return predicted

    def arrays(self) -> Arrays:
        """Return weights and intercepts."""
        return {"weights": self.weights, "intercepts": self.intercepts}

    @classmethod
    def load(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Linear:
        """Make the member from its weights."""
        return cls(arrays["weights"].astype(np.float64), arrays["intercepts"].astype(np.float64))
