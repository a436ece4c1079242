"""Do strategies rank on a surrogate as on the table it was fitted on? The same suite on both says it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasbench.errors import BadOption
from nasbench.reports.leaderboard import Leaderboard, Panel


@dataclass(frozen=True, slots=True)
class Ranks:
    """One surrogate's panel beside the table's.

    Attributes:
        source: Label of the surrogate.
        kendall_tau: Of the strategies' mean final errors on both; None for fewer than three strategies.
        spearman: Likewise.
        curve_distance: Mean absolute difference of the strategies' mean curves over evaluations, fraction.
        final_distance: Mean absolute difference of their mean final errors, fraction.
        finals: By strategy, its mean final error here.
    """

    source: str
    kendall_tau: float | None
    spearman: float | None
    curve_distance: float
    final_distance: float
    finals: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return dataclasses.asdict(self)


def compare_ranks(board: Leaderboard) -> tuple[dict[str, float], tuple[Ranks, ...]]:
    """Compare the first panel of a board, the table's, with the others, the surrogates'.

    Returns:
        The strategies' mean final errors on the table, and how each surrogate compares.

    Raises:
        BadOption: There is no second panel, or a strategy came to no result.
    """
    if len(board.panels) < 2:
        raise BadOption("sources: expected a table and at least one surrogate, got one source.")
    truth = board.panels[0]
    finals = _finals(truth)
    return finals, tuple(_compare(truth, finals, panel) for panel in board.panels[1:])


def _compare(truth: Panel, finals: dict[str, float], panel: Panel) -> Ranks:
    from scipy.stats import kendalltau, spearmanr

    own = _finals(panel)
    names = list(finals)
    mine, theirs = [own[name] for name in names], [finals[name] for name in names]
    enough = len(names) > 2
    return Ranks(
        source=panel.source,
        kendall_tau=float(kendalltau(theirs, mine).statistic) if enough else None,
        spearman=float(spearmanr(theirs, mine).statistic) if enough else None,
        curve_distance=_curve_distance(truth, panel),
        final_distance=float(np.mean(np.abs(np.subtract(mine, theirs)))),
        finals=own,
    )


def _curve_distance(truth: Panel, panel: Panel) -> float:
    """Average the distance of mean curves over evaluations at the points that both have."""
    theirs = {entry.label: entry for entry in truth.entries}
    shared = sorted(set(truth.grids["evaluations"]) & set(panel.grids["evaluations"]))
    distances = []
    for entry in panel.entries:
        here = _at(panel.grids["evaluations"], entry.curves["evaluations"].error.mean, shared)
        there = _at(truth.grids["evaluations"], theirs[entry.label].curves["evaluations"].error.mean, shared)
        distances += [abs(a - b) for a, b in zip(here, there, strict=True) if a is not None and b is not None]
    return float(np.mean(distances)) if distances else float("nan")


def _at(grid: Sequence[float], values: Sequence[float | None], wanted: Sequence[float]) -> list[float | None]:
    by_point = dict(zip(grid, values, strict=True))
    return [by_point[point] for point in wanted]


def _finals(panel: Panel) -> dict[str, float]:
    """Read the mean final errors of a panel.

    Raises:
        BadOption: A strategy came to no result.
    """
    finals = {}
    for entry in panel.entries:
        if entry.final.mean is None:
            raise BadOption(
                f"strategies: expected ones that come to a result in every run, got {entry.label}, "
                "which did not on "
                f"{panel.name}. Give a larger budget."
            )
        finals[entry.label] = entry.final.mean
    return finals
