"""What an audit comes to: equal, explained by the noise between repeats, or neither.

Trainings that are not equal to the bit are held against the noise that the table itself measured: of two
repeats of one architecture the difference has a standard deviation of sqrt(2) sd. The table passes if the sum
of squared deviations is not beyond the 99.9 % point of chi squared, and their mean not beyond 3.29 of its own
standard deviations (two-sided 99.9 %).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nasbench.reports.audit_trials import AuditTrial
from nasbench.runs.columns import RunColumns
from nasbench.units import format_error

_LEVEL = 0.999
_Z = 3.2905267314919255  # two-sided 99.9 % of the normal distribution


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict of an audit.

    Attributes:
        agrees: Whether nothing parts by more than the noise explains.
        compared: Distinct live trainings that the table holds too.
        equal: Of these, equal to the bit.
        should_be_equal: Of these, made by the same device, threads, torch and code.
        unexplained: Sentences on what nothing explains; empty where it agrees.
        sentences: The verdict in words, most important first.
        chi_square: Sum of squared deviations of those not equal, or None.
        limit: Its 99.9 % point, or None.
        bias: Mean deviation of those not equal, in its own standard deviations, or None.
    """

    agrees: bool
    compared: int
    equal: int
    should_be_equal: int
    unexplained: tuple[str, ...]
    sentences: tuple[str, ...]
    chi_square: float | None
    limit: float | None
    bias: float | None


def judge(
    trials: Sequence[AuditTrial], on_table: RunColumns, live: RunColumns, parts_at: int | None
) -> Judgement:
    """Judge an audit.

    Args:
        trials: The live trials.
        on_table: The search on the table.
        live: The live search.
        parts_at: First number at which their proposals differ, or None.
    """
    cells = {
        (t.architecture, t.epochs, t.replicate): t for t in reversed(trials) if t.equal is not None
    }  # each training once, the first time it was met
    compared = list(cells.values())
    differing = [t for t in compared if not t.equal]
    unexplained: list[str] = []
    if not compared:
        unexplained.append("No live training could be compared with the table: it holds none of them.")
    changed = [t for t in differing if t.status != t.recorded_status]
    if changed:
        first = min(changed, key=lambda t: t.number)
        unexplained.append(
            f"{len(changed)} trainings ended otherwise than recorded, the first at trial {first.number} "
            f"({first.architecture}: recorded {first.recorded_status}, live {first.status})."
        )
    chi_square, limit, bias = _against_noise(differing, unexplained)
    unexplained += _about_parting(trials, on_table, live, parts_at)
    should = [t for t in compared if t.same_origin]
    return Judgement(
        agrees=not unexplained,
        compared=len(compared),
        equal=len(compared) - len(differing),
        should_be_equal=len(should),
        unexplained=tuple(unexplained),
        sentences=tuple(_sentences(compared, differing, should, unexplained, trials, parts_at)),
        chi_square=chi_square,
        limit=limit,
        bias=bias,
    )


def _against_noise(
    differing: Sequence[AuditTrial], unexplained: list[str]
) -> tuple[float | None, float | None, float | None]:
    """Hold the differences against the noise; what it cannot explain is added to the list."""
    from scipy.stats import chi2

    both = [t for t in differing if t.error is not None and t.recorded_error is not None]
    if not both:
        return None, None, None
    unknown = [t for t in both if t.deviation is None]
    if unknown:
        unexplained.append(
            f"{len(unknown)} errors differ and the table has no noise to explain it: too little was trained "
            "twice."
        )
    deviations = [t.deviation for t in both if t.deviation is not None]
    if not deviations:
        return None, None, None
    chi_square = math.fsum(d * d for d in deviations)
    limit = float(chi2.ppf(_LEVEL, len(deviations)))
    bias = math.fsum(deviations) / math.sqrt(len(deviations))
    if chi_square > limit:
        unexplained.append(
            f"The {len(deviations)} errors that differ differ by more than repeats do: chi squared "
            f"{chi_square:.1f}, 99.9 % point {limit:.1f}."
        )
    if abs(bias) > _Z:
        side = "higher" if bias > 0 else "lower"
        unexplained.append(f"Live errors are {side} on the whole: {abs(bias):.1f} standard deviations.")
    return chi_square, limit, bias


def _about_parting(
    trials: Sequence[AuditTrial], on_table: RunColumns, live: RunColumns, parts_at: int | None
) -> list[str]:
    """Find a parting that no error caused, and searches that failed."""
    found = []
    for name, run in (("on the table", on_table), ("live", live)):
        if run.end == "failed":
            found.append(f"The search {name} failed: {run.reason}")
    if parts_at is not None and all(t.equal for t in trials if t.number < parts_at):
        found.append(
            f"The searches part at trial {parts_at} though every error before it was equal: the strategy "
            "goes by something else than errors, or not by its seed alone."
        )
    return found


def _sentences(
    compared: Sequence[AuditTrial],
    differing: Sequence[AuditTrial],
    should: Sequence[AuditTrial],
    unexplained: Sequence[str],
    trials: Sequence[AuditTrial],
    parts_at: int | None,
) -> list[str]:
    out = list(unexplained)
    n, equal = len(compared), len(compared) - len(differing)
    if n and not differing:
        out.append(f"All {n} trainings have the recorded errors to the bit.")
    elif n:
        largest = max(
            (
                abs(t.error - t.recorded_error)
                for t in differing
                if t.error is not None and t.recorded_error is not None
            ),
            default=0.0,
        )
        explained = "" if unexplained else ", as much as the table's own noise explains"
        out.append(
            f"{equal} of {n} trainings have the recorded errors to the bit; the others differ by up to "
            f"{format_error(largest)} points{explained}."
        )
    if parts_at is None:
        out.append(f"Both searches proposed the same {len(trials)} trainings.")
    else:
        cause = next((t.number for t in trials if t.equal is False), None)
        why = "" if cause is None else f", after the first other error at trial {cause}"
        out.append(f"The searches propose the same up to trial {parts_at}{why}.")
    broken = sum(1 for t in should if not t.equal)
    if broken:
        out.append(
            f"{broken} of {len(should)} trainings made by the same device, threads, torch and code differ "
            "all the same."
        )
    elif should:
        out.append(
            f"{len(should)} of {n} recorded trainings were made by the same device, threads, torch and code."
        )
    elif n:
        out.append(
            "No recorded training was made by the same device, threads, torch and code, so none "
            "need be equal."
        )
    return out
