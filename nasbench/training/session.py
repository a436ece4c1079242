"""Everything of a training that moves: weights, optimizer, generators, curves and seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nasbench.seeds import generator
from nasbench.training.optimizers import make_optimizer, make_scaler
from nasbench.training.outcome import CURVES
from nasbench.training.recipe import Recipe
from nasbench.training.stopwatch import Stopwatch
from nasbench.training.weights import initialise

if TYPE_CHECKING:
    import torch


@dataclass(slots=True)
class Session:
    """A training under way.

    Attributes:
        network: On its device.
        optimizer: Over the parameters of ``network``.
        scaler: Of float16, else None.
        order: CPU generator of the order of the images.
        changes: CPU generator of the augmentation.
        curves: The curves of ``Training`` so far, by name.
        training: Adds up the seconds of training.
        evaluation: Adds up the seconds of evaluation.
    """

    network: torch.nn.Module
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler | None
    order: torch.Generator
    changes: torch.Generator
    curves: dict[str, list[float]]
    training: Stopwatch
    evaluation: Stopwatch

    @property
    def epochs(self) -> int:
        """Epochs completed."""
        return len(self.curves[CURVES[0]])


def start_session(
    network: torch.nn.Module, *, recipe: Recipe, seed: int, device: torch.device, clock: Stopwatch
) -> Session:
    """Give a network its first weights and everything it needs to be trained.

    Weights, order of the images and augmentation each draw from a generator of their own.

    Args:
        network: On torch's meta device; changed in place.
        recipe: How it will be trained.
        seed: Training seed.
        device: Where it will be trained.
        clock: The training's stopwatch.
    """
    network = initialise(network, generator=torch_generator(seed, "weights")).to(device)
    return Session(
        network,
        make_optimizer(network, recipe),
        make_scaler(recipe, device),
        torch_generator(seed, "order"),
        torch_generator(seed, "augmentation"),
        {name: [] for name in CURVES},
        clock,
        Stopwatch(device),
    )


def torch_generator(seed: int, use: str) -> torch.Generator:
    """Make the CPU generator of one use under a training seed."""
    import torch

    drawn = int(generator(seed, "training", use).integers(0, 1 << 63))
    return torch.Generator().manual_seed(drawn)
