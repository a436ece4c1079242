"""SMAC: sequential optimisation with a random forest, for categorical decisions.

1. Propose ``startup`` uniform draws.
2. With chance ``random_share`` propose a uniform draw; else fit a random forest to the logarithms of the
   errors told, one-hot encoded. Its guess has the mean and the variance of its trees' guesses.
3. Rate ``candidates`` uniform draws by log-EI: the improvement to be expected of an error whose logarithm is
   normal. Climb from the 10 architectures of lowest error, each time to the best neighbour, until none is
   better (of more than 64 neighbours, 64 drawn ones are looked at).
4. Propose the highest rated that was never proposed, and go to 2.

Forest (10 trees, all features, full depth), acquisition, starts of the climb and ``random_share`` are those
of SMAC3's facade for hyperparameters. Deviations: the start is 20 uniform draws, where SMAC3 takes 10 Sobol
points a decision but at most a share of the budget, which no strategy knows here; 1,000 draws are rated, not
10,000; an architecture is trained once, never again to settle which is better.

Each proposal fits a forest of its own, whose draws lead workers apart who ask at once. Failed trials are left
out of the forest and not proposed again. The search ends when every architecture was proposed.

Source: Hutter, Hoos and Leyton-Brown 2011; Hutter et al. 2009 for log-EI; Lindauer et al. 2022 (SMAC3).
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, MissingExtra
from nasbench.records import Code, Proposal, Trial
from nasbench.seeds import uniforms
from nasbench.spaces import Space
from nasbench.strategies.acquisition import log_expected_improvement
from nasbench.strategies.archive import Archive
from nasbench.strategies.strategy import Card

_Array = npt.NDArray[np.float64]

_CLIMBS = 10  # SMAC3, local_search_iterations
_NEIGHBOURS = 64  # SMAC3, vectorization_max_obtain
_LEAST_VARIANCE = 1e-10  # SMAC3, VERY_SMALL_NUMBER


class SMAC:
    """Random-forest Bayesian optimisation.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        startup: Random proposals before the model is used, >= 1.
        trees: Trees of the forest, >= 2.
        candidates: Draws rated for each proposal, >= 1.
        random_share: Chance that a later proposal is a uniform draw, in [0, 1].

    Raises:
        BadOption: An option is out of its range.
        MissingExtra: scikit-learn is absent.
    """

    card: ClassVar[Card] = Card(
        family="Bayesian optimisation", paper="Hutter et al. 2011", needs=("surrogate",)
    )

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        startup: int = 20,
        trees: int = 10,
        candidates: int = 1_000,
        random_share: float = 0.2,
    ) -> None:
        for name, value, least in (
            ("startup", startup, 1),
            ("trees", trees, 2),
            ("candidates", candidates, 1),
        ):
            if type(value) is not int or value < least:
                raise BadOption(f"{name}: expected a whole number >= {least}, got {value!r}.")
        if not 0 <= random_share <= 1:
            raise BadOption(f"random_share: expected a number in [0, 1], got {random_share!r}.")
        try:
            self._forests = importlib.import_module("sklearn.ensemble")
        except ImportError as error:
            raise MissingExtra.of("surrogate", "scikit-learn", "Strategy smac") from error
        self._space = space
        self._rng = rng
        self._draw = uniforms(rng)
        self._archive = Archive(space, self._draw)
        self._startup = startup
        self._trees = trees
        self._candidates = candidates
        self._random_share = random_share

    def ask(self, n: int) -> list[Proposal]:
        """Propose random draws until ``startup`` were proposed, then mostly what the forest favours."""
        proposals: list[Proposal] = []
        while len(proposals) < n and (code := self._next()) is not None:
            proposals.append(self._archive.propose(code))
        return proposals

    def _next(self) -> Code | None:
        """Choose one architecture; None at the end of the space."""
        archive = self._archive
        if len(archive) < self._startup or not archive.codes or self._draw() < self._random_share:
            return archive.draw_new()
        forest = self._fit()
        best = float(archive.log_errors.min())
        drawn = archive.random_candidates(self._candidates)
        rated = self._rate(forest, drawn, best)
        self._climb(forest, rated, best)
        new = [code for code in rated if archive.is_new(code)]
        return max(new, key=rated.__getitem__) if new else archive.draw_new()

    def _fit(self) -> Any:
        """Fit a forest to all errors told."""
        forest = self._forests.RandomForestRegressor(
            n_estimators=self._trees, random_state=int(self._rng.integers(2**31))
        )
        return forest.fit(self._encoded(self._archive.codes), self._archive.log_errors)

    def _encoded(self, codes: Sequence[Code]) -> npt.NDArray[np.float32]:
        return self._space.encode(np.array(codes), "onehot")

    def _rate(self, forest: Any, codes: Sequence[Code], best: float) -> dict[Code, float]:
        """Rate architectures by log-EI."""
        if not codes:
            return {}
        encoded = self._encoded(codes)
        guesses = np.array([tree.predict(encoded, check_input=False) for tree in forest.estimators_])
        deviation = np.sqrt(np.maximum(guesses.var(axis=0), _LEAST_VARIANCE))
        ratings = log_expected_improvement(guesses.mean(axis=0), deviation, best)
        return dict(zip(codes, ratings.tolist(), strict=True))

    def _climb(self, forest: Any, rated: dict[Code, float], best: float) -> None:
        """Climb from the architectures of lowest error; all that is met on the way joins ``rated``."""
        starts = self._archive.best(_CLIMBS)
        rated.update(self._rate(forest, starts, best))
        while starts:
            near = {code: self._neighbours(code) for code in starts}
            new = dict.fromkeys(code for codes in near.values() for code in codes if code not in rated)
            rated.update(self._rate(forest, list(new), best))
            tops = {code: max(codes, key=rated.__getitem__, default=code) for code, codes in near.items()}
            starts = list(dict.fromkeys(top for code, top in tops.items() if rated[top] > rated[code]))

    def _neighbours(self, code: Code) -> list[Code]:
        """List neighbours, or draw some of many."""
        near = self._space.neighbours(code)
        if len(near) > _NEIGHBOURS:
            near = near[self._rng.choice(len(near), _NEIGHBOURS, replace=False)]
        return [tuple(row) for row in near.tolist()]

    def tell(self, trials: Sequence[Trial]) -> None:
        """File the answers."""
        self._archive.tell(trials)
