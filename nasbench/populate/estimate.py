"""What a plan will take: seconds from timed trainings, bytes from the shape of the table."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from nasbench.populate.job import Outcome, Task
from nasbench.populate.pool import Crashed, Finished, Pool

SAMPLE = 3
_TICK = 0.5
# Bytes of one training besides its curves (failed, provenance), and of one row besides its code and scalars.
_BYTES_PER_TRAINING = 5
_BYTES_PER_NUMBER = 4
# Names, attributes and one provenance text of a file, roughly.
_BYTES_PER_FILE = 20_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is left to do.

    Attributes:
        trainings: Trainings to be done.
        seconds_each: Mean seconds a worker is busy with one.
        sample: Of how many trainings that is the mean.
        seconds: Wall-clock seconds on all slots.
        table_bytes: Size of the finished table file.
    """

    trainings: int
    seconds_each: float
    sample: int
    seconds: float
    table_bytes: int


def estimate(
    *, trainings: int, slots: int, seconds_each: float, sample: int, like: Outcome, rows: int, replicates: int
) -> Estimate:
    """Estimate from a mean and from one training that looks like the others.

    Args:
        trainings: Trainings to be done.
        slots: Trainings at a time.
        seconds_each: Mean seconds of one.
        sample: Of how many trainings that is the mean.
        like: A finished training; gives the number of curves and epochs.
        rows: Architectures of the finished table.
        replicates: Its repeats.
    """
    curves = len(like.curves) * max(like.epochs, 1) * _BYTES_PER_NUMBER
    per_row = len(like.code) + _BYTES_PER_NUMBER * len(like.scalars)
    return Estimate(
        trainings,
        seconds_each,
        sample,
        seconds_each * trainings / max(slots, 1),
        _BYTES_PER_FILE + rows * (per_row + replicates * (curves + _BYTES_PER_TRAINING)),
    )


def time_sample(pool: Pool, tasks: Iterable[Task]) -> list[Outcome]:
    """Train a few tasks, keep nothing on disk, and return the outcomes; a task that crashes is left out."""
    pending = deque(tasks)
    outcomes = []
    while pending or pool.busy:
        while pending and pool.idle:
            pool.submit(pending.popleft())
        for event in pool.wait(_TICK):
            if isinstance(event, Finished):
                outcomes.append(event.outcome)
            elif isinstance(event, Crashed):
                continue
    return outcomes
