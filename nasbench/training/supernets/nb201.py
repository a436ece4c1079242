"""The shared weights of all NAS-Bench-201 cells: every edge of every cell holds all five operations.

The skeleton is that of the stand-alone network (``networks.nb201``). Two things differ, as in the weight
sharing of Dong and Yang 2020:

* Normalisation inside the cells learns no scale and shift (``affine=False``), for one operation's would be
  another's excuse.
* No normalisation keeps running statistics: those of one path say nothing of another. Statistics are the
  batch's own, or those of the first images of a batch, by which a path is evaluated (``Statistics``).

An operation is executed only where the mixture needs it. With ``part`` > 1 an edge's operations see the
first 1/part of the channels through the corresponding block of their weights, the rest passes by, and the
channels are shuffled (Xu et al. 2020).

Source: Dong and Yang 2020; AutoDL-Projects, ``search_cells.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from nasbench.errors import BadOption
from nasbench.spaces.mixture import Mixture
from nasbench.spaces.nb201 import EDGES, NODES, OPERATIONS
from nasbench.training.networks.nb201 import KERNELS, Cell, Normalisation, average_3x3, nb201_network

_NONE = (0,) * len(EDGES)


class Statistics:
    """Which images of a batch the normalisations of one network take their statistics from.

    Attributes:
        first: How many, from the start of the batch; None takes all.
    """

    def __init__(self) -> None:
        self.first: int | None = None


class BatchNormalisation(nn.BatchNorm2d):  # type: ignore[misc]  # torch is not type-checked
    """Batch normalisation by the statistics of the batch, or of its first images."""

    def __init__(self, channels: int, statistics: Statistics, *, affine: bool) -> None:
        super().__init__(channels, affine=affine, track_running_stats=False)
        self.statistics = statistics

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, channels, h, w) to the same shape; without affine, any number of channels will do."""
        first = self.statistics.first
        if first is None:
            return functional.batch_norm(images, None, None, self.weight, self.bias, True, 0.0, self.eps)
        mean = images[:first].mean(dim=(0, 2, 3))
        variance = images[:first].var(dim=(0, 2, 3), unbiased=False)
        return functional.batch_norm(images, mean, variance, self.weight, self.bias, False, 0.0, self.eps)


