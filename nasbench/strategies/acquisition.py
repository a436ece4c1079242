"""Acquisition functions: what a model's guess of an error is worth trying, higher is better.

All but one take the mean and the standard deviation of the guesses, (n,) each; errors are to be made small.

Source: Jones, Schonlau and Welch 1998 (expected improvement); Hutter et al. 2009 (of logarithms); Kushner
1964 (probability of improvement); Srinivas et al. 2010 (confidence bound); Thompson 1933 (Thompson sampling);
White, Neiswanger and Savani 2021 (independent Thompson sampling).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

_Array = npt.NDArray[np.float64]

ACQUISITIONS = ("ei", "pi", "ucb", "its")
"""Names that ``acquire`` knows."""
_BOUND_WEIGHT = 0.5  # naszilla acquisition_functions.py, explore_factor


def acquire(name: str, mean: _Array, deviation: _Array, *, best: float, rng: np.random.Generator) -> _Array:
    """Rate guesses by the acquisition function of this name; (n,), higher is better.

    Args:
        name: ``"ei"``, ``"pi"``, ``"ucb"`` (half a deviation below the mean) or ``"its"``.
        mean: (n,).
        deviation: (n,), >= 0.
        best: Lowest error so far, on the scale of the means.
        rng: The only source of randomness; used by ``"its"``.
    """
    if name == "ei":
        return expected_improvement(mean, deviation, best)
    if name == "pi":
        return probability_of_improvement(mean, deviation, best)
    if name == "ucb":
        return confidence_bound(mean, deviation, _BOUND_WEIGHT)
    return independent_thompson_sampling(mean, deviation, rng=rng)


def expected_improvement(mean: _Array, deviation: _Array, best: float) -> _Array:
    """How far the error is expected to fall below ``best``, counting rises as 0; (n,), >= 0."""
    certain = deviation <= 0.0
    scale = np.where(certain, 1.0, deviation)
    z = (best - mean) / scale
    density = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
    uncertain = scale * np.maximum(z * ndtr(z) + density, 0.0)  # the sum rounds below 0 for very low z
    return np.where(certain, np.maximum(best - mean, 0.0), uncertain)


def log_expected_improvement(mean: _Array, deviation: _Array, best: float) -> _Array:
    """How far an error is expected to fall below the best where its logarithm is normal; (n,), >= 0.

    Args:
        mean: (n,) of the logarithms.
        deviation: (n,) of the logarithms, > 0.
        best: Logarithm of the lowest error so far.
    """
    z = (best - mean) / deviation
    expected = np.exp(best) * ndtr(z) - np.exp(mean + 0.5 * deviation**2) * ndtr(z - deviation)
    floored: _Array = np.maximum(expected, 0.0)  # the difference rounds below 0 for very low z
    return floored


def probability_of_improvement(mean: _Array, deviation: _Array, best: float) -> _Array:
    """How likely the error is below ``best``; (n,)."""
    certain = deviation <= 0.0
    z = (best - mean) / np.where(certain, 1.0, deviation)
    return np.where(certain, (mean < best).astype(np.float64), ndtr(z))


def confidence_bound(mean: _Array, deviation: _Array, weight: float) -> _Array:
    """How low the error may be, ``weight`` deviations below its mean; (n,), the negated lower bound."""
    bound: _Array = weight * deviation - mean
    return bound


def thompson_sampling(functions: _Array, *, rng: np.random.Generator) -> _Array:
    """Believe one of (k, n) functions, drawn uniformly: the members of an ensemble; (n,), negated."""
    drawn: _Array = functions[int(rng.integers(len(functions)))]
    return -drawn


def independent_thompson_sampling(mean: _Array, deviation: _Array, *, rng: np.random.Generator) -> _Array:
    """Draw each architecture's error by itself from its normal; (n,), the negated draws."""
    drawn: _Array = mean + deviation * rng.standard_normal(len(mean))
    return -drawn
