"""A fitted surrogate: predicts errors, seconds and curves of any architecture of its space, with spread.

Two things are kept apart: what the model does not know (``unknown``) and how one training differs from the
next (``noise``). Intervals hold for one new training and are calibrated on architectures that no member was
fitted on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, NotInSpace
from nasbench.records import Codes
from nasbench.spaces import Space
from nasbench.surrogates.calibration import LEVELS, Calibration
from nasbench.surrogates.card import SurrogateCard
from nasbench.surrogates.curves import CurveBasis
from nasbench.surrogates.inputs import Inputs
from nasbench.surrogates.members import Member
from nasbench.surrogates.noise import SeedNoise
from nasbench.surrogates.support import Support

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spread:
    """A predicted error of n architectures at e epochs with what surrounds it, (n, e) each.

    Attributes:
        mean: Predicted mean over trainings, fraction in (0, 1).
        unknown: Standard deviation of what the model does not know.
        noise: Standard deviation between trainings; nan where the table could not tell.
        factors: (levels, e) calibrated half-widths in standard deviations.
    """

    mean: Floats
    unknown: Floats
    noise: Floats
    factors: Floats

    def interval(self, level: float = 0.9) -> tuple[Floats, Floats]:
        """Return the interval in which one new training's error lies with this probability.

        Raises:
            BadOption: No such level was calibrated.
        """
        if level not in LEVELS:
            raise BadOption(f"level: expected one of {', '.join(map(str, LEVELS))}, got {level}.")
        width = self.factors[LEVELS.index(level)] * np.hypot(self.unknown, np.nan_to_num(self.noise))
        return np.clip(self.mean - width, 0.0, 1.0), np.clip(self.mean + width, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a surrogate says of n architectures.

    Attributes:
        epochs: The training lengths asked for.
        errors: By metric.
        train_seconds: (n, e) seconds from the start of training, never falling.
        is_far: (n,) True where the architecture lies far from the fitted ones.
    """

    epochs: tuple[int, ...]
    errors: Mapping[str, Spread]
    train_seconds: Floats
    is_far: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Targets:
    """How a row of targets is made up: coefficients of each metric's curve, then the log of the seconds.

    Attributes:
        middle: (k,) mean of each target.
        scale: (k,) its standard deviation.
        weights: (members, k) share of each member in a prediction; each column sums to 1.
    """

    middle: Floats
    scale: Floats
    weights: Floats


class Surrogate:
    """What ``fitting.fit_surrogate`` makes and ``files`` keeps.

    Attributes:
        card: What it was fitted on and how good it was found.
        space: Its space.
        epochs: Training lengths it predicts, increasing.
        metrics: ``valid_error`` and, where the table has it, ``test_error``.
        noise: Seed noise, or None where the table has too few repeats.
        fitted: (n, L) architectures it was made from, held-out ones included.
    """

    def __init__(
        self,
        card: SurrogateCard,
        space: Space,
        *,
        kinds: tuple[str, ...],
        epochs: tuple[int, ...],
        bases: Mapping[str, CurveBasis],
        shares: Floats,
        targets: Targets,
        members: Sequence[Member],
        noise: SeedNoise | None,
        calibrations: Mapping[str, Calibration],
        support: Support,
        fitted: Codes,
    ) -> None:
        self.card, self.space, self.kinds, self.epochs = card, space, kinds, epochs
        self.bases, self.shares, self.targets = dict(bases), shares, targets
        self.members, self.noise, self.support, self.fitted = tuple(members), noise, support, fitted
        self.calibrations = dict(calibrations)
        self.metrics = tuple(self.bases)
        self._place = {epoch: i for i, epoch in enumerate(epochs)}

    def predict(self, codes: npt.ArrayLike, *, epochs: Sequence[int] | None = None) -> Predictions:
        """Predict (n, L) architectures.

        Args:
            codes: Architectures of the space.
            epochs: Training lengths; None means the longest.

        Raises:
            NotInSpace: One of them is no architecture of the space.
            BadOption: A training length that was not recorded.
        """
        asked = self._indices((self.epochs[-1],) if epochs is None else epochs)
        array = np.asarray(codes)
        inside = self.space.contains(array)
        if not inside.all():
            self.space.check(array[int(np.argmin(inside))].tolist())  # raises with the rule
            raise NotInSpace(f"codes: expected architectures of {self.space.name}, got others.")
        seen = self.space.canonical(array) if self.card.answers_for == "class" else array.astype(np.int8)
        inputs = Inputs(self.space, seen, self.kinds)
        told = np.stack([member.predict(inputs) for member in self.members])  # (members, n, k)
        told = told * self.targets.scale + self.targets.middle
        errors = {}
        first = 0
        for m, (metric, basis) in enumerate(self.bases.items()):
            columns = slice(first, first + basis.coefficients)
            first = columns.stop
            errors[metric] = self._spread(m, metric, told[:, :, columns], columns, asked)
        logarithm = (told[:, :, first] * self.targets.weights[:, None, first]).sum(axis=0)
        seconds = np.exp(logarithm)[:, None] * self.shares[asked]
        lengths = tuple(self.epochs[i] for i in asked.tolist())
        return Predictions(lengths, errors, seconds, self.support.is_far(seen))

    def _spread(
        self, m: int, metric: str, told: Floats, columns: slice, asked: npt.NDArray[np.int64]
    ) -> Spread:
        """Put one metric together from the members' (members, n, coefficients)."""
        basis, weights = self.bases[metric], self.targets.weights[:, columns]
        mean = basis.errors((told * weights[:, None]).sum(axis=0), asked)
        shares = weights.mean(axis=1)[:, None, None]
        deviations = basis.errors(told, asked) - mean
        disagreement = np.sqrt((shares * deviations**2).sum(axis=0))
        calibration = self.calibrations.get(metric)
        if calibration is None:  # while it is being fitted
            return Spread(mean, disagreement, np.full_like(mean, math.nan), np.empty((0, len(asked))))
        noise = np.full_like(mean, math.nan) if self.noise is None else self.noise.spread(mean, m, asked)
        return Spread(mean, calibration.unknown(disagreement, asked), noise, calibration.factors[:, asked])

    def _indices(self, epochs: Sequence[int]) -> npt.NDArray[np.int64]:
        unknown = [epoch for epoch in epochs if epoch not in self._place]
        if unknown:
            held = ", ".join(map(str, self.epochs))
            raise BadOption(f"epochs: surrogate {self.card.name} predicts {held}, got {unknown[0]}.")
        return np.array([self._place[epoch] for epoch in epochs], dtype=np.int64)

    def require(self, *, space: str, recipe_hash: str) -> None:
        """Refuse to speak for another space or recipe than it was fitted on.

        Raises:
            BadOption: It is another.
        """
        if space != self.card.space:
            raise BadOption(f"space: surrogate {self.card.name} predicts {self.card.space}, got {space}.")
        if recipe_hash != self.card.recipe_hash:
            raise BadOption(
                f"recipe: surrogate {self.card.name} predicts trainings by recipe "
                f"{self.card.recipe_hash[:12]}, got "
                f"{recipe_hash[:12]}. Fit one on a table of that recipe: nasbench surrogate fit TABLE"
            )
