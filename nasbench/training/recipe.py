"""A recipe: everything that fixes one training besides architecture, data and seed.

A recipe is frozen and hashed, so a table or a record that carries the hash says exactly how its numbers
came to be. Changing a number here makes another recipe, never another meaning of the same one.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, Literal, get_args

from nasbench.errors import BadOption

Optimizer = Literal["sgd", "adamw", "rmsprop"]
Schedule = Literal["cosine", "constant"]
Augmentation = Literal["none", "flip-crop"]
Precision = Literal["float32", "bfloat16", "float16"]

_ALWAYS_HASHED = frozenset(
    (
        "epochs",
        "batch_size",
        "optimizer",
        "learning_rate",
        "momentum",
        "nesterov",
        "weight_decay",
        "schedule",
        "channels",
        "cells_per_stage",
        "stages",
        "augmentation",
        "crop_padding",
        "split_seed",
        "precision",
    )
)
"""The fields of the first recipes. Any later field is hashed only where it differs from its default, so that
a recipe written before the field existed keeps its hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a network is built around its cell, and how it is trained.

    Attributes:
        epochs: Full length of the schedule. A shorter training stops early on this same schedule.
        batch_size: Images a step; the last, smaller batch of an epoch is trained too.
        optimizer: ``"sgd"``, ``"adamw"`` (betas 0.9 and 0.999) or ``"rmsprop"``.
        learning_rate: The largest of the schedule.
        momentum: Of SGD and RMSprop, in [0, 1); AdamW has none.
        nesterov: Whether the momentum is Nesterov's; SGD only.
        weight_decay: On all parameters; decoupled from the gradient for AdamW.
        schedule: ``"cosine"`` to zero, changed once an epoch, or ``"constant"``.
        channels: Channels of the first stage; each further stage doubles them.
        cells_per_stage: Cells in each stage, or blocks in each module of a space of modules.
        stages: Stages; what halves the image stands between two: a residual block, or a reduction cell. A
            space that fixes its own skeleton takes one number only, here and for the cells, and says which.
        augmentation: ``"none"``, or ``"flip-crop"``: mirror half of the images, then crop at random from
            the zero-padded image.
        crop_padding: Pixels of padding on each side for ``"flip-crop"``.
        split_seed: Seed of the split into train, validation and test where the data set has none of its own.
        precision: ``"float32"``, or ``"bfloat16"`` or ``"float16"`` autocast with float32 weights; float16
            scales its loss.
        train_images: Images to train on; None takes the default of the data set.
        label_smoothing: Share of the label given to all classes alike while training, in [0, 1).
        warmup_epochs: First epochs, in which the learning rate rises linearly; the schedule takes the rest.
        space: The space whose architectures are trained.
        smoothing: Of RMSprop's mean of squared gradients, in [0, 1).
        epsilon: Added to the root of that mean, > 0; RMSprop only.

    Raises:
        BadOption: A value is out of its range.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    optimizer: Optimizer = "sgd"
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    schedule: Schedule = "cosine"
    channels: int = 16
    cells_per_stage: int = 5
    stages: int = 3
    augmentation: Augmentation = "none"
    crop_padding: int = 0
    split_seed: int = 0
    precision: Precision = "float32"
    train_images: int | None = None
    label_smoothing: float = 0.0
    warmup_epochs: int = 0
    space: str = "nb201"
    smoothing: float = 0.99
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "channels", "cells_per_stage", "stages"):
            if getattr(self, name) < 1:
                raise BadOption(f"{name}: expected a whole number >= 1, got {getattr(self, name)}.")
        for name in ("weight_decay", "crop_padding", "split_seed"):
            if getattr(self, name) < 0:
                raise BadOption(f"{name}: expected a number >= 0, got {getattr(self, name)}.")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise BadOption(f"learning_rate: expected a finite number > 0, got {self.learning_rate}.")
        if not 0 <= self.momentum < 1:
            raise BadOption(f"momentum: expected a number in [0, 1), got {self.momentum}.")
        if self.nesterov and self.momentum == 0:
            raise BadOption("nesterov: expected momentum > 0, got momentum 0. Set nesterov=False.")
        if self.nesterov and self.optimizer != "sgd":
            raise BadOption(
                f"nesterov: expected optimizer 'sgd', got {self.optimizer!r}. Set nesterov=False."
            )
        if self.train_images is not None and self.train_images < 1:
            raise BadOption(f"train_images: expected a whole number >= 1, got {self.train_images}.")
        if not 0 <= self.label_smoothing < 1:
            raise BadOption(f"label_smoothing: expected a number in [0, 1), got {self.label_smoothing}.")
        if not 0 <= self.smoothing < 1:
            raise BadOption(f"smoothing: expected a number in [0, 1), got {self.smoothing}.")
        if not (math.isfinite(self.epsilon) and self.epsilon > 0):
            raise BadOption(f"epsilon: expected a finite number > 0, got {self.epsilon}.")
        if not 0 <= self.warmup_epochs < self.epochs:
            raise BadOption(
                f"warmup_epochs: expected 0 to {self.epochs - 1}, fewer than the epochs, "
                f"got {self.warmup_epochs}."
            )
        for name, kind in (
            ("optimizer", Optimizer),
            ("schedule", Schedule),
            ("augmentation", Augmentation),
            ("precision", Precision),
        ):
            if getattr(self, name) not in get_args(kind):
                raise BadOption(
                    f"{name}: expected {' or '.join(map(repr, get_args(kind)))}, got {getattr(self, name)!r}."
                )

    @property
    def recipe_hash(self) -> str:
        """SHA-256 over the canonical JSON of the fields, 64 hexadecimal digits."""
        hashed = {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name in _ALWAYS_HASHED or getattr(self, f.name) != f.default
        }
        text = json.dumps(hashed, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as plain values, as a table or a record keeps them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """Make the recipe that ``to_dict`` described; fields left out have their defaults.

        Raises:
            BadOption: A field is unknown, missing or of another type, or a value is out of its range.
        """
        known = {f.name: f for f in fields(cls)}
        for name, value in values.items():
            if name not in known:
                raise BadOption(f"recipe: expected the fields {', '.join(known)}, got {name!r}.")
            wanted = known[name].type
            if not _is_of(value, str(wanted)):
                raise BadOption(f"{name}: expected {wanted}, got {value!r}.")
        missing = [n for n, f in known.items() if f.default is MISSING and n not in values]
        if missing:
            raise BadOption(f"recipe: expected a value for {', '.join(missing)}, got none.")
        return cls(**values)

    def learning_rate_at(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0.

        Epoch k of w warm-up epochs has the share (k + 1) / (w + 1). The cosine moves once an epoch, as in
        NAS-Bench-201's own trainings (AutoDL-Projects, ``lib/procedures/optimizers.py``).
        """
        if epoch < self.warmup_epochs:
            return self.learning_rate * (epoch + 1) / (self.warmup_epochs + 1)
        if self.schedule == "constant":
            return self.learning_rate
        done = (epoch - self.warmup_epochs) / (self.epochs - self.warmup_epochs)
        return self.learning_rate * (1.0 + math.cos(math.pi * done)) / 2.0


def _is_of(value: object, wanted: str) -> bool:
    """Say whether a plain value fits a field's annotation; a whole number is a number, a bool is neither."""
    if wanted == "bool":
        return isinstance(value, bool)
    if wanted == "float":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if wanted.startswith("int"):
        return (isinstance(value, int) and not isinstance(value, bool)) or (
            value is None and "None" in wanted
        )
    return isinstance(value, str)
