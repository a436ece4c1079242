"""The incumbent of a run: the architecture a search would hand over if it were stopped now.

It is chosen by validation error alone and scored by something the search never saw. A step function of
what was spent: right-continuous, undefined before the first result, constant after the last.

Source: our own definition; Lindauer and Hutter 2020 ask for performance over time, Ying et al. 2019
(NAS-Bench-101) draw it as the test regret of the validation incumbent.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.runs.columns import PURPOSES, STATUSES, RunColumns

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

TOLERANCE = 1e-9  # relative; absorbs the rounding of published grid points and budgets

_OK = STATUSES.index("ok")
_SEARCH = PURPOSES.index("search")
_REPORT = PURPOSES.index("report")


def incumbent_rows(run: RunColumns, *, epochs: int) -> Rows:
    """Find the incumbent after each finished trial.

    Only trials with status ``ok`` and exactly ``epochs`` epochs count: errors after fewer epochs are not
    comparable with errors after more, and failed or stopped trials only cost time. Among search trials the
    lowest validation error wins and a tie leaves the earlier one. A run with at least one such ``report``
    trial is a weight-sharing search, which says itself what it would hand over: there the latest report
    trial is the incumbent, whatever its error.

    Args:
        run: One run of T trials in order of finish.
        epochs: Training length the panel scores.

    Returns:
        (T,) row of the incumbent once trial t has finished; -1 before the first.
    """
    rows = np.arange(run.status.shape[0], dtype=np.int64)
    counts = (run.status == _OK) & (run.epochs == epochs) & np.isfinite(run.valid_error)
    reports = counts & (run.purpose == _REPORT)
    if reports.any():
        return np.maximum.accumulate(np.where(reports, rows, -1))
    error = np.where(counts & (run.purpose == _SEARCH), run.valid_error, np.inf)
    best_before = np.concatenate(([np.inf], np.minimum.accumulate(error)[:-1])) if len(error) else error
    return np.maximum.accumulate(np.where(error < best_before, rows, -1)) if len(error) else rows


def evaluations_spent(run: RunColumns) -> Floats:
    """Count the finished search trials up to each trial, (T,), failed ones included.

    A run that consists of report trials alone counts those instead: each is one evaluation.
    """
    searches = run.purpose == _SEARCH
    return np.cumsum(searches if searches.any() else np.ones_like(searches)).astype(np.float64)


def after_each_trial(score: Floats, rows: Rows) -> Floats:
    """Score the incumbent after each trial.

    Args:
        score: (T,) score of each trial's architecture; read only at the rows of incumbents.
        rows: (T,) as ``incumbent_rows`` returns them.

    Returns:
        (T,) score of the incumbent; nan before the first.
    """
    return np.where(rows >= 0, score[rows], np.nan) if len(rows) else np.zeros(0)


def on_grid(spent: Floats, values: Floats, grid: Floats) -> Floats:
    """Sample a step function: the value after the last trial that had finished by each grid point.

    Right-continuous: at the very moment a trial finishes, its value holds (a relative 1e-9 late counts as
    on time, so that a rounded grid point keeps its trial). Past the last trial the last value holds.

    Args:
        spent: (T,) non-decreasing: charged seconds, or evaluations.
        values: (T,) value after each trial.
        grid: (g,) points in the unit of ``spent``.

    Returns:
        (g,) values; nan before the first trial.

    Raises:
        BadOption: ``spent`` and ``values`` differ in length.
    """
    if spent.shape != values.shape:
        raise BadOption(
            f"values: expected one value a trial (= {len(spent)}), got {len(values)}. "
            "Pass the incumbent's score after each trial."
        )
    last = np.searchsorted(spent, grid * (1.0 + TOLERANCE), side="right") - 1
    return np.where(last >= 0, values[last], np.nan) if len(spent) else np.full(len(grid), np.nan)
