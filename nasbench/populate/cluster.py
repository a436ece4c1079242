"""Workers on a Ray cluster: the same trainer, one Ray task a training, nothing scheduled by this program.

Every node must have nasbench and the data. Ray restarts its own workers; a training that took one with it is
told as a crash and tried again like a local one.
"""

from __future__ import annotations

import functools
import os
import time
from typing import Any

from nasbench.errors import BadOption, MissingExtra, NasbenchError
from nasbench.populate.job import Facts, Job, Outcome, Task, Trainer, TrainerFactory
from nasbench.populate.pool import Crashed, Event, Finished, Ready
from nasbench.populate.worker import timed, traceback_text


class RayPool:
    """Trainings on the CPUs or GPUs of a Ray cluster.

    Args:
        job: What to train.
        factory: Opens the trainer in each Ray worker.
        address: Address of the cluster (``"auto"``, ``"HOST:PORT"``, ``"ray://..."``), or ``"local"`` for one
            of this machine.
        device: ``"cpu"`` or ``"cuda"``; Ray chooses which GPU.
        per_device: Trainings at a time on one GPU.
        jobs: Trainings at a time in all; None = as many as the cluster has room for.
        time_limit: Seconds after which a training counts as hanging.

    Raises:
        MissingExtra: ray is absent.
        BadOption: Not such a device, or no cluster at this address.
    """

    def __init__(
        self,
        job: Job,
        factory: TrainerFactory,
        *,
        address: str,
        device: str,
        per_device: int = 1,
        jobs: int | None = None,
        time_limit: float,
    ) -> None:
        if device not in ("cpu", "cuda"):
            raise BadOption(f"device: expected cpu or cuda with --ray, got {device!r}. Ray chooses the GPU.")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError as error:
            raise MissingExtra.of("ray", "ray", "Populating on a cluster") from error
        self._ray = ray
        # A worker keeps its opened trainer for the next task (max_calls), and Ray repeats nothing by itself.
        self._remote = ray.remote(
            num_cpus=1 if device == "cpu" else 0,
            num_gpus=1 / per_device if device == "cuda" else 0,
            max_retries=0,
            max_calls=0,
        )(_train)
        self._is_owner = not ray.is_initialized()
        if self._is_owner:
            try:
                ray.init(address=address, log_to_driver=False, **_local_options(address))
            except ConnectionError as error:
                raise BadOption(
                    f"ray: found no cluster at {address!r}. Start one with: ray start --head"
                ) from error
        self._resource = "GPU" if device == "cuda" else "CPU"
        self._per_device = per_device if device == "cuda" else 1
        self._limit = jobs
        self._time_limit = time_limit
        self._arguments = job, device, factory
        self._running: dict[Any, tuple[Task, float]] = {}

    @property
    def slots(self) -> int:
        """How many trainings the cluster has room for now; nodes may come and go."""
        room = int(self._ray.cluster_resources().get(self._resource, 0) * self._per_device)
        return room if self._limit is None else min(room, self._limit)

    @property
    def idle(self) -> int:
        """How many tasks it takes now."""
        return max(0, self.slots - len(self._running))

    @property
    def busy(self) -> int:
        """How many tasks are being trained."""
        return len(self._running)

    def submit(self, task: Task) -> None:
        """Start one task."""
        self._running[self._remote.remote(*self._arguments, task)] = task, time.monotonic()

    def wait(self, seconds: float) -> list[Event]:
        """Wait for news of the tasks; those that take too long are cancelled.

        Raises:
            NasbenchError: A worker could not open its trainer, for a reason that this program names.
            ChildProcessError: A worker could not open its trainer for another reason, or its node lacks
                the code.
        """
        if not self._running:
            time.sleep(seconds)  # no node has room: wait for one
            return []
        ready, _ = self._ray.wait(list(self._running), timeout=seconds)
        events: list[Event] = []
        for reference in ready:
            task, since = self._running.pop(reference)
            events += self._result(reference, task, time.monotonic() - since)
        for reference, (task, since) in list(self._running.items()):
            spent = time.monotonic() - since
            if spent > self._time_limit:
                del self._running[reference]
                self._ray.cancel(reference, force=True)
                events.append(
                    Crashed(task, f"worker took more than {self._time_limit:g} s and was killed", spent)
                )
        return events

    def _result(self, reference: Any, task: Task, spent: float) -> list[Event]:
        try:
            answer = self._ray.get(reference)
        except (self._ray.exceptions.RayTaskError, self._ray.exceptions.RaySystemError) as error:
            # What the training raises is caught in the worker, so this one could not even begin.
            cause = [line for line in str(error).splitlines() if line.strip()][-1]
            raise ChildProcessError(f"workers: a Ray worker could not start a training. {cause}") from error
        except self._ray.exceptions.RayError as error:
            return [Crashed(task, f"worker died ({type(error).__name__})", spent)]
        match answer:
            case (Facts() as facts, Outcome() as outcome):
                return [Ready(facts), Finished(outcome)]
            case ("raised", text):
                return [Crashed(task, text, spent)]
            case ("broken", error, text):
                if error is not None:
                    raise error
                raise ChildProcessError(f"workers: could not open data and device. {text}")
        raise ChildProcessError(f"workers: expected an outcome, got {answer!r}.")

    def close(self) -> None:
        """Cancel what is running and leave the cluster."""
        if self._ray.is_initialized():
            for reference in self._running:
                self._ray.cancel(reference, force=True)
            if self._is_owner:
                self._ray.shutdown()
        self._running = {}

    def __enter__(self) -> RayPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _local_options(address: str) -> dict[str, Any]:
    """Leave out the dashboard of a cluster that is started here; others take no such option."""
    return {"include_dashboard": False} if address == "local" else {}


@functools.lru_cache(maxsize=2)
def _opened(job: Job, device: str, factory: TrainerFactory) -> Trainer:
    """Open a trainer once a worker process."""
    return factory(job, device)


def _train(job: Job, device: str, factory: TrainerFactory, task: Task) -> tuple[Any, ...]:
    """Do one training in a Ray worker.

    Returns:
        ``(Facts, Outcome)``, ``("raised", text)`` or ``("broken", NasbenchError | None, text)``.
    """
    try:
        trainer = _opened(job, device, factory)
    except Exception as error:
        return "broken", error if isinstance(error, NasbenchError) else None, traceback_text(error)
    try:
        return trainer.facts, timed(trainer, task)
    except Exception as error:
        return "raised", traceback_text(error)
