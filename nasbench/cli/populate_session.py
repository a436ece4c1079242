"""One call of ``populate``: estimate, progress, interruption, summary."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from nasbench.cli.output import progress_bar, say
from nasbench.errors import SomeRunsFailed
from nasbench.units import format_seconds

if TYPE_CHECKING:
    from nasbench.populate.cluster import RayPool
    from nasbench.populate.estimate import Estimate
    from nasbench.populate.filling import Tally
    from nasbench.populate.job import Outcome, Task
    from nasbench.populate.local import LocalPool
    from nasbench.populate.target import Target

# Seconds between two lines of progress where there is no terminal.
_LINE_EVERY = 30.0


class Session:
    """One call of the command: estimate, progress, summary."""

    def __init__(self, target: Target, todo: list[Task], *, rows: int, replicates: int) -> None:
        self.target = target
        self.todo = todo
        self.tally: Tally | None = None
        self.estimate: Estimate | None = None
        self._rows = rows
        self._replicates = replicates

    def run(
        self,
        open_pool: Callable[[], LocalPool | RayPool],
        *,
        tries: int,
        export_every: float,
        dry_run: bool,
    ) -> None:
        """Train what is to be done, or a sample of it."""
        from nasbench.populate.estimate import SAMPLE, time_sample
        from nasbench.populate.filling import fill

        mean, count = self.target.ledger.mean_wall_seconds()
        with open_pool() as pool, _terminated_as_interrupted():
            if count >= SAMPLE:
                like = next(self.target.ledger.outcomes())
                self._say_estimate(like, mean, count, pool.slots)
            if dry_run:
                sample = [] if self.estimate else time_sample(pool, self.todo[:SAMPLE])
                if sample:
                    each = sum(outcome.wall_seconds for outcome in sample) / len(sample)
                    self._say_estimate(sample[0], each, len(sample), pool.slots)
                elif self.estimate is None:
                    raise SomeRunsFailed(
                        "populate: every training of the sample crashed. Run without --dry-run to see why."
                    )
                return
            with _progress(len(self.todo)) as show:

                def tell(tally: Tally) -> None:
                    if self.estimate is None and tally.done >= max(SAMPLE, tally.slots) and tally.last:
                        self._say_estimate(tally.last, tally.seconds_each or 0.0, tally.done, tally.slots)
                    show(tally)

                self.tally = fill(
                    self.target, self.todo, pool, tries=tries, export_every=export_every, tell=tell
                )
        tally = self.tally
        say(
            f"done: {tally.done:,} trainings in {format_seconds(tally.elapsed)}, {tally.failed:,} failed, "
            f"{tally.crashes:,} crashes; wrote {self.target.path}"
        )

    def _say_estimate(self, like: Outcome, each: float, sample: int, slots: int) -> None:
        from nasbench.populate.estimate import estimate

        trainings = len(self.todo)

        self.estimate = estimate(
            trainings=trainings,
            slots=slots,
            seconds_each=each,
            sample=sample,
            like=like,
            rows=self._rows,
            replicates=self._replicates,
        )
        say(
            f"estimate: {trainings:,} trainings of {format_seconds(each)} (mean of {sample:,}) on {slots} "
            f"workers: {format_seconds(self.estimate.seconds)}; table about "
            f"{self.estimate.table_bytes / 1e6:.1f} MB"
        )

    def summary(self) -> dict[str, Any]:
        """Return what happened, for programs."""
        from nasbench.spaces import get_space

        tally, space = self.tally, get_space(self.target.job.space)
        return {
            "table": str(self.target.path),
            "name": self.target.name,
            "to_do": len(self.todo),
            "estimate": None if self.estimate is None else dataclasses.asdict(self.estimate),
            "done": tally.done if tally else 0,
            "failed": tally.failed if tally else 0,
            "crashes": tally.crashes if tally else 0,
            "quarantined": [
                {"architecture": space.format(task.code), "replicate": task.replicate, "reason": reason}
                for task, reason in (tally.quarantined if tally else [])
            ],
        }


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Treat the polite end that batch systems send (SIGTERM) as Ctrl-C; only the main thread can."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[Tally], None]]:
    """Show a bar where there is a terminal, else a line now and then; news always."""
    if not sys.stderr.isatty():
        yield _Lines().show
        return
    with progress_bar("populate") as bar:

        def show(tally: Tally) -> None:
            for line in tally.news:
                say(line)
            left = tally.seconds_left
            label = "" if left is None else f"{tally.failed} failed, {format_seconds(left)} to go"
            bar(tally.done, total, label)

        yield show


class _Lines:
    """Progress where there is no terminal."""

    def __init__(self) -> None:
        self._last = 0.0

    def show(self, tally: Tally) -> None:
        """Say the news, and every half minute how it goes."""
        for line in tally.news:
            say(line)
        left = tally.seconds_left
        if left is None or tally.elapsed - self._last < _LINE_EVERY:
            return
        self._last = tally.elapsed
        say(
            f"{tally.done:,} of {tally.total:,} trainings, {tally.failed:,} failed, "
            f"{format_seconds(tally.elapsed)} gone, {format_seconds(left)} to go"
        )
