"""What random search is worth in expectation, exactly, from every recorded training.

Random search draws architectures uniformly with replacement; each draw is answered by one of its
recorded repeats, uniformly. So a draw is one (architecture, repeat) pair, of weight 1 / (N r_a) where the
architecture has r_a repeats. Its incumbent after n draws is the pair of the lowest validation error among
them, the first drawn in a tie. Let the distinct errors be v_1 < v_2 < ... and S_g the chance that one draw
is at or above v_g: the incumbent's error is v_g with chance S_g^n - S_(g+1)^n, and within the group each
pair is first in proportion to its weight. Nothing is sampled, so the line has no error bar.

On the axis of days the point of n evaluations stands at n times the mean seconds of a draw: by Wald's
identity that is the exact expected cost of n draws.

Source: our own derivation; order statistics of a discrete law, e.g. Arnold, Balakrishnan and Nagaraja 1992.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DrawLaw:
    """The law of one draw, its pairs gathered into groups of equal validation error.

    Attributes:
        log_tail: (G + 1,) logarithm of the chance that a draw is at or above the error of group g; the last
            is minus infinity.
        group: (P,) group of each pair, from 0 for the lowest error.
        share: (P,) weight of a pair within its group; sums to 1 over a group.
        score: (P,) score of the pair's architecture.
    """

    log_tail: Floats
    group: npt.NDArray[np.int64]
    share: Floats
    score: Floats


def draw_law(valid: Floats, score: Floats) -> DrawLaw:
    """Gather a table into the law of one draw.

    Args:
        valid: (N, R) validation error of every recorded repeat; nan where an architecture has fewer.
        score: (N,) what each architecture is worth once handed over.

    Raises:
        BadOption: The shapes disagree, an architecture has no repeat, or a score is missing.
    """
    if valid.ndim != 2 or score.shape != valid.shape[:1] or len(score) == 0:
        raise BadOption(
            f"valid, score: expected shapes (N, R) and (N,) with N >= 1, got {valid.shape} "
            f"and {score.shape}. "
            "Pass one row an architecture."
        )
    has = np.isfinite(valid)
    repeats = has.sum(axis=1)
    if not (repeats.all() and np.isfinite(score).all()):
        raise BadOption(
            f"valid, score: expected a repeat and a score of every architecture, got "
            f"{int((repeats == 0).sum())} without a repeat and {int((~np.isfinite(score)).sum())} "
            "without a score. "
            "Random search would draw them too, so there is no exact expectation."
        )
    architecture, _ = np.nonzero(has)
    errors, group = np.unique(valid[has], return_inverse=True)
    # Weights are whole multiples of 1 / (N * unit), so tails are exact as long as they fit.
    unit = math.lcm(*(int(r) for r in np.unique(repeats)))
    weight = (unit / repeats[architecture]).astype(np.float64)
    total = float(unit) * len(score)
    by_group = np.bincount(group, weights=weight, minlength=len(errors))
    below = np.concatenate(([0.0], np.cumsum(by_group)[:-1])) / total
    log_tail = np.append(np.log1p(-below), -np.inf)
    return DrawLaw(log_tail, group.astype(np.int64), weight / by_group[group], score[architecture])


def expected_score(law: DrawLaw, evaluations: npt.ArrayLike) -> Floats:
    """Average the score of the incumbent after n evaluations.

    Args:
        law: As ``draw_law`` makes it.
        evaluations: (k,) numbers n >= 1.

    Returns:
        (k,) expected scores.

    Raises:
        BadOption: A number is below 1.
    """
    group_score = np.bincount(law.group, weights=law.share * law.score, minlength=len(law.log_tail) - 1)
    return np.array([math.fsum((_chances(law, n) * group_score).tolist()) for n in _counts(evaluations)])


def score_quantiles(law: DrawLaw, evaluations: npt.ArrayLike, levels: npt.ArrayLike) -> Floats:
    """Find quantiles of the score of the incumbent after n evaluations.

    Args:
        law: As ``draw_law`` makes it.
        evaluations: (k,) numbers n >= 1.
        levels: (q,) in (0, 1), e.g. 0.5 for the median.

    Returns:
        (k, q): the lowest score s such that the incumbent scores at most s with at least that chance.

    Raises:
        BadOption: A number is below 1, or a level is outside (0, 1).
    """
    wanted = np.atleast_1d(np.asarray(levels, dtype=np.float64))
    if not ((wanted > 0.0) & (wanted < 1.0)).all():
        raise BadOption(f"levels: expected numbers in (0, 1), got {wanted.tolist()}. The median is 0.5.")
    order = np.argsort(law.score, kind="stable")
    scores = law.score[order]
    rows = []
    for n in _counts(evaluations):
        reached = np.cumsum((_chances(law, n)[law.group] * law.share)[order])
        rows.append(scores[np.minimum(np.searchsorted(reached, wanted - 1e-12), len(scores) - 1)])
    return np.array(rows).reshape(len(rows), len(wanted))


def expected_seconds(seconds: Floats, evaluations: npt.ArrayLike) -> Floats:
    """Average the cost of n evaluations: n times the mean seconds of a draw (Wald's identity).

    Args:
        seconds: (N, R) training seconds of every recorded repeat; nan where there is none.
        evaluations: (k,) numbers n >= 1.

    Returns:
        (k,) seconds.

    Raises:
        BadOption: A number is below 1, or an architecture has no recorded seconds.
    """
    has = np.isfinite(seconds)
    if seconds.ndim != 2 or not has.any(axis=1).all() or len(seconds) == 0:
        raise BadOption(
            f"seconds: expected (N, R) with a number for every architecture, got shape {seconds.shape}. "
            "Random search would pay for all of them."
        )
    per_architecture = np.where(has, seconds, 0.0).sum(axis=1) / has.sum(axis=1)
    return math.fsum(per_architecture.tolist()) / len(seconds) * _counts(evaluations)


def _chances(law: DrawLaw, n: float) -> Floats:
    # S_g^n - S_(g+1)^n, (G,), as S_g^n (1 - (S_(g+1) / S_g)^n): no cancellation where both are near 1.
    powers = n * law.log_tail
    return np.asarray(np.exp(powers[:-1]) * -np.expm1(powers[1:] - powers[:-1]))


def _counts(evaluations: npt.ArrayLike) -> Floats:
    n = np.atleast_1d(np.asarray(evaluations, dtype=np.float64))
    if not (n >= 1.0).all():
        raise BadOption(f"evaluations: expected numbers >= 1, got {n.tolist()}. Start the grid at 1.")
    return n
