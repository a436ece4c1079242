"""Outliers of a table: architectures unlike their neighbours, and trainings unlike their own repeats.

An outlier is not a mistake; it is what to look at before believing a table. Scales are robust: 1.4826 times
the median absolute deviation estimates a standard deviation that a few wild values do not move.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from nasbench.store.noise import Noise
from nasbench.store.table import Table

Column = npt.NDArray[np.float64]

LIMIT = 6.0
"""Deviations beyond so many robust standard deviations are outliers."""

_MAD_TO_SD = 1.4826
_FEWEST_NEIGHBOURS = 3
_MOST_NEIGHBOURED = 100_000  # rows; listing the neighbours of more takes minutes and gigabytes
_NEAREST = 25  # architectures of about the same number of parameters


@dataclass(frozen=True, slots=True)
class Outlier:
    """One value unlike the others.

    Attributes:
        architecture: In the space's notation.
        replicate: Training repeat, or None where it is the mean of all.
        error: Its validation error, fraction.
        expected: What the others say.
        score: Deviation in robust standard deviations.
    """

    architecture: str
    replicate: int | None
    error: float
    expected: float
    score: float


@dataclass(frozen=True, slots=True)
class Outliers:
    """All outliers of a table.

    Attributes:
        against: What architectures were held against: ``"neighbours"`` (one move away, at least three of
            them measured), ``"parameters"`` (those of about the same number; always where a table has more
            than 100,000 rows), or ``"nothing"``.
        compared: Architectures that could be held against something.
        architectures: The furthest first.
        trainings: Trainings unlike the other repeats of their architecture, the furthest first.
    """

    against: Literal["neighbours", "parameters", "nothing"]
    compared: int
    architectures: tuple[Outlier, ...]
    trainings: tuple[Outlier, ...]


def outliers(table: Table, noise: Noise) -> Outliers:
    """Find the outliers of a table at its longest training."""
    values = np.asarray(table.column("valid_error")[:, :, -1], dtype=np.float64)
    mean = table.mean("valid_error")
    listed = len(table) <= _MOST_NEIGHBOURED
    expected = _neighbours(table, mean) if listed else np.full(len(table), np.nan)
    against: Literal["neighbours", "parameters", "nothing"] = "neighbours"
    if (~np.isnan(expected)).sum() < len(table) / 2:
        against = "parameters" if "parameters" in table.scalars else "nothing"
        expected = _similar(table, mean) if against == "parameters" else np.full(len(table), np.nan)
    return Outliers(
        against,
        int((~np.isnan(expected)).sum()),
        _unlike_others(table, mean, expected),
        _unlike_repeats(table, values, mean, noise),
    )


def _neighbours(table: Table, mean: Column) -> Column:
    """Take the median error of the measured neighbours of every architecture; nan where there are too few."""
    space = table.space
    row_of = {rank: row for row, rank in enumerate(space.rank(table.codes).tolist())}
    lists = [space.neighbours(code) for code in table.codes.tolist()]
    if not lists:
        return np.empty(0)
    everyone = np.concatenate(lists)
    ranks, canonical = space.rank(everyone).tolist(), space.rank(space.canonical(everyone)).tolist()
    out = np.full(len(table), np.nan)
    at = 0
    for row, own in enumerate(lists):
        stop = at + len(own)
        rows = {
            row_of.get(r, row_of.get(c, -1)) for r, c in zip(ranks[at:stop], canonical[at:stop], strict=True)
        }
        at = stop
        known = mean[sorted(rows - {-1, row})]
        known = known[~np.isnan(known)]
        if len(known) >= _FEWEST_NEIGHBOURS:
            out[row] = np.median(known)
    return out


def _similar(table: Table, mean: Column) -> Column:
    """Take the median error of the architectures with about as many parameters."""
    sizes = np.asarray(table.scalar("parameters"), dtype=np.float64)
    known = np.flatnonzero(~np.isnan(mean) & ~np.isnan(sizes))
    order = known[np.argsort(sizes[known], kind="stable")]
    out = np.full(len(mean), np.nan)
    if len(order) <= _NEAREST:
        return out
    for i, row in enumerate(order.tolist()):
        low = min(max(0, i - _NEAREST // 2), len(order) - _NEAREST)
        out[row] = np.median(mean[order[low : low + _NEAREST]])
    return out


def _unlike_others(table: Table, mean: Column, expected: Column) -> tuple[Outlier, ...]:
    residual = mean - expected
    known = ~np.isnan(residual)
    if known.sum() < _FEWEST_NEIGHBOURS:
        return ()
    middle = float(np.median(residual[known]))
    scale = _MAD_TO_SD * float(np.median(np.abs(residual[known] - middle)))
    if scale == 0:
        return ()
    score = np.where(known, (residual - middle) / scale, 0.0)
    rows = np.flatnonzero(np.abs(score) > LIMIT)
    rows = rows[np.argsort(-np.abs(score[rows]), kind="stable")]
    return tuple(
        Outlier(_name(table, row), None, float(mean[row]), float(expected[row]), float(score[row]))
        for row in rows.tolist()
    )


def _unlike_repeats(table: Table, values: Column, mean: Column, noise: Noise) -> tuple[Outlier, ...]:
    """Hold every training against the mean of the other repeats of its architecture."""
    counts = (~np.isnan(values)).sum(axis=1)
    repeated = np.flatnonzero(counts > 1)
    if not len(repeated):
        return ()
    n = counts[repeated][:, None]
    others = (mean[repeated][:, None] * n - values[repeated]) / (n - 1)
    # The difference of one training and the mean of n - 1 has variance sd^2 n / (n - 1).
    deviation = (values[repeated] - others) * np.sqrt((n - 1) / n)
    level = noise.sd_at(mean[repeated])
    scale = np.empty(len(repeated))
    for sd in np.unique(level):
        rows = level == sd
        own = deviation[rows]
        robust = _MAD_TO_SD * float(np.median(np.abs(own[~np.isnan(own)])))
        scale[rows] = robust if robust > 0 else sd
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(scale[:, None] > 0, deviation / scale[:, None], 0.0)
    found = [
        Outlier(
            _name(table, int(repeated[i])),
            int(place),
            float(values[repeated[i], place]),
            float(others[i, place]),
            float(score[i, place]),
        )
        for i, place in np.argwhere(np.abs(np.nan_to_num(score)) > LIMIT).tolist()
    ]
    return tuple(sorted(found, key=lambda one: (-abs(one.score), one.architecture, one.replicate or 0)))


def _name(table: Table, row: int) -> str:
    return table.space.format(tuple(table.codes[row].tolist()))
