"""What one training came to: its curves, its seconds and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nasbench.records import Code

TrainingStatus = Literal["ok", "failed", "stopped", "paused"]


class Diverged(Exception):
    """The loss or the logits are no longer finite; ends a training as failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One training, finished or not.

    Each curve is a tuple with one number for every epoch that was completed: all that were asked for, unless
    the training failed, was stopped or was paused.

    Attributes:
        code: The architecture.
        epochs: Epochs asked for.
        seed: Training seed.
        parameters: Trainable parameters of the network.
        macs: Multiply-accumulates of one image; convention in ``networks.cost``.
        status: ``"ok"``, ``"failed"``, ``"stopped"`` for good, or ``"paused"``: a checkpoint can go on.
        reason: Why it is not ``"ok"``, for people.
        train_error: Fraction of wrong answers in each epoch's own training pass: with the weights as they
            moved, batch statistics and augmented images. No extra pass is made for it.
        train_loss: Mean cross-entropy of the same pass, label smoothing included.
        valid_error: After each epoch, fractions in [0, 1]; nan where it was not evaluated.
        valid_loss: Mean cross-entropy after each epoch, without label smoothing; nan as above.
        test_error: As ``valid_error``.
        test_loss: As ``valid_loss``.
        train_seconds: Seconds of training from the start to the end of each epoch, evaluation excluded.
        eval_seconds: Seconds of evaluation from the start to the end of each epoch.
        total_seconds: Seconds of training in all, those of a failed epoch included, evaluation excluded.
        latency_seconds: Median seconds of one forward pass of one image, or None where not measured.
    """

    code: Code
    epochs: int
    seed: int
    parameters: int
    macs: int
    status: TrainingStatus
    reason: str
    train_error: tuple[float, ...]
    train_loss: tuple[float, ...]
    valid_error: tuple[float, ...]
    valid_loss: tuple[float, ...]
    test_error: tuple[float, ...]
    test_loss: tuple[float, ...]
    train_seconds: tuple[float, ...]
    eval_seconds: tuple[float, ...]
    total_seconds: float
    latency_seconds: float | None = None


CURVES = (
    "train_error",
    "train_loss",
    "valid_error",
    "valid_loss",
    "test_error",
    "test_loss",
    "train_seconds",
    "eval_seconds",
)
"""The attributes of ``Training`` that have one number an epoch."""
