"""What passes between a coordinator and its workers: the job, a task of it, and the outcome of a training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from nasbench.records import Code
from nasbench.training.recipe import Recipe
from nasbench.units import DeviceKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What every training of one table has in common.

    Attributes:
        space: Name of the space.
        data: Name of the data set.
        recipe: How to build and train.
        epochs: Epochs to train, 1 to ``recipe.epochs``.
    """

    space: str
    data: str
    recipe: Recipe
    epochs: int


@dataclass(frozen=True, slots=True)
class Task:
    """One training to be done.

    Attributes:
        code: The architecture.
        replicate: The training repeat, from 0; it is the training seed too.
    """

    code: Code
    replicate: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What a worker knows once it has opened data and device; equal for all workers of a table.

    Attributes:
        dataset: Data set that the errors are about.
        splits: What each split holds.
        device: The hardware in words.
        device_kind: Whether its seconds are CPU or GPU seconds.
    """

    dataset: str
    splits: Mapping[str, Any]
    device: str
    device_kind: DeviceKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One finished training, ok or failed, as the ledger and the table keep it.

    Attributes:
        code: The architecture.
        replicate: The training repeat.
        status: ``"ok"`` or ``"failed"``.
        reason: Why it failed, for people.
        seconds: Seconds of training in all, those of a failed epoch included.
        wall_seconds: Seconds the worker was busy with it, evaluation included.
        curves: Values after each completed epoch, by metric.
        scalars: One value each, by name.
        provenance: How it came about; JSON values, no host names and no paths.
    """

    code: Code
    replicate: int
    status: Literal["ok", "failed"]
    seconds: float
    wall_seconds: float = 0.0
    reason: str = ""
    curves: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    scalars: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def task(self) -> Task:
        """The task that this is the outcome of."""
        return Task(self.code, self.replicate)

    @property
    def epochs(self) -> int:
        """Completed epochs."""
        return len(self.curves.get("train_seconds", ()))


class Trainer(Protocol):
    """What a worker opens once and asks again and again."""

    @property
    def facts(self) -> Facts:
        """What it found when it opened data and device."""
        ...

    def train(self, task: Task) -> Outcome:
        """Do one training."""
        ...


TrainerFactory = Callable[[Job, str], Trainer]
"""Opens a trainer for a job on a device; a module-level function, so that other processes find it by name."""
