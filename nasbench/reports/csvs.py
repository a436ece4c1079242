"""The leaderboard as CSV: one file of final rows, one of curves in long format; errors stay fractions.

Numbers are written with all their digits, so reading them back gives the same floats; missing is empty.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from nasbench.errors import BadOption
from nasbench.reports.finals import FinalRow, final_rows
from nasbench.reports.health_figures import QUANTITIES, curve_of
from nasbench.reports.leaderboard import Leaderboard, Panel
from nasbench.reports.trade_off_page import (
    FRONT_COLUMNS,
    HYPERVOLUME_COLUMNS,
    front_lines,
    hypervolume_lines,
    with_trade_off,
)

FINAL_COLUMNS = (
    "panel",
    "source",
    "label",
    "kind",
    "strategy",
    "options",
    "family",
    "mode",
    "n",
    "failed_runs",
    "failed_trials",
    "error_mean",
    "error_low",
    "error_high",
    "error_std",
    "error_median",
    "error_best",
    "regret",
    "mean_rank",
    "evaluations",
    "days",
    "days_axis",
    "target_reached",
    "target_median_days",
    "target_ratio",
    "target_ratio_low",
    "target_ratio_high",
    "is_best",
    "not_separated",
    "architecture",
)
HEALTH_COLUMNS = ("panel", "label", "quantity", "report", "mean", "low", "high")
RETRAINED_COLUMNS = (
    "panel", "label", "rank", "architecture", "metric", "searched_valid_error", "predicted", "low", "high",
    "seed", "error",
)  # fmt: skip
CURVE_COLUMNS = ("panel", "label", "axis", "metric", "x", "mean", "low", "high", "median")


def final_csv(leaderboard: Leaderboard) -> str:
    """Write the final tables of all panels; ``kind`` is ``entry`` or ``reference``."""
    return _text(
        FINAL_COLUMNS, (_final(panel, row) for panel in leaderboard.panels for row in final_rows(panel))
    )


def curves_csv(leaderboard: Leaderboard) -> str:
    """Write every curve in long format: one line a panel, entry, axis, metric and grid point."""
    return _text(CURVE_COLUMNS, (line for panel in leaderboard.panels for line in _curve_lines(panel)))


def trade_off_csvs(leaderboard: Leaderboard) -> dict[str, str]:
    """Write the median fronts and the hypervolumes, by file name; nothing where no panel has a trade-off."""
    if not with_trade_off(leaderboard):
        return {}
    return {
        "fronts.csv": _text(FRONT_COLUMNS, front_lines(leaderboard)),
        "hypervolumes.csv": _text(HYPERVOLUME_COLUMNS, hypervolume_lines(leaderboard)),
    }


def health_csv(leaderboard: Leaderboard) -> str:
    """Write the health of every search that shares weights: one line a panel, row, quantity and report.

    ``""`` where no panel has such a search.
    """
    lines = [
        [panel.name, entry.label, quantity, *values]
        for panel in leaderboard.panels
        if panel.health is not None
        for entry in panel.health.entries
        for quantity in QUANTITIES
        if (curve := curve_of(entry, quantity)) is not None
        for values in zip(curve.reports, curve.mean, curve.low, curve.high, strict=True)
    ]
    return _text(HEALTH_COLUMNS, lines) if lines else ""


def retrained_csv(leaderboard: Leaderboard) -> str:
    """Write every training of a row's best architectures, one a line; ``""`` where no panel has any.

    A failed training has no error. ``low`` and ``high`` bound one new training with probability 0.9.
    """
    lines = [
        [
            *(panel.name, row.label, rank, one.architecture, panel.retraining.metric, one.searched),
            *(one.predicted, one.low, one.high, seed, error),
        ]
        for panel in leaderboard.panels
        if panel.retraining is not None
        for row in panel.retraining.rows
        for rank, one in enumerate(row.architectures, start=1)
        for seed, error in enumerate(one.errors)
    ]
    return _text(RETRAINED_COLUMNS, lines) if lines else ""


def rows_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """Write rows as they come; the first one names the columns.

    Raises:
        BadOption: A row has other columns than the first.
    """
    kept = list(rows)
    columns = list(kept[0]) if kept else []
    for position, row in enumerate(kept):
        if set(row) != set(columns):
            raise BadOption(
                f"rows: expected the columns {columns} in every row, got {list(row)} in row {position}. "
                "Write a missing value as None."
            )
    return _text(columns, ([row[name] for name in columns] for row in kept)) if kept else ""


def number(value: Any) -> Any:
    """Write a float so that it reads back the same, and a missing value as nothing."""
    if value is None:
        return ""
    return repr(float(value)) if isinstance(value, float) else value


def _text(columns: Iterable[str], lines: Iterable[Iterable[Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([number(value) for value in line] for line in lines)
    return buffer.getvalue()


def _final(panel: Panel, row: FinalRow) -> list[Any]:
    entry = row.entry
    target = entry.to_target if entry else None
    head: list[Any] = [panel.name, panel.source, row.label]
    if entry is None:
        head += ["reference", None, None, None, None, None, None, None]
    else:
        options = json.dumps(entry.options, sort_keys=True)
        head += [
            "entry",
            entry.strategy,
            options,
            entry.family,
            entry.mode,
            row.n,
            row.failures,
            entry.failed_trials,
        ]
    errors = [row.mean, row.low, row.high, row.std, row.median, row.best, row.regret, row.rank]
    cost: list[Any] = [row.evaluations, row.days, panel.axis]
    if target is None:
        cost += [None] * 5
    else:
        cost += [target.reached, target.median_days, target.ratio, target.ratio_low, target.ratio_high]
    if entry is None:
        return [
            *head,
            *errors,
            *cost,
            None,
            None,
            panel.reference.optimum_architecture if row.is_optimum else None,
        ]
    return [*head, *errors, *cost, entry.is_best, entry.not_separated, entry.final.architecture]


def _curve_lines(panel: Panel) -> Iterable[list[Any]]:
    for entry in panel.entries:
        for axis, curves in sorted(entry.curves.items()):
            for metric, curve in (("error", curves.error), ("regret", curves.regret), ("rank", curves.rank)):
                if curve is None:
                    continue
                columns = zip(panel.grids[axis], curve.mean, curve.low, curve.high, curve.median, strict=True)
                for values in columns:
                    yield [panel.name, entry.label, axis, metric, *values]