class Nothing(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """The operation ``none``."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, c, h, w) to zeros."""
        return torch.zeros_like(images)


class AveragePooling(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """The operation ``avg_pool_3x3``; padding does not count."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, c, h, w) to the same shape."""
        return average_3x3(images)


class SharedConvolution(nn.Conv2d):  # type: ignore[misc]  # torch is not type-checked
    """ReLU, convolution without bias, normalisation; of fewer channels than its own it uses the first."""

    def __init__(self, channels: int, kernel: int, statistics: Statistics) -> None:
        super().__init__(channels, channels, kernel, padding=kernel // 2, bias=False)
        self.normalisation = BatchNormalisation(channels, statistics, affine=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, c, h, w) to the same shape."""
        channels = images.shape[1]
        weight = self.weight[:channels, :channels]
        images = images.relu()
        if self.kernel_size == (1, 1) and images.device.type == "cpu":  # as a matrix product: much faster
            wide = weight.flatten(1).expand(len(images), -1, -1)
            images = torch.bmm(wide, images.flatten(2)).unflatten(2, images.shape[2:])
        else:
            images = functional.conv2d(images, weight, padding=self.padding)
        return self.normalisation(images)


def _operation(name: str, channels: int, statistics: Statistics) -> nn.Module:
    """Build one operation of one edge."""
    if name in KERNELS:
        return SharedConvolution(channels, KERNELS[name], statistics)
    return {"none": Nothing, "skip_connect": nn.Identity, "avg_pool_3x3": AveragePooling}[name]()


def shuffle_channels(images: torch.Tensor, groups: int) -> torch.Tensor:
    """Deal the channels of (b, c, h, w) out in turn: the first of each group, the second of each, ..."""
    return images.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)


class SharedCell(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """Four nodes and six edges; ``operations[edge][operation]`` are modules."""

    def __init__(self, channels: int, statistics: Statistics) -> None:
        super().__init__()
        self.operations = nn.ModuleList(
            nn.ModuleList(_operation(name, channels, statistics) for name in OPERATIONS) for _ in EDGES
        )

    def forward(
        self,
        images: torch.Tensor,
        weights: torch.Tensor,
        executed: Sequence[Sequence[int]],
        bare: torch.Tensor | None,
        part: int,
        edge_weights: torch.Tensor | None,
    ) -> torch.Tensor:
        """Map (b, channels, h, w) to the same shape.

        Args:
            images: (b, channels, h, w).
            weights: (E, O) of the operations.
            executed: The operations that are executed, by edge.
            bare: (E,) sums of the weights of the other operations, or None to leave them out.
            part: The operations see the first 1/part of the channels.
            edge_weights: (E,) factors of the edges, or None.
        """
        channels = images.shape[1] // part
        nodes: list[list[torch.Tensor]] = [[images], *([] for _ in range(NODES - 1))]
        for edge, (source, target) in enumerate(EDGES):
            whole = nodes[source][0] if len(nodes[source]) == 1 else sum(nodes[source][1:], nodes[source][0])
            nodes[source] = [whole]
            seen = whole[:, :channels]
            terms = [weights[edge, o] * self.operations[edge][o](seen) for o in executed[edge]]
            mixed = sum(terms[1:], terms[0]) if terms else torch.zeros_like(seen)
            if bare is not None:
                mixed = mixed + bare[edge]
            if part > 1:
                mixed = shuffle_channels(torch.cat([mixed, whole[:, channels:]], dim=1), part)
            if edge_weights is not None:
                mixed = edge_weights[edge] * mixed
            nodes[target].append(mixed)
        return sum(nodes[-1][1:], nodes[-1][0])


class NB201Supernet(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """The stand-alone network with shared cells; arguments as ``networks.nb201.nb201_network``.

    Attributes:
        statistics: Where all normalisations take their statistics from.
    """

    edges = len(EDGES)
    operations = len(OPERATIONS)

    def __init__(
        self, *, channels: int, cells_per_stage: int, stages: int, image_channels: int, classes: int
    ) -> None:
        super().__init__()
        self.channels = channels
        self.statistics = Statistics()
        self.layers = nb201_network(
            _NONE,
            channels=channels,
            cells_per_stage=cells_per_stage,
            stages=stages,
            image_channels=image_channels,
            classes=classes,
        )
        _share(self.layers, self.statistics)

    def forward(self, images: torch.Tensor, mixture: Mixture) -> torch.Tensor:
        """Map (b, image_channels, h, w) to (b, classes) logits; the mixture is the same in every cell.

        Raises:
            BadOption: ``part`` of the mixture does not divide the channels, or its shape is wrong.
        """
        weights, part = mixture.weights, mixture.part
        if tuple(weights.shape) != (self.edges, self.operations):
            raise BadOption(
                f"weights: expected shape (E, O) (= ({self.edges}, {self.operations})), "
                f"got {tuple(weights.shape)}."
            )
        if part < 1 or self.channels % part:
            raise BadOption(f"part: expected a divisor of the {self.channels} channels, got {part}.")
        is_executed = (weights.detach() != 0 if mixture.active is None else mixture.active).tolist()
        executed = [[o for o, runs in enumerate(row) if runs] for row in is_executed]
        weights = weights.to(images)
        bare = None
        if mixture.active is not None and not all(map(all, is_executed)):
            bare = weights.masked_fill(mixture.active.to(weights.device), 0.0).sum(dim=1)
        edge_weights = None if mixture.edge_weights is None else mixture.edge_weights.to(images)
        for layer in self.layers:
            if isinstance(layer, SharedCell):
                images = layer(images, weights, executed, bare, part, edge_weights)
            else:
                images = layer(images)
        return images


def _share(module: nn.Module, statistics: Statistics) -> None:
    """Replace the cells of a stand-alone network by shared ones, and its normalisations."""
    for name, child in module.named_children():
        if isinstance(child, Cell):
            setattr(module, name, SharedCell(child.channels, statistics))
        elif isinstance(child, Normalisation):
            setattr(module, name, BatchNormalisation(child.num_features, statistics, affine=True))
        else:
            _share(child, statistics)
