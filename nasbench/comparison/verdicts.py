"""Verdicts: a comparison of two entries in one plain sentence that carries its own numbers."""

from __future__ import annotations

import math

from nasbench.comparison.pairs import WILCOXON, Contrast
from nasbench.units import format_error, percent

ALPHA = 0.05


def verdict(
    label: str, other: str, found: Contrast, holm_p: float, *, mean: float | None, other_mean: float | None
) -> str:
    """Say whether an entry ends lower or higher than another, or is not separated from it.

    Args:
        label: The entry.
        other: What it is compared with.
        found: The comparison, the entry first.
        holm_p: Its p value corrected over the panel.
        mean: Mean final score of the entry over all its runs, fraction; None leaves both means out.
        other_mean: The same of the other.
    """
    if holm_p >= ALPHA or found.difference == 0.0:
        claim = f"{label} is not separated from {other}"
    elif found.difference < 0.0:
        claim = f"{label} ends lower than {other}"
    else:
        claim = f"{label} ends HIGHER than {other}"
    digits = _digits(found.difference)
    means = ""
    if mean is not None and other_mean is not None:
        means = f"{format_error(mean, digits=digits)} vs {format_error(other_mean, digits=digits)} %; "
    seeds = (
        f"n = {found.n} paired seeds" if found.test == WILCOXON else f"n = {found.n} or more runs, not paired"
    )
    sentence = (
        f"{claim}: {means}difference {_points(found.difference, digits)}, 95 % interval "
        f"{_points(found.low, digits)} to {_points(found.high, digits)}, {p_text(holm_p)} after Holm, "
        f"A12 {found.a12:.2f}, {seeds}."
    )
    if found.difference * (0.5 - found.a12) < 0.0:
        sentence += " The means and the ranks point in opposite ways."
    if holm_p >= ALPHA and found.seeds_needed is not None and found.seeds_needed > found.n:
        sentence += f" About {found.seeds_needed} paired seeds would separate them (80 % power, approximate)."
    return sentence


def p_text(p: float) -> str:
    """Write a p value: ``p < 0.001``, else two significant digits."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def _points(difference: float, digits: int) -> str:
    # Percentage points; adding 0.0 turns a rounded -0.00 into 0.00.
    return f"{round(percent(difference), digits) + 0.0:.{digits}f}"


def _digits(difference: float) -> int:
    # At least two decimals of a percent, more where the difference would print with one digit or none.
    size = abs(percent(difference))
    return 2 if size >= 0.1 or size == 0.0 else min(6, 1 - math.floor(math.log10(size)))
