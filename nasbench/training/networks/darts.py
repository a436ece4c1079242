"""The DARTS evaluation network (Liu et al. 2019): stages of normal cells with a reduction cell between two.

Stem 3x3 convolution to three times the channels; every cell takes the outputs of the two cells before it,
each made as wide as the cell by a 1x1 convolution, and puts its four nodes side by side; a reduction cell
halves the image and doubles the width; global average, linear. With three stages of n normal cells the
reduction cells stand at one third and two thirds of 3 n + 2 cells: n = 6 is the published network of 20
cells, n = 2 that of NAS-Bench-301 with 8.

Left out are the auxiliary head and drop path, by which the papers regularise trainings of hundreds of epochs.

This file defines torch modules and so imports torch at its top; it is itself imported only when a network is
built (``networks.build_network``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from nasbench.spaces.darts_cell import INPUTS, LENGTH, NODES, Edge, edges_of
from nasbench.training.networks.nb201 import (
    Normalisation,
    PointwiseConvolution,
    average_3x3,
    relu_conv_bn,
)

_STEM = 3
"""Channels of the stem for each channel of a cell."""
_SEPARABLE = {"sep_conv_3x3": 3, "sep_conv_5x5": 5}
_DILATED = {"dil_conv_3x3": 3, "dil_conv_5x5": 5}


class FactorizedReduction(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """ReLU, halve the image by two 1x1 convolutions of stride 2 side by side, one pixel apart; normalise."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.even = nn.Conv2d(channels_in, channels_out // 2, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(channels_in, channels_out - channels_out // 2, 1, stride=2, bias=False)
        self.norm = Normalisation(channels_out)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, channels_in, h, w) to (b, channels_out, h / 2, w / 2)."""
        positive = images.relu()
        return self.norm(torch.cat([self.even(positive), self.odd(positive[:, :, 1:, 1:])], dim=1))


class Pooling(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """The largest or the mean of each 3x3 patch; padding counts for neither."""

    def __init__(self, name: str, stride: int) -> None:
        super().__init__()
        self.takes_largest = name == "max_pool_3x3"
        self.stride = stride

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, c, h, w) to (b, c, h / stride, w / stride)."""
        if self.takes_largest:
            return functional.max_pool2d(images, 3, stride=self.stride, padding=1)
        if self.stride == 1:
            return average_3x3(images)
        return functional.avg_pool2d(images, 3, stride=self.stride, padding=1, count_include_pad=False)


