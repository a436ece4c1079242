"""Error against a cost: the front that a run found, how much of the plane it covers, the front of many runs.

The front of a run is chosen by what the search saw, validation error and cost, and scored like an incumbent
by something it never saw; so a scored front may hold points that others dominate, and those add nothing.

Source: Zitzler and Thiele 1999 (hypervolume); Grunert da Fonseca, Fonseca and Hall 2001 (attainment).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nasbench.comparison.entries import Scores
from nasbench.runs.columns import PURPOSES, STATUSES, RunColumns

Floats = npt.NDArray[np.float64]

_OK = STATUSES.index("ok")
_SEARCH = PURPOSES.index("search")
_REPORT = PURPOSES.index("report")


def undominated(costs: Floats, errors: Floats) -> npt.NDArray[np.int64]:
    """List the positions of points that no other dominates, by increasing cost; of equal points the first.

    Args:
        costs: (n,) to be small.
        errors: (n,) to be small.
    """
    order = np.lexsort((np.arange(len(costs)), errors, costs))
    ordered = errors[order]
    best_before = np.concatenate([[np.inf], np.minimum.accumulate(ordered)[:-1]]) if len(order) else ordered
    return np.asarray(order[ordered < best_before], dtype=np.int64)


def front_of(
    run: RunColumns, scores: Scores, cost_by_code: dict[bytes, float], *, epochs: int, trials: int
) -> Floats:
    """Find the front of a run: its architectures that no other dominates in validation error and cost.

    Only trials with status ``ok`` and exactly ``epochs`` epochs count: those of the search, or the reports of
    a run that says itself what it would hand over. Architectures of unknown cost or score are left out.

    Args:
        run: One run.
        scores: What architectures are worth.
        cost_by_code: Cost of each code, keyed by its bytes as int8.
        epochs: Training length that the panel scores.
        trials: How many of the run's trials are within the budget.

    Returns:
        (k, 2) cost and score, by increasing cost.
    """
    counts = (run.status == _OK) & (run.epochs == epochs) & np.isfinite(run.valid_error)
    counts[trials:] = False
    reports = counts & (run.purpose == _REPORT)
    rows = np.flatnonzero(reports if reports.any() else counts & (run.purpose == _SEARCH))
    codes = np.asarray(run.codes, dtype=np.int8)
    costs = np.array([cost_by_code.get(codes[row].tobytes(), np.nan) for row in rows.tolist()])
    rows, costs = rows[np.isfinite(costs)], costs[np.isfinite(costs)]
    chosen = undominated(costs, run.valid_error[rows])
    score = np.array([_score(scores, run, codes, row) for row in rows[chosen].tolist()])
    front = np.column_stack([costs[chosen], score]) if len(chosen) else np.zeros((0, 2))
    return np.asarray(front[np.isfinite(front[:, 1])], dtype=np.float64)


def _score(scores: Scores, run: RunColumns, codes: npt.NDArray[np.int8], row: int) -> float:
    known = scores.by_code.get(codes[row].tobytes(), math.nan)
    return float(run.test_error[row]) if scores.from_trial and math.isnan(known) else known


def hypervolume(front: Floats, *, reference_cost: float, reference_error: float) -> float:
    """Share of the rectangle between the origin and the reference point that a front dominates, in [0, 1].

    Args:
        front: (k, 2) cost and error, both >= 0, in any order; points beyond the reference add nothing.
        reference_cost: Cost of the reference point, > 0.
        reference_error: Its error, > 0.
    """
    inside = front[(front[:, 0] < reference_cost) & (front[:, 1] < reference_error)]
    steps = inside[undominated(inside[:, 0], inside[:, 1])]
    ends = np.append(steps[1:, 0], reference_cost) if len(steps) else np.zeros(0)
    areas = (ends - steps[:, 0]) * (reference_error - steps[:, 1])
    return math.fsum(areas.tolist()) / (reference_cost * reference_error)


def median_attainment(fronts: Sequence[Floats]) -> Floats:
    """Find what at least half of the runs attained: the lowest error at no more than each cost.

    Args:
        fronts: One run's (k, 2) cost and error each, at least one.

    Returns:
        (s, 2) cost and error of every step, costs increasing and errors decreasing; empty where less than
        half of the runs have a front.
    """
    levels = np.unique(np.concatenate([front[:, 0] for front in fronts]))
    attained = np.array([_lowest(front, levels) for front in fronts])  # (runs, levels)
    half = (len(fronts) + 1) // 2 - 1
    middle = np.sort(attained, axis=0)[half] if len(levels) else np.zeros(0)
    surface = np.column_stack([levels, middle])[np.isfinite(middle)]
    return np.asarray(surface[undominated(surface[:, 0], surface[:, 1])], dtype=np.float64)


def _lowest(front: Floats, levels: Floats) -> Floats:
    """Lowest error of one front at no more than each cost; inf below its first."""
    steps = front[undominated(front[:, 0], front[:, 1])]
    errors = np.concatenate([[np.inf], steps[:, 1]])
    found: Floats = errors[np.searchsorted(steps[:, 0], levels, side="right")]
    return found
