"""One training of one architecture: the loop that every live number comes from.

Weights, batch order and augmentation each draw from a generator of their own, derived from the training
seed; evaluation draws nothing and is not on the clock. So a shorter training is an exact prefix of a longer
one under the same recipe, and on a CPU the same training gives the same bits again.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from nasbench.errors import BadOption
from nasbench.records import Code
from nasbench.seeds import generator
from nasbench.spaces import Space
from nasbench.training import require_torch
from nasbench.training.augmentation import augment
from nasbench.training.data import ImageData, Split
from nasbench.training.device import repeatable, resolve_device, wake
from nasbench.training.networks import build_network
from nasbench.training.networks.cost import count_parameters
from nasbench.training.recipe import Recipe
from nasbench.training.stopwatch import Stopwatch
from nasbench.training.weights import initialise

if TYPE_CHECKING:
    import torch

Evaluate = Literal["every-epoch", "last-epoch"]
_EVALUATION_BATCH = 1024
_OUT_OF_MEMORY = re.compile(r"out of memory|can't allocate memory|not enough memory", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Training:
    """One training, finished or failed.

    The curves hold the epochs that were completed, all of them unless it failed.

    Attributes:
        code: The architecture.
        epochs: Epochs asked for.
        seed: Training seed.
        parameters: Trainable parameters of the network.
        status: ``"ok"`` or ``"failed"``.
        reason: Why it failed, for people.
        train_loss: Mean cross-entropy over each epoch's batches while they were trained on.
        valid_error: After each epoch, fractions in [0, 1]; nan where it was not evaluated.
        test_error: As ``valid_error``.
        train_seconds: Seconds of training up to the end of each epoch, evaluation excluded.
        total_seconds: Seconds of training in all, those of a failed epoch included.
    """

    code: Code
    epochs: int
    seed: int
    parameters: int
    status: Literal["ok", "failed"]
    reason: str
    train_loss: tuple[float, ...]
    valid_error: tuple[float, ...]
    test_error: tuple[float, ...]
    train_seconds: tuple[float, ...]
    total_seconds: float


class _Diverged(Exception):
    """The loss or the logits are no longer finite."""


def train(
    code: Code,
    *,
    space: Space,
    recipe: Recipe,
    data: ImageData,
    seed: int,
    device: str = "cpu",
    epochs: int | None = None,
    evaluate: Evaluate = "every-epoch",
) -> Training:
    """Train one architecture from its first weights.

    Training that diverges or runs out of memory is a result with status ``"failed"`` and the seconds it
    cost, not an exception. Global random state, and the caller's number of torch threads, are as before when
    this returns; while it runs, torch works with one CPU thread in the whole process.

    Args:
        code: An architecture of ``space``.
        space: A space that has a network.
        recipe: How to build and to train.
        data: What to train on, on any device.
        seed: Training seed, >= 0; the replicate of a table.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
        epochs: Stop after so many epochs of the recipe's schedule; None trains all of it.
        evaluate: Measure errors after every epoch, or after the last one only.

    Raises:
        NotInSpace: ``code`` is no architecture of ``space``.
        BadOption: ``epochs`` is not in 1 to ``recipe.epochs``, or there is no such device.
        MissingExtra: torch is absent.
        UnknownName: The space has no network.
    """
    require_torch("Live training")
    import torch

    checked = space.check(code)
    asked = recipe.epochs if epochs is None else epochs
    if not 1 <= asked <= recipe.epochs:
        raise BadOption(f"epochs: expected 1 to {recipe.epochs}, the recipe's length, got {asked}.")
    where = resolve_device(device)
    network = build_network(
        space.name, checked, recipe=recipe, image_shape=data.image_shape, classes=data.classes
    )
    parameters = count_parameters(network)
    weights, order, changes = (_torch_generator(seed, use) for use in ("weights", "order", "augmentation"))
    clock = Stopwatch(where)
    losses: list[float] = []
    valid_errors: list[float] = []
    test_errors: list[float] = []
    seconds: list[float] = []
    status: Literal["ok", "failed"] = "ok"
    reason = ""
    with repeatable(where):
        wake(where)
        try:
            with clock:
                local = data.to(where)
                network = initialise(network, generator=weights).to(where)
                optimizer = torch.optim.SGD(
                    network.parameters(),
                    lr=recipe.learning_rate,
                    momentum=recipe.momentum,
                    nesterov=recipe.nesterov,
                    weight_decay=recipe.weight_decay,
                )
            for epoch in range(asked):
                with clock:
                    for group in optimizer.param_groups:
                        group["lr"] = recipe.learning_rate_at(epoch)
                    loss = _train_epoch(network, optimizer, local.train, recipe, order=order, changes=changes)
                if not math.isfinite(loss):
                    raise _Diverged(f"the training loss became {loss} in epoch {epoch + 1}")
                valid_error = test_error = math.nan
                if evaluate == "every-epoch" or epoch + 1 == asked:
                    valid_error = _error(network, local.valid, recipe)
                    test_error = _error(network, local.test, recipe)
                losses.append(loss)
                valid_errors.append(valid_error)
                test_errors.append(test_error)
                seconds.append(clock.seconds)
        except _Diverged as error:
            status, reason = "failed", f"diverged: {error}"
        except (RuntimeError, MemoryError) as error:
            if not (isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(str(error))):
                raise
            status, reason = "failed", f"out of memory on {where} in epoch {len(losses) + 1}"
    return Training(
        checked,
        asked,
        seed,
        parameters,
        status,
        reason,
        tuple(losses),
        tuple(valid_errors),
        tuple(test_errors),
        tuple(seconds),
        clock.seconds,
    )


def _torch_generator(seed: int, use: str) -> torch.Generator:
    """Make the CPU generator of one use under a training seed."""
    import torch

    drawn = int(generator(seed, "training", use).integers(0, 1 << 63))
    return torch.Generator().manual_seed(drawn)


def _train_epoch(
    network: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    split: Split,
    recipe: Recipe,
    *,
    order: torch.Generator,
    changes: torch.Generator,
) -> float:
    """Take one step for each batch of a random order; return the mean loss over all images."""
    import torch

    device = split.labels.device
    network.train()
    total = torch.zeros((), device=device)  # stays on the device: one wait an epoch, not one a step
    for batch in torch.randperm(len(split), generator=order).to(device).split(recipe.batch_size):
        images = augment(split.images[batch], recipe=recipe, generator=changes)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=recipe.precision == "bfloat16"):
            loss = torch.nn.functional.cross_entropy(network(images), split.labels[batch])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(batch)
    return float(total) / len(split)


def _error(network: torch.nn.Module, split: Split, recipe: Recipe) -> float:
    """Measure the fraction of images whose largest logit is not their label's.

    Raises:
        _Diverged: A logit is not finite, so there is no largest one.
    """
    import torch

    network.eval()
    wrong = 0
    with (
        torch.inference_mode(),
        torch.autocast(
            split.labels.device.type, dtype=torch.bfloat16, enabled=recipe.precision == "bfloat16"
        ),
    ):
        for images, labels in zip(
            split.images.split(_EVALUATION_BATCH), split.labels.split(_EVALUATION_BATCH), strict=True
        ):
            logits = network(images)
            if not bool(torch.isfinite(logits).all()):
                raise _Diverged("the network's output is not finite after the last epoch")
            wrong += int((logits.argmax(dim=1) != labels).sum())
    return wrong / len(split)
