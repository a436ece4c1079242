"""The NAS-Bench-Macro network (Su et al. 2021): inverted residual blocks in stages of two, three and three.

Stem 3x3 convolution, normalisation and ReLU; the eight layers; a 1x1 convolution to forty times the channels
of the stem, global average, linear. The first layer of a stage halves the image and doubles the channels.
The published network has 32 channels in its stem; here their number is free.

This file defines torch modules and so imports torch at its top; it is itself imported only when a network is
built (``networks.build_network``).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from nasbench.spaces.nb_macro import BLOCKS, STAGES
from nasbench.training.networks.nb201 import conv_bn, depthwise_bn

_HEAD = 40
"""Channels of the head for each channel of the stem: 1,280 for 32."""
_EXPANSION_KERNEL = {"mb3_k3": (3, 3), "mb6_k5": (6, 5)}


class InvertedResidual(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """Widen by a 1x1 convolution, convolve each channel for itself, narrow; add the input if it fits."""

    def __init__(
        self, channels_in: int, channels_out: int, *, expansion: int, kernel: int, stride: int
    ) -> None:
        super().__init__()
        wide = expansion * channels_in
        self.layers = nn.Sequential(
            *conv_bn(channels_in, wide, 1),
            nn.ReLU(),
            *depthwise_bn(wide, kernel, stride=stride),
            nn.ReLU(),
            *conv_bn(wide, channels_out, 1),
        )
        self.adds_input = stride == 1 and channels_in == channels_out

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, channels_in, h, w) to (b, channels_out, h / stride, w / stride)."""
        narrow = self.layers(images)
        return images + narrow if self.adds_input else narrow


def block(name: str, channels_in: int, channels_out: int, *, stride: int) -> nn.Module:
    """Build one of the three blocks; ``identity`` is a 1x1 convolution where the shape changes."""
    if name in _EXPANSION_KERNEL:
        expansion, kernel = _EXPANSION_KERNEL[name]
        return InvertedResidual(channels_in, channels_out, expansion=expansion, kernel=kernel, stride=stride)
    if stride == 1 and channels_in == channels_out:
        return nn.Identity()
    return conv_bn(channels_in, channels_out, 1, stride=stride)


def nb_macro_network(
    code: Sequence[int], *, channels: int = 32, image_channels: int = 3, classes: int = 10
) -> nn.Module:
    """Build the network of an architecture; (b, image_channels, h, w) to (b, classes) logits.

    Args:
        code: (8,) as in the space ``nb-macro``.
        channels: Channels of the stem; each of the three stages doubles them.
        image_channels: Channels of an image.
        classes: Number of classes.

    Source: Su et al. 2021; their published code (xiusu/NAS-Bench-Macro, train/model.py). Parameter counts
        equal the published ones.
    """
    width = channels
    layers: list[nn.Module] = [*conv_bn(image_channels, width, 3), nn.ReLU()]
    values = iter(code)
    for length in STAGES:
        for number in range(length):
            before, width, stride = width, 2 * width if number == 0 else width, 2 if number == 0 else 1
            layers.append(block(BLOCKS[next(values)], before, width, stride=stride))
    head = _HEAD * channels
    layers += [*conv_bn(width, head, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(head, classes))
