"""The networks of NAS-RL (Zoph and Le 2017): convolutions in a chain with skip connections.

Each layer is a convolution, normalisation and ReLU of all that feeds it, put side by side; of images of
different sizes the smaller ones are padded with zeros, to the right and below. A layer that nothing feeds
takes the image. All layers that feed nothing are put side by side; global average and linear follow.

This file defines torch modules and so imports torch at its top; it is itself imported only when a network is
built (``networks.build_network``).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from nasbench.spaces.chain_skip import FILTERS, Layer
from nasbench.training.networks.nb201 import Normalisation


class ChainSkipNetwork(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """Layers that take what earlier ones give, and a linear head.

    Args:
        layers: As the space ``chain-skip`` lists them.
        widths: Filters of each layer.
        image_channels: Channels of an image.
        classes: Number of classes.
    """

    def __init__(
        self, layers: Sequence[Layer], widths: Sequence[int], *, image_channels: int, classes: int
    ) -> None:
        super().__init__()
        self.sources = [layer.sources for layer in layers]
        fed = {source for layer in layers for source in layer.sources}
        self.ends = [number for number in range(len(layers)) if number not in fed]
        self.layers = nn.ModuleList()
        for layer, width in zip(layers, widths, strict=True):
            channels_in = sum(widths[source] for source in layer.sources) or image_channels
            padding = (layer.kernel[0] // 2, layer.kernel[1] // 2)
            self.layers.append(
                nn.Sequential(
                    nn.Conv2d(
                        channels_in, width, layer.kernel, stride=layer.stride, padding=padding, bias=False
                    ),
                    Normalisation(width),
                    nn.ReLU(),
                )
            )
        self.head = nn.Linear(sum(widths[end] for end in self.ends), classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, image_channels, h, w) to (b, classes) logits."""
        given: list[torch.Tensor] = []
        for sources, layer in zip(self.sources, self.layers, strict=True):
            given.append(layer(side_by_side([given[source] for source in sources]) if sources else images))
        return self.head(side_by_side([given[end] for end in self.ends]).mean(dim=(2, 3)))


def side_by_side(images: Sequence[torch.Tensor]) -> torch.Tensor:
    """Put (b, c_i, h_i, w_i) side by side, padded with zeros; (b, sum of c_i, largest h, largest w)."""
    height, width = (max(image.shape[dim] for image in images) for dim in (2, 3))
    padded = [
        functional.pad(image, (0, width - image.shape[3], 0, height - image.shape[2])) for image in images
    ]
    return torch.cat(padded, dim=1)


def chain_skip_network(
    layers: Sequence[Layer], *, channels: int = FILTERS[0], image_channels: int = 3, classes: int = 10
) -> nn.Module:
    """Build the network of an architecture; (b, image_channels, h, w) to (b, classes) logits.

    Args:
        layers: From ``ChainSkipSpace.layers``.
        channels: Filters that the smallest choice stands for; the others keep their ratio to it, rounded
            down.
        image_channels: Channels of an image.
        classes: Number of classes.

    Source: Zoph and Le 2017, sections 3.3 and 4.1.
    """
    widths = [max(1, layer.filters * channels // FILTERS[0]) for layer in layers]
    return ChainSkipNetwork(layers, widths, image_channels=image_channels, classes=classes)
