"""A perceptron of two hidden layers of 64 rectified units, all targets at once, fitted with scikit-learn."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from nasbench.errors import MissingExtra
from nasbench.surrogates.inputs import Inputs
from nasbench.surrogates.members import Arrays, Floats, seed_of

_HIDDEN = (64, 64)
_STEPS = 6_000  # of Adam, whatever the number of rows
_BATCH = 128
_MOST_EPOCHS = 400
_BLOCK = 256  # rows at a time: what they need stays in the processor's cache


class Perceptron:
    """Weights and intercepts, layer by layer."""

    most_rows = 1_000_000

    def __init__(self, weights: list[Floats], intercepts: list[Floats]) -> None:
        self.weights, self.intercepts = weights, intercepts

    @classmethod
    def fit(cls, inputs: Inputs, targets: Floats, *, rng: np.random.Generator) -> Perceptron:
        """Fit with Adam for about 6,000 steps; see ``Member.fit``.

        Raises:
            MissingExtra: scikit-learn is absent.
        """
        try:
            from sklearn.exceptions import ConvergenceWarning
            from sklearn.neural_network import MLPRegressor
        except ImportError as error:
            raise MissingExtra.of("surrogate", "scikit-learn", "A surrogate of perceptrons") from error
        batch = min(_BATCH, len(inputs))
        epochs = min(_MOST_EPOCHS, max(1, round(_STEPS * batch / len(inputs))))
        model = MLPRegressor(
            hidden_layer_sizes=_HIDDEN,
            alpha=1e-3,
            batch_size=batch,
            learning_rate_init=3e-3,
            max_iter=epochs,
            tol=0.0,
            n_iter_no_change=epochs + 1,
            random_state=seed_of(rng),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # its length is fixed on purpose
            model.fit(inputs.flat, targets if targets.shape[1] > 1 else targets[:, 0])
        return cls(
            [np.asarray(w, dtype=np.float64) for w in model.coefs_],
            [np.asarray(b, dtype=np.float64) for b in model.intercepts_],
        )

    def predict(self, inputs: Inputs) -> Floats:
        """Predict (n, k) targets."""
        out = np.empty((len(inputs), len(self.intercepts[-1])))
        for start in range(0, len(inputs), _BLOCK):
            values = inputs.real[start : start + _BLOCK]
            for weights, intercepts in zip(self.weights[:-1], self.intercepts[:-1], strict=True):
                values = values @ weights
                values += intercepts
                np.maximum(values, 0.0, out=values)
            out[start : start + _BLOCK] = values @ self.weights[-1] + self.intercepts[-1]
        return out

    def arrays(self) -> Arrays:
        """Return weights and intercepts."""
        named: Arrays = {}
        for i, (weights, intercepts) in enumerate(zip(self.weights, self.intercepts, strict=True)):
            named[f"weights_{i}"], named[f"intercepts_{i}"] = weights, intercepts
        return named

    @classmethod
    def load(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Perceptron:
        """Make the member from its weights."""
        layers = range(len(arrays) // 2)
        return cls(
            [arrays[f"weights_{i}"].astype(np.float64) for i in layers],
            [arrays[f"intercepts_{i}"].astype(np.float64) for i in layers],
        )
