"""Trainers for the tests: deterministic numbers instead of training, and ways to go wrong."""

from __future__ import annotations

import hashlib
import os
import signal
import struct
import time

from nasbench.populate.job import Facts, Job, Outcome, Task, Trainer
from nasbench.populate.pool import Event, Finished, Ready
from nasbench.populate.worker import timed
from nasbench.training.recipe import Recipe

RECIPE = Recipe(epochs=4, batch_size=8, learning_rate=0.1)
JOB = Job(space="nb201", data="toy", recipe=RECIPE, epochs=4)
FACTS = Facts("toy", {"train": 10, "valid": 5}, "one core", "cpu")


def numbers(task: Task, *, epochs: int, pause: float = 0.0) -> Outcome:
    digest = hashlib.sha256(repr((task.code, task.replicate)).encode()).digest()
    draws = [value / 2**32 for value in struct.unpack("8I", digest)]
    valid = tuple(draws[e % 8] for e in range(epochs))
    if pause:
        time.sleep(pause)
    return Outcome(
        code=task.code,
        replicate=task.replicate,
        status="ok",
        seconds=float(epochs),
        curves={
            "valid_error": valid,
            "test_error": tuple((v + 0.1) / 2 for v in valid),
            "train_seconds": tuple(float(e + 1) for e in range(epochs)),
        },
        scalars={"parameters": sum(task.code) + 1},
        provenance={"device": "one core", "seed": task.replicate},
    )


class Fake:
    pause = 0.0

    def __init__(self, job: Job, device: str) -> None:
        self.facts = FACTS
        self.epochs = job.epochs

    def train(self, task: Task) -> Outcome:
        self.before(task)
        return numbers(task, epochs=self.epochs, pause=self.pause)

    def before(self, task: Task) -> None:
        pass


class Slow(Fake):
    pause = 0.02


class Poisoned(Fake):
    """Raises for codes that begin with 1, dies for those with 2, hangs for those with 3."""

    def before(self, task: Task) -> None:
        first = task.code[0]
        if first == 1:
            raise ValueError("poison")
        if first == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        if first == 3:
            time.sleep(600)


class Diverging(Fake):
    """Fails after two epochs for codes that begin with 2."""

    def train(self, task: Task) -> Outcome:
        whole = numbers(task, epochs=self.epochs)
        if task.code[0] != 2:
            return whole
        return Outcome(
            code=task.code,
            replicate=task.replicate,
            status="failed",
            reason="diverged: the training loss became nan in epoch 3",
            seconds=2.5,
            curves={name: values[:2] for name, values in whole.curves.items()},
            scalars=whole.scalars,
            provenance=whole.provenance,
        )


def broken(job: Job, device: str) -> Fake:
    raise RuntimeError("no data here")


def stillborn(job: Job, device: str) -> Fake:
    os._exit(7)


class InProcess:
    """A pool of one worker in this process."""

    slots = 1

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.waiting: list[Task] = []
        self.done: list[Task] = []
        self.is_bound = False

    @property
    def busy(self) -> int:
        return len(self.waiting)

    @property
    def idle(self) -> int:
        return 1 - len(self.waiting)

    def submit(self, task: Task) -> None:
        self.waiting.append(task)

    def wait(self, seconds: float) -> list[Event]:
        events: list[Event] = [] if self.is_bound else [Ready(self.trainer.facts)]
        self.is_bound = True
        while self.waiting:
            task = self.waiting.pop()
            self.done.append(task)
            events.append(Finished(timed(self.trainer, task)))
        return events

    def close(self) -> None:
        pass
