"""An exact Gaussian process on architectures: a kernel, the errors told, and guesses at other architectures.

The mean of the process is the mean of the targets, and its variance is the one that makes the targets most
likely, which has a closed form where the kernel is 1 on its diagonal. What is left to choose, the kernel's
shape and the share of noise, is tried out on a small grid, and the highest marginal likelihood wins.

Architectures that are still running can be believed at their own guess ("kriging believer"): the mean stays,
the deviation around them shrinks, and workers who ask at once are led apart.

Source: Rasmussen and Williams 2006, Algorithm 2.1 and section 5.4; Ginsbourger, Le Riche and Carraro 2010
(kriging believer).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular

from nasbench.records import Code

_Array = npt.NDArray[np.float64]

NOISES = (1e-4, 1e-2, 0.1, 0.5)
"""Shares of noise to choose from, as variance relative to the kernel's; our choice."""
_JITTER = 1e-8  # added where a matrix is not positive definite, tenfold until it is
_LEAST_VARIANCE = 1e-12


class Kernel(Protocol):
    """Similarity of architectures, 1 on the diagonal."""

    @property
    def shapes(self) -> Sequence[Any]:
        """What the marginal likelihood chooses from."""
        ...

    def compare(self, a: Sequence[Code], b: Sequence[Code]) -> _Array:
        """Compare every pair once, whatever the shape; (..., n, m)."""
        ...

    def similarity(self, compared: _Array, shape: Any) -> _Array:
        """Turn comparisons into the kernel of one shape, (n, m)."""
        ...


class GaussianProcess:
    """The posterior of one kernel matrix, mean 0 and prior variance 1 before scaling.

    Args:
        gram: (n, n) kernel matrix of what was observed, 1 on its diagonal.
        targets: (n,).
        noise: Variance of the noise, relative to the kernel's.
    """

    def __init__(self, gram: _Array, targets: _Array, noise: float) -> None:
        n = len(targets)
        self._gram = gram + noise * np.eye(n)
        self._noise = noise
        self._centre = float(targets.mean())
        self._centred = targets - self._centre
        self._solve()
        self._variance = max(float(self._whitened @ self._whitened) / n, _LEAST_VARIANCE)
        self.log_likelihood = -0.5 * n * np.log(self._variance) - np.log(np.diag(self._factor)).sum()

    def _solve(self) -> None:
        """Factor the kernel matrix and whiten the targets."""
        self._factor = _cholesky(self._gram)
        self._whitened = solve_triangular(self._factor, self._centred, lower=True)

    def predict(self, cross: _Array) -> tuple[_Array, _Array]:
        """Guess the noiseless value of m others.

        Args:
            cross: (m, n) kernel between them and what was observed.

        Returns:
            Mean and standard deviation, (m,) each.
        """
        solved = solve_triangular(self._factor, cross.T, lower=True)
        mean = self._centre + solved.T @ self._whitened
        variance = self._variance * (1.0 - np.einsum("ij,ij->j", solved, solved))
        return mean, np.sqrt(np.maximum(variance, _LEAST_VARIANCE))

    def believe(self, cross: _Array) -> None:
        """Observe one more at its own guess.

        Args:
            cross: (n,) kernel between it and what was observed.
        """
        guess = float(self.predict(cross[None])[0][0])
        self._gram = np.block(
            [[self._gram, cross[:, None]], [cross[None], np.full((1, 1), 1.0 + self._noise)]]
        )
        self._centred = np.append(self._centred, guess - self._centre)
        self._solve()


class KernelModel:
    """Guesses errors of architectures from the errors of others.

    Args:
        kernel: How alike two architectures are.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._codes: list[Code] = []
        self._chosen: tuple[Any, float] = (kernel.shapes[0], NOISES[0])
        self._chosen_at = 0  # architectures known when the shape and the noise were chosen

    def learn(self, codes: Sequence[Code], targets: _Array, running: Sequence[Code] = ()) -> None:
        """Start from these errors, and believe the running ones at their guess.

        The shape and the noise are chosen again each time that the architectures have become a tenth more.

        Args:
            codes: Architectures with an error, at least one.
            targets: (n,) their errors, on any scale.
            running: Architectures without an error yet.
        """
        self._codes = list(codes)
        compared = self._kernel.compare(codes, codes)
        if len(codes) >= 1.1 * self._chosen_at:
            self._chosen_at = len(codes)
            candidates = [(shape, noise) for shape in self._kernel.shapes for noise in NOISES]
            processes = [self._process(compared, targets, *candidate) for candidate in candidates]
            best = int(np.argmax([process.log_likelihood for process in processes]))
            self._chosen, self._posterior = candidates[best], processes[best]
        else:
            self._posterior = self._process(compared, targets, *self._chosen)
        for code in running:
            self.believe(code)

    def _process(self, compared: _Array, targets: _Array, shape: Any, noise: float) -> GaussianProcess:
        return GaussianProcess(self._kernel.similarity(compared, shape), targets, noise)

    def _cross(self, codes: Sequence[Code]) -> _Array:
        return self._kernel.similarity(self._kernel.compare(codes, self._codes), self._chosen[0])

    def guess(self, codes: Sequence[Code]) -> tuple[_Array, _Array]:
        """Guess mean and standard deviation of the errors of architectures, (m,) each."""
        return self._posterior.predict(self._cross(codes))

    def believe(self, code: Code) -> None:
        """Take an architecture that now runs for known, at its guess."""
        self._posterior.believe(self._cross([code])[0])
        self._codes.append(code)


def _cholesky(matrix: _Array) -> _Array:
    """Factor a symmetric matrix, with as much jitter as it takes."""
    jitter = 0.0
    while True:
        try:
            factor = np.linalg.cholesky(matrix + jitter * np.eye(len(matrix)))
        except np.linalg.LinAlgError:
            jitter = max(10.0 * jitter, _JITTER)
        else:
            return factor.astype(np.float64, copy=False)
