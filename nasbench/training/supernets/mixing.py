"""How one forward pass of a supernet mixes the operations of its edges.

An operation is executed only where the mixture needs it. With ``part`` > 1 an edge's operations see the
first 1/part of the channels, the rest passes by, and the channels are shuffled (Xu et al. 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from nasbench.errors import BadOption
from nasbench.spaces.mixture import Mixture


@dataclass(frozen=True, slots=True)
class Mixing:
    """A mixture as the edges of a network read it.

    Attributes:
        weights: (E, O) of the operations, of the images' type and device.
        executed: The operations that are executed, by edge.
        bare: (E,) sums of the weights of the other operations, or None to leave them out.
        part: The operations see the first 1/part of the channels.
        edge_weights: (E,) factors of the edges, or None.
    """

    weights: torch.Tensor
    executed: Sequence[Sequence[int]]
    bare: torch.Tensor | None = None
    part: int = 1
    edge_weights: torch.Tensor | None = None

    @classmethod
    def of(
        cls,
        mixture: Mixture,
        images: torch.Tensor,
        *,
        shape: tuple[int, int],
        channels: int,
        idle: frozenset[int] = frozenset(),
    ) -> Mixing:
        """Read a mixture.

        Args:
            mixture: As the strategy made it.
            images: What the network is shown; says type and device.
            shape: (E, O) of the network.
            channels: Of its first cells.
            idle: Operations that bring nothing and are never executed.

        Raises:
            BadOption: ``part`` of the mixture does not divide the channels, or its shape is wrong.
        """
        weights, part = mixture.weights, mixture.part
        if tuple(weights.shape) != shape:
            raise BadOption(f"weights: expected shape (E, O) (= {shape}), got {tuple(weights.shape)}.")
        if part < 1 or channels % part:
            raise BadOption(f"part: expected a divisor of the {channels} channels, got {part}.")
        is_executed = (weights.detach() != 0 if mixture.active is None else mixture.active).tolist()
        executed = [[o for o, runs in enumerate(row) if runs and o not in idle] for row in is_executed]
        weights = weights.to(images)
        bare = None
        if mixture.active is not None and not all(map(all, is_executed)):
            bare = weights.masked_fill(mixture.active.to(weights.device), 0.0).sum(dim=1)
        edge_weights = None if mixture.edge_weights is None else mixture.edge_weights.to(images)
        return cls(weights, executed, bare, part, edge_weights)

    def edge(
        self, edge: int, operations: nn.ModuleList, images: torch.Tensor, *, stride: int = 1
    ) -> torch.Tensor:
        """Map what an edge is shown, (b, channels, h, w), to what it brings, h and w divided by the stride.

        Args:
            edge: Its number.
            operations: Its operations.
            images: What it is shown.
            stride: That of its operations.
        """
        channels = images.shape[1] // self.part
        seen = images[:, :channels]
        terms = [self.weights[edge, o] * operations[o](seen) for o in self.executed[edge]]
        mixed = sum(terms[1:], terms[0]) if terms else torch.zeros_like(seen[:, :, ::stride, ::stride])
        if self.bare is not None:
            mixed = mixed + self.bare[edge]
        if self.part > 1:
            rest = images[:, channels:]
            if stride > 1:
                rest = functional.max_pool2d(rest, stride, ceil_mode=True)
            mixed = shuffle_channels(torch.cat([mixed, rest], dim=1), self.part)
        return mixed if self.edge_weights is None else self.edge_weights[edge] * mixed


def shuffle_channels(images: torch.Tensor, groups: int) -> torch.Tensor:
    """Deal the channels of (b, c, h, w) out in turn: the first of each group, the second of each, ..."""
    return images.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)
