"""What is known of a source apart from any strategy: its optimum, its noise, random search's exact law."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nasbench.evaluation.source import Source
from nasbench.reports.leaderboard import RandomExpectation, Reference
from nasbench.units import Budget, days

NOTHING_KNOWN = Reference(
    optimum_error=None,
    optimum_architecture=None,
    architectures=None,
    mean_seconds=None,
    replicate_std=None,
    random=None,
)


def reference_of(source: Source, *, epochs: int, budget: Budget) -> Reference:
    """Compute the reference lines of a source; nothing is known of a live one.

    Args:
        source: A table source; any other gives ``NOTHING_KNOWN``.
        epochs: Training length of the panel.
        budget: Says how far the random-search line must reach.
    """
    from nasbench.evaluation.table_source import TableSource

    if not isinstance(source, TableSource):
        return NOTHING_KNOWN
    table = source.table
    score = source.score(table.codes, epochs=epochs)
    at = table.epochs.index(epochs)
    valid = table.column("valid_error")[:, :, at].astype(np.float64)
    # Random search draws codes of the space, and a row may answer for several of them.
    drawn = table.rows_of_space()
    rows = np.arange(len(table)) if drawn is None else drawn
    if table.failed is not None and table.failed.any():
        drawn = None  # a draw may come to nothing, and the law of the best says nothing of that
    seconds = float(np.nanmean(table.mean("train_seconds", epochs)[rows]))
    best = int(np.nanargmin(score))
    repeats = np.sum(~np.isnan(valid), axis=1)
    spread = np.nanstd(valid[repeats > 1], axis=1, ddof=1) if (repeats > 1).any() else np.empty(0)
    return Reference(
        optimum_error=float(score[best]),
        optimum_architecture=table.space.format(table.codes[best].tolist()),
        architectures=len(table),
        mean_seconds=seconds,
        replicate_std=float(np.mean(spread)) if len(spread) else None,
        random=None
        if drawn is None
        else _random_expectation(valid[drawn], score[drawn], seconds=seconds, budget=budget),
    )


def _random_expectation(
    valid: npt.NDArray[np.float64],
    score: npt.NDArray[np.float64],
    *,
    seconds: float,
    budget: Budget,
) -> RandomExpectation | None:
    """Compute the exact expectation on a grid of evaluations up to the budget.

    The arrays have one row for each code of the space. None where an architecture has no recorded training or
    no score, or the budget pays for no draw: then there is no such law.
    """
    from nasbench.comparison.grids import evaluations_grid
    from nasbench.comparison.random_search_law import draw_law, expected_score

    if np.isnan(valid).all(axis=1).any() or np.isnan(score).any():
        return None
    latest = budget.evaluations if budget.evaluations is not None else int((budget.seconds or 0.0) / seconds)
    grid = evaluations_grid(latest).astype(int)
    if not len(grid):
        return None
    expected = expected_score(draw_law(valid, score), grid)
    return RandomExpectation(
        evaluations=grid.tolist(),
        days=[days(float(n) * seconds) for n in grid],
        error=expected.tolist(),
    )
