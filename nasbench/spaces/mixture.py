"""A point between architectures: every edge carries all operations, mixed by real numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Mixture:
    """How the operations of every edge are mixed.

    Attributes:
        weights: (E, O) torch tensor; an edge's output is the sum over operations of weight x output.
        active: (E, O) bool torch tensor: operations that are executed. One that is not adds its bare weight
            to the edge's output, so that a straight-through weight of value zero still gets a gradient
            (GDAS). None executes every operation whose weight is not exactly zero.
        part: The mixed operations see the first 1/part of the channels, the rest passes by (PC-DARTS); >= 1.
        edge_weights: (E,) torch tensor that multiplies each edge's output (PC-DARTS), or None for ones.
    """

    weights: torch.Tensor
    active: torch.Tensor | None = None
    part: int = 1
    edge_weights: torch.Tensor | None = None
