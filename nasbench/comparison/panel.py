"""A panel in numbers: every entry that ran on one source, read on common grids and compared in pairs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nasbench.comparison.bootstrap import Resampler
from nasbench.comparison.curves import Band, band
from nasbench.comparison.entries import EntryArrays
from nasbench.comparison.grids import evaluations_grid, seconds_grid
from nasbench.comparison.paired_tests import holm
from nasbench.comparison.pairs import Contrast, contrast
from nasbench.comparison.ranks import paired_ranks
from nasbench.comparison.targets import Ratio, median_ratio, median_time

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TargetTimes:
    """What an entry spent until its incumbents reached the target.

    Attributes:
        reached: Runs that did.
        n: Runs.
        median_seconds: Median over runs, those that did not being later than all others; None where that
            is not finite.
        ratio: Compared with random search over the seeds that both have; None where it cannot be.
    """

    reached: int
    n: int
    median_seconds: float | None
    ratio: Ratio | None


@dataclass(frozen=True, slots=True)
class PanelNumbers:
    """How the k entries of a panel compare; lists hold one item an entry, in the order given.

    Attributes:
        seconds: Grid of charged seconds.
        evaluations: Grid of evaluations.
        error_over_seconds: Score of the incumbent, over ``seconds``.
        error_over_evaluations: The same over ``evaluations``.
        rank_over_seconds: Rank within each seed that every entry has, over ``seconds``.
        rank_over_evaluations: The same over ``evaluations``.
        finals: Final score, a single point; nan unless every run has a result.
        final_ranks: Mean final rank; None where entries share no seed.
        best: Entry of the lowest mean, or None.
        contrasts: Pairs (i, j), i < j, that can be compared.
        holm_p: Their p values, corrected over all of them.
        target: Score that the time to target is about, or None.
        is_target_half_way: Whether it is random search's mean at half the budget.
        times: Time to target of each entry; None without a target.
    """

    seconds: Floats
    evaluations: Floats
    error_over_seconds: list[Band]
    error_over_evaluations: list[Band]
    rank_over_seconds: list[Band]
    rank_over_evaluations: list[Band]
    finals: list[Band]
    final_ranks: list[float | None]
    best: int | None
    contrasts: dict[tuple[int, int], Contrast]
    holm_p: dict[tuple[int, int], float]
    target: float | None
    is_target_half_way: bool
    times: list[TargetTimes | None]

    @property
    def means(self) -> list[float | None]:
        """Mean final score of each entry; None unless every run has a result."""
        return [_finite(b.mean[0]) for b in self.finals]

    def between(self, i: int, j: int) -> tuple[Contrast, float] | None:
        """Return entry i against entry j with the corrected p value, or None where they were not compared."""
        key = (min(i, j), max(i, j))
        if key not in self.contrasts:
            return None
        found = self.contrasts[key]
        return (found if i < j else found.turned()), self.holm_p[key]


def compare(
    entries: Sequence[EntryArrays],
    resampler: Resampler,
    *,
    random_search: int | None,
    budget_seconds: float | None = None,
    budget_evaluations: int | None = None,
) -> PanelNumbers:
    """Compare the entries of one panel.

    The target is what random search's mean score is at half the budget, where all its runs have a result by
    then; else the median over entries of their mean final score. At half the budget, because most of random
    search's own runs then reach it within the whole, and its median time is well determined.

    Args:
        entries: k entries, made with the same budget.
        resampler: The leaderboard's resamples.
        random_search: Position of the random search entry, or None.
        budget_seconds: Where the grid of seconds ends; None: at the most that any run spent.
        budget_evaluations: Where the grid of evaluations ends; None: at the most that any run finished.
    """
    latest = [entry.latest() for entry in entries]
    earliest = min((entry.earliest_seconds() for entry in entries), default=np.inf)
    longest = max((seconds for seconds, _ in latest), default=0.0)
    most = max((evaluations for _, evaluations in latest), default=0)
    seconds = seconds_grid(earliest, longest if budget_seconds is None else budget_seconds)
    evaluations = evaluations_grid(most if budget_evaluations is None else budget_evaluations)
    over_seconds = [entry.over_seconds(seconds) for entry in entries]
    over_evaluations = [entry.over_evaluations(evaluations) for entry in entries]
    at_the_end = [entry.final.reshape(-1, 1) for entry in entries]
    finals = [band(values, resampler) for values in at_the_end]
    means = [_finite(b.mean[0]) for b in finals]
    known = [m for m in means if m is not None]
    contrasts = _contrasts(entries, resampler)
    corrected = holm([found.p for found in contrasts.values()])
    target = None
    if random_search is not None:
        own = entries[random_search]
        if budget_seconds is None and budget_evaluations is not None:
            half_way = own.over_evaluations(np.array([max(1.0, budget_evaluations // 2)]))
        else:
            half_way = own.over_seconds(np.array([(budget_seconds or longest) / 2.0]))
        target = _finite(band(half_way, resampler).mean[0])
    is_half_way = target is not None
    if target is None and known:
        target = statistics.median(known)
    times: list[TargetTimes | None] = [None] * len(entries)
    if target is not None:
        reached = [entry.seconds_to(target) for entry in entries]
        times = [_target_times(entries, reached, i, random_search, resampler) for i in range(len(entries))]
    return PanelNumbers(
        seconds=seconds,
        evaluations=evaluations,
        error_over_seconds=[band(values, resampler) for values in over_seconds],
        error_over_evaluations=[band(values, resampler) for values in over_evaluations],
        rank_over_seconds=_ranks(entries, over_seconds, resampler),
        rank_over_evaluations=_ranks(entries, over_evaluations, resampler),
        finals=finals,
        final_ranks=[_finite(b.mean[0]) for b in _ranks(entries, at_the_end, resampler)],
        best=means.index(min(known)) if known else None,
        contrasts=contrasts,
        holm_p=dict(zip(contrasts, corrected, strict=True)),
        target=target,
        is_target_half_way=is_half_way,
        times=times,
    )


def _contrasts(entries: Sequence[EntryArrays], resampler: Resampler) -> dict[tuple[int, int], Contrast]:
    finals = [
        {seed: value for seed, value in zip(entry.seeds, entry.final.tolist(), strict=True) if value == value}
        for entry in entries
    ]
    found = {}
    for i in range(len(entries)):
        for j in range(i + 1, len(entries)):
            compared = contrast(finals[i], finals[j], resampler)
            if compared is not None:
                found[i, j] = compared
    return found


def _ranks(entries: Sequence[EntryArrays], values: Sequence[Floats], resampler: Resampler) -> list[Band]:
    # Over the seeds of which every entry that has any result has one; entries without any are not ranked.
    with_result = [
        {seed for seed, final in zip(entry.seeds, entry.final.tolist(), strict=True) if final == final}
        for entry in entries
    ]
    ranked = [i for i, seeds in enumerate(with_result) if seeds]
    shared = sorted(set.intersection(*(with_result[i] for i in ranked))) if ranked else []
    points = values[0].shape[1] if values else 0
    bands = [band(np.zeros((0, points)), resampler) for _ in entries]
    if shared:
        stacked = np.stack([values[i][entries[i].at(shared)] for i in ranked])
        for i, ranks in zip(ranked, paired_ranks(stacked), strict=True):
            bands[i] = band(ranks, resampler)
    return bands


def _target_times(
    entries: Sequence[EntryArrays],
    reached: Sequence[Floats],
    i: int,
    random_search: int | None,
    resampler: Resampler,
) -> TargetTimes:
    ratio = None
    if random_search is not None:
        shared = sorted(set(entries[i].seeds) & set(entries[random_search].seeds))
        own = reached[i][entries[i].at(shared)]
        theirs = reached[random_search][entries[random_search].at(shared)]
        ratio = median_ratio(own, theirs, resampler)
        if ratio is not None and i == random_search:
            ratio = Ratio(1.0, None, None)  # itself: an interval would say nothing
    found = int(np.isfinite(reached[i]).sum())
    return TargetTimes(found, len(reached[i]), median_time(reached[i]), ratio)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
