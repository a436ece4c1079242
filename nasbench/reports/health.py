"""The health of searches that share weights, from their records: rank correlation, skips, error, curvature.

Everything is taken report by report of each run, at no more than ``_POINTS`` reports: a report is an epoch of
the search for most strategies; for those that train first and then choose, a round of choosing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nasbench.errors import NotMeasured
from nasbench.evaluation.source import Source
from nasbench.reports.inputs import PanelInput
from nasbench.reports.leaderboard import EntryHealth, Health, HealthCurve
from nasbench.runs.columns import PURPOSES, RunColumns
from nasbench.runs.suite import Suite
from nasbench.spaces import get_space
from nasbench.store.agreement import rank_agreement
from nasbench.store.table import Table
from nasbench.strategies.health import Watch, sample_of

_POINTS = 60  # of a curve at most
_DIGITS = 6
_REPORT = PURPOSES.index("report")
_SKIP = "skip_connect"

Floats = npt.NDArray[np.float64]
ByReport = dict[int, float]


def watched_of(source: Source, suite: Suite) -> dict[str, Any]:
    """Say what is recorded of the architectures that a suite's watched searches score.

    Returns:
        ``{"watched": {"codes": (w, L), "errors": (w,)}}``, errors being mean validation errors at the longest
        training, None where nothing is recorded; empty where no search is watched or there is no table.
    """
    watch = Watch.of(suite.health)
    table = getattr(source, "table", None)
    if watch is None or not isinstance(table, Table):
        return {}
    codes = sample_of(source.space, watch.architectures)
    means = table.mean("valid_error")
    errors: list[float | None] = []
    for code in codes.tolist():
        try:
            error = float(means[table.row(tuple(code))])
        except NotMeasured:
            error = math.nan
        errors.append(None if math.isnan(error) else error)
    return {"watched": {"codes": codes.tolist(), "errors": errors}}


def health_of(panel: PanelInput) -> Health | None:
    """Look at every row whose runs report: those that share weights; None where there is none."""
    sharing = [
        (entry.label, reporting)
        for entry in panel.entries
        if (reporting := [run for run in entry.runs if (run.purpose == _REPORT).any()])
    ]
    if not sharing:
        return None
    codes = np.asarray(panel.codes, dtype=np.int8)
    scores = np.asarray(panel.score, dtype=np.float64)
    score_of = dict(zip(map(tuple, codes.tolist()), scores.tolist(), strict=True))
    from_trial = panel.scored_by == "trial"
    choices = [decision.choices for decision in get_space(panel.space).decisions]
    skips = np.array([names.index(_SKIP) if _SKIP in names else -1 for names in choices])

    def error(run: RunColumns) -> ByReport:
        rows = _reports(run)
        if from_trial:
            return _known(run.test_error[rows].tolist())
        return _known([score_of[tuple(code)] for code in run.codes[rows].tolist()])

    def skip_share(run: RunColumns) -> ByReport:
        can = skips >= 0
        if not can.any():
            return {}
        return _known((run.codes[_reports(run)][:, can] == skips[can]).mean(axis=1).tolist())

    def tau(run: RunColumns) -> ByReport:
        if panel.watched is None:
            return {}
        found = {}
        for number, seen in _seen(run, "scores").items():
            ranked = rank_agreement(np.asarray(seen, dtype=np.float64), panel.watched[1]).kendall
            if ranked is not None:
                found[number] = ranked
        return found

    def eigenvalue(run: RunColumns) -> ByReport:
        return {number: float(value) for number, value in _seen(run, "eigenvalue").items()}

    entries = [
        EntryHealth(
            label=label,
            error=_curve(runs, error),
            skip_share=_curve(runs, skip_share),
            tau=_curve(runs, tau),
            eigenvalue=_curve(runs, eigenvalue),
        )
        for label, runs in sharing
    ]
    has_tau = panel.watched is not None and any(entry.tau is not None for entry in entries)
    return Health(
        architectures=len(panel.watched[0]) if panel.watched is not None and has_tau else None,
        entries=entries,
    )


def _reports(run: RunColumns) -> npt.NDArray[np.intp]:
    return np.flatnonzero(run.purpose == _REPORT)


def _known(values: Sequence[float]) -> ByReport:
    """Number the reports from 1 and leave out those without a value."""
    return {number: value for number, value in enumerate(values, start=1) if not math.isnan(value)}


def _seen(run: RunColumns, name: str) -> dict[int, Any]:
    """Return what was noted under a name, by number of the report from 1."""
    return {
        number: run.health[row][name]
        for number, row in enumerate(_reports(run).tolist(), start=1)
        if name in run.health.get(row, {})
    }


def _curve(runs: Sequence[RunColumns], of: Callable[[RunColumns], ByReport]) -> HealthCurve | None:
    """Put the runs of a row together at those reports that one of them has; thinned where they are many."""
    found = [of(run) for run in runs]
    numbers = sorted(set().union(*found))
    if not numbers:
        return None
    if len(numbers) > _POINTS:
        numbers = [numbers[at] for at in np.linspace(0, len(numbers) - 1, _POINTS).astype(int).tolist()]
    columns = [[by_report[n] for by_report in found if n in by_report] for n in numbers]
    return HealthCurve(
        reports=numbers,
        mean=[_rounded(math.fsum(column) / len(column)) for column in columns],
        low=[_rounded(min(column)) for column in columns],
        high=[_rounded(max(column)) for column in columns],
    )


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}") + 0.0  # no negative zero
