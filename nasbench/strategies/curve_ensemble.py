"""Where a learning curve will end: the posterior of a weighted combination of curve families.

    y(x) = sum_k w_k f_k(x; theta_k) + noise of deviation sigma,  w_k >= 0 with sum 1

1. Fit every family alone by least squares; leave out those whose curve ends below its first value, or
   ends outside [0, 1].
2. Start walkers about the fits: parameters from each fit's normal approximation, weights larger for the
   families that fit better.
3. Sample parameters, weights and sigma: flat priors within bounds on the parameters (each family's curve
   must rise and end in [0, 1]) and on sigma, uniform on the simplex for the weights; the log likelihood
   counts the i-th of n points 10^(i/n) times.
4. Read off the curve at the full length for every sample.

``steps=2500, burn_in=500`` with 100 walkers is what the authors report. Their chains start within 1e-6 of
the fits with equal weights and move all (48) coordinates at once; so started and moved, even 30,000 steps
left the weights where they began in our trials. Started as in 2, and moving one family at a time, ten steps
come near a chain of a thousand, and that is the default.

Source: Domhan, Springenberg and Hutter 2015; pylearningcurvepredictor for priors and weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nasbench.strategies.curve_families import Array, CurveFamily, fit
from nasbench.strategies.ensemble_sampler import sweep

FULL = 100.0  # x at the full length
_LEAST_SIGMA = 1e-3  # no validation accuracy is known better
_LEAST_WEIGHT = 1e-3  # of a family at the start, relative to one that fits best


@dataclass(frozen=True, slots=True)
class Extrapolation:
    """The posterior of the accuracy at the full length.

    Attributes:
        accuracies: (s,) the combined curve of each sample.
        sigmas: (s,) the noise of each sample.
    """

    accuracies: Array
    sigmas: Array

    @property
    def mean(self) -> float:
        """Expected accuracy at the full length."""
        return float(self.accuracies.mean())

    @property
    def deviation(self) -> float:
        """Standard deviation of the combined curve at the full length."""
        return float(self.accuracies.std())

    def chance_above(self, accuracy: float) -> float:
        """Probability that the accuracy measured at the full length exceeds ``accuracy``."""
        from scipy.special import ndtr

        return float(ndtr((self.accuracies - accuracy) / self.sigmas).mean())


def extrapolate(
    x: Array,
    y: Array,
    *,
    families: Sequence[CurveFamily],
    walkers: int,
    steps: int,
    burn_in: int,
    rng: np.random.Generator,
) -> Extrapolation | None:
    """Predict the end of one curve.

    Args:
        x: (n,) increasing, in hundredths of the full length.
        y: (n,) accuracies.
        families: Combined.
        walkers: Even, >= 4.
        steps: Sweeps of the sampler, > ``burn_in``.
        burn_in: Sweeps left out.
        rng: The only source of randomness.

    Returns:
        The posterior at x = 100; None where no family can follow the curve.
    """
    with np.errstate(all="ignore"):
        counts = 10.0 ** (np.arange(len(y)) / len(y))  # recency
        fits = [found for family in families if (found := _fitted(family, x, y, counts, rng)) is not None]
        if not fits:
            return None
        posterior = Posterior(x, y, counts, fits=fits, walkers=walkers, rng=rng)
        accuracies, sigmas = [], []
        for step in range(steps):
            sweep(posterior, rng)
            if step >= burn_in:
                accuracies.append(posterior.combined[:, -1].copy())
                sigmas.append(posterior.sigmas)
    return Extrapolation(np.concatenate(accuracies), np.concatenate(sigmas))


@dataclass(frozen=True, slots=True)
class Fit:
    """One family fitted alone.

    Attributes:
        family: The family.
        parameters: (p,) of its best curve.
        variance: Mean squared residual of that curve, and at least that of ``_LEAST_SIGMA``.
    """

    family: CurveFamily
    parameters: Array
    variance: float


def _fitted(family: CurveFamily, x: Array, y: Array, counts: Array, rng: np.random.Generator) -> Fit | None:
    """Fit one family; None where none of its optima is plausible."""
    optima, losses = fit(family, x, y, counts, rng=rng)
    plausible = np.flatnonzero(_plausible(family.curves(np.append(x, FULL), optima)))
    if len(plausible) == 0:
        return None
    best = plausible[0]
    return Fit(family, optima[best], max(float(losses[best] / counts.sum()), _LEAST_SIGMA**2))


class Posterior:
    """The density of parameters, weights and noise, with its walkers.

    Blocks: one a family (m, p), the logarithms of the weights before normalising (m, k), the
    logarithm of sigma (m, 1). What a block's change leaves alone is kept: the curves of the other families.

    Args:
        x: (n,) increasing, in hundredths of the full length.
        y: (n,) accuracies.
        counts: (n,) how often the likelihood counts each point.
        fits: The families combined.
        walkers: Even, >= 4.
        rng: For the starts.

    Attributes:
        blocks: See above.
        combined: (m, n + 1) combined curve of each walker, at x and at the full length.
    """

    def __init__(
        self,
        x: Array,
        y: Array,
        counts: Array,
        *,
        fits: Sequence[Fit],
        walkers: int,
        rng: np.random.Generator,
    ) -> None:
        self._x = np.append(x, FULL)
        self._y = y
        self._counts = counts
        self._families = [each.family for each in fits]
        self.blocks = [self._scattered(each, walkers, rng) for each in fits]
        self._curves = np.stack(
            [
                family.curves(self._x, block)
                for family, block in zip(self._families, self.blocks, strict=True)
            ],
            axis=1,
        )  # (m, k, n + 1)
        variances = np.array([each.variance for each in fits])
        favour = np.maximum((variances.min() / variances) ** (len(y) / 2), _LEAST_WEIGHT)
        self.blocks.append(np.log(favour * rng.exponential(size=(walkers, len(fits))) + 1e-12))
        sigmas = np.sqrt(variances.min()) * np.exp(0.3 * rng.random((walkers, 1)))
        self.blocks.append(np.log(np.minimum(sigmas, 1.0)))
        self.combined = self._combine(self._curves, self.blocks[-2])
        self._likelihoods = self._log_likelihood(self.combined, self.sigmas)

    @property
    def sigmas(self) -> Array:
        """Noise of each walker, (m,)."""
        return np.exp(self.blocks[-1][:, 0])

    def _scattered(self, found: Fit, walkers: int, rng: np.random.Generator) -> Array:
        """Draw parameters (m, p) from the normal approximation about a fit; implausible ones become it."""
        family, best = found.family, found.parameters
        slopes = family.derivatives(self._x[:-1], best[None])[0]
        width = np.subtract(family.upper, family.lower)
        precision = (slopes * self._counts) @ slopes.T / found.variance + np.diag(4.0 / width**2)
        scale, axes = np.linalg.eigh(precision)
        draws = best + (rng.normal(size=(walkers, len(best))) / np.sqrt(np.maximum(scale, 1e-12))) @ axes.T
        keep = family.inside(draws) & _plausible(family.curves(self._x, draws))
        return np.where(keep[:, None], draws, best)

    def _combine(self, curves: Array, log_weights: Array) -> Array:
        """Weigh curves (m, k, n + 1) to (m, n + 1)."""
        combined: Array = np.einsum("mk,mkn->mn", _shares(log_weights), curves)
        return combined

    def _log_likelihood(self, combined: Array, sigmas: Array) -> Array:
        """Log likelihood up to a constant, (m,)."""
        squares = np.square(combined[:, :-1] - self._y) @ self._counts
        likelihood: Array = -squares / (2.0 * sigmas**2) - self._counts.sum() * np.log(sigmas)
        return likelihood

    def change(self, block: int, rows: slice, proposal: Array) -> Array:
        """Return the change of the log density of some walkers under a proposal for one block; (m,)."""
        k = len(self._families)
        old = self.blocks[block][rows]
        combined, prior, curves = self.combined[rows], np.zeros(len(proposal)), None
        if block < k:
            family = self._families[block]
            curves = family.curves(self._x, proposal)
            combined = combined + _shares(self.blocks[-2][rows])[:, block, None] * (
                curves - self._curves[rows, block]
            )
            prior[~(family.inside(proposal) & _plausible(curves))] = -np.inf
        elif block == k:  # exponential priors make the normalised weights uniform on the simplex
            combined = self._combine(self._curves[rows], proposal)
            prior = (proposal - np.exp(proposal) - old + np.exp(old)).sum(axis=1)
        sigmas = self.sigmas[rows] if block <= k else np.exp(proposal[:, 0])
        if block > k:  # uniform in sigma
            prior = np.where((sigmas >= _LEAST_SIGMA) & (sigmas <= 1.0), (proposal - old)[:, 0], -np.inf)
        likelihoods = self._log_likelihood(combined, sigmas)
        self._asked = (proposal, curves, combined, likelihoods)
        change: Array = np.where(np.isfinite(prior), prior + likelihoods - self._likelihoods[rows], -np.inf)
        return change

    def accept(self, block: int, rows: slice, accepted: npt.NDArray[np.bool_]) -> None:
        """Move some walkers to the proposal asked last."""
        proposal, curves, combined, likelihoods = self._asked
        self.blocks[block][rows][accepted] = proposal[accepted]
        self.combined[rows][accepted] = combined[accepted]
        self._likelihoods[rows][accepted] = likelihoods[accepted]
        if curves is not None:
            self._curves[rows, block][accepted] = curves[accepted]


def _shares(log_weights: Array) -> Array:
    """Normalise weights (m, k) given by their logarithms."""
    raw = np.exp(log_weights)
    shares: Array = raw / raw.sum(axis=1, keepdims=True)
    return shares


def _plausible(curves: Array) -> npt.NDArray[np.bool_]:
    """Say which curves (m, n) are finite, end no lower than they begin, and end in [0, 1]; (m,)."""
    end = curves[:, -1]
    plausible: npt.NDArray[np.bool_] = (
        np.isfinite(curves).all(axis=1) & (end >= curves[:, 0]) & (end >= 0.0) & (end <= 1.0)
    )
    return plausible
