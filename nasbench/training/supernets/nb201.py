"""The shared weights of all NAS-Bench-201 cells: every edge of every cell holds all five operations.

The skeleton is that of the stand-alone network (``networks.nb201``); what differs are the normalisations
(``layers``). The mixture is the same in every cell (``mixing``).

Source: Dong and Yang 2020; AutoDL-Projects, ``search_cells.py``.
"""

from __future__ import annotations

import torch
from torch import nn

from nasbench.spaces.mixture import Mixture
from nasbench.spaces.nb201 import EDGES, NODES, OPERATIONS
from nasbench.training.networks.nb201 import KERNELS, Cell, Normalisation, average_3x3, nb201_network
from nasbench.training.supernets.layers import BatchNormalisation, SharedConvolution, Statistics
from nasbench.training.supernets.mixing import Mixing

_NONE = (0,) * len(EDGES)


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


def _operation(name: str, channels: int, statistics: Statistics) -> nn.Module:
    """Build one operation of one edge."""
    if name in KERNELS:
        return SharedConvolution(channels, KERNELS[name], statistics)
    return {"none": Nothing, "skip_connect": nn.Identity, "avg_pool_3x3": AveragePooling}[name]()


class SharedCell(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """Four nodes and six edges; ``operations[edge][operation]`` are modules."""

    def __init__(self, channels: int, statistics: Statistics) -> None:
        super().__init__()
        self.operations = nn.ModuleList(
            nn.ModuleList(_operation(name, channels, statistics) for name in OPERATIONS) for _ in EDGES
        )

    def forward(self, images: torch.Tensor, mixing: Mixing) -> torch.Tensor:
        """Map (b, channels, h, w) to the same shape."""
        nodes: list[list[torch.Tensor]] = [[images], *([] for _ in range(NODES - 1))]
        for edge, (source, target) in enumerate(EDGES):
            whole = nodes[source][0] if len(nodes[source]) == 1 else sum(nodes[source][1:], nodes[source][0])
            nodes[source] = [whole]
            nodes[target].append(mixing.edge(edge, self.operations[edge], whole))
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
        mixing = Mixing.of(mixture, images, shape=(self.edges, self.operations), channels=self.channels)
        for layer in self.layers:
            images = layer(images, mixing) if isinstance(layer, SharedCell) else layer(images)
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
