"""One pass over a split: to train on it, or to measure on it."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from nasbench.training.augmentation import augment
from nasbench.training.outcome import Diverged
from nasbench.training.recipe import Recipe

if TYPE_CHECKING:
    import torch

    from nasbench.training.data import Split
    from nasbench.training.session import Session

EVALUATION_BATCH = {"cpu": 200, "cuda": 1024}
"""Images at a time: what stays in a CPU's cache is up to 1.8 times as fast; a GPU wants few large calls."""


class OutOfTime(Exception):
    """The deadline of a training has passed; ends it as failed."""


def train_epoch(
    session: Session, split: Split, recipe: Recipe, *, deadline: float = float("inf")
) -> tuple[float, float]:
    """Take one step for each batch of a random order.

    What the pass came to stays on the device until its end: one wait an epoch, not one a step.

    Args:
        session: What is trained; its learning rate is set.
        split: What to train on, on the device of the session.
        recipe: Gives batch size, augmentation, label smoothing and precision.
        deadline: On ``time.perf_counter``.

    Returns:
        Fraction of wrong answers and mean loss over all images, each as its batch met it.

    Raises:
        OutOfTime: ``deadline`` has passed.
    """
    import torch

    network, optimizer, scaler = session.network, session.optimizer, session.scaler
    device = split.labels.device
    network.train()
    total = torch.zeros((), device=device)
    wrong = torch.zeros((), dtype=torch.int64, device=device)
    for batch in torch.randperm(len(split), generator=session.order).to(device).split(recipe.batch_size):
        images = augment(split.images[batch], recipe=recipe, generator=session.changes)
        labels = split.labels[batch]
        with autocast(device, recipe):
            logits = network(images)
            loss = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=recipe.label_smoothing)
        optimizer.zero_grad(set_to_none=True)
        if scaler is None:
            loss.backward()
            optimizer.step()
        else:
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        with torch.no_grad():
            total += loss * len(batch)
            wrong += (logits.argmax(dim=1) != labels).sum()
        if time.perf_counter() > deadline:
            raise OutOfTime
    return int(wrong) / len(split), float(total) / len(split)


def measure(network: torch.nn.Module, split: Split, recipe: Recipe) -> tuple[float, float]:
    """Measure the fraction of images whose largest logit is not their label's, and the mean cross-entropy.

    Raises:
        Diverged: A logit is not finite, so there is no largest one.
    """
    import torch

    device = split.labels.device
    network.eval()
    total = torch.zeros((), device=device)
    wrong = torch.zeros((), dtype=torch.int64, device=device)
    finite = torch.ones((), dtype=torch.bool, device=device)
    with torch.inference_mode(), autocast(device, recipe):
        size = EVALUATION_BATCH[device.type]
        for images, labels in zip(split.images.split(size), split.labels.split(size), strict=True):
            logits = network(images).float()
            finite &= torch.isfinite(logits).all()
            total += torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
            wrong += (logits.argmax(dim=1) != labels).sum()
    if not bool(finite):
        raise Diverged("the network's output is not finite after the last epoch")
    return int(wrong) / len(split), float(total) / len(split)


def autocast(device: torch.device, recipe: Recipe) -> AbstractContextManager[object]:
    """Return the context in which the recipe's precision computes; nothing at all for float32."""
    if recipe.precision == "float32":
        return nullcontext()
    import torch

    context: AbstractContextManager[object] = torch.autocast(
        device.type, dtype={"bfloat16": torch.bfloat16, "float16": torch.float16}[recipe.precision]
    )
    return context
