"""The NAS-Bench-101 network (Ying et al. 2019): a stem, stacks of equal cells, a linear head.

Stem 3x3 convolution; stacks of cells, before each but the first a 2x2 max-pooling that halves the image while
the cells double the width; global average, linear. The published network has 128 channels and three stacks of
three cells. In a cell every convolution is followed by normalisation and ReLU. What comes from the input goes
through a 1x1 convolution; what meets at a vertex is cut to the vertex's channels and added; what feeds the
output is put side by side, and the input, where it feeds the output too, is added by a 1x1 convolution.

Deviations: running statistics of normalisation move by 0.1 a step (published: 0.003), first weights are those
of ``training.weights``.

This file defines torch modules and so imports torch at its top; it is itself imported only when a network is
built (``networks.build_network``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from nasbench.spaces.nb101 import NB101Space
from nasbench.training.networks.nb201 import conv_bn

_KERNELS = {"conv3x3-bn-relu": 3, "conv1x1-bn-relu": 1}


def vertex_channels(channels_in: int, channels_out: int, matrix: npt.NDArray[np.generic]) -> list[int]:
    """Share the channels of a cell among its vertices.

    The vertices that feed the output share its channels evenly, the first ones taking one more where they do
    not divide; any other vertex has as many as the widest vertex that it feeds.

    Args:
        channels_in: Of the input.
        channels_out: Of the output.
        matrix: (v, v) of a pruned cell.

    Source: Ying et al. 2019, supplement S1; google-research/nasbench, ``model_builder.py``.
    """
    last = len(matrix) - 1
    channels = [channels_in, *[0] * (last - 1), channels_out]
    feeding = [v for v in range(1, last) if matrix[v, last]]
    for place, v in enumerate(feeding):
        share, rest = divmod(channels_out, len(feeding))
        channels[v] = share + (place < rest)
    for v in range(last - 1, 0, -1):
        if not matrix[v, last]:
            channels[v] = max(channels[w] for w in range(v + 1, last) if matrix[v, w])
    return channels


def conv_bn_relu(channels_in: int, channels_out: int, kernel: int) -> nn.Module:
    """Build a convolution without bias, normalisation and ReLU; the size of the image stays."""
    return nn.Sequential(*conv_bn(channels_in, channels_out, kernel), nn.ReLU())


class Cell(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """One cell.

    Args:
        matrix: (v, v) of a pruned cell.
        operations: (v,) names, input and output included.
        channels_in: Channels of the input.
        channels_out: Channels of the output.
    """

    def __init__(
        self,
        matrix: npt.NDArray[np.generic],
        operations: Sequence[str],
        channels_in: int,
        channels_out: int,
    ) -> None:
        super().__init__()
        last = len(matrix) - 1
        self.channels = vertex_channels(channels_in, channels_out, matrix)
        self.sources = [[u for u in range(1, v) if matrix[u, v]] for v in range(last + 1)]
        self.projections = nn.ModuleDict(
            {
                str(v): conv_bn_relu(channels_in, self.channels[v], 1)
                for v in range(1, last + 1)
                if matrix[0, v]
            }
        )
        self.operations = nn.ModuleList(
            conv_bn_relu(self.channels[v], self.channels[v], _KERNELS[operations[v]])
            if operations[v] in _KERNELS
            else nn.MaxPool2d(3, stride=1, padding=1)
            for v in range(1, last)
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, channels_in, h, w) to (b, channels_out, h, w)."""
        values = [images]
        last = len(self.channels) - 1
        for v, operation in enumerate(self.operations, start=1):
            terms = [values[u][:, : self.channels[v]] for u in self.sources[v]]
            if str(v) in self.projections:
                terms.append(self.projections[str(v)](images))
            total = terms[0]
            for term in terms[1:]:
                total = total + term
            values.append(operation(total))
        feeding = [values[u] for u in self.sources[last]]
        if not feeding:
            return self.projections[str(last)](images)
        output = torch.cat(feeding, dim=1)
        if str(last) in self.projections:
            output = output + self.projections[str(last)](images)
        return output


def nb101_network(
    code: Sequence[int],
    *,
    channels: int = 128,
    cells_per_stage: int = 3,
    stages: int = 3,
    image_channels: int = 3,
    classes: int = 10,
) -> nn.Module:
    """Build the network of one cell; (b, image_channels, h, w) to (b, classes) logits.

    Args:
        code: (26,) as in the space ``nb101``.
        channels: Channels of the stem and the first stack.
        cells_per_stage: Equal cells in each stack.
        stages: Stacks; the image is halved and the width doubled between two.
        image_channels: Channels of an image.
        classes: Number of classes.

    Source: Ying et al. 2019, section 2.3; parameter counts equal the published ones.
    """
    matrix, operations = NB101Space().cell(code)
    layers: list[nn.Module] = [conv_bn_relu(image_channels, channels, 3)]
    width = channels
    for stage in range(stages):
        if stage > 0:
            layers.append(nn.MaxPool2d(2, stride=2))
        for number in range(cells_per_stage):
            widens = stage > 0 and number == 0
            layers.append(Cell(matrix, operations, width, width * 2 if widens else width))
            width *= 2 if widens else 1
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes)]
    return nn.Sequential(*layers)
