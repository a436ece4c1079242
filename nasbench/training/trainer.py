"""One training of one architecture: the loop that every live number comes from.

Weights, batch order and augmentation each draw from a generator of their own, derived from the training
seed; evaluation draws nothing and has a clock of its own. So a shorter training is an exact prefix of a
longer one under the same recipe, and on a CPU the same training gives the same bits again, whether it ran
through or was killed and went on from its checkpoint.
"""

from __future__ import annotations

import math
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nasbench.errors import BadOption
from nasbench.records import Code, OnEpoch, Verdict
from nasbench.spaces import Space
from nasbench.training import require_torch
from nasbench.training.checkpoint import load_checkpoint, save_checkpoint
from nasbench.training.data import ImageData
from nasbench.training.device import repeatable, resolve_device, wake
from nasbench.training.epoch import OutOfTime, measure, train_epoch
from nasbench.training.latency import measure_latency
from nasbench.training.networks import build_network
from nasbench.training.networks.cost import count_macs, count_parameters
from nasbench.training.outcome import CURVES, Diverged, Training, TrainingStatus
from nasbench.training.recipe import Recipe
from nasbench.training.session import Session, start_session
from nasbench.training.stopwatch import Stopwatch

if TYPE_CHECKING:
    import torch

__all__ = ["Evaluate", "Training", "train"]

Evaluate = Literal["every-epoch", "last-epoch"]
_WATCHED = ("valid_error", "train_seconds")  # what ``on_epoch`` is shown
_OUT_OF_MEMORY = re.compile(r"out of memory|can't allocate memory|not enough memory", re.IGNORECASE)


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
    on_epoch: OnEpoch | None = None,
    checkpoint: Path | None = None,
    checkpoint_every_seconds: float = 30.0,
    limit_seconds: float | None = None,
    deterministic: bool = False,
    latency_passes: int = 0,
) -> Training:
    """Train one architecture, from its first weights or from where its checkpoint stands.

    Training that diverges, runs out of memory or out of time is a result with status ``"failed"`` and the
    seconds it cost, not an exception. Global random state, and the caller's number of torch threads, are as
    before when this returns; while it runs, torch works with one CPU thread in the whole process.

    Args:
        code: An architecture of ``space``.
        space: A space that has a network.
        recipe: How to build and to train.
        data: What to train on, on any device.
        seed: Training seed, >= 0; the replicate of a table.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
        epochs: Stop after so many epochs of the recipe's schedule; None trains all of it.
        evaluate: Measure errors after every epoch, or after the last one only.
        on_epoch: May stop or pause the training; needs errors after every epoch. Epochs that a checkpoint
            holds are not shown again.
        checkpoint: File to go on from where it exists, and to write to: between epochs, when paused, and
            at the end, from where a longer training can go on. The caller deletes it.
        checkpoint_every_seconds: Least real time between two checkpoints while training; 0 writes one after
            every epoch.
        limit_seconds: Real seconds that training and evaluation together may take; None is no limit.
        deterministic: On a GPU, use deterministic algorithms only; slower. A CPU always does.
        latency_passes: Measure the latency by so many forward passes after a training that is ``"ok"``, on
            neither clock; 0 measures none.

    Raises:
        NotInSpace: ``code`` is no architecture of ``space``.
        BadOption: ``epochs`` is not in 1 to ``recipe.epochs``, there is no such device, ``data`` has another
            number of training images than the recipe, ``on_epoch`` without errors after every epoch, or it
            pauses without a checkpoint.
        FormatError: The checkpoint is damaged or of another training.
        MissingExtra: torch is absent.
        UnknownName: The space has no network.
    """
    require_torch("Live training")
    checked = space.check(code)
    asked = recipe.epochs if epochs is None else epochs
    _require(recipe, data, asked, evaluate, on_epoch)
    where = resolve_device(device)
    network = build_network(
        space.name, checked, recipe=recipe, image_shape=data.image_shape, classes=data.classes
    )
    parameters, macs = count_parameters(network), count_macs(network, data.image_shape)
    identity = _identity(space, checked, recipe, data, seed, where)
    clock = Stopwatch(where)
    session: Session | None = None
    status: TrainingStatus = "ok"
    reason = ""
    latency: float | None = None
    with repeatable(where, deterministic=deterministic):
        wake(where)
        try:
            with clock:
                local = data.to(where)
                session = start_session(network, recipe=recipe, seed=seed, device=where, clock=clock)
            if checkpoint is not None and checkpoint.exists():
                load_checkpoint(checkpoint, session, identity)
                if session.epochs >= asked and math.isnan(session.curves["valid_error"][asked - 1]):
                    # It stands further, but was not measured where this training is to end.
                    session = start_session(network, recipe=recipe, seed=seed, device=where, clock=clock)
                    clock.seconds = 0.0
            spent = session.training.seconds + session.evaluation.seconds
            deadline = math.inf if limit_seconds is None else time.perf_counter() + limit_seconds - spent
            saved = time.perf_counter()
            while session.epochs < asked:
                last = session.epochs + 1 == asked
                _advance(
                    session, recipe, local, measured=last or evaluate == "every-epoch", deadline=deadline
                )
                verdict = Verdict.CONTINUE
                if on_epoch is not None and not last:
                    verdict = on_epoch(session.epochs, *(session.curves[c][-1] for c in _WATCHED))
                due = last or verdict is Verdict.PAUSE
                if checkpoint is None:
                    if verdict is Verdict.PAUSE:
                        raise BadOption("checkpoint: expected a file to pause a training in, got None.")
                elif due or time.perf_counter() - saved >= checkpoint_every_seconds:
                    save_checkpoint(checkpoint, session, identity)
                    saved = time.perf_counter()
                if verdict is not Verdict.CONTINUE:
                    status = "stopped" if verdict is Verdict.STOP else "paused"
                    reason = f"{status} after epoch {session.epochs}"
                    break
            if latency_passes and status == "ok":
                latency = measure_latency(
                    session.network, data.image_shape, device=where, passes=latency_passes
                )
        except Diverged as error:
            status, reason = "failed", f"diverged: {error}"
        except OutOfTime:
            epoch = 0 if session is None else session.epochs
            status, reason = "failed", f"timed out after {limit_seconds} s in epoch {epoch + 1}"
        except (RuntimeError, MemoryError) as error:
            if not (isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(str(error))):
                raise
            epoch = 0 if session is None else session.epochs
            status, reason = "failed", f"out of memory on {where} in epoch {epoch + 1}"
    curves = {name: () if session is None else tuple(session.curves[name][:asked]) for name in CURVES}
    total = clock.seconds
    if curves["train_seconds"] and status != "failed":
        total = curves["train_seconds"][-1]  # of a checkpoint that stood further, only the part asked for
    return Training(
        code=checked,
        epochs=asked,
        seed=seed,
        parameters=parameters,
        macs=macs,
        status=status,
        reason=reason,
        total_seconds=total,
        latency_seconds=latency,
        **curves,
    )


