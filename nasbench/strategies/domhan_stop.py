"""Learning-curve extrapolation: stop a training that will hardly end above the best one.

At every check epoch of a running training:

1. Go on if nothing was trained fully yet, or the curve has already been above the best final accuracy.
2. Leave out a flat beginning: start where the accuracy exceeds the first one by 0.05 for 5 epochs.
3. Go on with fewer than 5 points; else fit a weighted combination of eleven parametric families and sample
   its posterior (``curve_ensemble.py``).
4. With P the probability that the accuracy at the full length exceeds the best: stop if P < ``threshold``
   and tell the wrapped strategy the posterior mean; else go on.

``walkers=100, steps=2500, burn_in=500`` is the chain of the authors' code (about 6 seconds a check); the
default is a short one from a better start (about 40 milliseconds).

The families describe curves that rise at once and level off. Where a cosine schedule lets the accuracy rise
late and steeply, as in digits-nb201 and fashion-nb201, early checks predict far too low and good trainings
are stopped: check later then. On 150 random architectures of digits-nb201 (20 epochs, 6 seeds) the default
stopped 148 and trained the best one fully in 1 run; with ``every=14`` it saved 22 % of the epochs and trained
the best one fully in all. On simulated power laws and exponentials (40 epochs) the default saved 74 % and
ended within 0.004 of the best.

Deviations: the least number of points; time after a flat beginning is counted from its end on the way to
the full length too; and those named in ``curve_ensemble.py`` and ``curve_families.py``.

Source: Domhan, Springenberg and Hutter 2015; pylearningcurvepredictor for the constants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from nasbench.errors import BadOption, UnknownName
from nasbench.records import Code
from nasbench.spaces import Space
from nasbench.strategies.curve_ensemble import FULL, extrapolate
from nasbench.strategies.curve_families import FAMILIES
from nasbench.strategies.stopping import EarlyStopping
from nasbench.strategies.strategy import Card, Setting

_RISE = 0.05  # accuracy above the first that ends a flat beginning
_LOOK_AHEAD = 5  # epochs for which it must last, and fewest points of a fit


class DomhanStop(EarlyStopping):
    """Any strategy, with stopping by extrapolated learning curves.

    Args:
        space: The space to search.
        rng: Of the wrapped strategy; the rule draws from a stream split off it.
        setting: Training lengths; a curve has one point for each.
        strategy: Name of the wrapped strategy.
        options: Its options.
        every: Epochs between checks; None: about ten checks a training.
        threshold: Stop below this probability of a new best, in [0, 1]; 0 never stops.
        families: Names of the curve families combined; None takes all eleven.
        walkers: Of the sampler, even, >= 4.
        steps: Of the sampler, >= 1.
        burn_in: Steps left out, >= 0 and < ``steps``.

    Raises:
        BadOption: An option is out of its range, the source has too few training lengths, or see
            ``EarlyStopping``.
        UnknownName: No such strategy or curve family.
    """

    card: ClassVar[Card] = Card(family="learning curves", paper="Domhan et al. 2015", multi_fidelity=True)

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        strategy: str = "random-search",
        options: Mapping[str, Any] | None = None,
        every: int | None = None,
        threshold: float = 0.05,
        families: Sequence[str] | None = None,
        walkers: int = 100,
        steps: int = 10,
        burn_in: int = 3,
    ) -> None:
        if not 0 <= threshold <= 1:
            raise BadOption(f"threshold: expected a number in [0, 1], got {threshold!r}.")
        if type(walkers) is not int or walkers < 4 or walkers % 2:
            raise BadOption(f"walkers: expected an even whole number >= 4, got {walkers!r}.")
        if {type(steps), type(burn_in)} != {int} or not 0 <= burn_in < steps:
            raise BadOption(
                f"burn_in, steps: expected whole numbers 0 <= burn_in < steps, got {burn_in!r} and {steps!r}."
            )
        names = list(FAMILIES) if families is None else families
        if isinstance(names, str) or not names:
            raise BadOption(f"families: expected a list of names, got {families!r}.")
        for name in names:
            if name not in FAMILIES:
                raise UnknownName.among("curve family", str(name), FAMILIES)
        super().__init__(space, rng=rng, setting=setting, strategy=strategy, options=options, every=every)
        if len(setting.epochs) <= _LOOK_AHEAD:
            raise BadOption(
                f"epochs: expected a source that measures more than {_LOOK_AHEAD} training lengths, got "
                f"{', '.join(map(str, setting.epochs))}. Use a table with curves, or median-stop."
            )
        self._rng = rng.spawn(1)[0]
        self._threshold = threshold
        self._families = [FAMILIES[name] for name in names]
        self._walkers, self._steps, self._burn_in = walkers, steps, burn_in

    def _predict_failure(self, code: Code, accuracies: Sequence[float]) -> float | None:
        """Return the posterior mean of the final accuracy where a new best is improbable."""
        if self._best is None or max(accuracies) > self._best:
            return None
        cut = flat_beginning(accuracies)
        y = np.array(accuracies[cut:])
        if len(y) < _LOOK_AHEAD:
            return None
        shift = self._epochs[cut] - self._epochs[0]
        epochs = np.array(self._epochs[cut : len(accuracies)]) - shift
        posterior = extrapolate(
            FULL * epochs / (self._epochs[-1] - shift),
            y,
            families=self._families,
            walkers=self._walkers,
            steps=self._steps,
            burn_in=self._burn_in,
            rng=self._rng,
        )
        if posterior is None or posterior.chance_above(self._best) >= self._threshold:
            return None
        return posterior.mean


def flat_beginning(accuracies: Sequence[float]) -> int:
    """Count the first points to leave out: those before the accuracy has clearly and lastingly risen."""
    floor = accuracies[0] + _RISE
    for start in range(len(accuracies) - _LOOK_AHEAD):
        if min(accuracies[start : start + _LOOK_AHEAD]) > floor:
            return start
    return 0
