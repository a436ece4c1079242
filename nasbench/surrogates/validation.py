"""How far a surrogate may be trusted: its predictions against recorded trainings that it never saw."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.records import Codes
from nasbench.store.table import Table
from nasbench.surrogates.calibration import LEVELS
from nasbench.surrogates.fitting import fit_surrogate
from nasbench.surrogates.quality import quality
from nasbench.surrogates.rows import Rows, rows_of
from nasbench.surrogates.surrogate import Spread, Surrogate

Floats = npt.NDArray[np.float64]

BEST = 0.05
"""The share of architectures that counts as the best: where a search ends."""

FEWEST = 20
"""Fewer unseen architectures than this say too little."""


@dataclass(frozen=True, slots=True)
class Interval:
    """How an interval held.

    Attributes:
        level: How often it should hold.
        coverage: How often it held, over single trainings.
        width: Its mean width, fraction; inf where too few architectures were held out for the level.
    """

    level: float
    coverage: float
    width: float


@dataclass(frozen=True, slots=True)
class MetricValidation:
    """One metric's predictions against the truth; see ``quality`` for the numbers of each mapping.

    Attributes:
        at_the_end: At the full length.
        among_the_best: The same among the best architectures, by recorded error.
        by_epoch: (epochs, numbers) for each training length.
        curve_error: Mean absolute error over all epochs, fraction.
        intervals: For one new training at the full length.
        unknown: Mean standard deviation of what the model does not know, fraction.
        noise: Mean standard deviation between trainings; None where it is not known.
    """

    at_the_end: Mapping[str, float]
    among_the_best: Mapping[str, float]
    by_epoch: tuple[tuple[int, Mapping[str, float]], ...]
    curve_error: float
    intervals: tuple[Interval, ...]
    unknown: float
    noise: float | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a surrogate says of one strategy's architectures when it saw only those of the others.

    Attributes:
        strategy: Whose architectures were left out.
        fitted: Architectures of the others.
        asked: Its own that none of the others proposed.
        numbers: See ``quality``; of the validation error at the full length.
    """

    strategy: str
    fitted: int
    asked: int
    numbers: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Validation:
    """Everything that was found of one surrogate.

    Attributes:
        surrogate: Its name.
        content_hash: Of its file.
        table: Label of the table that it was held against.
        fitted: Architectures it was made from.
        unseen: Architectures it was asked about.
        far: Share of these that it flags as far from its data.
        metrics: By metric.
        seconds: ``mae`` relative to the recorded seconds, and ``kendall_tau``.
        left_out: One entry a strategy, where records say who proposed what.
    """

    surrogate: str
    content_hash: str
    table: str
    fitted: int
    unseen: int
    far: float
    metrics: Mapping[str, MetricValidation]
    seconds: Mapping[str, float]
    left_out: tuple[LeftOut, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what is not a number is None."""
        return {name: _plain(value) for name, value in dataclasses.asdict(self).items()}


def validate(surrogate: Surrogate, table: Table, *, content_hash: str = "") -> Validation:
    """Hold a surrogate against the architectures of a table that it was not made from.

    Raises:
        BadOption: The table is of another space or recipe, or holds too few unseen architectures.
        NotMeasured: The table has no whole training.
    """
    surrogate.require(space=table.space.name, recipe_hash=table.info.recipe_hash)
    if table.epochs != surrogate.epochs:
        raise BadOption(f"table: expected the epochs of the surrogate, got {table.epochs}.")
    found = rows_of(table)
    rows = unseen_rows(surrogate, found)
    if len(rows) < FEWEST:
        raise BadOption(
            f"table: expected at least {FEWEST} architectures that the surrogate has not seen, got "
            f"{len(rows)} in "
            f"{table.name}. Fit it on a part of the table: nasbench surrogate fit {table.name} --fraction 0.5"
        )
    unseen = found.take(rows)
    predicted = surrogate.predict(unseen.codes, epochs=surrogate.epochs)
    metrics = {
        metric: _of_metric(surrogate.epochs, unseen, m, spread)
        for m, (metric, spread) in enumerate(predicted.errors.items())
    }
    relative = np.abs(predicted.train_seconds[:, -1] / unseen.seconds[:, -1] - 1.0)
    ranks = quality(unseen.seconds[:, -1], predicted.train_seconds[:, -1])["kendall_tau"]
    return Validation(
        surrogate=surrogate.card.name,
        content_hash=content_hash,
        table=f"{table.name}@{table.content_hash[:12]}",
        fitted=surrogate.card.architectures,
        unseen=len(rows),
        far=float(predicted.is_far.mean()),
        metrics=metrics,
        seconds={"mae": float(relative.mean()), "kendall_tau": ranks},
    )


def unseen_rows(surrogate: Surrogate, found: Rows) -> npt.NDArray[np.int64]:
    """List the rows of a table whose architectures a surrogate was not made from."""
    seen = {code.tobytes() for code in surrogate.fitted}
    return np.array([i for i, code in enumerate(found.codes) if code.tobytes() not in seen], dtype=np.int64)


def _of_metric(epochs: tuple[int, ...], unseen: Rows, m: int, spread: Spread) -> MetricValidation:
    """Compare one metric."""
    actual = unseen.means[m]
    end, told = actual[:, -1], spread.mean[:, -1]
    best = np.argsort(end, kind="stable")[: max(2, round(BEST * len(end)))]
    single = unseen.trainings[m, :, :, -1]
    intervals = []
    for level in LEVELS:
        low, high = spread.interval(level)
        inside = (single >= low[:, -1:]) & (single <= high[:, -1:])
        recorded = ~np.isnan(single)
        width = float((high[:, -1] - low[:, -1]).mean())
        intervals.append(Interval(level, float(inside[recorded].mean()), width))
    noise = float(spread.noise[:, -1].mean())
    return MetricValidation(
        at_the_end=quality(end, told),
        among_the_best=quality(end[best], told[best]),
        by_epoch=tuple((epoch, quality(actual[:, e], spread.mean[:, e])) for e, epoch in enumerate(epochs)),
        curve_error=float(np.abs(actual - spread.mean).mean()),
        intervals=tuple(intervals),
        unknown=float(spread.unknown[:, -1].mean()),
        noise=None if math.isnan(noise) else noise,
    )


def leave_out(
    table: Table, proposed: Mapping[str, Codes], *, model: str = "ensemble", seed: int = 0
) -> tuple[LeftOut, ...]:
    """Ask of each strategy's architectures a surrogate that is fitted on those of all others.

    Args:
        table: Holds the architectures.
        proposed: By strategy, (n, L) architectures that it proposed.
        model: Name of ``members.MODELS``.
        seed: Of the fits.

    Raises:
        BadOption: The others proposed too few to fit on.
        NotMeasured: An architecture is not in the table.
    """
    rows = {name: set(table.rows(codes).tolist()) for name, codes in proposed.items() if len(codes)}
    out = []
    for name in rows:
        others = set().union(*(found for other, found in rows.items() if other != name))
        among = np.zeros(len(table), dtype=np.bool_)
        among[sorted(others)] = True
        own = np.zeros(len(table), dtype=np.bool_)
        own[sorted(rows[name] - others)] = True
        if own.sum() < FEWEST:
            continue  # what nobody else proposed is too little to say anything
        made = fit_surrogate(table, model=model, seed=seed, among=among)
        asked = rows_of(table)
        asked = asked.take(np.flatnonzero(own[table.rows(asked.codes)]))
        told = made.predict(asked.codes).errors["valid_error"].mean[:, 0]
        numbers = quality(asked.means[0, :, -1], told)
        out.append(LeftOut(name, made.card.architectures, len(asked.codes), numbers))
    return tuple(out)


def _plain(value: object) -> object:
    """Turn tuples into lists and what is not a finite number into None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