def depthwise(channels: int, kernel: int, *, stride: int, dilation: int = 1) -> list[nn.Module]:
    """List ReLU, a convolution of each channel for itself, one across channels, and normalisation."""
    padding = dilation * (kernel // 2)
    return [
        nn.ReLU(),
        nn.Conv2d(
            channels,
            channels,
            kernel,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=channels,
            bias=False,
        ),
        PointwiseConvolution(channels, channels, 1, bias=False),
        Normalisation(channels),
    ]


def operation(name: str, channels: int, stride: int) -> nn.Module:
    """Build one of the seven operations; stride 2 halves the image."""
    if name in _SEPARABLE:
        kernel = _SEPARABLE[name]
        return nn.Sequential(
            *depthwise(channels, kernel, stride=stride), *depthwise(channels, kernel, stride=1)
        )
    if name in _DILATED:
        return nn.Sequential(*depthwise(channels, _DILATED[name], stride=stride, dilation=2))
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else FactorizedReduction(channels, channels)
    return Pooling(name, stride)


class Cell(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """Two inputs, four nodes that each add up two edges, and all nodes side by side as output.

    Args:
        edges: Two a node.
        widths: Channels of the outputs of the cell before the last and of the last cell.
        channels: Channels of each node.
        reduces: Whether edges from the inputs halve the image.
        first_is_larger: Whether the first input has twice the height and width of the second.
    """

    def __init__(
        self,
        edges: Sequence[Edge],
        widths: tuple[int, int],
        channels: int,
        *,
        reduces: bool,
        first_is_larger: bool,
    ) -> None:
        super().__init__()
        self.inputs = cell_inputs(widths, channels, first_is_larger=first_is_larger)
        self.sources = [source for _, source in edges]
        self.edges = nn.ModuleList(
            operation(name, channels, 2 if reduces and source < INPUTS else 1) for name, source in edges
        )

    def forward(self, before_last: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
        """Map the outputs of the two cells before to (b, 4 channels, h, w), or half of it in h and w."""
        states = [self.inputs[0](before_last), self.inputs[1](last)]
        for node in range(NODES):
            low, high = (self.edges[e](states[self.sources[e]]) for e in (2 * node, 2 * node + 1))
            states.append(low + high)
        return torch.cat(states[INPUTS:], dim=1)


def cell_inputs(widths: tuple[int, int], channels: int, *, first_is_larger: bool) -> nn.ModuleList:
    """Build what makes the two inputs of a cell as wide as its nodes; arguments as of ``Cell``."""
    first = FactorizedReduction if first_is_larger else _pointwise
    return nn.ModuleList([first(widths[0], channels), _pointwise(widths[1], channels)])


def _pointwise(channels_in: int, channels_out: int) -> nn.Module:
    return relu_conv_bn(channels_in, channels_out, 1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cell stands in the row; attributes as the arguments of ``Cell``."""

    widths: tuple[int, int]
    channels: int
    reduces: bool
    first_is_larger: bool


def places(*, channels: int, cells_per_stage: int, stages: int) -> list[Place]:
    """List the cells of a network; arguments as of ``darts_network``."""
    widths = (_STEM * channels, _STEM * channels)
    row: list[Place] = []
    reduces = False
    for stage in range(stages):
        for number in range(cells_per_stage + (stage > 0)):
            first_is_larger, reduces = reduces, stage > 0 and number == 0
            channels *= 2 if reduces else 1
            row.append(Place(widths, channels, reduces, first_is_larger))
            widths = (widths[1], NODES * channels)
    return row


def stem_and_head(
    row: Sequence[Place], *, image_channels: int, classes: int
) -> tuple[nn.Sequential, nn.Sequential]:
    """Build what stands before and behind a row of cells."""
    width = row[0].widths[0]
    stem = nn.Sequential(
        nn.Conv2d(image_channels, width, 3, padding=1, bias=False),
        Normalisation(width),
    )
    last = NODES * row[-1].channels
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(last, classes))
    return stem, head


class DartsNetwork(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """A stem, cells in a row, a linear head."""

    def __init__(self, stem: nn.Module, cells: Sequence[Cell], head: nn.Module) -> None:
        super().__init__()
        self.stem = stem
        self.cells = nn.ModuleList(cells)
        self.head = head

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, image_channels, h, w) to (b, classes) logits."""
        before_last = last = self.stem(images)
        for cell in self.cells:
            before_last, last = last, cell(before_last, last)
        return self.head(last)


def darts_network(
    code: Sequence[int],
    *,
    channels: int = 36,
    cells_per_stage: int = 6,
    stages: int = 3,
    image_channels: int = 3,
    classes: int = 10,
) -> nn.Module:
    """Build the network of an architecture; (b, image_channels, h, w) to (b, classes) logits.

    Args:
        code: (22,) as in the space ``darts``.
        channels: Channels of a node in the first stage; each further stage doubles them.
        cells_per_stage: Normal cells in each stage.
        stages: Stages; a reduction cell, already of the doubled width, stands between two.
        image_channels: Channels of an image.
        classes: Number of classes.

    Source: Liu et al. 2019, section 3.2; parameter and multiplication counts are tested against those of the
    published architectures.
    """
    normal, reduction = edges_of(code[:LENGTH]), edges_of(code[LENGTH:])
    row = places(channels=channels, cells_per_stage=cells_per_stage, stages=stages)
    stem, head = stem_and_head(row, image_channels=image_channels, classes=classes)
    cells = [
        Cell(
            reduction if place.reduces else normal,
            place.widths,
            place.channels,
            reduces=place.reduces,
            first_is_larger=place.first_is_larger,
        )
        for place in row
    ]
    return DartsNetwork(stem, cells, head)
