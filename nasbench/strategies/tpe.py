"""TPE, the tree-structured Parzen estimator, on categorical decisions.

Two densities are kept over past trials, l of the good ones and g of all others; the next trial is drawn
where l/g is high. Each decision has its own pair, independent of the other decisions, as in hyperopt.

1. Propose ``startup`` architectures drawn from the space.
2. Split the n trials so far: the min(ceil(gamma sqrt(n)), 25) with the lowest validation error are good.
3. For each decision in order, count the values taken by the good and by the other trials, add
   ``prior_weight`` to every value and normalise: l and g. In both counts the 25 latest trials weigh 1 and
   older ones fade linearly to 1/N.
4. Draw ``candidates`` values from l, masked by ``space.allowed`` after the values taken so far, and take the
   one with the highest l/g (the first drawn of equals).
5. Propose the code so made; go to 2.

Constants and defaults are hyperopt's ``tpe.py``. As there, running and failed trials have no error and
count among the others, so that workers asking at once are led apart; here they are never among the
good ones. Deviations: masks, for spaces where a value forbids another; equal errors are split by order of
proposal.

Source: Bergstra, Bardenet, Bengio and Kegl 2011, section 4; hyperopt for the constants.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.records import Code, Proposal, Trial
from nasbench.seeds import uniforms
from nasbench.spaces import Space
from nasbench.strategies.strategy import Card

_FORGETTING = 25  # latest trials at full weight, and most good trials; hyperopt DEFAULT_LF

_Array = npt.NDArray[np.float64]


class TPE:
    """Categorical TPE.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        startup: Random proposals before the model is used, >= 1.
        gamma: Good trials are ceil(gamma sqrt(n)) of n, > 0.
        candidates: Values drawn from l for each decision, >= 1.
        prior_weight: Added to the count of every value, > 0.

    Raises:
        BadOption: An option is out of its range.
    """

    card: ClassVar[Card] = Card(family="Bayesian optimisation", paper="Bergstra et al. 2011")

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        startup: int = 20,
        gamma: float = 0.25,
        candidates: int = 24,
        prior_weight: float = 1.0,
    ) -> None:
        for name, whole in (("startup", startup), ("candidates", candidates)):
            if type(whole) is not int or whole < 1:
                raise BadOption(f"{name}: expected a whole number >= 1, got {whole!r}.")
        for name, number in (("gamma", gamma), ("prior_weight", prior_weight)):
            if not 0 < number < math.inf:
                raise BadOption(f"{name}: expected a number > 0, got {number!r}.")
        self._space = space
        self._draw = uniforms(rng)
        self._startup = startup
        self._gamma = gamma
        self._candidates = candidates
        self._prior = prior_weight
        self._counts = [len(decision.choices) for decision in space.decisions]
        self._most = max(self._counts)
        self._cells = np.zeros(
            (64, len(self._counts)), dtype=np.int64
        )  # proposals, as flat (decision, value)
        self._proposed = 0
        self._unanswered: dict[Code, list[int]] = {}
        self._ranked: list[tuple[float, int]] = []  # (error, order of proposal) of trials that trained

    def ask(self, n: int) -> list[Proposal]:
        """Propose random draws until ``startup`` were proposed, then what the model favours."""
        proposals = []
        for _ in range(n):
            if self._proposed < self._startup or not self._ranked:
                code = self._space.sample_one(self._draw)
            else:
                code = self._suggest()
            self._remember(code)
            proposals.append(Proposal(code))
        return proposals

    def _remember(self, code: Code) -> None:
        """File a proposal among the trials without an error."""
        if self._proposed == len(self._cells):
            self._cells = np.concatenate([self._cells, np.zeros_like(self._cells)])
        self._cells[self._proposed] = np.arange(len(code)) * self._most + np.array(code)
        self._unanswered.setdefault(code, []).append(self._proposed)
        self._proposed += 1

    def tell(self, trials: Sequence[Trial]) -> None:
        """Rank the trials that trained; failed ones stay without an error."""
        for trial in trials:
            waiting = self._unanswered[trial.code]
            order = waiting.pop(0)
            if not waiting:
                del self._unanswered[trial.code]
            if trial.valid_error is not None:
                insort(self._ranked, (trial.valid_error, order))

    def _suggest(self) -> Code:
        """Build one code, decision by decision, from the two densities."""
        good, other = self._densities()
        code: Code = ()
        for i, count in enumerate(self._counts):
            allowed = self._space.allowed(code)
            l_density = np.where(allowed, good[i, :count], 0.0)
            cumulative = l_density.cumsum().tolist()
            ratio = (l_density / other[i, :count]).tolist()
            best = -1
            for _ in range(self._candidates):
                value = bisect_right(cumulative, self._draw() * cumulative[-1])
                if best < 0 or ratio[value] > ratio[best]:
                    best = value
            code = (*code, best)
        return code

    def _densities(self) -> tuple[_Array, _Array]:
        """Estimate l and g, each (L, most choices) with rows that sum to 1 over their choices."""
        n = self._proposed
        n_good = min(math.ceil(self._gamma * math.sqrt(n)), _FORGETTING)
        is_good = np.zeros(n, dtype=np.bool_)
        is_good[[order for _, order in self._ranked[:n_good]]] = True
        return self._density(self._cells[:n][is_good]), self._density(self._cells[:n][~is_good])

    def _density(self, cells: npt.NDArray[np.int64]) -> _Array:
        """Count values with linear forgetting, add the prior, normalise each decision."""
        shape = (len(self._counts), self._most)
        weights = np.repeat(forgetting_weights(len(cells)), shape[0])
        counts = np.bincount(cells.ravel(), weights=weights, minlength=shape[0] * shape[1]).reshape(shape)
        exists = np.arange(self._most) < np.array(self._counts)[:, None]
        counts = np.where(exists, counts + self._prior, 0.0)
        density: _Array = counts / counts.sum(axis=1, keepdims=True)
        return density


def forgetting_weights(n: int) -> _Array:
    """Weigh n trials, oldest first: the latest 25 by 1, older ones on a line from 1/n up to 1; (n,).

    Source: hyperopt ``linear_forgetting_weights``.
    """
    n_flat = min(n, _FORGETTING)
    ramp = np.linspace(1.0 / n, 1.0, n - n_flat) if n > n_flat else np.empty(0)
    return np.concatenate([ramp, np.ones(n_flat)])
