"""The coordinator's loop: hand out what is missing, commit what comes back, put aside what kills workers."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from nasbench.errors import BadOption
from nasbench.populate.job import Outcome, Task
from nasbench.populate.ledger import QUARANTINED
from nasbench.populate.pool import Crashed, Finished, Pool, Ready
from nasbench.populate.target import Target

TRIES = 3
EXPORT_EVERY = 600.0
# The loop looks up at least so often (seconds), to tell how it goes.
_TICK = 0.5
# A crash that took no measurable time still took some.
_LEAST_SECONDS = 1e-6


@dataclass(slots=True)
class Tally:
    """How a session goes.

    Attributes:
        total: Trainings to be done in this session.
        slots: Trainings at a time.
        done: Finished, failed ones included.
        failed: Diverged, out of memory or quarantined.
        crashes: Times a worker died, raised or hung.
        quarantined: Tasks given up, with the reason.
        elapsed: Seconds since the start.
        busy_seconds: Sum of the workers' seconds over finished trainings.
        last: The last finished training.
        news: What happened since the last report, for people.
    """

    total: int
    slots: int
    done: int = 0
    failed: int = 0
    crashes: int = 0
    quarantined: list[tuple[Task, str]] = field(default_factory=list)
    elapsed: float = 0.0
    busy_seconds: float = 0.0
    last: Outcome | None = None
    news: list[str] = field(default_factory=list)

    @property
    def seconds_each(self) -> float | None:
        """Mean seconds a worker was busy with a training; None before the first."""
        return self.busy_seconds / self.done if self.done else None

    @property
    def seconds_left(self) -> float | None:
        """Estimated seconds to the end; None before the first training."""
        each = self.seconds_each
        return None if each is None else each * (self.total - self.done) / max(self.slots, 1)


Tell = Callable[[Tally], None]


def fill(
    target: Target,
    tasks: Iterable[Task],
    pool: Pool,
    *,
    tries: int = TRIES,
    export_every: float = EXPORT_EVERY,
    tell: Tell = lambda _tally: None,
) -> Tally:
    """Do every task once and write the table.

    Each training is committed to the ledger before its worker gets the next. An interruption (Ctrl-C) loses
    the trainings in flight, writes the table and goes on up; the same call later does the rest.

    Args:
        target: The table.
        tasks: What to train, in this order; usually ``missing(target, ...)``.
        pool: Who trains.
        tries: After so many crashes an architecture is recorded as failed, with the reason.
        export_every: Seconds between two writings of the table file.
        tell: Called about twice a second and at the end.

    Raises:
        BadOption: ``tries`` < 1, or a worker trains other data than the table holds.
        ChildProcessError: No worker can start.
        OSError: The disk is full.
    """
    if tries < 1:
        raise BadOption(f"tries: expected a whole number >= 1, got {tries}.")
    pending = deque(tasks)
    tally = Tally(len(pending), pool.slots)
    started = exported = time.monotonic()
    written = 0
    try:
        while pending or pool.busy:
            while pending and pool.idle:
                pool.submit(pending.popleft())
            for event in pool.wait(_TICK):
                match event:
                    case Ready(facts):
                        target.bind(facts)
                    case Finished(outcome):
                        target.ledger.add([outcome])
                        _count(tally, outcome)
                    case Crashed(task, reason, seconds):
                        if not _give_up(target, tally, task, reason, seconds, tries):
                            pending.append(task)
            now = time.monotonic()
            tally.elapsed = now - started
            tell(tally)
            tally.news.clear()
            if now - exported >= export_every and tally.done > written:
                target.export()
                exported, written = time.monotonic(), tally.done
    except KeyboardInterrupt:
        pool.close()
        target.export()
        raise
    target.export()
    return tally


def missing(target: Target, tasks: Iterable[Task]) -> list[Task]:
    """List the tasks that the target does not hold yet, in their order."""
    held = target.ledger.finished(epochs=target.job.epochs)
    return [task for task in tasks if task not in held]


def _count(tally: Tally, outcome: Outcome) -> None:
    tally.done += 1
    tally.busy_seconds += outcome.wall_seconds
    tally.last = outcome
    if outcome.status == "failed":
        tally.failed += 1
        tally.news.append(f"failed: {_named(outcome.task)}: {outcome.reason}")


def _give_up(target: Target, tally: Tally, task: Task, reason: str, seconds: float, tries: int) -> bool:
    """Commit a crash; after the last try record the training as failed. Returns whether it is given up."""
    tally.crashes += 1
    times = target.ledger.crash(task, reason)
    tally.news.append(f"crash {times} of {tries}: {_named(task)}: {reason}")
    if times < tries:
        return False
    because = f"{QUARANTINED} after {times} tries: {reason}"
    spent = max(seconds, _LEAST_SECONDS)
    outcome = Outcome(
        code=task.code,
        replicate=task.replicate,
        status="failed",
        reason=because,
        seconds=spent,
        wall_seconds=spent,
        provenance={"seed": task.replicate},
    )
    target.ledger.add([outcome])
    _count(tally, outcome)
    tally.quarantined.append((task, because))
    return True


def _named(task: Task) -> str:
    return f"{''.join(map(str, task.code))} replicate {task.replicate}"
