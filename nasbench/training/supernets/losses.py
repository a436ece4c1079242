"""Losses as numbers that know their gradient with respect to a mixture.

The gradient is computed at once with the loss, and kept: so its seconds are metered, and both can be written
down and given again (``resuming``). Such a number cannot be differentiated twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch

from nasbench.spaces.mixture import Mixture

Half = Literal["training", "validation"]
"""Which half of the training images a loss is measured on."""

Gradients = Sequence[torch.Tensor | None]
"""Of a loss in each of ``tensors_of`` its mixture, None where it has none; empty where none was wanted."""


def tensors_of(mixture: Mixture) -> list[torch.Tensor]:
    """List what a loss may be differentiated by: weights of operations, and of edges where there are any."""
    return [mixture.weights] if mixture.edge_weights is None else [mixture.weights, mixture.edge_weights]


def joined(value: float, gradients: Gradients, mixture: Mixture) -> torch.Tensor:
    """Return a number that has this value and these gradients with respect to a mixture."""
    weights = mixture.weights
    known = torch.tensor(value, dtype=weights.dtype, device=weights.device)
    if gradients:
        for tensor, gradient in zip(tensors_of(mixture), gradients, strict=True):
            if gradient is not None:
                known = known + (gradient * (tensor - tensor.detach())).sum()
    return known
