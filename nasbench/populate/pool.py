"""What a pool of workers is, wherever they run: tasks go in, events come out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from nasbench.populate.job import Facts, Outcome, Task


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker has opened data and device."""

    facts: Facts


@dataclass(frozen=True, slots=True)
class Finished:
    """A training came to its end, ok or failed."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Crashed:
    """A training took its worker with it: it raised, died, or ran out of time.

    Attributes:
        task: What was being trained.
        reason: Signal, traceback or time limit.
        seconds: Seconds from its start to its end.
    """

    task: Task
    reason: str
    seconds: float


Event = Ready | Finished | Crashed


class Pool(Protocol):
    """Workers that train; a context manager that leaves none of them behind."""

    @property
    def idle(self) -> int:
        """How many tasks it takes now."""
        ...

    @property
    def busy(self) -> int:
        """How many tasks are being trained."""
        ...

    @property
    def slots(self) -> int:
        """How many tasks can be trained at a time."""
        ...

    def submit(self, task: Task) -> None:
        """Start one task; only while ``idle`` > 0."""
        ...

    def wait(self, seconds: float) -> list[Event]:
        """Wait at most so long for something to happen, and tell what did."""
        ...

    def close(self) -> None:
        """End every worker, whatever it is doing."""
        ...
