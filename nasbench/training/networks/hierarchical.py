"""The networks of hierarchical representations (Liu et al. 2018): one cell at three scales.

A cell is its level-3 motif with level-2 motifs on its edges, and these with operations on theirs. Between two
stages a separable convolution of stride 2 halves the image and doubles the channels. Stem 3x3 convolution and
normalisation; a separable convolution, global average and linear at the end. Convolutions are followed by
normalisation and ReLU.

A node puts what its edges bring side by side; a 1x1 convolution with normalisation and ReLU brings it back to
the channels of the cell, and is left out where only one edge arrives, so that a chain of identities is the
identity map. How the channels come back is our reading; the paper does not fix it. A node that nothing
reaches brings nothing, and a cell without a way through gives zeros.

This file defines torch modules and so imports torch at its top; it is itself imported only when a network is
built (``networks.build_network``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from nasbench.spaces.hierarchical import CELL_NODES, MOTIF_NODES, OPERATIONS, Edges, edges_among
from nasbench.training.networks.darts import Pooling
from nasbench.training.networks.nb201 import conv_bn, depthwise_bn


def separable(channels_in: int, channels_out: int, *, stride: int = 1) -> nn.Module:
    """Build a 3x3 convolution of each channel for itself and one across channels, normalised, with ReLU."""
    return nn.Sequential(
        *depthwise_bn(channels_in, 3, stride=stride), *conv_bn(channels_in, channels_out, 1), nn.ReLU()
    )


def operation(name: str, channels: int) -> nn.Module:
    """Build one of the six operations; all keep the shape."""
    if name == "conv_1x1":
        return nn.Sequential(*conv_bn(channels, channels, 1), nn.ReLU())
    if name == "depthwise_conv_3x3":
        return nn.Sequential(*depthwise_bn(channels, 3), nn.ReLU())
    if name == "sep_conv_3x3":
        return separable(channels, channels)
    return nn.Identity() if name == "identity" else Pooling(name, 1)


class Motif(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """A small graph with a module on each edge.

    Args:
        nodes: Its nodes; the first is the input, the last the output.
        values: What each edge carries, 0 for nothing.
        build: Makes the module of a value above 0.
        channels: Channels of every node.
    """

    def __init__(
        self, nodes: int, values: Sequence[int], build: Callable[[int], nn.Module], channels: int
    ) -> None:
        super().__init__()
        self.sources: list[list[int]] = [[] for _ in range(nodes)]
        self.edges = nn.ModuleDict()
        self.merges = nn.ModuleDict()
        reached = {0}
        for (i, j), value in zip(edges_among(nodes), values, strict=True):
            if value and i in reached:
                self.edges[f"{i}_{j}"] = build(value)
                self.sources[j].append(i)
                reached.add(j)
        for j, sources in enumerate(self.sources):
            if len(sources) > 1:
                self.merges[str(j)] = nn.Sequential(*conv_bn(len(sources) * channels, channels, 1), nn.ReLU())

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, channels, h, w) to the same shape."""
        given: dict[int, torch.Tensor] = {0: images}
        for j, sources in enumerate(self.sources):
            if len(sources) == 1:
                given[j] = self.edges[f"{sources[0]}_{j}"](given[sources[0]])
            elif sources:
                brought = [self.edges[f"{i}_{j}"](given[i]) for i in sources]
                given[j] = self.merges[str(j)](torch.cat(brought, dim=1))
        output = given.get(len(self.sources) - 1)
        return torch.zeros_like(images) if output is None else output


def cell(motifs: Sequence[Edges], edges: Edges, channels: int) -> nn.Module:
    """Build the cell of a genotype: a fresh copy of a motif for each edge that carries it."""

    def of_operation(value: int) -> nn.Module:
        return operation(OPERATIONS[value], channels)

    def of_motif(value: int) -> nn.Module:
        return Motif(MOTIF_NODES, motifs[value - 1], of_operation, channels)

    return Motif(CELL_NODES, edges, of_motif, channels)


def hierarchical_network(
    motifs: Sequence[Edges],
    edges: Edges,
    *,
    channels: int = 16,
    cells_per_stage: int = 1,
    stages: int = 3,
    image_channels: int = 3,
    classes: int = 10,
) -> nn.Module:
    """Build the network of a genotype; (b, image_channels, h, w) to (b, classes) logits.

    Args:
        motifs: (6) motifs, as ``HierarchicalSpace.motifs`` gives them.
        edges: The cell, likewise.
        channels: Channels of the first stage; each further stage doubles them.
        cells_per_stage: Equal cells in each stage.
        stages: Stages; a separable convolution of stride 2 stands between two.
        image_channels: Channels of an image.
        classes: Number of classes.

    Source: Liu et al. 2018, sections 2 and 4.1.
    """
    width = channels
    layers: list[nn.Module] = [*conv_bn(image_channels, width, 3)]
    for stage in range(stages):
        if stage > 0:
            layers.append(separable(width, 2 * width, stride=2))
            width *= 2
        layers.extend(cell(motifs, edges, width) for _ in range(cells_per_stage))
    layers += [separable(width, width), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(width, classes))
