"""The report of one table as a page and as JSON: may it be trusted, and to what difference."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from nasbench.reports.document import render, write_text
from nasbench.reports.plots import Series, draw_lines, draw_points
from nasbench.store.noise import Z95, Column
from nasbench.store.oneshot import one_shot_columns
from nasbench.store.quality import Quality
from nasbench.store.table import Table
from nasbench.units import percent

PAGE = "table.html"
DATA = "table.json"

_MOST_POINTS = 1_500
_MOST_COLUMNS = 12
_BINS = 40


def write_table_report(quality: Quality, table: Table, folder: Path) -> list[Path]:
    """Write ``table.html`` and ``table.json`` into a folder, made where it does not exist.

    Args:
        quality: What ``table_quality`` found of the table.
        table: The table, for its figures.
        folder: Where.

    Returns:
        The paths written, the page first.
    """
    text = json.dumps(quality.as_dict(), indent=1, sort_keys=True, allow_nan=False) + "\n"
    return [
        write_text(folder / PAGE, render_table_page(quality, table)),
        write_text(folder / DATA, text),
    ]


def render_table_page(quality: Quality, table: Table) -> str:
    """Write the page; same table, same bytes."""
    shown = _some(len(quality.epochs))
    return render(
        "table.html.j2",
        title=f"Table report: {quality.table}",
        kicker="Before anyone trusts a table",
        quality=quality,
        info=table.info,
        coverage=quality.coverage,
        noise=quality.noise,
        outliers=quality.outliers,
        shown=shown,
        shown_epochs=[quality.epochs[at] for at in shown],
        floor_factor=Z95 * math.sqrt(2.0),
        charts=_charts(quality, table),
    )


def _some(n: int) -> list[int]:
    """Choose up to twelve of n positions, both ends among them."""
    return sorted({round(v) for v in np.linspace(0, n - 1, min(n, _MOST_COLUMNS)).tolist()})


def _charts(quality: Quality, table: Table) -> list[tuple[str, str]]:
    """Draw what there is: errors, ranks by epoch, repeats, splits; (caption, markup) each."""
    out = []
    mean = table.mean("valid_error")
    counts, edges = np.histogram(mean[~np.isnan(mean)], bins=_BINS)
    middles = (edges[:-1] + edges[1:]) / 2
    out.append(
        (
            "How many architectures have which mean validation error.",
            draw_lines(
                "errors",
                "Distribution of errors",
                [Series("", _percents(middles), counts.tolist())],
                x_label="validation error (%)",
                y_label="architectures",
            ),
        )
    )
    if len(quality.epochs) > 1:
        lines = [
            Series(name, quality.epochs, [_or_nan(getattr(one, name)) for _, one in quality.by_epoch])
            for name in ("spearman", "kendall")
        ]
        out.append(
            (
                "How a shorter training ranks the architectures, against the longest.",
                draw_lines(
                    "epochs", "Rank correlation by epochs", lines, x_label="epochs", y_label="correlation"
                ),
            )
        )
    valid = np.asarray(table.column("valid_error")[:, :, -1], dtype=np.float64)
    if valid.shape[1] > 1 and (~np.isnan(valid[:, 1])).any():
        out.append(
            (
                "Two trainings of the same architecture.",
                _pairs("repeats", valid[:, 0], valid[:, 1], "first training (%)", "second training (%)"),
            )
        )
    for column in one_shot_columns(table):
        out.append(
            (
                f"{column.name}: error by the shared weights of a supernet of {column.epochs} epochs, and "
                "the mean of the architecture's own trainings.",
                _pairs(column.name, column.errors, mean, "one-shot error (%)", "validation error (%)"),
            )
        )
    if quality.splits is not None:
        test = np.asarray(table.column("test_error")[:, 0, -1], dtype=np.float64)
        out.append(
            (
                "Validation and test error of one training.",
                _pairs("splits", valid[:, 0], test, "validation error (%)", "test error (%)"),
            )
        )
    return out


def _pairs(key: str, x: Column, y: Column, x_label: str, y_label: str) -> str:
    known = np.flatnonzero(~np.isnan(x) & ~np.isnan(y))
    if len(known) > _MOST_POINTS:  # evenly over the rows, the same ones every time
        known = known[np.linspace(0, len(known) - 1, _MOST_POINTS).astype(np.int64)]
    cloud = Series("", _percents(x[known]), _percents(y[known]))
    return draw_points(
        key, f"{y_label} against {x_label}", [cloud], x_label=x_label, y_label=y_label, diagonal=True
    )


def _percents(values: Column) -> list[float]:
    return [percent(value) for value in values.tolist()]


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
