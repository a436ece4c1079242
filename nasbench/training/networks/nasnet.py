"""NASNet cells (Zoph et al. 2018) on the skeleton of the DARTS networks (``networks.darts``).

Every cell takes the outputs of the two cells before it, each made as wide as the cell by a 1x1 convolution,
and puts the states that no block takes side by side; a reduction cell halves the image on every edge out of
an input and doubles the width. A block that puts its two sides side by side is brought back to the width of
the cell by a 1x1 convolution where another block takes it; the output of the cell has it as it is.

Deviations from the paper: the skeleton is that of DARTS (stem, width of the inputs, no auxiliary head, no
drop path), so that sizes compare with those of its genotypes; pooling is not followed by normalisation.

This file defines torch modules and so imports torch at its top; it is itself imported only when a network is
built (``networks.build_network``).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from nasbench.spaces.nasnet import INPUTS, Block, unused_states
from nasbench.training.networks.darts import DartsNetwork, FactorizedReduction, depthwise, operation
from nasbench.training.networks.nb201 import Normalisation, relu_conv_bn

_STEM = 3
"""Channels of the stem for each channel of a cell."""
_DENSE = {"conv_1x1": 1, "conv_3x3": 3}
_IN_TWO = {"conv_3x1_1x3": 3, "conv_7x1_1x7": 7}
_LARGE_POOLS = {"max_pool_5x5": 5, "max_pool_7x7": 7}


class LargestOf(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """The largest of each square patch; padding does not count."""

    def __init__(self, side: int, stride: int) -> None:
        super().__init__()
        self.side, self.stride = side, stride

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, c, h, w) to (b, c, h / stride, w / stride)."""
        return functional.max_pool2d(images, self.side, stride=self.stride, padding=self.side // 2)


def nasnet_operation(name: str, channels: int, stride: int) -> nn.Module:
    """Build one of the thirteen operations; stride 2 halves the image."""
    if name in _DENSE:
        return relu_conv_bn(channels, channels, _DENSE[name], stride=stride)
    if name in _IN_TWO:
        side = _IN_TWO[name]
        lying, upright = (1, side), (side, 1)
        return nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(channels, channels, lying, stride=(1, stride), padding=(0, side // 2), bias=False),
            nn.Conv2d(channels, channels, upright, stride=(stride, 1), padding=(side // 2, 0), bias=False),
            Normalisation(channels),
        )
    if name in _LARGE_POOLS:
        return LargestOf(_LARGE_POOLS[name], stride)
    if name == "sep_conv_7x7":
        return nn.Sequential(*depthwise(channels, 7, stride=stride), *depthwise(channels, 7, stride=1))
    return operation(name, channels, stride)


class NASNetCell(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """Two inputs, blocks, and the states that no block takes side by side as output.

    Args:
        blocks: The blocks in order.
        widths: Channels of the outputs of the cell before the last and of the last cell.
        channels: Channels of each state.
        reduces: Whether edges from the inputs halve the image.
        first_is_larger: Whether the first input has twice the height and width of the second.
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        widths: tuple[int, int],
        channels: int,
        *,
        reduces: bool,
        first_is_larger: bool,
    ) -> None:
        super().__init__()
        first = FactorizedReduction if first_is_larger else _pointwise
        self.inputs = nn.ModuleList([first(widths[0], channels), _pointwise(widths[1], channels)])
        self.blocks = tuple(blocks)
        self.output = unused_states(blocks)
        self.edges = nn.ModuleList(
            nasnet_operation(name, channels, 2 if reduces and state < INPUTS else 1)
            for block in blocks
            for name, state in zip(block.operations, block.states, strict=True)
        )
        wide = {state for state, block in enumerate(blocks, start=INPUTS) if block.combination == "concat"}
        self.narrow = nn.ModuleDict(
            {str(state): _pointwise(2 * channels, channels) for state in sorted(wide - set(self.output))}
        )
        self.width = channels * sum(2 if state in wide else 1 for state in self.output)

    def forward(self, before_last: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
        """Map the outputs of the two cells before to (b, width, h, w), or half of it in h and w."""
        states = [self.inputs[0](before_last), self.inputs[1](last)]
        for number, block in enumerate(self.blocks):
            first, second = (
                self.edges[2 * number + side](states[state]) for side, state in enumerate(block.states)
            )
            made = first + second if block.combination == "add" else torch.cat([first, second], dim=1)
            name = str(INPUTS + number)
            states.append(self.narrow[name](made) if name in self.narrow else made)
        return torch.cat([states[state] for state in self.output], dim=1)


def _pointwise(channels_in: int, channels_out: int) -> nn.Module:
    return relu_conv_bn(channels_in, channels_out, 1)


def nasnet_network(
    cells: tuple[Sequence[Block], Sequence[Block]],
    *,
    channels: int = 36,
    cells_per_stage: int = 6,
    stages: int = 3,
    image_channels: int = 3,
    classes: int = 10,
) -> nn.Module:
    """Build the network of an architecture; (b, image_channels, h, w) to (b, classes) logits.

    Args:
        cells: The blocks of the normal and of the reduction cell, as ``NASNetSpace.cells`` gives them.
        channels: Channels of a state in the first stage; each further stage doubles them.
        cells_per_stage: Normal cells in each stage.
        stages: Stages; a reduction cell, already of the doubled width, stands between two.
        image_channels: Channels of an image.
        classes: Number of classes.

    Source: Zoph et al. 2018, sections 3 and A.4, for the cells; Liu et al. 2019 for the skeleton.
    """
    normal, reduction = cells
    width = _STEM * channels
    stem = nn.Sequential(nn.Conv2d(image_channels, width, 3, padding=1, bias=False), Normalisation(width))
    widths = (width, width)
    built: list[NASNetCell] = []
    reduces = False
    for stage in range(stages):
        for number in range(cells_per_stage + (stage > 0)):
            first_is_larger, reduces = reduces, stage > 0 and number == 0
            channels *= 2 if reduces else 1
            blocks = reduction if reduces else normal
            built.append(
                NASNetCell(blocks, widths, channels, reduces=reduces, first_is_larger=first_is_larger)
            )
            widths = (widths[1], built[-1].width)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[1], classes))
    return DartsNetwork(stem, built, head)
