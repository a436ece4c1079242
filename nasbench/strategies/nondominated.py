"""Comparing points of several objectives, all to be made small: fronts and crowding.

One point dominates another when it is nowhere larger and somewhere smaller. Plain functions of arrays, for
strategies that keep a population; what they are compared on is theirs.

Source: Deb, Pratap, Agarwal and Meyarivan 2002, section III.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[np.float64]


def dominance(objectives: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Say of every two of (n, m) points whether the first dominates the second; (n, n)."""
    points = np.asarray(objectives, dtype=np.float64)
    first, second = points[:, None, :], points[None, :, :]  # (n, 1, m), (1, n, m)
    dominates = (first <= second).all(axis=2)
    dominates &= (first < second).any(axis=2)
    return np.asarray(dominates, dtype=np.bool_)


def front_numbers(objectives: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Number the fronts of (n, m) points; (n,).

    Front 0 is dominated by nobody, and front k by nobody once the fronts before it are taken away.
    """
    dominates = dominance(objectives)
    n_dominating = dominates.sum(axis=0)
    numbers = np.full(len(dominates), -1, dtype=np.int64)
    front = 0
    while (numbers < 0).any():
        members = (numbers < 0) & (n_dominating == 0)
        numbers[members] = front
        n_dominating -= dominates[members].sum(axis=0)
        front += 1
    return numbers


def crowding_distances(objectives: npt.ArrayLike) -> _Array:
    """Measure how far the neighbours of each of (n, m) points of one front are; (n,).

    The sum over objectives of the gap between the next smaller and the next larger value, as a share of the
    objective's range. The ends of each objective are infinitely far; an objective with no range adds
    nothing to the others. Equal values count as neighbours in the order given.
    """
    points = np.asarray(objectives, dtype=np.float64)
    distances = np.zeros(len(points))
    for values in points.T:
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        distances[order[[0, -1]]] = np.inf
        extent = ordered[-1] - ordered[0]
        if extent > 0:
            distances[order[1:-1]] += (ordered[2:] - ordered[:-2]) / extent
    return distances
