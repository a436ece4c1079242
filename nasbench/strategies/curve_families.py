"""Eleven parametric families of learning curves: accuracy as a function of the time spent training.

A family maps x > 0 to an accuracy, a fraction (1 minus the validation error). x counts the training in
hundredths: 100 at its full length, so that one start and one set of bounds serve trainings of 20 and of 200
epochs. ``fit`` is a least-squares fit from several starts.

Formulas and first starts are those of the authors' code. The bounds are ours (there the parameters are free):
wide, and there to make the posterior over them proper.

Source: Domhan, Springenberg and Hutter 2015; pylearningcurvepredictor for the starts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_STARTS = 12  # of each fit: the family's own, and others scattered about it
_ITERATIONS = 15
_STEP = 1e-6  # of a numerical derivative, relative
_LEAST_DAMPING = 1e-9  # keeps the equations of collinear parameters solvable
_OUTSIDE = 1e3  # residual where the parameters have no curve, or one far from any accuracy
_STEEPEST = 1e6  # derivative, for the same reason


@dataclass(frozen=True, slots=True)
class CurveFamily:
    """One family.

    Attributes:
        name: As people type it.
        function: Called as ``function(x, *parameters)``; arrays broadcast, and nan or inf says that the
            parameters have no curve at x.
        start: Parameters of a typical curve.
        lower: Least values of the parameters.
        upper: Greatest values of the parameters.
    """

    name: str
    function: Callable[..., Array]
    start: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]

    def curves(self, x: Array, parameters: Array) -> Array:
        """Evaluate parameters (m, p) at x (n,): (m, n)."""
        return self.function(x, *parameters.T[:, :, None])

    def inside(self, parameters: Array) -> npt.NDArray[np.bool_]:
        """Say which of the parameters (m, p) are within the bounds; (m,)."""
        within = (parameters >= np.array(self.lower)) & (parameters <= np.array(self.upper))
        return np.asarray(within.all(axis=1))

    def derivatives(self, x: Array, parameters: Array) -> Array:
        """Differentiate numerically by each parameter: (m, p) at x (n,) gives (m, p, n)."""
        m, p = parameters.shape
        step = _STEP * np.maximum(np.abs(parameters), 1e-3)
        step = np.where(parameters + step > self.upper, -step, step)
        moved = parameters[:, None, :] + np.eye(p) * step[:, None, :]  # (m, p, p)
        difference = self.curves(x, moved.reshape(m * p, p)).reshape(m, p, -1)
        slopes: Array = (difference - self.curves(x, parameters)[:, None, :]) / step[:, :, None]
        return np.clip(np.where(np.isnan(slopes), 0.0, slopes), -_STEEPEST, _STEEPEST)


def fit(
    family: CurveFamily, x: Array, y: Array, weights: Array, *, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Fit one family by weighted least squares (Levenberg-Marquardt inside the bounds).

    Args:
        family: The family.
        x: (n,) increasing, > 0.
        y: (n,) accuracies.
        weights: (n,) of the squared residuals.
        rng: Scatters the starts: each parameter times the exponential of a normal draw.

    Returns:
        Local optima (starts, p), best first, and their sums of weighted squares (starts,).
    """
    scatter = np.exp(rng.normal(size=(_STARTS, len(family.start))))
    scatter[0] = 1.0
    parameters = np.clip(np.array(family.start) * scatter, family.lower, family.upper)
    roots = np.sqrt(weights)
    identity = np.eye(len(family.start))
    with np.errstate(all="ignore"):
        residuals = _residuals(family, x, y, roots, parameters)
        losses = np.square(residuals).sum(axis=1)
        damping = np.full(_STARTS, 1e-2)
        for _ in range(_ITERATIONS):
            slopes = roots * family.derivatives(x, parameters)  # (starts, p, n)
            curvature = slopes @ slopes.transpose(0, 2, 1)
            gradient = slopes @ residuals[:, :, None]  # (starts, p, 1)
            diagonal = np.einsum("spp->sp", curvature) + 1e-12
            damped = curvature + (damping[:, None] * diagonal + 1e-14)[:, :, None] * identity
            moved = np.clip(
                parameters - np.linalg.solve(damped, gradient)[:, :, 0], family.lower, family.upper
            )
            new = _residuals(family, x, y, roots, moved)
            new_losses = np.square(new).sum(axis=1)
            better = new_losses < losses
            parameters = np.where(better[:, None], moved, parameters)
            residuals = np.where(better[:, None], new, residuals)
            losses = np.where(better, new_losses, losses)
            damping = np.maximum(damping * np.where(better, 0.2, 5.0), _LEAST_DAMPING)
    order = np.argsort(losses, kind="stable")
    return parameters[order], losses[order]


