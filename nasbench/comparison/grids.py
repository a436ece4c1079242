"""Grids: the points of the time axis at which every run of a panel is read."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption

POINTS = 64  # of a grid; enough for a smooth line on a page 1,000 pixels wide


def seconds_grid(earliest: float, latest: float, *, points: int = POINTS) -> npt.NDArray[np.float64]:
    """Space points evenly in the logarithm of charged seconds.

    Args:
        earliest: Seconds at which the first run of the panel has a result; inf or nan where none has.
        latest: Budget of a run, or the most that any run spent, seconds.
        points: Number of points, >= 1.

    Returns:
        (points,) increasing seconds, both ends exact; only ``latest`` where ``earliest`` is zero or not
        below it; empty where there is no result or nothing was spent.

    Raises:
        BadOption: ``points`` is below 1.
    """
    _require_points(points)
    if not (np.isfinite(earliest) and latest > 0.0):
        return np.zeros(0)
    if points == 1 or not 0.0 < earliest < latest:
        return np.array([latest])
    # Nine digits, so that a point is the same number on every processor before any run is read at it.
    grid = np.array([float(f"{point:.9g}") for point in np.geomspace(earliest, latest, points)])
    grid[0], grid[-1] = earliest, latest
    return grid


def evaluations_grid(latest: int, *, points: int = POINTS) -> npt.NDArray[np.float64]:
    """Choose whole numbers from 1 to ``latest``, every one at first, then evenly in the logarithm.

    Args:
        latest: Budget in evaluations, or the most that any run finished.
        points: Most points wanted, >= 1.

    Returns:
        (at most points,) increasing whole numbers; empty where ``latest`` is below 1.

    Raises:
        BadOption: ``points`` is below 1.
    """
    _require_points(points)
    if latest < 1:
        return np.zeros(0)
    return np.unique(np.rint(np.geomspace(latest, 1.0, min(points, latest))))


def _require_points(points: int) -> None:
    if points < 1:
        raise BadOption(f"points: expected a whole number >= 1, got {points}. Ask for at least one point.")
