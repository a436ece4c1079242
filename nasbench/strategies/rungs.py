"""Rungs: the training lengths at which multi-fidelity strategies compare, and how many reach each.

With the full length R and a reduction factor eta, the rungs lie at R, R/eta, R/eta^2, ... down to the
shortest length wanted. Each is moved to the length nearest by ratio that the source answers for, the shorter
of two equally near; rungs that meet at one length are one rung. Whole numbers throughout: no logarithm is
rounded.

Source: Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar 2018 (Hyperband), Algorithm 1; HpBandSter for the
other formula of bracket sizes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, NamedTuple, get_args

from nasbench.errors import BadOption
from nasbench.strategies.strategy import Setting

Formula = Literal["paper", "hpbandster"]


class Rung(NamedTuple):
    """One step of a bracket.

    Attributes:
        epochs: Training length.
        size: How many architectures are trained this long, at most.
    """

    epochs: int
    size: int


def rung_lengths(setting: Setting, *, eta: int, min_epochs: int | None = None) -> tuple[int, ...]:
    """Choose the training lengths of the rungs, increasing; at least two, the last is the full length.

    Args:
        setting: What the run offers.
        eta: Reduction factor, >= 2.
        min_epochs: No rung is shorter; None means the shortest length of the setting.

    Raises:
        BadOption: An option is out of its range, or the source answers for one training length only.
    """
    lengths, full = setting.epochs, setting.epochs[-1]
    if type(eta) is not int or eta < 2:
        raise BadOption(f"eta: expected a whole number >= 2, got {eta!r}.")
    if len(lengths) < 2:
        raise BadOption(
            f"setting: expected a source with two or more training lengths, got one that answers for {full} "
            "epochs only. A strategy that compares short trainings needs a table or surrogate that records "
            "several lengths of each training, or live training, with a full length of more than one epoch."
        )
    shortest = lengths[0] if min_epochs is None else min_epochs
    if type(shortest) is not int or not 1 <= shortest < full:
        raise BadOption(
            f"min_epochs: expected a whole number from 1 to less than the full length (= {full}), "
            f"got {min_epochs!r}."
        )
    measured = [epochs for epochs in lengths if epochs >= shortest]
    rungs, divisor = set(), 1
    while shortest * divisor <= full:
        rungs.add(_nearest(measured, Fraction(full, divisor)))
        divisor *= eta
    if len(rungs) < 2:
        raise BadOption(
            f"eta: expected a factor that leaves a rung between the shortest length (= {measured[0]}) and "
            f"the full one (= {full}), got {eta}."
        )
    return tuple(sorted(rungs))


def _nearest(lengths: Sequence[int], target: Fraction) -> int:
    """Find the length nearest to ``target`` by ratio, the shorter of two."""
    return min(lengths, key=lambda epochs: (max(epochs / target, target / epochs), epochs))


def halving_bracket(lengths: Sequence[int], *, eta: int, size: int) -> list[Rung]:
    """Make the bracket that begins with ``size`` architectures and keeps 1/eta of them at each rung."""
    return [Rung(epochs, size // eta**k) for k, epochs in enumerate(lengths)]


def hyperband_brackets(lengths: Sequence[int], *, eta: int, formula: Formula) -> list[list[Rung]]:
    """Make the brackets of one iteration of Hyperband, from the one with most rungs to the one with one.

    With s_max + 1 rungs in all, the bracket with s + 1 of them begins with

    * ``"paper"``: ceil((s_max + 1) / (s + 1) eta^s) architectures (Li et al. 2018);
    * ``"hpbandster"``: floor((s_max + 1) / (s + 1)) eta^s (HpBandSter; BOHB and DEHB run on it).

    Raises:
        BadOption: No such formula.
    """
    if formula not in get_args(Formula):
        raise BadOption(f"formula: expected 'paper' or 'hpbandster', got {formula!r}.")
    n_rungs = len(lengths)
    brackets = []
    for s in range(n_rungs - 1, -1, -1):
        size = n_rungs // (s + 1) * eta**s
        if formula == "paper":
            size = math.ceil(Fraction(n_rungs * eta**s, s + 1))
        brackets.append(halving_bracket(lengths[-s - 1 :], eta=eta, size=size))
    return brackets
