"""A supernet under training: what weight-sharing and differentiable strategies act on, live.

1. The training images of the recipe are halved, stratified by class: one half trains the shared weights, the
   other judges architectures. The validation images, on which a discrete architecture is looked up or
   trained, and the test images are never seen by the search.
2. ``weight_step`` is one step of SGD with momentum 0.9 (not Nesterov's) and the recipe's weight decay on the
   operations that the mixture executes; the others keep weights and momentum. Gradients are clipped to norm
   5. The learning rate falls as a cosine from the recipe's to a 25th of it over the epochs that were planned.
   Published searches end at that share too, but start from a quarter of the stand-alone learning rate; on
   data sets of few steps an epoch architectures were ranked worse so.
3. ``score`` sets the statistics of all normalisations anew for each architecture, from the first 500 images
   of the half that trains weights, and measures the error on the first 1,000 of the other. It draws nothing.

Losses come back as numbers that know their gradient with respect to the mixture: it is computed at once, so
that its seconds are metered and it is computed in one thread; they cannot be differentiated twice. The
seconds are those of the supernet alone. Training images are augmented as the recipe says.

Source: Liu et al. 2019, section 2; Dong and Yang 2020; Guo et al. 2020, section 3, for the
statistics.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from nasbench.errors import UnknownName
from nasbench.spaces import Space
from nasbench.spaces.mixture import Mixture
from nasbench.spaces.relaxed import RelaxedSpace, relaxed_form
from nasbench.training.augmentation import augment
from nasbench.training.data import ImageData, Split
from nasbench.training.device import repeatable, resolve_device, wake
from nasbench.training.epoch import EVALUATION_BATCH, autocast
from nasbench.training.outcome import Diverged
from nasbench.training.recipe import Recipe
from nasbench.training.stopwatch import Stopwatch
from nasbench.training.supernets.darts import DARTSSupernet
from nasbench.training.supernets.losses import Gradients, Half, joined, tensors_of
from nasbench.training.supernets.minibatches import Minibatches, halved
from nasbench.training.supernets.nb201 import NB201Supernet
from nasbench.training.supernets.unrolled import Parameters, unrolled_gradient
from nasbench.training.weights import initialise

SUPERNETS: dict[str, Any] = {"darts": DARTSSupernet, "nb201": NB201Supernet}
_MOMENTUM = 0.9
_LARGEST_NORM = 5.0  # of the gradient of a weight step, as in the authors' code of Liu et al. 2019
_LAST_RATE = 1 / 25  # of the first: 0.025 to 0.001 in the authors' code of Liu et al. 2019
_CALIBRATION = 500  # images at most that normalisations take an architecture's statistics from
_JUDGED = 1000  # images at most that a score is the error on


class Supernet:
    """A relaxation with real shared weights.

    Args:
        space: A space that has a supernet.
        recipe: How to build the network and to train it; its epochs are planned until ``plan`` says others.
        data: Images, on any device.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
        rng: Draws the first weights, the order of the images and their augmentation.

    Attributes:
        form, edges, operations, is_analogue, seconds, epoch_steps: As in
            ``strategies.relaxation.Relaxation``.
        network: The network; gradients and statistics of its modules are this object's.
        parameters: Trainable parameters.

    Raises:
        UnknownName: The space has no supernet.
        BadOption: No such device here, or too few images.
    """

    is_analogue = False

    def __init__(
        self,
        space: Space,
        *,
        recipe: Recipe,
        data: ImageData,
        rng: np.random.Generator,
        device: str = "cpu",
    ) -> None:
        form = relaxed_form(space)
        if space.name not in SUPERNETS or form is None:
            raise UnknownName.among("space with a supernet", space.name, SUPERNETS)
        self._device = resolve_device(device)
        self._recipe = recipe
        self._last_state: tuple[Path, str] | None = None
        self.form: RelaxedSpace = form
        self._watch = Stopwatch(self._device)
        weights, order, choice, self._changes = (_generator(rng) for _ in range(4))
        with torch.device("meta"):
            network = SUPERNETS[space.name](
                channels=recipe.channels,
                cells_per_stage=recipe.cells_per_stage,
                stages=recipe.stages,
                image_channels=data.image_shape[0],
                classes=data.classes,
            )
        wake(self._device)
        with self._working():
            self.network = initialise(network, generator=weights).to(self._device, data.train.images.dtype)
            halves = halved(data, split_seed=recipe.split_seed)
            self._weight_half, self._architecture_half = (half.to(self._device) for half in halves)
        self._training = Minibatches(self._weight_half, size=recipe.batch_size, order=order)
        self._validation = Minibatches(self._architecture_half, size=recipe.batch_size, order=choice)
        self._waiting: Split | None = None
        self._optimizer = torch.optim.SGD(
            self.network.parameters(),
            lr=1.0,
            momentum=_MOMENTUM,
            weight_decay=recipe.weight_decay,
        )
        self._steps = 0
        self.edges, self.operations = network.edges, network.operations
        self.epoch_steps = self._training.a_pass
        self.parameters = sum(weight.numel() for weight in self.network.parameters())
        self.plan(recipe.epochs)

    @property
    def seconds(self) -> float:
        """Measured so far: every step, loss, gradient and score, and making the supernet."""
        return self._watch.seconds

    @property
    def peak_memory_bytes(self) -> int | None:
        """The most memory that tensors of this process took on the GPU; None on a CPU."""
        if self._device.type != "cuda":
            return None
        peak: int = torch.cuda.max_memory_allocated(self._device)
        return peak

    @property
    def learning_rate(self) -> float:
        """Of the next weight step."""
        done = min(1.0, self._steps / self._planned_steps)
        share = _LAST_RATE + (1.0 - _LAST_RATE) * (1.0 + math.cos(math.pi * done)) / 2.0
        return self._recipe.learning_rate * share

    def plan(self, epochs: int) -> None:
        """Let the learning rate fall over so many epochs from the first; later steps have the lowest."""
        self._planned_steps = epochs * self.epoch_steps

    def weight_step(self, mixture: Mixture) -> float:
        """Take one step of the shared weights on the next training minibatch; return its loss.

        Raises:
            Diverged: The loss is not finite.
        """
        with self._working(), torch.enable_grad():
            batch, self._waiting = self._next_training(), None
            self._optimizer.zero_grad(set_to_none=True)
            loss = self._loss(batch, _constant(mixture), smoothing=self._recipe.label_smoothing)
            value = float(loss.detach())
            if not math.isfinite(value):
                self._diverged(f"the training loss became {value}")
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), _LARGEST_NORM)
            for group in self._optimizer.param_groups:
                group["lr"] = self.learning_rate
            self._optimizer.step()
            self._steps += 1
        return value

    def training_loss(self, mixture: Mixture) -> torch.Tensor:
        """Return the loss on the training minibatch that the next ``weight_step`` will take."""
        return joined(*self.evaluated("training", mixture), mixture)

    def architecture_loss(self, mixture: Mixture) -> torch.Tensor:
        """Return the loss on the next minibatch of the half that judges architectures."""
        return joined(*self.evaluated("validation", mixture), mixture)

    def evaluated(self, half: Half, mixture: Mixture) -> tuple[float, Gradients]:
        """Compute ``training_loss`` or ``architecture_loss``, and the gradients that the mixture wants."""
        with self._working():
            if half == "training":
                return self._known(self._next_training(), mixture, self._recipe.label_smoothing)
            return self._known(self._validation.take(), mixture, 0.0)

    def steady_loss(self, mixture: Mixture) -> torch.Tensor:
        """Return the loss on the first images that judge architectures, differentiable any number of times.

        Only its forward pass is metered; it takes no minibatch away.
        """
        judged = Split(self._architecture_half.images[:_JUDGED], self._architecture_half.labels[:_JUDGED])
        with self._working():
            return self._loss(judged, mixture)

    def unrolled_gradient(self, mixture: Mixture, *, is_exact: bool = False) -> torch.Tensor:
        """Return the gradient (E, O) of the validation loss after one virtual weight step.

        The step is that of the next ``weight_step``, but for the clipping; see ``unrolled``.
        """
        with self._working(), torch.enable_grad():
            training, validation = self._next_training(), self._validation.take()
            names = dict(self.network.named_parameters())
            state = self._optimizer.state

            def training_loss(parameters: Parameters, at: torch.Tensor) -> torch.Tensor:
                there = replace(_constant(mixture), weights=at)
                return self._loss(training, there, parameters, smoothing=self._recipe.label_smoothing)

            def validation_loss(parameters: Parameters, at: torch.Tensor) -> torch.Tensor:
                return self._loss(validation, replace(_constant(mixture), weights=at), parameters)

            return unrolled_gradient(
                training_loss,
                validation_loss,
                names,
                mixture.weights,
                buffers={
                    name: state[weight]["momentum_buffer"]
                    for name, weight in names.items()
                    if state[weight].get("momentum_buffer") is not None
                },
                learning_rate=self.learning_rate,
                momentum=_MOMENTUM,
                weight_decay=self._recipe.weight_decay,
                is_exact=is_exact,
            )

    def score(self, codes: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
        """Measure the errors of (n, L) discrete architectures on images that trained no weights, (n,).

        Raises:
            Diverged: A logit is not finite.
        """
        judged = self._architecture_half.images[:_JUDGED], self._architecture_half.labels[:_JUDGED]
        known = self._weight_half.images[:_CALIBRATION]
        size = EVALUATION_BATCH[self._device.type]
        errors = []
        with self._working(), torch.no_grad():
            self.network.statistics.first = len(known)
            try:
                for chosen in self.form.chosen(codes):
                    path = torch.from_numpy(chosen).float()
                    wrong = torch.zeros((), dtype=torch.int64, device=self._device)
                    finite = torch.ones((), dtype=torch.bool, device=self._device)
                    for images, labels in zip(*(part.split(size) for part in judged), strict=True):
                        with autocast(self._device, self._recipe):
                            logits = self.network(torch.cat([known, images]), Mixture(path))[len(known) :]
                        finite &= torch.isfinite(logits).all()
                        wrong += (logits.argmax(dim=1) != labels).sum()
                    if not bool(finite):
                        self._diverged("the network's output is not finite")
                    errors.append(int(wrong) / len(judged[1]))
            finally:
                self.network.statistics.first = None
        return np.array(errors, dtype=np.float64)

    @contextmanager
    def _working(self) -> Iterator[None]:
        """Meter the body and make it repeatable."""
        with repeatable(self._device), self._watch:
            yield

    def _next_training(self) -> Split:
        """Return the minibatch of the next weight step without taking it away."""
        if self._waiting is None:
            batch = self._training.take()
            images = augment(batch.images, recipe=self._recipe, generator=self._changes)
            self._waiting = Split(images, batch.labels)
        return self._waiting

    def _loss(
        self, batch: Split, mixture: Mixture, parameters: Parameters | None = None, *, smoothing: float = 0.0
    ) -> torch.Tensor:
        """Compute the cross-entropy of one minibatch, with the network's own weights or with others."""
        with autocast(self._device, self._recipe):
            if parameters is None:
                logits = self.network(batch.images, mixture)
            else:
                logits = functional_call(self.network, dict(parameters), (batch.images, mixture))
            return cross_entropy(logits, batch.labels, label_smoothing=smoothing)

    def _known(self, batch: Split, mixture: Mixture, smoothing: float) -> tuple[float, Gradients]:
        """Compute a loss and its gradients."""
        wanted = tensors_of(mixture)
        points = [tensor.detach().requires_grad_(tensor.requires_grad) for tensor in wanted]
        there = replace(mixture, weights=points[0], edge_weights=points[1] if len(points) == 2 else None)
        differentiated = [point for point in points if point.requires_grad]
        if not (differentiated and torch.is_grad_enabled()):
            with torch.no_grad():
                return float(self._loss(batch, there, smoothing=smoothing)), ()
        loss = self._loss(batch, there, smoothing=smoothing)
        found = iter(torch.autograd.grad(loss, differentiated, allow_unused=True))
        return float(loss.detach()), [next(found) if point.requires_grad else None for point in points]

    def keep_last_state(self, path: Path, *, called: str) -> None:
        """Say where the last state before a divergence goes, and what the message calls that place."""
        self._last_state = path, called

    def _diverged(self, what: str) -> None:
        """Save the last state where there is a place for it.

        Raises:
            Diverged: Always.
        """
        epoch = self._steps // self.epoch_steps + 1
        saved = ""
        if self._last_state is not None:
            path, called = self._last_state
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
            torch.save(self.state(), aside)
            aside.replace(path)
            saved = f"; its last state is in {called}"
        raise Diverged(f"{what} in epoch {epoch} of the supernet{saved}")

    # To go on another time ----------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return everything that the next step depends on, and the seconds so far."""
        waiting = self._waiting
        return {
            "network": self.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "steps": self._steps,
            "planned_steps": self._planned_steps,
            "training": self._training.state(),
            "validation": self._validation.state(),
            "waiting": None if waiting is None else [waiting.images, waiting.labels],
            "changes": self._changes.get_state(),
            "seconds": self._watch.seconds,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where ``state`` was taken, of a supernet made in the same way."""
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._steps, self._planned_steps = state["steps"], state["planned_steps"]
        self._training.restore(state["training"])
        self._validation.restore(state["validation"])
        waiting = state["waiting"]
        self._waiting = None if waiting is None else Split(*(part.to(self._device) for part in waiting))
        self._changes.set_state(state["changes"])
        self._watch.seconds = state["seconds"]


def _generator(rng: np.random.Generator) -> torch.Generator:
    """Make a CPU generator from the run's own."""
    return torch.Generator().manual_seed(int(rng.integers(0, 1 << 63)))


def _constant(mixture: Mixture) -> Mixture:
    """Detach a mixture from whatever it was computed from."""
    edge_weights = mixture.edge_weights
    return replace(
        mixture,
        weights=mixture.weights.detach(),
        edge_weights=None if edge_weights is None else edge_weights.detach(),
    )
