"""The trainer of real life: live training, its curves as they come, and where they came from."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from nasbench.errors import BadOption
from nasbench.evaluation.live import LiveSource
from nasbench.populate.job import Facts, Job, Outcome, Task
from nasbench.populate.provenance import provenance
from nasbench.training.device import resolve_device, wake

if TYPE_CHECKING:
    from nasbench.training.outcome import Training

_CURVE_ENDS = ("_error", "_loss", "_seconds")
_SCALARS = ("parameters", "macs", "latency_seconds")
# More repeats than anybody asks for; the plan decides how many there are.
_REPLICATES = 1 << 20


class LiveTrainer:
    """Trains with ``LiveSource``.

    Args:
        job: What to train.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.

    Raises:
        MissingExtra: torch or the data set is absent.
        BadOption: No such device here, or not the space of the recipe.
    """

    def __init__(self, job: Job, device: str) -> None:
        self._source = LiveSource(job.data, job.recipe, device=device, replicates=_REPLICATES)
        if self._source.space.name != job.space:
            raise BadOption(
                f"space: expected {self._source.space.name}, the space of the recipe, got {job.space!r}."
            )
        self._epochs = job.epochs
        info = self._source.info
        splits = info.extra.get("splits") or info.extra.get("images") or {}
        self.facts = Facts(info.dataset, dict(splits), info.device, info.device_kind)
        self._provenance = provenance(device)
        wake(resolve_device(device))

    def train(self, task: Task) -> Outcome:
        """Train one architecture with the replicate as its seed."""
        training = self._source.train(task.code, epochs=self._epochs, replicate=task.replicate)
        return outcome_of(training, task, provenance=self._provenance)


def open_live_trainer(job: Job, device: str) -> LiveTrainer:
    """Open the trainer of a job on a device."""
    return LiveTrainer(job, device)


def outcome_of(training: Training, task: Task, *, provenance: dict[str, Any]) -> Outcome:
    """Keep every curve and count that a training has, by the names of its fields."""
    curves: dict[str, tuple[float, ...]] = {}
    scalars: dict[str, float] = {}
    for part in fields(training):
        value = getattr(training, part.name)
        if isinstance(value, tuple) and part.name.endswith(_CURVE_ENDS):
            if len(value) and not all(math.isnan(v) for v in value):
                curves[part.name] = value
        elif part.name in _SCALARS and isinstance(value, (int, float)):
            scalars[part.name] = value
    return Outcome(
        code=task.code,
        replicate=task.replicate,
        status="failed" if training.status == "failed" else "ok",
        reason=training.reason,
        seconds=training.total_seconds,
        curves=curves,
        scalars=scalars,
        provenance={**provenance, "seed": training.seed},
    )
