"""Sequential regression: learn from full trainings where a curve ends, and stop what will not be best.

1. Let the first ``startup`` trainings run to their end.
2. For each check epoch tau, fit a nu-SVR from the first tau points of a training to its final accuracy.
   Features: the accuracies y_1 to y_tau, their first and second differences, the architecture one-hot, and
   what can be known of it without training (parameters, multiply-adds, latency) where the source tells.
3. C, nu and the width of the kernel are drawn at random ``draws`` times; 3-fold cross-validation chooses. The
   deviation sigma of the chosen model is that of its leave-one-out errors.
4. At tau a running training is predicted to end at y ~ N(prediction, sigma^2). Stop it if the probability of
   staying at or below the best final accuracy, Phi((best - prediction) / sigma), is above ``confidence``,
   and tell the wrapped strategy the prediction.
5. Fit again when the number of full trainings has doubled since.

The paper trains 100 configurations to the end; 25 suits runs of a few hundred. Reported confidences are
0.95 and 0.99. Ranges of the random search are ours. Stopped trainings have no final accuracy and are not
learnt from, so the models are fitted to trainings that survived. Where the first points tell nothing of the
end, the rule knows only that a new best is rare, and may stop nearly everything: check later (``every``).

On 150 random architectures of digits-nb201 (20 epochs, mean of 10 seeds) it saved 49 % of the epochs and
trained the best one fully in 9 of 10 runs.

Source: Baker, Gupta, Raskar and Naik 2018.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, MissingExtra
from nasbench.records import Code
from nasbench.spaces import Space
from nasbench.strategies.stopping import EarlyStopping
from nasbench.strategies.strategy import Card, Setting

Array = npt.NDArray[np.float64]

_FOLDS = 3
_LEAST_SIGMA = 1e-6  # where all full trainings ended alike


class BakerStop(EarlyStopping):
    """Any strategy, with stopping by sequential regression models.

    Args:
        space: The space to search.
        rng: Of the wrapped strategy; the rule draws from a stream split off it.
        setting: Training lengths and costs.
        strategy: Name of the wrapped strategy.
        options: Its options.
        every: Epochs between checks; None: about ten checks a training.
        startup: Full trainings before the first fit, >= 6 (paper: 100).
        confidence: Probability of not becoming the best above which a training stops, in [0.5, 1]; 1 never
            stops.
        kernel: ``"rbf"`` or ``"linear"``.
        draws: Hyperparameters tried for each fit, >= 1.

    Raises:
        BadOption: An option is out of its range, or see ``EarlyStopping``.
        MissingExtra: scikit-learn is not installed.
    """

    card: ClassVar[Card] = Card(
        family="learning curves", paper="Baker et al. 2018", needs=("surrogate",), multi_fidelity=True
    )

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        strategy: str = "random-search",
        options: Mapping[str, Any] | None = None,
        every: int | None = None,
        startup: int = 25,
        confidence: float = 0.95,
        kernel: Literal["rbf", "linear"] = "rbf",
        draws: int = 10,
    ) -> None:
        if type(startup) is not int or startup < 2 * _FOLDS:
            raise BadOption(f"startup: expected a whole number >= {2 * _FOLDS}, got {startup!r}.")
        if not 0.5 <= confidence <= 1:
            raise BadOption(f"confidence: expected a number in [0.5, 1], got {confidence!r}.")
        if kernel not in ("rbf", "linear"):
            raise BadOption(f"kernel: expected 'rbf' or 'linear', got {kernel!r}.")
        if type(draws) is not int or draws < 1:
            raise BadOption(f"draws: expected a whole number >= 1, got {draws!r}.")
        try:
            importlib.import_module("sklearn.svm")
        except ImportError as error:
            raise MissingExtra.of("surrogate", "scikit-learn", "Strategy baker-stop") from error
        super().__init__(space, rng=rng, setting=setting, strategy=strategy, options=options, every=every)
        self._rng = rng.spawn(1)[0]
        self._space = space
        self._costs = list(setting.costs.values())
        self._startup = startup
        self._confidence = confidence
        self._kernel = kernel
        self._draws = draws
        self._codes: list[Code] = []  # of full trainings
        self._full: list[list[float]] = []  # their curves
        self._models: dict[int, CurveRegression] = {}  # by number of points seen

    def _learn(self, code: Code, accuracies: Sequence[float]) -> None:
        """Keep a whole curve."""
        if len(accuracies) == len(self._epochs):
            self._codes.append(code)
            self._full.append(list(accuracies))

    def _predict_failure(self, code: Code, accuracies: Sequence[float]) -> float | None:
        """Return the predicted final accuracy where it is confidently not above the best."""
        if self._best is None or len(self._full) < self._startup:
            return None
        tau = len(accuracies)
        model = self._models.get(tau)
        if model is None or len(self._full) >= 2 * model.n_trained:
            features = self._features(self._codes, np.array(self._full)[:, :tau])
            model = CurveRegression(
                features, np.array(self._full)[:, -1], kernel=self._kernel, draws=self._draws, rng=self._rng
            )
            self._models[tau] = model
        predicted = model.predict(self._features([code], np.array([accuracies])))
        chance = 0.5 * math.erfc((self._best - predicted) / (model.sigma * math.sqrt(2.0)))
        return predicted if chance < 1.0 - self._confidence else None

    def _features(self, codes: Sequence[Code], curves: Array) -> Array:
        """Describe trainings by their first accuracies (n, tau), architecture and costs; (n, features)."""
        costs = np.array([[cost(code) for cost in self._costs] for code in codes])
        return np.concatenate(
            [curve_features(curves), self._space.encode(np.array(codes), "onehot"), costs], axis=1
        )


def curve_features(curves: Array) -> Array:
    """Join accuracies (n, tau) with their differences: (n, 3 tau - 3), or (n, 1) for tau = 1."""
    return np.concatenate([curves, np.diff(curves), np.diff(curves, n=2)], axis=1)


class CurveRegression:
    """A nu-SVR with chosen hyperparameters and the deviation of its errors.

    Attributes:
        sigma: Deviation of the leave-one-out errors.
        n_trained: Trainings that it was fitted to.

    Args:
        features: (n, features), n >= 6.
        finals: (n,) final accuracies.
        kernel: ``"rbf"`` or ``"linear"``.
        draws: Hyperparameters tried.
        rng: Draws them, and the folds.
    """

    def __init__(
        self, features: Array, finals: Array, *, kernel: str, draws: int, rng: np.random.Generator
    ) -> None:
        self.n_trained = len(finals)
        self._mean, self._scale = features.mean(axis=0), features.std(axis=0)
        self._scale[self._scale == 0.0] = 1.0
        self._middle, self._spread = float(finals.mean()), float(finals.std()) or 1.0
        x, y = (features - self._mean) / self._scale, (finals - self._middle) / self._spread
        folds = rng.permutation(len(y)) % _FOLDS
        best_loss = math.inf
        for _ in range(draws):
            options = {
                "kernel": kernel,
                "C": 10.0 ** rng.uniform(-1.0, 3.0),
                "nu": rng.uniform(0.1, 0.9),
                "gamma": 10.0 ** rng.uniform(-2.0, 1.0) / x.shape[1],
            }
            loss = float(np.square(_errors(x, y, folds, options)).mean())
            if loss < best_loss:
                best_loss, chosen = loss, options
        errors = _errors(x, y, np.arange(len(y)), chosen)
        self.sigma = max(self._spread * math.sqrt(float(np.square(errors).mean())), _LEAST_SIGMA)
        self._model = _fitted(x, y, chosen)

    def predict(self, features: Array) -> float:
        """Predict the final accuracy of one training, features (1, features)."""
        scaled = (features - self._mean) / self._scale
        return self._middle + self._spread * float(self._model.predict(scaled)[0])


def _errors(x: Array, y: Array, folds: npt.NDArray[np.int64], options: dict[str, Any]) -> Array:
    """Predict each point by a model fitted without its fold; (n,) errors."""
    errors = np.empty(len(y))
    for fold in np.unique(folds):
        out = folds == fold
        errors[out] = _fitted(x[~out], y[~out], options).predict(x[out]) - y[out]
    return errors


def _fitted(x: Array, y: Array, options: dict[str, Any]) -> Any:
    """Fit a nu-SVR."""
    from sklearn.svm import NuSVR

    model = NuSVR(**options)
    model.random_state = 0  # None would draw an unused seed from numpy's global state
    return model.fit(x, y)