def _residuals(family: CurveFamily, x: Array, y: Array, roots: Array, parameters: Array) -> Array:
    """Return weighted residuals (m, n), finite."""
    residuals = roots * (family.curves(x, parameters) - y)
    return np.where(np.abs(residuals) < _OUTSIDE, residuals, _OUTSIDE)


def _vapor_pressure(x: Array, a: Array, b: Array, c: Array) -> Array:
    return np.exp(a + b / x + c * np.log(x))


def _ilog2(x: Array, c: Array, a: Array) -> Array:
    return c - a / np.log(x + 1.0)


def _weibull(x: Array, alpha: Array, beta: Array, kappa: Array, delta: Array) -> Array:
    return alpha - (alpha - beta) * np.exp(-((kappa * x) ** delta))


def _pow3(x: Array, c: Array, a: Array, alpha: Array) -> Array:
    return c - a * x**-alpha


def _pow4(x: Array, c: Array, a: Array, b: Array, alpha: Array) -> Array:
    return c - (a * x + b) ** -alpha


def _log_log_linear(x: Array, a: Array, b: Array) -> Array:
    return np.log(a * np.log(x) + b)


def _mmf(x: Array, alpha: Array, beta: Array, kappa: Array, delta: Array) -> Array:
    return alpha - (alpha - beta) / (1.0 + (kappa * x) ** delta)


def _janoschek(x: Array, alpha: Array, beta: Array, kappa: Array, delta: Array) -> Array:
    return alpha - (alpha - beta) * np.exp(-kappa * x**delta)


def _hill3(x: Array, theta: Array, eta: Array, kappa: Array) -> Array:
    return theta / (1.0 + (kappa / x) ** eta)


def _log_power(x: Array, a: Array, b: Array, c: Array) -> Array:
    return a / (1.0 + (x / np.exp(b)) ** c)


def _exp4(x: Array, c: Array, a: Array, b: Array, alpha: Array) -> Array:
    return c - np.exp(b - a * x**alpha)


FAMILIES: dict[str, CurveFamily] = {
    name: CurveFamily(name, function, start, lower, upper)
    for name, function, start, lower, upper in (
        ("vapor-pressure", _vapor_pressure, (-0.622028, -0.47005, 0.042322), (-10, -50, 0), (2, 50, 5)),
        ("ilog2", _ilog2, (0.78, 0.43), (-5, -5), (5, 5)),
        ("weibull", _weibull, (0.7, 0.1, 0.01, 1.0), (-1, -1, 1e-6, 0.01), (2, 2, 10, 20)),
        ("pow3", _pow3, (0.84, 0.52, 0.01), (-100, -100, 1e-4), (100, 100, 10)),
        ("pow4", _pow4, (0.8, 200.0, 0.0, 0.1), (-5, 0, -50, 1e-3), (5, 1e6, 1e3, 10)),
        ("log-log-linear", _log_log_linear, (1.0, 1.0), (0, 0), (3, 3)),
        ("mmf", _mmf, (0.7, 0.1, 0.01, 5.0), (-1, -1, 1e-6, 0.01), (2, 2, 10, 20)),
        ("janoschek", _janoschek, (0.73, 0.07, 0.355, 0.46), (-1, -1, 0, 0.01), (2, 2, 10, 20)),
        ("hill3", _hill3, (0.77232, 0.586449, 2.460843), (0, 0.01, 1e-3), (5, 20, 1e4)),
        ("log-power", _log_power, (0.77, 2.98, -0.51), (0, -10, -20), (5, 10, 0)),
        ("exp4", _exp4, (0.7, 0.8, -0.8, 0.3), (-5, 0, -20, 0.01), (5, 10, 5, 20)),
    )
}
"""Name -> family."""
