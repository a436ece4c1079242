"""The final table as rows: entries by mean error, and the two reference rows that are always there.

HTML, Markdown, LaTeX and CSV all print these rows, so they cannot disagree. Errors are fractions here;
the texts beside them are percent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from nasbench.reports.leaderboard import Entry, Leaderboard, Panel, Reference
from nasbench.units import days, format_error, parse_budget

RANDOM_LABEL = "random search, exact expectation"
ORACLE_LABELS = {"table": "oracle (best in table)", "surrogate": "oracle (best predicted)"}
MISSING = "–"


@dataclass(frozen=True, slots=True)
class FinalRow:
    """One row of a panel's final table; None = not known, errors as fractions.

    Attributes:
        label: Entry label, or the name of the reference.
        entry: The entry, None for a reference row.
        mean: Mean error over runs (a reference: the one number known).
        low: Lower end of the 95 % interval of the mean.
        high: Upper end of it.
        std: Standard deviation over runs.
        median: Median error over runs.
        best: Lowest error of a run.
        regret: Mean error minus the optimum.
        rank: Mean rank over seeds.
        evaluations: Mean evaluations a run.
        days: Mean charged days a run.
        n: Runs that count.
        failures: Runs that failed.
        strong: Best, or not separated from the best.
        is_optimum: The row of the best architecture that the source knows.
    """

    label: str
    entry: Entry | None = None
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    std: float | None = None
    median: float | None = None
    best: float | None = None
    regret: float | None = None
    rank: float | None = None
    evaluations: float | None = None
    days: float | None = None
    n: int | None = None
    failures: int | None = None
    strong: bool = False
    is_optimum: bool = False

    @property
    def is_reference(self) -> bool:
        """True for a row that no run stands behind."""
        return self.entry is None

    @property
    def has_failed(self) -> bool:
        """True for an entry of which no run came to a result."""
        return self.entry is not None and self.mean is None


def final_rows(panel: Panel) -> list[FinalRow]:
    """Order a panel's entries by mean error, those without a result last, then the references."""
    entries = sorted(
        panel.entries, key=lambda e: (math.inf if e.final.mean is None else e.final.mean, e.label)
    )
    return [*(_entry_row(entry) for entry in entries), *_reference_rows(panel)]


def oracle_label(panel: Panel) -> str:
    """Name the optimum for what it is: best of a table, of a model's predictions, or known by other means."""
    return ORACLE_LABELS.get(panel.kind, "oracle (best known)")


def random_stop(panel: Panel) -> int | None:
    """Find the last point of the random-search expectation that the budget pays for.

    Returns:
        Index into ``reference.random``, or None where the source has none or the budget ends before it.
    """
    random = panel.reference.random
    if random is None:
        return None
    budget = parse_budget(panel.budget)
    if budget.evaluations is not None:
        spent, limit = [float(n) for n in random.evaluations], float(budget.evaluations)
    else:
        spent, limit = random.days, days(budget.seconds or 0.0)
    within = [i for i, amount in enumerate(spent) if amount <= limit * (1.0 + 1e-9)]
    return within[-1] if within else None


def error_text(row: FinalRow) -> str:
    """Write mean and spread in percent: ``5.63 ± 0.21``, or ``5.63`` where there is no spread."""
    if row.mean is None:
        if not row.has_failed:
            return MISSING
        return "failed" if row.failures else "no result"
    return format_error(row.mean) + (f" ± {format_error(row.std)}" if row.std is not None else "")


def interval_text(low: float | None, high: float | None) -> str:
    """Write an interval of errors in percent, ``""`` where there is none."""
    return "" if low is None or high is None else f"{format_error(low)}–{format_error(high)}"


def percent_text(error: float | None) -> str:
    """Write one error in percent, an en dash where it is missing."""
    return MISSING if error is None else format_error(error)


def amount_text(amount: float | None) -> str:
    """Write days or counts with three significant digits and no exponent where one can be avoided."""
    if amount is None:
        return MISSING
    return f"{amount:,.0f}" if abs(amount) >= 1000 else f"{amount:.3g}"


def ratio_text(row: FinalRow) -> str:
    """Write the cost to target as a share of random search's: ``0.41× (0.33–0.52)``."""
    target = row.entry.to_target if row.entry else None
    if target is None or target.ratio is None:
        return MISSING
    if target.ratio_low is None or target.ratio_high is None:
        return f"{target.ratio:.2f}×"
    return f"{target.ratio:.2f}× ({target.ratio_low:.2f}–{target.ratio_high:.2f})"


def reached_text(row: FinalRow) -> str:
    """Count the runs that reached the target and give their median days: ``27/30 · 2.05``; else ``""``."""
    target = row.entry.to_target if row.entry else None
    if target is None:
        return ""
    when = "" if target.median_days is None else f" · {amount_text(target.median_days)}"
    return f"{target.reached}/{target.n}{when}"


def failures_text(row: FinalRow) -> str:
    """Count failed runs and failed trials; ``0`` where nothing failed."""
    if row.entry is None:
        return MISSING
    runs, trials = len(row.entry.failures), row.entry.failed_trials
    parts = [_count(runs, "run")] if runs else []
    parts += [_count(trials, "trial")] if trials else []
    return ", ".join(parts) or "0"


def short_id(leaderboard: Leaderboard) -> str:
    """Return the first twelve hex digits of the id: what titles and file names carry."""
    return leaderboard.id[:12]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _entry_row(entry: Entry) -> FinalRow:
    final = entry.final
    return FinalRow(
        label=entry.label,
        entry=entry,
        mean=final.mean,
        low=final.low,
        high=final.high,
        std=final.std,
        median=final.median,
        best=final.best,
        regret=final.regret,
        rank=final.rank,
        evaluations=entry.evaluations,
        days=entry.days,
        n=final.n,
        failures=len(entry.failures),
        strong=entry.is_best or entry.not_separated,
    )


def _reference_rows(panel: Panel) -> list[FinalRow]:
    rows, reference = [], panel.reference
    stop = random_stop(panel)
    if reference.random is not None and stop is not None:
        error = reference.random.error[stop]
        rows.append(
            FinalRow(
                label=RANDOM_LABEL,
                mean=error,
                regret=_regret(error, reference),
                evaluations=float(reference.random.evaluations[stop]),
                days=reference.random.days[stop],
            )
        )
    if reference.optimum_error is not None:
        rows.append(
            FinalRow(label=oracle_label(panel), mean=reference.optimum_error, regret=0.0, is_optimum=True)
        )
    return rows


def _regret(error: float, reference: Reference) -> float | None:
    return None if reference.optimum_error is None else error - reference.optimum_error
