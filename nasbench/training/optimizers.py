"""The optimizer of a recipe, in its fastest form: one fused call for all parameters where torch has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasbench.training.recipe import Recipe

if TYPE_CHECKING:
    import torch


def make_optimizer(network: torch.nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Make the optimizer of a recipe over all parameters of a network."""
    import torch

    parameters = list(network.parameters())
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(
            parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
        )
    if recipe.optimizer == "rmsprop":
        return torch.optim.RMSprop(
            parameters,
            lr=recipe.learning_rate,
            alpha=recipe.smoothing,
            eps=recipe.epsilon,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            foreach=True,
        )
    return torch.optim.SGD(
        parameters,
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
        fused=True,
    )


def make_scaler(recipe: Recipe, device: torch.device) -> torch.amp.GradScaler | None:
    """Make the loss scaler that float16 needs; None for other precisions."""
    if recipe.precision != "float16":
        return None
    import torch

    return torch.amp.GradScaler(device.type)