def _advance(session: Session, recipe: Recipe, data: ImageData, *, measured: bool, deadline: float) -> None:
    """Train one epoch further and add its numbers to the curves.

    Raises:
        Diverged: The loss or the output is not finite.
        OutOfTime: ``deadline`` has passed.
    """
    epoch = session.epochs
    with session.training:
        for group in session.optimizer.param_groups:
            group["lr"] = recipe.learning_rate_at(epoch)
        trained = train_epoch(session, data.train, recipe, deadline=deadline)
    if not math.isfinite(trained[1]):
        raise Diverged(f"the training loss became {trained[1]} in epoch {epoch + 1}")
    valid = test = (math.nan, math.nan)
    if measured:
        with session.evaluation:
            valid = measure(session.network, data.valid, recipe)
            test = measure(session.network, data.test, recipe)
    seconds = (session.training.seconds, session.evaluation.seconds)
    for name, value in zip(CURVES, (*trained, *valid, *test, *seconds), strict=True):
        session.curves[name].append(value)


def _require(
    recipe: Recipe, data: ImageData, epochs: int, evaluate: Evaluate, on_epoch: OnEpoch | None
) -> None:
    """Refuse what cannot be trained as asked.

    Raises:
        BadOption: As ``train``.
    """
    if not 1 <= epochs <= recipe.epochs:
        raise BadOption(f"epochs: expected 1 to {recipe.epochs}, the recipe's length, got {epochs}.")
    if recipe.train_images is not None and len(data.train) != recipe.train_images:
        raise BadOption(
            f"data: expected {recipe.train_images} training images, as in the recipe, got {len(data.train)}. "
            "Load it with get_data(..., train_images=recipe.train_images)."
        )
    if on_epoch is not None and evaluate != "every-epoch":
        raise BadOption(f"evaluate: expected 'every-epoch' where on_epoch is given, got {evaluate!r}.")


def _identity(
    space: Space, code: Code, recipe: Recipe, data: ImageData, seed: int, device: torch.device
) -> dict[str, Any]:
    """Say what makes this training this one; what a checkpoint is checked by."""
    return {
        "space": space.name,
        "code": list(code),
        "recipe": recipe.recipe_hash,
        "data": f"{data.name} {len(data.train)}/{len(data.valid)}/{len(data.test)}",
        "seed": seed,
        "device": device.type,
    }
