"""A kernel density over architectures: a mixture of product kernels, one centred on each architecture seen.

The kernel of a decision with c choices gives 1 - h to the value of the centre and h / (c - 1) to each other
(Aitchison and Aitken 1976), h in [0, (c - 1) / c]: at h = 0 only the centre, at the upper end all alike.
The bandwidth h follows the normal-reference rule, 1.06 sigma n^(-1 / (4 + L)), with a floor against a density
that has seen one value only.

Deviations from statsmodels' ``KDEMultivariate``, which HpBandSter uses: there sigma is the standard deviation
of the *indices* of the choices, which changes with the order in which they are listed; here it is
sqrt((1 - sum of p_v^2) / 2) over the frequencies p_v of the values, the same number where there are two
choices. There c counts the values seen, here all choices; and there h may exceed its upper end, which makes
the centre the least likely value. Everything is computed in logarithms, since a product over many decisions
is a very small number.

Source: Aitchison and Aitken 1976; statsmodels ``nonparametric`` for the rule.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[np.float64]


class CategoricalKDE:
    """Density of architectures like those given.

    Args:
        codes: (n, L) architectures, n >= 1.
        choices: Number of choices of each decision, (L,).
        min_bandwidth: Floor of the bandwidth, > 0; where a decision's upper end is lower, that counts.

    Attributes:
        codes: As given.
        bandwidth: h of each decision, (L,).
    """

    def __init__(self, codes: npt.NDArray[np.int64], choices: Sequence[int], *, min_bandwidth: float) -> None:
        self.codes = codes
        n, n_decisions = codes.shape
        count = np.array(choices)
        self._first = np.concatenate([[0], np.cumsum(count)[:-1]])  # column of each decision's value 0
        self._columns = int(count.sum())
        frequencies = self._indicators(codes).mean(axis=0)
        spread = np.sqrt((1.0 - np.add.reduceat(frequencies**2, self._first)).clip(0.0) / 2.0)
        rule = 1.06 * spread * n ** (-1.0 / (4 + n_decisions))
        highest = (count - 1) / count
        self.bandwidth: _Array = np.minimum(np.maximum(rule, min_bandwidth), highest)
        other = self.bandwidth / np.maximum(count - 1, 1)
        movable = count > 1  # a decision without a choice has density 1
        log_other = np.log(np.where(movable, other, 1.0))
        log_same = np.log(np.where(movable, 1.0 - self.bandwidth, 1.0))
        self._base = float(log_other.sum())
        gain = np.repeat(log_same - log_other, count)  # (columns,)
        self._centres = (self._indicators(codes) * gain).T  # (columns, n)

    def _indicators(self, codes: npt.NDArray[np.int64]) -> _Array:
        """One-hot rows, (n, columns)."""
        out = np.zeros((len(codes), self._columns))
        out[np.arange(len(codes))[:, None], codes + self._first] = 1.0
        return out

    def log_density(self, codes: npt.NDArray[np.int64]) -> _Array:
        """Evaluate the log density of (m, L) codes; (m,)."""
        kernels = self._indicators(codes) @ self._centres + self._base  # (m, n)
        highest = kernels.max(axis=1)
        density: _Array = highest + np.log(np.exp(kernels - highest[:, None]).mean(axis=1))
        return density
