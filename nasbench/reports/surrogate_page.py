"""The validation of surrogates as a page and as JSON: what they say, beside what was recorded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nasbench.reports.document import render, write_text
from nasbench.reports.plots import Series, draw_lines, draw_points
from nasbench.reports.surrogate_ranks import Ranks
from nasbench.store.table import Table
from nasbench.surrogates.rows import rows_of
from nasbench.surrogates.surrogate import Surrogate
from nasbench.surrogates.validation import Validation, unseen_rows
from nasbench.units import percent

PAGE = "surrogate.html"
DATA = "surrogate.json"

_MOST_POINTS = 1_500


@dataclass(frozen=True, slots=True)
class Study:
    """One or more surrogates of one table, validated.

    Attributes:
        title: Headline.
        validations: One a surrogate, in the order of architectures fitted on.
        command: What made this, for a reader to repeat.
        finals: Strategies' mean final errors on the table, where a suite was run.
        ranks: How each surrogate ranks them, in the order of the validations; empty without a suite.
        suite: What was run, in words.
    """

    title: str
    validations: Sequence[Validation]
    command: str
    finals: dict[str, float]
    ranks: Sequence[Ranks]
    suite: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "validations": [one.as_dict() for one in self.validations],
            "command": self.command,
            "suite": self.suite,
            "finals_on_the_table": self.finals,
            "ranks": [one.as_dict() for one in self.ranks],
        }


def write_study(study: Study, surrogates: Sequence[Surrogate], table: Table, folder: Path) -> list[Path]:
    """Write ``surrogate.html`` and ``surrogate.json`` into a folder, made where it does not exist.

    Returns:
        The paths written, the page first.
    """
    page = render(
        "surrogate.html.j2",
        title=study.title,
        kicker="Before anyone trusts a surrogate",
        study=study,
        last=study.validations[-1],
        card=surrogates[-1].card,
        charts=_charts(study, surrogates[-1], table),
    )
    text = json.dumps(study.as_dict(), indent=1, sort_keys=True, allow_nan=False) + "\n"
    return [write_text(folder / PAGE, page), write_text(folder / DATA, text)]


def _charts(study: Study, surrogate: Surrogate, table: Table) -> list[tuple[str, str]]:
    """Draw predictions, quality by epoch and by rows, intervals; (caption, markup) each."""
    out = [_predicted(surrogate, table)]
    last = study.validations[-1].metrics["valid_error"]
    if len(last.by_epoch) > 1:
        epochs = [epoch for epoch, _ in last.by_epoch]
        lines = [
            Series(label, epochs, [numbers[key] for _, numbers in last.by_epoch])
            for key, label in (("kendall_tau", "Kendall tau"), ("r2", "R2"))
        ]
        out.append(
            (
                "How well errors after fewer epochs are predicted, on unseen architectures.",
                draw_lines("epochs", "Quality by epochs", lines, x_label="epochs", y_label=""),
            )
        )
    if len(study.validations) > 1:
        rows = [one.fitted for one in study.validations]
        lines = [
            Series(label, rows, [one.metrics["valid_error"].at_the_end[key] for one in study.validations])
            for key, label in (("kendall_tau", "Kendall tau"), ("r2", "R2"))
        ]
        if study.ranks and study.ranks[0].kendall_tau is not None:
            found = [float("nan") if r.kendall_tau is None else r.kendall_tau for r in study.ranks]
            lines.append(Series("tau of strategies", rows, found))
        out.append(
            (
                "What more architectures to fit on bring.",
                draw_lines(
                    "rows", "Quality by architectures", lines, x_label="architectures fitted on", y_label=""
                ),
            )
        )
    levels = [one.level for one in last.intervals]
    out.append(
        (
            "How often intervals for one new training held, and how often they say they do.",
            draw_lines(
                "coverage",
                "Coverage of intervals",
                [
                    Series("held", levels, [one.coverage for one in last.intervals]),
                    Series("said", levels, levels),
                ],
                x_label="level",
                y_label="share of trainings inside",
            ),
        )
    )
    return out


def _predicted(surrogate: Surrogate, table: Table) -> tuple[str, str]:
    """Draw predictions against recorded mean errors of unseen architectures."""
    found = rows_of(table)
    rows = unseen_rows(surrogate, found)
    if len(rows) > _MOST_POINTS:  # evenly over the rows, the same ones every time
        rows = rows[np.linspace(0, len(rows) - 1, _MOST_POINTS).astype(np.int64)]
    unseen = found.take(rows)
    told = surrogate.predict(unseen.codes).errors["valid_error"].mean[:, 0]
    cloud = Series(
        "", [percent(v) for v in unseen.means[0, :, -1].tolist()], [percent(v) for v in told.tolist()]
    )
    return (
        "Predicted against recorded mean validation error, of architectures that "
        f"{surrogate.card.name} has not seen.",
        draw_points(
            "predicted",
            "Predicted against recorded",
            [cloud],
            x_label="recorded (%)",
            y_label="predicted (%)",
            diagonal=True,
        ),
    )
