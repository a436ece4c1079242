"""The simulated cluster: how fast its workers are, how long they take to start, and what befalls them.

Everything is drawn by the number of the trial under the run's seed, so that the same run meets the same
failures on any machine. Rates are per day of work: seconds of training on the reference device.

* ``speeds``: worker i trains ``speeds[i % len(speeds)]`` reference seconds in one second of the run's clock.
  A run pays reference seconds whatever the worker, so that pages never mix devices on one axis.
* ``startup_seconds``: a worker's seconds before each training, and before it goes on after a preemption. They
  are paid: the device is taken.
* ``failures_per_day``: a failed trial has cost its time and has no error.
* ``preemptions_per_day``: the training goes on from the last epoch that its source measured, else from its
  beginning; the work in between is done, and paid, twice.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from nasbench.errors import BadOption
from nasbench.seeds import generator
from nasbench.units import seconds_of_days

MOST_PREEMPTIONS = 1_000
"""After so many preemptions of one trial it counts as failed: at such a rate it would never end."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Settings of the simulated cluster; the defaults are workers that are equal and never fail.

    Attributes:
        speeds: Factors > 0, dealt to the workers in turn.
        startup_seconds: >= 0.
        failures_per_day: Mean number a day of work, >= 0.
        preemptions_per_day: Mean number a day of work, >= 0.

    Raises:
        BadOption: A setting is out of its range.
    """

    speeds: tuple[float, ...] = (1.0,)
    startup_seconds: float = 0.0
    failures_per_day: float = 0.0
    preemptions_per_day: float = 0.0

    def __post_init__(self) -> None:
        if not self.speeds or not all(_is_number(v) and 0 < v < math.inf for v in self.speeds):
            raise BadOption(f"cluster.speeds: expected one or more numbers > 0, got {list(self.speeds)}.")
        for name in ("startup_seconds", "failures_per_day", "preemptions_per_day"):
            value = getattr(self, name)
            if not (_is_number(value) and 0 <= value < math.inf):
                raise BadOption(f"cluster.{name}: expected a number >= 0, got {value!r}.")

    @classmethod
    def of(cls, settings: dict[str, Any]) -> Cluster:
        """Make a cluster from a mapping, as a suite or a record header holds it.

        Raises:
            BadOption: A setting that does not exist or is out of its range.
        """
        known = [f.name for f in fields(cls)]
        for name in settings:
            if name not in known:
                raise BadOption(f"cluster: expected settings among {', '.join(known)}, got {name!r}.")
        given = dict(settings)
        if "speeds" in given:
            speeds = given["speeds"]
            given["speeds"] = tuple(speeds) if isinstance(speeds, list | tuple) else (speeds,)
        return cls(**given)

    def as_dict(self) -> dict[str, Any]:
        """Return what differs from the defaults, by name; empty for a plain cluster."""
        plain = asdict(Cluster())
        mine = {name: value for name, value in asdict(self).items() if value != plain[name]}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in mine.items()}

    @property
    def is_plain(self) -> bool:
        """Whether workers are equal and nothing befalls them."""
        return self == Cluster()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Fate:
    """What befalls one trial on its worker.

    Attributes:
        preemptions: (progress reached, progress gone on from) of each, seconds of the training.
        fails_after_seconds: Work done when the trial fails for good; None if it does not.
        reason: Why it fails, or ``""``.
    """

    preemptions: tuple[tuple[float, float], ...] = ()
    fails_after_seconds: float | None = None
    reason: str = ""

    def work(self, progress: float) -> tuple[float, int]:
        """Return the seconds of work until ``progress`` is first reached, and the starts they took."""
        lost = [reached - back for reached, back in self.preemptions if reached < progress]
        return progress + sum(lost), 1 + len(lost)


def draw_fate(
    cluster: Cluster, seed: int, number: int, *, seconds: float, checkpoints: Sequence[float]
) -> Fate:
    """Draw what befalls a trial, by its number.

    Args:
        cluster: Rates.
        seed: Root seed of the run.
        number: Number of the trial.
        seconds: Length of its training, reference seconds.
        checkpoints: Progress from which a preempted training can go on, increasing seconds.
    """
    if not (cluster.failures_per_day or cluster.preemptions_per_day):
        return Fate()
    rng = generator(seed, "cluster", str(number))
    fails_at = _wait(rng, cluster.failures_per_day)
    preemptions: list[tuple[float, float]] = []
    progress = work = 0.0
    while True:
        until = _wait(rng, cluster.preemptions_per_day)
        step = min(until, seconds - progress)
        if work + step > fails_at:
            return Fate(tuple(preemptions), fails_at, f"simulated failure after {fails_at:.0f} s of work")
        if until >= seconds - progress:
            return Fate(tuple(preemptions))
        work += step
        progress += step
        at = bisect_right(checkpoints, progress)
        back = checkpoints[at - 1] if at else 0.0
        preemptions.append((progress, back))
        progress = back
        if len(preemptions) == MOST_PREEMPTIONS:
            return Fate(tuple(preemptions), work, f"simulated preemption for the {MOST_PREEMPTIONS:,}th time")


def _wait(rng: np.random.Generator, per_day: float) -> float:
    """Draw the seconds of work until the next event of a Poisson process."""
    return seconds_of_days(float(rng.standard_exponential())) / per_day if per_day else math.inf
