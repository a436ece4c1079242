"""The NAS-Bench-201 network (Dong and Yang 2020): a cell repeated in stages of doubling width.

Stem 3x3 convolution and batch normalisation; stages of equal cells with a stride-2 residual block between
two; batch normalisation, ReLU, global average, linear. The published skeleton has 16 channels and three
stages of five cells; here all three numbers are free, so that small images train in seconds. Operations are
ordered ReLU-convolution-normalisation, convolutions have no bias and pooling does not count the padding.

This file defines torch modules and so imports torch at its top; it is itself imported only when a network is
built (``networks.build_network``).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from nasbench.spaces.nb201 import EDGES, NODES, OPERATIONS


def relu_conv_bn(channels_in: int, channels_out: int, kernel: int, *, stride: int = 1) -> nn.Module:
    """Build ReLU, convolution without bias, batch normalisation; stride 1 keeps the size of the image."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels_in, channels_out, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(channels_out),
    )


class Zero(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """The operation ``none``: brings zeros, whatever comes in."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return zeros of the same shape."""
        return torch.zeros_like(images)


def operation(name: str, channels: int) -> nn.Module:
    """Build one of the five operations; (b, channels, h, w) to the same shape."""
    if name == "none":
        return Zero()
    if name == "skip_connect":
        return nn.Identity()
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    return relu_conv_bn(channels, channels, {"nor_conv_1x1": 1, "nor_conv_3x3": 3}[name])


class Cell(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """Four nodes; each sums what its edges bring from the earlier ones. The last node is the output.

    Every edge but ``none`` is computed, even where no path leads on from it: that is the network whose
    parameters and seconds the benchmark reports.
    """

    def __init__(self, code: Sequence[int], channels: int) -> None:
        super().__init__()
        self.operations = nn.ModuleList(operation(OPERATIONS[value], channels) for value in code)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, channels, h, w) to the same shape."""
        nodes: list[torch.Tensor] = [images]
        for target in range(1, NODES):
            terms = [
                apply(nodes[source])
                for (source, end), apply in zip(EDGES, self.operations, strict=True)
                if end == target
            ]
            nodes.append(sum(terms[1:], start=terms[0]))
        return nodes[-1]


class ResidualBlock(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """Halve the image and change the width: two 3x3 convolutions beside an averaged 1x1 shortcut."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.first = relu_conv_bn(channels_in, channels_out, 3, stride=2)
        self.second = relu_conv_bn(channels_out, channels_out, 3)
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2, stride=2), nn.Conv2d(channels_in, channels_out, 1, bias=False)
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, channels_in, h, w) to (b, channels_out, h / 2, w / 2)."""
        return self.shortcut(images) + self.second(self.first(images))


def nb201_network(
    code: Sequence[int],
    *,
    channels: int = 16,
    cells_per_stage: int = 5,
    stages: int = 3,
    image_channels: int = 3,
    classes: int = 10,
) -> nn.Module:
    """Build the network of one cell; (b, image_channels, h, w) to (b, classes) logits.

    Args:
        code: (6,) operation indices, as in the space ``nb201``.
        channels: Channels of the stem and the first stage.
        cells_per_stage: Equal cells in each stage.
        stages: Stages; the image is halved and the width doubled between two.
        image_channels: Channels of an image.
        classes: Number of classes.

    Source: Dong and Yang 2020, section 2.1; parameter and multiplication counts equal the published ones.
    """
    layers: list[nn.Module] = [
        nn.Conv2d(image_channels, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
    ]
    width = channels
    for stage in range(stages):
        if stage > 0:
            layers.append(ResidualBlock(width, 2 * width))
            width *= 2
        layers.extend(Cell(code, width) for _ in range(cells_per_stage))
    layers += [nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(width, classes))
