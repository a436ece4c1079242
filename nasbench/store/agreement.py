"""Whether the numbers of a table agree with one another: epochs, repeats, splits, equal networks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nasbench.store.oneshot import one_shot_columns
from nasbench.store.table import Table

Column = npt.NDArray[np.float64]

_FEWEST = 3  # pairs, or there is no rank correlation


@dataclass(frozen=True, slots=True)
class RankAgreement:
    """How two columns rank the same architectures.

    Attributes:
        n: Architectures with a value in both.
        spearman: Spearman's rank correlation; None where n < 3 or a column is constant.
        kendall: Kendall's tau-b; None likewise.
        top_overlap: Share of the best tenth of one that is in the best tenth of the other; None for n < 20.
    """

    n: int
    spearman: float | None
    kendall: float | None
    top_overlap: float | None


@dataclass(frozen=True, slots=True)
class SplitAgreement:
    """Validation against test error, of the same trainings.

    Attributes:
        ranks: Of the means over repeats.
        bias: Mean of test minus validation error, fraction.
        sd: Standard deviation of that difference.
        selected_test: Mean test error of the architecture with the lowest mean validation error.
        best_test: Lowest mean test error of any.
        equal: Share of trainings with the same number for both.
    """

    ranks: RankAgreement
    bias: float
    sd: float
    selected_test: float
    best_test: float
    equal: float


@dataclass(frozen=True, slots=True)
class IsomorphAgreement:
    """Architectures that are the same network, trained separately.

    Attributes:
        classes: Classes with two or more members that were trained separately.
        members: Their members.
        copies: Rows that repeat another row's training to the bit, left out here.
        sd_between: Standard deviation between members of a class, of single trainings.
        sd_repeats: Standard deviation between repeats within these members; None where none was repeated.
        ratio: Variance between members over what repeats explain; about 1 where members agree.
        p: Chance of such a ratio or a larger one if members are equal (F test); None without repeats.
    """

    classes: int
    members: int
    copies: int
    sd_between: float | None
    sd_repeats: float | None
    ratio: float | None
    p: float | None


@dataclass(frozen=True, slots=True)
class OneShotAgreement:
    """One-shot errors of a supernet against the architectures' own.

    Attributes:
        name: Name of the column.
        epochs: Of the shared weights.
        ranks: One-shot against mean validation error at the longest training.
        selected: Mean validation error of the architecture with the lowest one-shot error, fraction.
        best: Lowest mean validation error of any.
        train_seconds: What training the supernet took.
    """

    name: str
    epochs: int
    ranks: RankAgreement
    selected: float
    best: float
    train_seconds: float


def one_shot_agreement(table: Table) -> tuple[OneShotAgreement, ...]:
    """Compare every column of one-shot errors with the table's own errors.

    Raises:
        FormatError: A column does not say how it came about.
    """
    own = table.mean("valid_error")
    found = []
    for column in one_shot_columns(table):
        both = ~np.isnan(own) & ~np.isnan(column.errors)
        if both.any():
            lowest = int(np.argmin(np.where(both, column.errors, np.inf)))
            found.append(
                OneShotAgreement(
                    column.name,
                    column.epochs,
                    rank_agreement(column.errors, own),
                    float(own[lowest]),
                    float(np.nanmin(own)),
                    column.train_seconds,
                )
            )
    return tuple(found)


def rank_agreement(a: Column, b: Column) -> RankAgreement:
    """Compare how two (n,) columns rank architectures; nan = missing."""
    from scipy.stats import kendalltau, spearmanr

    both = ~np.isnan(a) & ~np.isnan(b)
    x, y = a[both], b[both]
    n = len(x)
    overlap = None
    if n >= 20:
        tenth = n // 10
        best = [set(np.argsort(v, kind="stable")[:tenth].tolist()) for v in (x, y)]
        overlap = len(best[0] & best[1]) / tenth
    if n < _FEWEST or x.min() == x.max() or y.min() == y.max():
        return RankAgreement(n, None, None, overlap)
    return RankAgreement(n, float(spearmanr(x, y).statistic), float(kendalltau(x, y).statistic), overlap)


def epochs_against_last(table: Table) -> list[tuple[int, RankAgreement]]:
    """Rank architectures by their first training at every length, against its end."""
    curve = np.asarray(table.column("valid_error")[:, 0], dtype=np.float64)  # (n, epochs)
    return [(epoch, rank_agreement(curve[:, e], curve[:, -1])) for e, epoch in enumerate(table.epochs)]


def repeats_against_each_other(values: Column) -> RankAgreement | None:
    """Rank architectures by their first training, against their second; None where there is none."""
    return rank_agreement(values[:, 0], values[:, 1]) if values.shape[1] > 1 else None


def splits_against_each_other(table: Table) -> SplitAgreement | None:
    """Compare validation and test error at the longest training; None without test errors."""
    if not table.has("test_error"):
        return None
    valid, test = (np.asarray(table.column(m)[:, :, -1], np.float64) for m in ("valid_error", "test_error"))
    both = ~np.isnan(valid) & ~np.isnan(test)
    if not both.any():
        return None
    difference = (test - valid)[both]
    means = [_mean(np.where(both, values, np.nan)) for values in (valid, test)]
    return SplitAgreement(
        rank_agreement(*means),
        float(difference.mean()),
        float(difference.std(ddof=1)) if len(difference) > 1 else 0.0,
        float(means[1][int(np.nanargmin(means[0]))]),
        float(np.nanmin(means[1])),
        float((difference == 0).mean()),
    )


def isomorphs_against_each_other(table: Table) -> IsomorphAgreement | None:
    """Compare members of one canonical class; None where the space merges no isomorphs.

    One-way analysis of variance within classes: the mean square between members of a class over the mean
    square between repeats of a member. Rows whose errors and seconds equal another member's to the bit are
    copies of one training and say nothing.
    """
    if not table.space.merges_isomorphs and (table.space.canonical(table.codes) == table.codes).all():
        return None
    values = np.asarray(table.column("valid_error")[:, :, -1], dtype=np.float64)
    seconds = np.asarray(table.column("train_seconds")[:, :, -1], dtype=np.float64)
    groups: dict[int, list[int]] = {}
    for row, key in enumerate(table.space.rank(table.space.canonical(table.codes)).tolist()):
        groups.setdefault(key, []).append(row)
    copies = classes = members = 0
    between = within = expected = 0.0
    freedom_between = freedom_within = 0
    for rows in groups.values():
        own: dict[bytes, int] = {}
        for row in rows:
            own.setdefault(values[row].tobytes() + seconds[row].tobytes(), row)
        copies += len(rows) - len(own)
        measured = [known for row in own.values() if len(known := values[row][~np.isnan(values[row])])]
        if len(measured) < 2:
            continue
        classes += 1
        members += len(measured)
        sizes = np.array([len(known) for known in measured])
        means = np.array([known.mean() for known in measured])
        middle = float((sizes * means).sum() / sizes.sum())
        between += float((sizes * (means - middle) ** 2).sum())
        freedom_between += len(measured) - 1
        # Mean number of repeats behind a member's mean, as unbalanced analysis of variance weighs it.
        expected += float(sizes.sum() - (sizes**2).sum() / sizes.sum())
        within += float(sum(((known - known.mean()) ** 2).sum() for known in measured))
        freedom_within += int((sizes - 1).sum())
    if not classes:
        return IsomorphAgreement(0, 0, copies, None, None, None, None)
    square_between = between / freedom_between
    if not freedom_within:
        return IsomorphAgreement(classes, members, copies, math.sqrt(square_between), None, None, None)
    square_within = within / freedom_within
    repeats = expected / freedom_between
    excess = max(0.0, square_between - square_within) / repeats
    sd_between = math.sqrt(square_within + excess)
    ratio = square_between / square_within if square_within > 0 else None
    p = None
    if ratio is not None:
        from scipy.stats import f

        p = float(f.sf(ratio, freedom_between, freedom_within))
    return IsomorphAgreement(classes, members, copies, sd_between, math.sqrt(square_within), ratio, p)


def _mean(values: Column) -> Column:
    counts = (~np.isnan(values)).sum(axis=1)
    return np.where(counts > 0, np.nansum(values, axis=1) / np.maximum(counts, 1), np.nan)
