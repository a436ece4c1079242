"""A local worker: a spawned process that trains one task after another and dies with its coordinator."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
import traceback
from dataclasses import replace
from multiprocessing.connection import Connection, wait

from nasbench.errors import NasbenchError
from nasbench.populate.job import Job, Outcome, Task, Trainer, TrainerFactory

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def work(connection: Connection, job: Job, device: str, factory: TrainerFactory) -> None:
    """Open a trainer, then answer every task that comes until the coordinator closes the connection.

    Sends ``("ready", Facts)`` or ``("broken", NasbenchError | None, text)`` once, then ``("done", Outcome)``
    or ``("raised", text)`` a task. Interruptions are the coordinator's affair and are ignored here.
    """
    for name in ("SIGINT", "SIGTERM"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = "1"
    threading.Thread(target=_die_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            trainer = factory(job, device)
        except Exception as error:
            known = error if isinstance(error, NasbenchError) else None
            connection.send(("broken", known, traceback_text(error)))
            return
        connection.send(("ready", trainer.facts))
        while True:
            task = connection.recv()
            try:
                outcome = timed(trainer, task)
            except Exception as error:
                connection.send(("raised", traceback_text(error)))
            else:
                connection.send(("done", outcome))


def timed(trainer: Trainer, task: Task) -> Outcome:
    """Do one training and note how long the worker was busy with it."""
    started = time.perf_counter()
    outcome = trainer.train(task)
    return replace(outcome, wall_seconds=time.perf_counter() - started)


def traceback_text(error: BaseException) -> str:
    """Write an exception and its frames without the folders of this machine."""
    lines = [f"{type(error).__name__}: {error}"]
    for frame in traceback.extract_tb(error.__traceback__):
        parts = frame.filename.replace("\\", "/").split("/")
        file = "/".join(parts[parts.index("nasbench") :]) if "nasbench" in parts else parts[-1]
        lines.append(f"  {file}:{frame.lineno} in {frame.name}")
    return "\n".join(lines)


def _die_with_parent() -> None:
    """End this process at once when the coordinator is gone, whatever it is doing."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
