"""Workers on this machine: one spawned process a slot, replaced when it dies, killed when it hangs."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from nasbench.errors import CallOrder
from nasbench.populate.job import Facts, Job, Task, TrainerFactory
from nasbench.populate.pool import Crashed, Event, Finished, Ready
from nasbench.populate.worker import work

# A worker that has not opened its data after so long (seconds) hangs; importing torch takes a few.
START_LIMIT = 300.0
# Workers that die one after another before any is ready are no accident.
_FAILED_STARTS = 3


@dataclass(slots=True)
class _Slot:
    """One worker process and what it is doing."""

    device: str
    process: SpawnProcess
    connection: Connection
    since: float
    is_ready: bool = False
    task: Task | None = None


class LocalPool:
    """Spawned processes, one training each at a time.

    Args:
        job: What to train.
        factory: Opens the trainer in each process.
        devices: Device of each slot.
        time_limit: Seconds after which a training counts as hanging and its worker is killed.
    """

    def __init__(
        self, job: Job, factory: TrainerFactory, *, devices: Sequence[str], time_limit: float
    ) -> None:
        self._job = job
        self._factory = factory
        self._time_limit = time_limit
        self._context = multiprocessing.get_context("spawn")
        self._failed_starts = 0
        self._slots: list[_Slot] = []
        try:
            for device in devices:
                self._slots.append(self._spawn(device))
        except BaseException:
            self.close()
            raise

    @property
    def idle(self) -> int:
        """How many workers are ready and without a task."""
        return sum(slot.is_ready and slot.task is None for slot in self._slots)

    @property
    def busy(self) -> int:
        """How many tasks are being trained."""
        return sum(slot.task is not None for slot in self._slots)

    @property
    def slots(self) -> int:
        """How many workers there are."""
        return len(self._slots)

    @property
    def process_ids(self) -> list[int]:
        """Process ids of the workers."""
        return [slot.process.pid or 0 for slot in self._slots]

    def submit(self, task: Task) -> None:
        """Give a task to an idle worker.

        Raises:
            CallOrder: None is idle.
        """
        for slot in self._slots:
            if slot.is_ready and slot.task is None:
                slot.task, slot.since = task, time.monotonic()
                with contextlib.suppress(OSError):  # it died just now: the next wait finds it
                    slot.connection.send(task)
                return
        raise CallOrder("submit: expected an idle worker, got none. Wait for an event first.")

    def wait(self, seconds: float) -> list[Event]:
        """Wait for news of the workers; dead and hanging ones are replaced.

        Raises:
            NasbenchError: A worker could not open its trainer, for a reason that this program names.
            ChildProcessError: Workers die again and again before they are ready.
        """
        deadline = min(slot.since + self._limit(slot) for slot in self._slots) - time.monotonic()
        watched: list[Any] = [slot.connection for slot in self._slots]
        watched += [slot.process.sentinel for slot in self._slots]
        wait(watched, max(0.0, min(seconds, deadline)))
        return [event for number in range(len(self._slots)) for event in self._news(number)]

    def close(self) -> None:
        """Kill every worker and wait until it is gone."""
        for slot in self._slots:
            slot.process.kill()
        for slot in self._slots:
            slot.process.join()
            slot.connection.close()
            slot.process.close()
        self._slots = []

    def __enter__(self) -> LocalPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _spawn(self, device: str) -> _Slot:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=work, args=(theirs, self._job, device, self._factory), daemon=True
        )
        with _deaf_to_interrupts():
            process.start()
        theirs.close()
        return _Slot(device, process, ours, time.monotonic())

    def _limit(self, slot: _Slot) -> float:
        """Seconds that what a worker is doing may take."""
        if slot.task is not None:
            return self._time_limit
        return float("inf") if slot.is_ready else START_LIMIT

    def _news(self, number: int) -> Iterator[Event]:
        """Hear one worker out; replace it if it is dead or hangs."""
        slot = self._slots[number]
        for message in _heard(slot):
            yield from self._message(slot, message)
        spent = time.monotonic() - slot.since
        if not slot.process.is_alive():
            reason = _cause_of_death(slot.process)
        elif spent > self._limit(slot):
            reason = f"took more than {self._limit(slot):g} s and was killed"
        else:
            return
        task, was_ready = slot.task, slot.is_ready
        self._bury(slot)
        if not was_ready:
            self._failed_starts += 1
            if self._failed_starts >= _FAILED_STARTS:
                del self._slots[number]
                raise ChildProcessError(
                    f"workers: {self._failed_starts} ended before they had opened data and device; the last "
                    f"{reason}."
                )
        self._slots[number] = self._spawn(slot.device)
        if task is not None:
            yield Crashed(task, f"worker {reason}", spent)

    def _message(self, slot: _Slot, message: Any) -> Iterator[Event]:
        match message:
            case ("ready", Facts() as facts):
                slot.is_ready = True
                self._failed_starts = 0
                yield Ready(facts)
            case ("broken", error, text):
                if error is not None:
                    raise error
                raise ChildProcessError(f"workers: could not open data and device. {text}")
            case ("done", outcome):
                slot.task = None
                yield Finished(outcome)
            case ("raised", text) if slot.task is not None:
                task, slot.task = slot.task, None
                yield Crashed(task, text, time.monotonic() - slot.since)

    def _bury(self, slot: _Slot) -> None:
        slot.process.kill()
        slot.process.join()
        slot.connection.close()
        slot.process.close()


def _heard(slot: _Slot) -> list[Any]:
    """Receive all that a worker has said; a connection that ended is a worker about to be gone."""
    messages = []
    try:
        while slot.connection.poll():
            messages.append(slot.connection.recv())
    except (EOFError, OSError):
        slot.process.join(5.0)
    return messages


def _cause_of_death(process: SpawnProcess) -> str:
    """Say how a process ended: by which signal or with which status."""
    process.join(5.0)
    code = process.exitcode
    if code is not None and code < 0:
        try:
            return f"died of signal {-code} ({signal.Signals(-code).name})"
        except ValueError:
            return f"died of signal {-code}"
    return f"ended with status {code}"


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Let a child be born ignoring Ctrl-C, which goes to the whole terminal; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
