"""The final table for a terminal: the same rows as the page, in fewer columns."""

from __future__ import annotations

from nasbench.reports.finals import (
    amount_text,
    error_text,
    final_rows,
    interval_text,
    percent_text,
    ratio_text,
)
from nasbench.reports.leaderboard import Panel


def terminal_table(panel: Panel) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a panel's final table, errors in percent."""
    columns = [
        "strategy",
        "error ± sd",
        "95 % of mean",
        "regret",
        "rank",
        "evals",
        panel.axis,
        "cost to target",
        "n",
    ]
    rows = []
    for row in final_rows(panel):
        rows.append(
            [
                row.label,
                error_text(row),
                interval_text(row.low, row.high),
                percent_text(row.regret),
                amount_text(row.rank),
                amount_text(row.evaluations),
                amount_text(row.days),
                ratio_text(row),
                "" if row.n is None else str(row.n),
            ]
        )
    return columns, rows
