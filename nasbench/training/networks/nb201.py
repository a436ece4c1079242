"""The NAS-Bench-201 network (Dong and Yang 2020): a cell repeated in stages of doubling width.

Stem 3x3 convolution and batch normalisation; stages of equal cells with a stride-2 residual block between
two; batch normalisation, ReLU, global average, linear. The published skeleton has 16 channels and three
stages of five cells; here all three numbers are free, so that small images train in seconds. Operations are
ordered ReLU-convolution-normalisation, convolutions have no bias and pooling does not count the padding.

What the edges out of one node have in common is computed once: their ReLU, their pooling, and all their
convolutions of one kernel as one wider convolution. Parameters, multiplications and the function computed
are those of separate edges; a small network takes about half the time (``docs/training-speed.md``).

This file defines torch modules and so imports torch at its top; it is itself imported only when a network is
built (``networks.build_network``).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from nasbench.spaces.nb201 import EDGES, NODES, OPERATIONS

KERNELS = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}
_POOLED_AS_MATRIX = 144
"""Pixels up to which a CPU averages faster by one matrix product than by pooling."""


class Normalisation(nn.BatchNorm2d):  # type: ignore[misc]  # torch is not type-checked
    """Batch normalisation without the count of batches, which nothing here reads."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, channels, h, w) to the same shape."""
        return functional.batch_norm(
            images,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training,
            self.momentum,
            self.eps,
        )


class PointwiseConvolution(nn.Conv2d):  # type: ignore[misc]  # torch is not type-checked
    """A 1x1 convolution without bias and stride; on a CPU a matrix product, which is several times faster."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, channels in, h, w) to (b, channels out, h, w)."""
        if images.device.type != "cpu":
            return super().forward(images)
        weight = self.weight.flatten(1).expand(len(images), -1, -1)  # (b, out, in)
        return torch.bmm(weight, images.flatten(2)).unflatten(2, images.shape[2:])


def relu_conv_bn(channels_in: int, channels_out: int, kernel: int, *, stride: int = 1) -> nn.Module:
    """Build ReLU, convolution without bias, batch normalisation; stride 1 keeps the size of the image."""
    return nn.Sequential(nn.ReLU(), *conv_bn(channels_in, channels_out, kernel, stride=stride))


def conv_bn(channels_in: int, channels_out: int, kernel: int, *, stride: int = 1) -> nn.Sequential:
    """Build a convolution without bias and its batch normalisation; stride 1 keeps the size of the image."""
    convolution = PointwiseConvolution if (kernel, stride) == (1, 1) else nn.Conv2d
    return nn.Sequential(
        convolution(channels_in, channels_out, kernel, stride=stride, padding=kernel // 2, bias=False),
        Normalisation(channels_out),
    )


def depthwise_bn(channels: int, kernel: int, *, stride: int = 1) -> nn.Sequential:
    """Build a convolution of each channel for itself, without bias, and its batch normalisation."""
    return nn.Sequential(
        nn.Conv2d(
            channels, channels, kernel, stride=stride, padding=kernel // 2, groups=channels, bias=False
        ),
        Normalisation(channels),
    )


@functools.cache
def averaging_matrix(height: int, width: int) -> torch.Tensor:
    """Return the (h w, h w) matrix whose product from the right averages 3x3 patches, padding not counted."""
    with torch.inference_mode(False), torch.no_grad():  # may first be needed while evaluating
        pixels = torch.eye(height * width).view(-1, 1, height, width)
        pooled = functional.avg_pool2d(pixels, 3, stride=1, padding=1, count_include_pad=False)
        return pooled.view(height * width, -1).clone()


def average_3x3(images: torch.Tensor) -> torch.Tensor:
    """Average each 3x3 patch with stride 1, padding not counted; (b, c, h, w) to the same shape."""
    height, width = images.shape[2:]
    small_on_cpu = images.device.type == "cpu" and height * width <= _POOLED_AS_MATRIX
    if small_on_cpu and images.dtype == torch.float32 and not torch.is_autocast_enabled("cpu"):
        return (images.flatten(2) @ averaging_matrix(height, width)).view_as(images)
    return functional.avg_pool2d(images, 3, stride=1, padding=1, count_include_pad=False)


class Cell(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """Four nodes; each sums what its edges bring from the earlier ones. The last node is the output.

    Every edge but ``none`` is computed, even where no path leads on from it: that is the network whose
    parameters and seconds the benchmark reports.
    """

    def __init__(self, code: Sequence[int], channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.convolutions = nn.ModuleDict()
        self.targets: list[dict[str, list[int]]] = [{} for _ in range(NODES)]  # of each source, by operation
        for (source, target), value in zip(EDGES, code, strict=True):
            self.targets[source].setdefault(OPERATIONS[value], []).append(target)
        for source, targets in enumerate(self.targets):
            for name in KERNELS:
                if name in targets:
                    width = len(targets[name]) * channels
                    self.convolutions[f"{source}_{name}"] = conv_bn(channels, width, KERNELS[name])

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, channels, h, w) to the same shape."""
        nodes: list[torch.Tensor | None] = [images, *(None for _ in range(NODES - 1))]

        def bring(targets: Sequence[int], brought: Sequence[torch.Tensor]) -> None:
            for target, term in zip(targets, brought, strict=True):
                before = nodes[target]
                nodes[target] = term if before is None else before + term

        for source, targets in enumerate(self.targets[:-1]):
            node = nodes[source]
            if node is None:
                node = nodes[source] = torch.zeros_like(images)
            positive = None
            for name in KERNELS:
                if name in targets:
                    positive = node.relu() if positive is None else positive
                    wide = self.convolutions[f"{source}_{name}"](positive)
                    bring(targets[name], wide.split(self.channels, dim=1))
            if "avg_pool_3x3" in targets:
                bring(targets["avg_pool_3x3"], [average_3x3(node)] * len(targets["avg_pool_3x3"]))
            if "skip_connect" in targets:
                bring(targets["skip_connect"], [node] * len(targets["skip_connect"]))
        output = nodes[-1]
        return torch.zeros_like(images) if output is None else output


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
        Normalisation(channels),
    ]
    width = channels
    for stage in range(stages):
        if stage > 0:
            layers.append(ResidualBlock(width, 2 * width))
            width *= 2
        layers.extend(Cell(code, width) for _ in range(cells_per_stage))
    layers += [Normalisation(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(width, classes))
