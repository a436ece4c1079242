"""BOHB: Hyperband whose new architectures come from a model of the good ones.

1. Run the brackets of Hyperband; each place in a first rung wants a new architecture.
2. With probability ``random_fraction``, or while there is no model, draw it from the space.
3. Else take the longest training length with a model, that is with trials enough for two densities: l over
   the best max(min_points, top n) of its n trials, g over the others, each over at least ``min_points``.
4. Draw ``samples`` architectures around centres of l: a centre at random, of which each decision keeps its
   value with probability 1 - h and else gets any legal value (h the bandwidth, see ``kde.py``).
5. Propose the one with the lowest g / l of those that were never proposed as new before; where all were, draw
   one from the space. Go to 2.

Defaults are HpBandSter's: eta 3, its bracket sizes, min_points of L + 1 for L decisions, top 15 percent, 64
samples, a third random, bandwidths of at least 0.001. Failed trainings count among the bad. Its bandwidth
factor of 3 widens continuous parameters only and has no meaning here. With ``random_fraction=1`` this is
Hyperband, draw for draw.

Deviations: samples proposed before are passed over, since on categorical decisions the lowest g / l soon is
the same architecture again and again (with continuous parameters no sample comes twice); the density
estimator's (see ``kde.py``); masks, for spaces where a value forbids another; a failed training is never
among the good, not even where too few others are there.

Source: Falkner, Klein and Hutter 2018; HpBandSter ``config_generators/bohb.py`` for the constants.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Sequence
from itertools import cycle
from typing import ClassVar

import numpy as np

from nasbench.errors import BadOption
from nasbench.records import Code, Trial
from nasbench.spaces import Space
from nasbench.strategies.bracket import BracketStrategy
from nasbench.strategies.kde import CategoricalKDE
from nasbench.strategies.rungs import Formula, hyperband_brackets, rung_lengths
from nasbench.strategies.strategy import Card, Setting


class BOHB(BracketStrategy):
    """Hyperband with a density model.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: What the run offers.
        eta: One of ``eta`` architectures goes on to ``eta`` times the epochs, >= 2.
        min_epochs: No training is shorter; None means the shortest length of the source.
        formula: ``"paper"`` or ``"hpbandster"``, see ``rungs.py``.
        random_fraction: Chance of a random architecture, in [0, 1].
        min_points: Trials that either density needs, >= 1; None means decisions + 1.
        top: Part of the trials that is good, in (0, 1).
        samples: Architectures drawn from l for each proposal, >= 1.
        min_bandwidth: Floor of the bandwidths, in (0, 1].

    Raises:
        BadOption: An option is out of its range, or the source has one training length only.
    """

    card: ClassVar[Card] = Card(
        family="Bayesian optimisation", paper="Falkner et al. 2018", multi_fidelity=True
    )

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        eta: int = 3,
        min_epochs: int | None = None,
        formula: Formula = "hpbandster",
        random_fraction: float = 1 / 3,
        min_points: int | None = None,
        top: float = 0.15,
        samples: int = 64,
        min_bandwidth: float = 1e-3,
    ) -> None:
        if min_points is None:
            min_points = len(space.decisions) + 1
        for name, whole in (("min_points", min_points), ("samples", samples)):
            if type(whole) is not int or whole < 1:
                raise BadOption(f"{name}: expected a whole number >= 1, got {whole!r}.")
        if type(random_fraction) not in (int, float) or not 0 <= random_fraction <= 1:
            raise BadOption(f"random_fraction: expected a number in [0, 1], got {random_fraction!r}.")
        if type(top) is not float or not 0 < top < 1:
            raise BadOption(f"top: expected a number in (0, 1), got {top!r}.")
        if type(min_bandwidth) not in (int, float) or not 0 < min_bandwidth <= 1:
            raise BadOption(f"min_bandwidth: expected a number in (0, 1], got {min_bandwidth!r}.")
        lengths = rung_lengths(setting, eta=eta, min_epochs=min_epochs)
        brackets = hyperband_brackets(lengths, eta=eta, formula=formula)
        super().__init__(space, rng=rng, brackets=cycle(brackets))
        self._random_fraction = random_fraction
        self._min_points = min_points
        self._top = top
        self._samples = samples
        self._min_bandwidth = min_bandwidth
        self._choices = [len(decision.choices) for decision in space.decisions]
        # (error, number, code) of the trials told at each length, sorted; longest length first
        self._ranked: dict[int, list[tuple[float, int, Code]]] = {epochs: [] for epochs in lengths[::-1]}
        self._model: tuple[CategoricalKDE, CategoricalKDE] | None = None  # None after news
        self._seen: set[Code] = set()

    def tell(self, trials: Sequence[Trial]) -> None:
        """Hand each trial to its bracket and rank it at its training length."""
        for trial in trials:
            epochs = self._brackets.tell(trial)
            error = math.inf if trial.valid_error is None else trial.valid_error
            insort(self._ranked[epochs], (error, trial.number, trial.code))
            self._model = None

    def _new_code(self) -> Code:
        """Draw from the model, or from the space where that gives nothing new."""
        code = self._modelled() or super()._new_code()
        self._seen.add(code)
        return code

    def _modelled(self) -> Code | None:
        """Choose among samples of the model; None with ``random_fraction`` and where all were seen before."""
        if self._random_fraction == 1:
            return None
        if self._model is None:
            self._model = self._densities()
        if self._model is None or self._draw() < self._random_fraction:
            return None
        good, bad = self._model
        samples = [self._near(good) for _ in range(self._samples)]
        new = [code for code in samples if code not in self._seen]
        if not new:
            return None
        array = np.array(new)
        return new[int(np.argmin(bad.log_density(array) - good.log_density(array)))]

    def _densities(self) -> tuple[CategoricalKDE, CategoricalKDE] | None:
        """Estimate l and g at the longest training length that has trials enough."""
        for ranked in self._ranked.values():
            n_good = max(self._min_points, int(self._top * len(ranked)))
            if len(ranked) < n_good + self._min_points or ranked[n_good - 1][0] == math.inf:
                continue
            codes = np.array([code for _, _, code in ranked])
            good, bad = (
                CategoricalKDE(part, self._choices, min_bandwidth=self._min_bandwidth)
                for part in (codes[:n_good], codes[n_good:])
            )
            return good, bad
        return None

    def _near(self, good: CategoricalKDE) -> Code:
        """Draw an architecture around one of the good ones."""
        draw = self._draw
        centre = good.codes[int(draw() * len(good.codes))].tolist()
        code: Code = ()
        for value, bandwidth in zip(centre, good.bandwidth.tolist(), strict=True):
            allowed = self._space.allowed(code).tolist()
            if draw() < bandwidth or not allowed[value]:
                legal = [v for v, is_legal in enumerate(allowed) if is_legal]
                value = legal[int(draw() * len(legal))]
            code = (*code, value)
        return code
