"""An ensemble of small multilayer perceptrons that guesses errors, all members trained at once.

Every member is a chain of ReLU layers of one width with one linear output, drawn by itself (uniform weights
of Glorot and Bengio 2010, zero biases) and shown the same data in an order of its own. The loss is the mean
absolute error, the optimiser Adam. Plain numpy, derivatives by hand: at these sizes a step takes a tenth of
the time that it takes in torch, and no extra is needed.

Source: White, Neiswanger and Savani 2021 for the members; Kingma and Ba 2015 for Adam; constants as in the
authors' repository ``naszilla`` (meta_neural_net.py).
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[np.float64]
_Floats = npt.NDArray[np.float32]

_BETA1, _BETA2, _EPSILON = 0.9, 0.99, 1e-7  # naszilla; the last is Keras' default
_BATCH = 32  # naszilla


class MLPEnsemble:
    """Perceptrons with weights in one flat array, so that an optimiser's step is one expression.

    Args:
        inputs: Length of an encoding.
        members: Perceptrons.
        layers: Hidden layers of each.
        width: Units of a hidden layer.
        learning_rate: Adam's step size.
        rng: The only source of randomness.
    """

    def __init__(
        self,
        inputs: int,
        *,
        members: int,
        layers: int,
        width: int,
        learning_rate: float,
        rng: np.random.Generator,
    ) -> None:
        sizes = [inputs, *[width] * layers, 1]
        shapes = [(members, i, o) for i, o in itertools.pairwise(sizes)]
        n = sum(m * (i + 1) * o for m, i, o in shapes)
        self._flat, self._gradient = np.zeros(n, np.float32), np.zeros(n, np.float32)
        self._first, self._second = np.zeros(n, np.float32), np.zeros(n, np.float32)
        self._steps = 0
        self._rng = rng
        self._learning_rate = learning_rate
        self._members = members
        self._layers = _views(self._flat, shapes)
        self._gradients = _views(self._gradient, shapes)
        for weights, _ in self._layers:
            limit = np.sqrt(6.0 / sum(weights.shape[1:]))
            weights[:] = rng.uniform(-limit, limit, weights.shape)

    def fit(self, inputs: npt.ArrayLike, targets: npt.ArrayLike, *, epochs: int) -> None:
        """Train on (n, inputs) encodings and (n,) targets."""
        x, y = np.asarray(inputs, np.float32), np.asarray(targets, np.float32)
        n = len(x)
        for _ in range(epochs):
            order = np.argsort(self._rng.random((self._members, n)), axis=1)
            for start in range(0, n, _BATCH):
                batch = order[:, start : start + _BATCH]
                self._step(x[batch], y[batch])

    def predict(self, inputs: npt.ArrayLike) -> _Array:
        """Guess (n,) targets by every member, (members, n)."""
        x = np.asarray(inputs, np.float32)
        return self._forward(np.broadcast_to(x, (self._members, *x.shape)))[-1][:, :, 0].astype(np.float64)

    def _forward(self, x: _Floats) -> list[_Floats]:
        """Compute what enters every layer, (members, batch, in), and what comes out, (members, batch, 1)."""
        values = [x]
        for weights, biases in self._layers[:-1]:
            values.append(np.maximum(values[-1] @ weights + biases, 0.0))
        weights, biases = self._layers[-1]
        return [*values, values[-1] @ weights + biases]

    def _step(self, x: _Floats, y: _Floats) -> None:
        """Take one step of Adam on (members, batch, inputs) and (members, batch)."""
        *entering, out = self._forward(x)
        slope = np.sign(out - y[:, :, None]) / np.float32(x.shape[1])  # of each member's mean absolute error
        for (weights, _), (to_weights, to_biases), value in zip(
            reversed(self._layers), reversed(self._gradients), reversed(entering), strict=True
        ):
            np.matmul(value.transpose(0, 2, 1), slope, out=to_weights)
            slope.sum(axis=1, keepdims=True, out=to_biases)
            slope = (slope @ weights.transpose(0, 2, 1)) * (value > 0.0)
        self._steps += 1
        gradient, first, second = self._gradient, self._first, self._second
        first += np.float32(1.0 - _BETA1) * (gradient - first)
        second += np.float32(1.0 - _BETA2) * (gradient * gradient - second)
        rate = self._learning_rate * np.sqrt(1.0 - _BETA2**self._steps) / (1.0 - _BETA1**self._steps)
        self._flat -= np.float32(rate) * first / (np.sqrt(second) + np.float32(_EPSILON))


def _views(flat: _Floats, shapes: list[tuple[int, int, int]]) -> list[tuple[_Floats, _Floats]]:
    """Cut weights (members, in, out) and biases (members, 1, out) of each layer out of a flat array."""
    views, start = [], 0
    for members, i, o in shapes:
        middle, end = start + members * i * o, start + members * (i + 1) * o
        views.append((flat[start:middle].reshape(members, i, o), flat[middle:end].reshape(members, 1, o)))
        start = end
    return views
