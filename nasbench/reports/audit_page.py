"""The audit of a table as a page and as JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path

from nasbench.reports.audit import Audit
from nasbench.reports.document import render, write_text
from nasbench.reports.plots import Series, draw_lines, draw_points
from nasbench.units import percent

PAGE = "audit.html"
DATA = "audit.json"


def write_audit(audit: Audit, folder: Path) -> list[Path]:
    """Write ``audit.html`` and ``audit.json`` into a folder, made where it does not exist.

    Returns:
        The paths written, the page first.
    """
    text = json.dumps(audit.as_dict(), indent=1, sort_keys=True, allow_nan=False) + "\n"
    return [write_text(folder / PAGE, render_audit(audit)), write_text(folder / DATA, text)]


def render_audit(audit: Audit) -> str:
    """Write the page; same audit, same bytes."""
    return render(
        "audit.html.j2",
        title=f"Audit of {audit.table.partition(':')[2].partition('@')[0]} with {audit.strategy}",
        kicker="One search on the table, the same search live",
        audit=audit,
        charts=_charts(audit),
    )


def _charts(audit: Audit) -> list[tuple[str, str]]:
    """Draw errors and seconds of each training, live against recorded; (caption, markup) each."""
    out = []
    both = [t for t in audit.trials if t.error is not None and t.recorded_error is not None]
    if both:
        cloud = Series(
            "", [percent(t.recorded_error or 0.0) for t in both], [percent(t.error or 0.0) for t in both]
        )
        out.append(
            (
                "Validation error of each training, live against recorded; on the line they are equal.",
                draw_points(
                    "errors",
                    "Live against recorded error",
                    [cloud],
                    x_label="recorded (%)",
                    y_label="live (%)",
                    diagonal=True,
                ),
            )
        )
        numbers = [t.number for t in audit.trials]
        lines = [
            Series("live", numbers, _best([t.error for t in audit.trials])),
            Series(
                "recorded errors of the same trials", numbers, _best([t.recorded_error for t in audit.trials])
            ),
        ]
        out.append(
            (
                "Lowest validation error so far, of the live search.",
                draw_lines(
                    "incumbents",
                    "Incumbent by trial",
                    lines,
                    x_label="trial",
                    y_label="validation error (%)",
                    steps=True,
                ),
            )
        )
    timed = [t for t in audit.trials if t.recorded_seconds]
    if timed:
        ratio = Series(
            "",
            [t.recorded_seconds or 0.0 for t in timed],
            [t.seconds / (t.recorded_seconds or 1.0) for t in timed],
        )
        out.append(
            (
                "Live seconds over recorded seconds of each training.",
                draw_points(
                    "seconds",
                    "Time ratio",
                    [ratio],
                    x_label="recorded seconds",
                    y_label="live / recorded",
                    horizontal=1.0,
                ),
            )
        )
    return out


def _best(errors: list[float | None]) -> list[float]:
    """Return the lowest error up to each trial, in percent; nan before the first."""
    best = math.inf
    out = []
    for error in errors:
        best = best if error is None else min(best, error)
        out.append(percent(best) if math.isfinite(best) else math.nan)
    return out
