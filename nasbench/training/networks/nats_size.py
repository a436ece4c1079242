"""The network of NATS-Bench's size space (Dong, Liu, Musial and Gabrys 2021): one cell, five free widths.

Stem 3x3 convolution and batch normalisation; a cell; a residual block of stride 2; a cell; a residual block;
a cell; batch normalisation, ReLU, global average, linear. The cell is the same everywhere
(``spaces.nats_size.CELL``); it may take another width in than it gives out. Then the edges from its input
change the width: a convolution by itself, a skip connection by a 1x1 convolution and batch normalisation.

This file defines torch modules and so imports torch at its top; it is itself imported only when a network is
built (``networks.build_network``).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from nasbench.spaces.nats_size import CHANNELS
from nasbench.training.networks.nb201 import Normalisation, ResidualBlock, conv_bn


class SizeCell(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """The fixed cell: node 1 = 3x3(input), 2 = 3x3(input) + 3x3(1), output = skip(input) + 3x3(1) + 3x3(2).

    What two edges out of one node have in common is computed once: their ReLU, and their convolutions as one
    wider convolution.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.channels = channels_out
        self.from_input = conv_bn(channels_in, 2 * channels_out, 3)
        self.from_1 = conv_bn(channels_out, 2 * channels_out, 3)
        self.from_2 = conv_bn(channels_out, channels_out, 3)
        same = channels_in == channels_out
        self.skip = nn.Identity() if same else conv_bn(channels_in, channels_out, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, channels in, h, w) to (b, channels out, h, w)."""
        node_1, to_2 = self.from_input(images.relu()).split(self.channels, dim=1)
        second, to_output = self.from_1(node_1.relu()).split(self.channels, dim=1)
        node_2 = to_2 + second
        return self.skip(images) + to_output + self.from_2(node_2.relu())


def nats_size_network(code: Sequence[int], *, image_channels: int = 3, classes: int = 10) -> nn.Module:
    """Build the network of an architecture; (b, image_channels, h, w) to (b, classes) logits.

    Args:
        code: (5,) indices of channels, as in the space ``nats-size``.
        image_channels: Channels of an image.
        classes: Number of classes.

    Source: Dong et al. 2021; the wiring is that of the authors' ``DynamicShapeTinyNet`` (AutoDL-Projects).
        Parameter and multiplication counts equal those of the release.
    """
    widths = [CHANNELS[value] for value in code]
    return nn.Sequential(
        nn.Conv2d(image_channels, widths[0], 3, padding=1, bias=False),
        Normalisation(widths[0]),
        SizeCell(widths[0], widths[0]),
        ResidualBlock(widths[0], widths[1]),
        SizeCell(widths[1], widths[2]),
        ResidualBlock(widths[2], widths[3]),
        SizeCell(widths[3], widths[4]),
        Normalisation(widths[4]),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(widths[4], classes),
    )
