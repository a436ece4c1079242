"""The part of a panel on error against a cost, where the suite declares one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nasbench.comparison.bootstrap import Resampler, mean, mean_interval
from nasbench.comparison.entries import EntryArrays, Scores
from nasbench.comparison.trade_off import front_of, hypervolume, median_attainment
from nasbench.reports import leaderboard as model
from nasbench.reports.inputs import PanelInput

COST_NAMES = {
    "parameters": "parameters",
    "macs": "multiply-accumulates",
    "latency_seconds": "latency in seconds",
}
"""What a page calls a cost."""


def cost_name(cost: str) -> str:
    """Name a cost in words; one that has no words here by its own name."""
    return COST_NAMES.get(cost, cost)


def trade_off(
    panel: PanelInput, arrays: Sequence[EntryArrays], scores: Scores, resampler: Resampler
) -> model.TradeOff | None:
    """Compare the fronts of all entries; None where the suite declares no cost.

    Args:
        panel: With the costs of its codes, where one is declared.
        arrays: One an entry.
        scores: What architectures are worth.
        resampler: The leaderboard's resamples.
    """
    axis = panel.cost_axis
    if axis is None:
        return None
    codes = np.asarray(panel.codes, dtype=np.int8)
    by_code = {code.tobytes(): cost for code, cost in zip(codes, axis.costs.tolist(), strict=True)}
    fronts = []
    for entry, own in zip(panel.entries, arrays, strict=True):
        found = [
            front_of(run, scores, by_code, epochs=panel.epochs, trials=len(rows))
            for run, rows in zip(own.runs, own.rows, strict=True)
        ]
        fronts.append(_front(entry.label, found, axis.reference_cost, axis.reference_error, resampler))
    return model.TradeOff(
        cost=axis.cost,
        reference_cost=axis.reference_cost,
        reference_error=axis.reference_error,
        fronts=fronts,
    )


def _front(
    label: str,
    found: Sequence[np.ndarray[tuple[int, ...], np.dtype[np.float64]]],
    reference_cost: float,
    reference_error: float,
    resampler: Resampler,
) -> model.Front:
    if not found:
        return model.Front(
            label=label, n=0, size=None, mean=None, low=None, high=None, median=None, attained=[]
        )
    shares = np.array(
        [
            hypervolume(front, reference_cost=reference_cost, reference_error=reference_error)
            for front in found
        ]
    )
    bounds = mean_interval(shares[:, None], resampler)
    return model.Front(
        label=label,
        n=len(found),
        size=sum(len(front) for front in found) / len(found),
        mean=float(mean(shares[:, None])[0]),
        low=None if bounds is None else float(bounds[0][0]),
        high=None if bounds is None else float(bounds[1][0]),
        median=float(np.median(shares)),
        attained=median_attainment(found).tolist(),
    )
