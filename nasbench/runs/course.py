"""The course of trials on a simulated cluster: a worker, a start, the epochs it passes, and its end.

The loop pushes each course's next event on its heap of times; when it is due, ``Courses.step`` reports the
epoch to the strategy or ends the trial. Nothing here knows the budget.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, replace

from nasbench.evaluation.evaluator import Evaluator, Milestone
from nasbench.records import Measurement, Proposal, Status, Trial, Verdict
from nasbench.runs.cluster import Cluster, Fate, draw_fate
from nasbench.runs.watching import Watcher, as_it_stands


@dataclass(slots=True)
class Course:
    """One trial on its worker.

    Attributes:
        trial: As it will be told: updated when it ends otherwise than foreseen.
        measurement: What is recorded of it; the same.
        milestones: Epochs at which the strategy is asked, in order.
        fate: What befalls it.
        worker: Which worker it runs on, from 0.
        speed: Reference seconds a second of the run's clock.
        startup_seconds: Before each start.
        next: Index of the next milestone.
    """

    trial: Trial
    measurement: Measurement
    milestones: list[Milestone]
    fate: Fate
    worker: int
    speed: float
    startup_seconds: float
    next: int = 0

    def clock_at(self, progress: float) -> tuple[float, float]:
        """Return the run clock, and the charged seconds, when so much of the training is done."""
        work, starts = self.fate.work(progress)
        return self._after(work, starts)

    def _after(self, work: float, starts: int) -> tuple[float, float]:
        overhead = starts * self.startup_seconds
        return self.trial.started_seconds + overhead + work / self.speed, overhead + work

    def failing(self) -> tuple[float, float]:
        """Return the run clock, and the charged seconds, when its fate ends it; infinite if it does not."""
        if self.fate.fails_after_seconds is None:
            return math.inf, math.inf
        return self._after(self.fate.fails_after_seconds, 1 + len(self.fate.preemptions))


class Courses:
    """All trials under way on a simulated cluster.

    Args:
        evaluator: Gives the milestones, and is told of trials that end early.
        cluster: Settings of the workers.
        workers: Their number.
        watcher: Asks the strategy about running trials; None where it does not want to know.
    """

    def __init__(self, evaluator: Evaluator, cluster: Cluster, workers: int, watcher: Watcher | None) -> None:
        self._evaluator = evaluator
        self._cluster = cluster
        self._watcher = watcher
        self._idle = list(range(workers))

    def start(self, proposal: Proposal, trial: Trial, measurement: Measurement) -> tuple[float, Course]:
        """Put a trial on the idle worker with the lowest number; return when its first event is due.

        An answer that costs nothing (a cached repeat) takes its worker no time and is not reported.
        """
        cluster = self._cluster
        worker = heapq.heappop(self._idle)
        length = trial.charged_seconds
        passed: list[Milestone] = []
        if length > 0 and (self._watcher is not None or cluster.preemptions_per_day):
            passed = self._evaluator.milestones(trial.number, proposal.continues)
        fate = Fate()
        if length > 0:
            fate = draw_fate(
                cluster,
                self._evaluator.seed,
                trial.number,
                seconds=length,
                checkpoints=[seconds for _, _, seconds in passed],
            )
        is_watched = self._watcher is not None and trial.purpose == "search"
        course = Course(
            trial,
            measurement,
            passed if is_watched else [],
            fate,
            worker,
            cluster.speeds[worker % len(cluster.speeds)],
            cluster.startup_seconds if length > 0 else 0.0,
        )
        if fate.fails_after_seconds is None:
            finished, charged = course.clock_at(length)
            trial.finished_seconds, trial.charged_seconds = finished, charged
        else:
            self._fail(course)
        return self._due(course), course

    def _due(self, course: Course) -> float:
        """Say when the next event of a trial is due."""
        if course.next < len(course.milestones):
            at = course.clock_at(course.milestones[course.next][2])[0]
            if at < course.trial.finished_seconds:
                return at
            course.next = len(course.milestones)
        return course.trial.finished_seconds

    def step(self, course: Course, now: float) -> float | None:
        """Handle the event of a trial that is due now; return when its next is due, None once it has ended.

        Raises:
            Fault: The strategy raised or returned no verdict.
        """
        number = course.trial.number
        if course.next >= len(course.milestones):
            heapq.heappush(self._idle, course.worker)
            if course.fate.fails_after_seconds is not None:
                self._evaluator.cut(number, epochs=course.trial.epochs, seconds=math.nan)
            return None
        epochs, found, seconds = course.milestones[course.next]
        course.next += 1
        charged = course.clock_at(seconds)[1]
        shown = as_it_stands(
            course.trial, epochs=epochs, valid_error=found.valid_error, charged=charged, now=now
        )
        verdict = Verdict.CONTINUE if self._watcher is None else self._watcher.ask(shown)
        if verdict is Verdict.CONTINUE:
            return self._due(course)
        is_stopped = verdict is Verdict.STOP
        self._evaluator.cut(number, epochs=epochs, seconds=math.nan if is_stopped else found.train_seconds)
        status: Status = "stopped" if is_stopped else "ok"
        course.trial = as_it_stands(
            course.trial, epochs=epochs, valid_error=found.valid_error, charged=charged, now=now
        )
        course.trial.status = status
        course.measurement = replace(found, status=status)
        heapq.heappush(self._idle, course.worker)
        return None

    def _fail(self, course: Course) -> None:
        """Let a trial end as its fate has it: failed, and paid unless failures are free."""
        trial = course.trial
        finished, charged = course.failing()
        if self._evaluator.charging.failed == "free":
            charged = 0.0
        trial.status, trial.valid_error = "failed", None
        trial.finished_seconds, trial.charged_seconds = finished, charged
        course.measurement = Measurement(None, None, charged, "failed", course.fate.reason)
