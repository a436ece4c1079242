"""The size space of NATS-Bench (Dong, Liu, Musial and Gabrys 2021): the widths of a fixed network.

One cell, of NAS-Bench-201's kind and the same in all networks, stands in three stages of one cell each; a
decision is the number of channels of one of the five layers: first cell (and stem), first residual block,
second cell, second residual block, third cell. Each takes one of eight widths: 8^5 = 32,768 architectures.
"""

from __future__ import annotations

from nasbench.errors import NotInSpace
from nasbench.records import Code
from nasbench.spaces.product import ProductSpace
from nasbench.spaces.space import Decision

CHANNELS = (8, 16, 24, 32, 40, 48, 56, 64)
"""Channels that a layer may have."""
LAYERS = ("cell-1", "residual-1", "cell-2", "residual-2", "cell-3")
CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
"""The cell of every architecture, in the notation of the space ``nb201``."""


class NATSSizeSpace(ProductSpace):
    """All 32,768 choices of channels; the lexicographic rank of a code is its index in the official release.

    Written ``8:16:24:32:40``, the channels of the five layers.
    """

    def __init__(self) -> None:
        super().__init__("nats-size", [Decision(layer, tuple(map(str, CHANNELS))) for layer in LAYERS])

    def parse(self, text: str) -> Code:
        """Read the channels of the five layers, separated by ``:``; a number is never an index.

        Raises:
            NotInSpace: Not five numbers, or one that a layer cannot have.
        """
        parts = [part.strip() for part in text.strip().split(":")]
        names = self.decisions[0].choices
        for part, layer in zip(parts, LAYERS, strict=False):
            if part not in names:
                raise NotInSpace(
                    f"architecture: layer {layer!r} of space {self.name} takes {', '.join(names)} channels, "
                    f"got {part!r}."
                )
        return super().parse(text)
