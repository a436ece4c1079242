"""The TransNAS-Bench-101 networks (Duan et al. 2021): modules of residual blocks, or of searched cells.

A module keeps its shape, doubles the channels, halves the image, or both, in its first block or cell; the
rest of it keeps the shape. In the micro space the blocks are cells and the modules fixed; a cell whose shape
changes does so on every edge out of its input, where ``skip_connect`` is a factorised reduction. Global
average and linear follow the last module.

Deviation: the published stem halves its photographs of 256 pixels twice; images here are small, and the stem
is one 3x3 convolution with normalisation. A module halves an image of odd sides upwards, one of a single
pixel not at all.

This file defines torch modules and so imports torch at its top; it is itself imported only when a network is
built (``networks.build_network``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.nn import functional

from nasbench.spaces.four_nodes import EDGES, NODES
from nasbench.spaces.transnas_macro import DOUBLES, HALVES
from nasbench.spaces.transnas_micro import MODULES, OPERATIONS
from nasbench.training.networks.nb201 import Normalisation, conv_bn, relu_conv_bn

_KERNELS = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}


class BasicBlock(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """Two 3x3 convolutions beside the input, or beside its 1x1 convolution where the shape changes."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.first = relu_conv_bn(channels_in, channels_out, 3, stride=stride)
        self.second = relu_conv_bn(channels_out, channels_out, 3)
        keeps = stride == 1 and channels_in == channels_out
        self.shortcut = nn.Identity() if keeps else conv_bn(channels_in, channels_out, 1, stride=stride)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, channels_in, h, w) to (b, channels_out, h / stride, w / stride), rounded up."""
        return self.shortcut(images) + self.second(self.first(images))


class FactorizedReduction(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """ReLU, two 1x1 convolutions side by side, the second one pixel further on; normalise."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        half = channels_out // 2
        self.here = nn.Conv2d(channels_in, half, 1, stride=stride, bias=False)
        self.next = nn.Conv2d(channels_in, channels_out - half, 1, stride=stride, bias=False)
        self.norm = Normalisation(channels_out)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, channels_in, h, w) to (b, channels_out, h / stride, w / stride), rounded up."""
        positive = images.relu()
        further = functional.pad(positive, (0, 1, 0, 1))[:, :, 1:, 1:]
        return self.norm(torch.cat([self.here(positive), self.next(further)], dim=1))


class Zero(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """Zeros of the shape that another operation would give."""

    def __init__(self, channels_out: int, stride: int) -> None:
        super().__init__()
        self.channels_out, self.stride = channels_out, stride

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, channels_in, h, w) to zeros (b, channels_out, h / stride, w / stride), rounded up."""
        height, width = (-(-side // self.stride) for side in images.shape[2:])
        return images.new_zeros(len(images), self.channels_out, height, width)


def operation(name: str, channels_in: int, channels_out: int, stride: int) -> nn.Module:
    """Build one of the four operations."""
    if name in _KERNELS:
        return relu_conv_bn(channels_in, channels_out, _KERNELS[name], stride=stride)
    if name == "none":
        return Zero(channels_out, stride)
    if stride == 1 and channels_in == channels_out:
        return nn.Identity()
    return FactorizedReduction(channels_in, channels_out, stride)


class Cell(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """Four nodes; each sums what its edges bring. Edges out of node 0 change the shape.

    Every edge is computed, even where no path leads on from it.
    """

    def __init__(self, code: Sequence[int], channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.edges = nn.ModuleList(
            operation(OPERATIONS[value], channels_in, channels_out, stride)
            if source == 0
            else operation(OPERATIONS[value], channels_out, channels_out, 1)
            for (source, _), value in zip(EDGES, code, strict=True)
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, channels_in, h, w) to (b, channels_out, h / stride, w / stride), rounded up."""
        nodes = [images]
        for target in range(1, NODES):
            brought = [
                edge(nodes[source])
                for (source, into), edge in zip(EDGES, self.edges, strict=True)
                if into == target
            ]
            nodes.append(torch.stack(brought).sum(0))
        return nodes[-1]


def _modules(
    kinds: Sequence[int],
    block: Callable[[int, int, int], nn.Module],
    *,
    channels: int,
    blocks: int,
    image_channels: int,
    classes: int,
) -> nn.Module:
    """Stack a stem, modules of ``block(channels_in, channels_out, stride)``, and a head."""
    width = channels
    layers: list[nn.Module] = [*conv_bn(image_channels, width, 3)]
    for kind in kinds:
        before, width = width, 2 * width if kind in DOUBLES else width
        layers.append(block(before, width, 2 if kind in HALVES else 1))
        layers.extend(block(width, width, 1) for _ in range(blocks - 1))
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(width, classes))


def transnas_macro_network(
    code: Sequence[int], *, channels: int = 64, blocks: int = 2, image_channels: int = 3, classes: int = 10
) -> nn.Module:
    """Build the network of a macro architecture; (b, image_channels, h, w) to (b, classes) logits.

    Args:
        code: (6,) as in the space ``transnas-macro``.
        channels: Channels of the stem.
        blocks: Residual blocks of each module.
        image_channels: Channels of an image.
        classes: Number of classes.

    Source: Duan et al. 2021; their published code (yawen-d/TransNASBench, lib/models/net_infer).
    """
    return _modules(
        [value for value in code if value],
        BasicBlock,
        channels=channels,
        blocks=blocks,
        image_channels=image_channels,
        classes=classes,
    )


def transnas_micro_network(
    code: Sequence[int], *, channels: int = 64, cells: int = 2, image_channels: int = 3, classes: int = 10
) -> nn.Module:
    """Build the network of a cell in the skeleton 41414; (b, image_channels, h, w) to (b, classes) logits.

    Args:
        code: (6,) as in the space ``transnas-micro``.
        channels: Channels of the stem; three of the five modules double them.
        cells: Cells of each module.
        image_channels: Channels of an image.
        classes: Number of classes.

    Source: Duan et al. 2021; their published code (yawen-d/TransNASBench, lib/models/net_infer).
    """

    def cell(channels_in: int, channels_out: int, stride: int) -> nn.Module:
        return Cell(code, channels_in, channels_out, stride)

    return _modules(
        MODULES, cell, channels=channels, blocks=cells, image_channels=image_channels, classes=classes
    )
