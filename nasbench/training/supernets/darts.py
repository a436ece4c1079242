"""The shared weights of all DARTS cells: every edge of every cell holds all eight operations.

The skeleton is that of the stand-alone network (``networks.darts``) and the cells are those of the authors'
search network: 14 edges from every earlier state to every node, so that a node adds up two to five edges
where an architecture keeps two; pooling is followed by a normalisation; normalisations are those of
``layers``. Rows 0 to 13 of a mixture are the normal cell's and 14 to 27 the reduction cell's, in the order of
``spaces.darts_relaxed``. ``none`` brings nothing and is never executed.

Source: Liu et al. 2019, section 2.1 and the authors' code; Xu et al. 2020 for channels that pass by a
reduction, which are the largest of each 2x2 patch.
"""

from __future__ import annotations

import torch
from torch import nn

from nasbench.spaces.darts_cell import INPUTS, STATES
from nasbench.spaces.darts_relaxed import CELL_EDGES, MIXED
from nasbench.spaces.mixture import Mixture
from nasbench.spaces.relaxed import NONE, SKIP
from nasbench.training.networks.darts import Place, Pooling, cell_inputs, places, stem_and_head
from nasbench.training.supernets.layers import (
    BatchNormalisation,
    SharedDepthwise,
    SharedReduction,
    Statistics,
    share_normalisations,
)
from nasbench.training.supernets.mixing import Mixing

_SEPARABLE = {"sep_conv_3x3": 3, "sep_conv_5x5": 5}
_DILATED = {"dil_conv_3x3": 3, "dil_conv_5x5": 5}
_IDLE = frozenset({MIXED.index(NONE)})


def _operation(name: str, channels: int, statistics: Statistics, stride: int) -> nn.Module:
    """Build one operation of one edge; ``none`` has a place among the modules and is never called."""
    if name in _SEPARABLE:
        kernel = _SEPARABLE[name]
        return nn.Sequential(
            SharedDepthwise(channels, kernel, statistics, stride=stride),
            SharedDepthwise(channels, kernel, statistics, stride=1),
        )
    if name in _DILATED:
        return SharedDepthwise(channels, _DILATED[name], statistics, stride=stride, dilation=2)
    if name == SKIP and stride > 1:
        return SharedReduction(channels, statistics)
    if name in (SKIP, NONE):
        return nn.Identity()
    return nn.Sequential(Pooling(name, stride), BatchNormalisation(channels, statistics, affine=False))


class SharedCell(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """One cell of either kind; ``operations[edge][operation]`` are modules.

    Args:
        place: Where it stands.
        statistics: Where its normalisations take their statistics from.

    Attributes:
        first_edge: Row of the mixture that is its first edge's.
    """

    def __init__(self, place: Place, statistics: Statistics) -> None:
        super().__init__()
        self.reduces = place.reduces
        self.first_edge = len(CELL_EDGES) if place.reduces else 0
        self.inputs = cell_inputs(place.widths, place.channels, first_is_larger=place.first_is_larger)
        share_normalisations(self.inputs, statistics, affine=False)
        self.operations = nn.ModuleList(
            nn.ModuleList(
                _operation(name, place.channels, statistics, self._stride(source)) for name in MIXED
            )
            for source, _ in CELL_EDGES
        )

    def _stride(self, source: int) -> int:
        return 2 if self.reduces and source < INPUTS else 1

    def forward(self, before_last: torch.Tensor, last: torch.Tensor, mixing: Mixing) -> torch.Tensor:
        """Map the outputs of the two cells before to (b, 4 channels, h, w), or half of it in h and w."""
        states = [self.inputs[0](before_last), self.inputs[1](last)]
        for node in range(INPUTS, STATES):
            brought = [
                mixing.edge(
                    self.first_edge + edge,
                    self.operations[edge],
                    states[source],
                    stride=self._stride(source),
                )
                for edge, (source, target) in enumerate(CELL_EDGES)
                if target == node
            ]
            states.append(sum(brought[1:], brought[0]))
        return torch.cat(states[INPUTS:], dim=1)


class DARTSSupernet(nn.Module):  # type: ignore[misc]  # torch is not type-checked
    """The stand-alone network with shared cells; arguments as ``networks.darts.darts_network``.

    Attributes:
        statistics: Where all normalisations take their statistics from.
    """

    edges = 2 * len(CELL_EDGES)
    operations = len(MIXED)

    def __init__(
        self, *, channels: int, cells_per_stage: int, stages: int, image_channels: int, classes: int
    ) -> None:
        super().__init__()
        self.channels = channels
        self.statistics = Statistics()
        row = places(channels=channels, cells_per_stage=cells_per_stage, stages=stages)
        self.stem, self.head = stem_and_head(row, image_channels=image_channels, classes=classes)
        share_normalisations(self.stem, self.statistics, affine=True)
        self.cells = nn.ModuleList(SharedCell(place, self.statistics) for place in row)

    def forward(self, images: torch.Tensor, mixture: Mixture) -> torch.Tensor:
        """Map (b, image_channels, h, w) to (b, classes) logits; all cells of a kind have the same mixture.

        Raises:
            BadOption: ``part`` of the mixture does not divide the channels, or its shape is wrong.
        """
        shape = self.edges, self.operations
        mixing = Mixing.of(mixture, images, shape=shape, channels=self.channels, idle=_IDLE)
        before_last = last = self.stem(images)
        for cell in self.cells:
            before_last, last = last, cell(before_last, last, mixing)
        return self.head(last)
