"""What supernets are built of: normalisation without running statistics, and weights of which a part is used.

* Normalisation inside the cells learns no scale and shift (``affine=False``), for one operation's would be
  another's excuse.
* No normalisation keeps running statistics: those of one path say nothing of another. Statistics are the
  batch's own, or those of the first images of a batch, by which a path is evaluated (``Statistics``).
* Shown fewer channels than its own, a layer uses the corresponding block of its weights (Xu et al. 2020).
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from nasbench.training.networks.nb201 import Normalisation


class Statistics:
    """Which images of a batch the normalisations of one network take their statistics from.

    Attributes:
        first: How many, from the start of the batch; None takes all.
    """

    def __init__(self) -> None:
        self.first: int | None = None


class BatchNormalisation(nn.BatchNorm2d):  # type: ignore[misc]  # torch is not type-checked
    """Batch normalisation by the statistics of the batch, or of its first images."""

    def __init__(self, channels: int, statistics: Statistics, *, affine: bool) -> None:
        super().__init__(channels, affine=affine, track_running_stats=False)
        self.statistics = statistics

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, channels, h, w) to the same shape; without affine, any number of channels will do."""
        first = self.statistics.first
        if first is None:
            return functional.batch_norm(images, None, None, self.weight, self.bias, True, 0.0, self.eps)
        mean = images[:first].mean(dim=(0, 2, 3))
        variance = images[:first].var(dim=(0, 2, 3), unbiased=False)
        return functional.batch_norm(images, mean, variance, self.weight, self.bias, False, 0.0, self.eps)


def pointwise(images: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Convolve (b, in, h, w) by a 1x1 weight (out, in, 1, 1); on a CPU as a matrix product: much faster."""
    if images.device.type != "cpu":
        return functional.conv2d(images, weight)
    wide = weight.flatten(1).expand(len(images), -1, -1)
    return torch.bmm(wide, images.flatten(2)).unflatten(2, images.shape[2:])


class SharedConvolution(nn.Conv2d):  # type: ignore[misc]  # torch is not type-checked
    """ReLU, convolution without bias, normalisation; of fewer channels than its own it uses the first."""

    def __init__(self, channels: int, kernel: int, statistics: Statistics) -> None:
        super().__init__(channels, channels, kernel, padding=kernel // 2, bias=False)
        self.normalisation = BatchNormalisation(channels, statistics, affine=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, c, h, w) to the same shape."""
        channels = images.shape[1]
        weight = self.weight[:channels, :channels]
        images = images.relu()
        if self.kernel_size == (1, 1):
            images = pointwise(images, weight)
        else:
            images = functional.conv2d(images, weight, padding=self.padding)
        return self.normalisation(images)


class SharedDepthwise(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """ReLU, a convolution of each channel for itself, one across channels, and normalisation."""

    def __init__(
        self, channels: int, kernel: int, statistics: Statistics, *, stride: int, dilation: int = 1
    ) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(
            channels,
            channels,
            kernel,
            stride=stride,
            padding=dilation * (kernel // 2),
            dilation=dilation,
            groups=channels,
            bias=False,
        )
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.normalisation = BatchNormalisation(channels, statistics, affine=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, c, h, w) to (b, c, h / stride, w / stride)."""
        channels, wide = images.shape[1], self.depthwise
        images = functional.conv2d(
            images.relu(),
            wide.weight[:channels],
            stride=wide.stride,
            padding=wide.padding,
            dilation=wide.dilation,
            groups=channels,
        )
        return self.normalisation(pointwise(images, self.pointwise.weight[:channels, :channels]))


class SharedReduction(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """ReLU, half the image by two 1x1 convolutions of stride 2 side by side, one pixel apart; normalise."""

    def __init__(self, channels: int, statistics: Statistics) -> None:
        super().__init__()
        self.even = nn.Conv2d(channels, channels // 2, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(channels, channels - channels // 2, 1, stride=2, bias=False)
        self.normalisation = BatchNormalisation(channels, statistics, affine=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, c, h, w) to (b, c, h / 2, w / 2)."""
        channels = images.shape[1]
        even = self.even.weight[: channels // 2, :channels]
        odd = self.odd.weight[: channels - channels // 2, :channels]
        positive = images.relu()
        halves = [
            functional.conv2d(positive, even, stride=2),
            functional.conv2d(positive[:, :, 1:, 1:], odd, stride=2),
        ]
        return self.normalisation(torch.cat(halves, dim=1))


def share_normalisations(module: nn.Module, statistics: Statistics, *, affine: bool) -> None:
    """Replace every normalisation of a stand-alone network by one without running statistics."""
    for name, child in module.named_children():
        if isinstance(child, Normalisation):
            setattr(module, name, BatchNormalisation(child.num_features, statistics, affine=affine))
        else:
            share_normalisations(child, statistics, affine=affine)
