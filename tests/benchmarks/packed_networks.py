"""K networks of one space as one network over packed channels: grouped convolutions, one normalisation.

Images go in as (b, K channels, h, w), logits come out as (b, K, classes); nothing passes from one network to
another. Each packed parameter is the networks' own parameters one after another, so an optimizer that works
element by element does to each what it would do to it alone. Sums may be added in another order, hence equal
within rounding and not bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from nasbench.spaces.nb201 import EDGES, NODES, OPERATIONS
from nasbench.training.networks.nb201 import KERNELS, Cell, ResidualBlock, average_3x3


def pack(networks: Sequence[nn.Module]) -> nn.Module:
    """Pack networks of one skeleton that have their numbers; these are copied.

    Args:
        networks: K networks as ``nb201_network`` builds them, of the same recipe, images and classes.

    Raises:
        TypeError: A layer that has no packed form.
    """
    first = networks[0]
    if isinstance(first, Cell):
        return PackedCell([network for network in networks if isinstance(network, Cell)])
    if isinstance(first, ResidualBlock):
        packed = ResidualBlock(1, 1)
        for name in ("first", "second", "shortcut"):
            setattr(packed, name, pack([getattr(network, name) for network in networks]))
        return packed
    if isinstance(first, nn.Sequential):
        return nn.Sequential(*(pack(layers) for layers in zip(*networks, strict=True)))
    if isinstance(first, nn.Conv2d):
        return PackedConvolution(
            torch.cat([network.weight for network in networks]), len(networks), first.stride, first.padding
        )
    if isinstance(first, nn.BatchNorm2d):
        return packed_norm(networks)
    if isinstance(first, nn.Linear):
        return PackedLinear(networks)
    if isinstance(first, (nn.ReLU, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.Flatten)):
        return first
    raise TypeError(f"networks: expected layers that can be packed, got {type(first).__name__}.")


class PackedConvolution(nn.Module):
    """Convolutions of K groups without bias; a 1x1 convolution on a CPU is a batched matrix product.

    Args:
        weight: (K out, in, kernel, kernel), copied.
        groups: K.
        stride: As of the single convolutions.
        padding: As of the single convolutions.
    """

    def __init__(
        self, weight: torch.Tensor, groups: int, stride: tuple[int, int], padding: tuple[int, int]
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.detach().clone())
        self.groups, self.stride, self.padding = groups, stride, padding
        self._pointwise = weight.shape[2:] == (1, 1) and stride == (1, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, K in, h, w) to (b, K out, h', w')."""
        if not (self._pointwise and images.device.type == "cpu"):
            return nn.functional.conv2d(
                images, self.weight, None, self.stride, self.padding, groups=self.groups
            )
        batch, side = len(images), images.shape[2:]
        width = self.weight.shape[1]
        weight = self.weight.view(self.groups, -1, width).repeat(batch, 1, 1)  # (b K, out, in)
        return torch.bmm(weight, images.reshape(batch * self.groups, width, -1)).view(batch, -1, *side)


class PackedLinear(nn.Module):
    """K linear layers; (b, K in) to (b, K, out)."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.stack([layer.weight.detach().T for layer in layers]))
        self.bias = nn.Parameter(torch.stack([layer.bias.detach() for layer in layers]).unsqueeze(1))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map (b, K in) to (b, K, out)."""
        packed = features.unflatten(1, (len(self.weight), -1)).transpose(0, 1)  # (K, b, in)
        return torch.baddbmm(self.bias, packed, self.weight).transpose(0, 1)


def packed_norm(norms: Sequence[nn.Module], rows: Sequence[slice] | None = None) -> nn.BatchNorm2d:
    """Make one batch normalisation of several, or of some rows of each."""
    rows = [slice(None)] * len(norms) if rows is None else rows

    def together(name: str) -> torch.Tensor:
        return torch.cat([getattr(norm, name).detach()[part] for norm, part in zip(norms, rows, strict=True)])

    packed = type(norms[0])(len(together("weight")))
    packed.weight, packed.bias = nn.Parameter(together("weight")), nn.Parameter(together("bias"))
    packed.running_mean, packed.running_var = together("running_mean"), together("running_var")
    return packed


class PackedCell(nn.Module):
    """K cells, of one code or of several.

    For each source node and operation, the edges of all cells that leave that node with that operation are
    gathered, computed as one, and added to the nodes they lead to.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        super().__init__()
        self.packed, self.channels = len(cells), cells[0].channels
        self.convolutions = nn.ModuleDict()
        # Of each (source, operation): the cells it is taken from, then (target, place, cells) to add it to.
        self.moves: list[list[tuple[str, list[int], list[tuple[int, slice, list[int]]]]]] = []
        for source in range(NODES - 1):
            moves = []
            for name in OPERATIONS[1:]:
                pairs = [
                    (k, target)
                    for _, target in (edge for edge in EDGES if edge[0] == source)
                    for k, cell in enumerate(cells)
                    if target in cell.targets[source].get(name, [])
                ]
                if pairs:
                    if name in KERNELS:
                        self.convolutions[f"{source}_{name}"] = self._convolution(cells, source, name, pairs)
                    moves.append((name, [k for k, _ in pairs], _arrivals(pairs)))
            self.moves.append(moves)

    def _convolution(
        self, cells: Sequence[Cell], source: int, name: str, pairs: Sequence[tuple[int, int]]
    ) -> nn.Module:
        """Make the grouped convolution and normalisation of the edges (cell, target)."""
        single = [cells[k].convolutions[f"{source}_{name}"] for k, _ in pairs]
        rows = []
        for k, target in pairs:
            place = cells[k].targets[source][name].index(target)
            rows.append(slice(place * self.channels, (place + 1) * self.channels))
        weight = torch.cat([layers[0].weight[part] for layers, part in zip(single, rows, strict=True)])
        first = single[0][0]
        return nn.Sequential(
            PackedConvolution(weight, len(pairs), first.stride, first.padding),
            packed_norm([layers[1] for layers in single], rows),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map (b, K channels, h, w) to the same shape."""
        apart = images.unflatten(1, (self.packed, self.channels))
        nodes: list[torch.Tensor] = [apart, *(torch.zeros_like(apart) for _ in range(NODES - 1))]
        for source, moves in enumerate(self.moves):
            for name, cells, arrivals in moves:
                brought = nodes[source] if cells == list(range(self.packed)) else nodes[source][:, cells]
                if name != "skip_connect":
                    flat = brought.flatten(1, 2)
                    if name in KERNELS:
                        flat = self.convolutions[f"{source}_{name}"](flat.relu())
                    else:
                        flat = average_3x3(flat)
                    brought = flat.unflatten(1, (len(cells), self.channels))
                for target, place, into in arrivals:
                    term = brought[:, place]
                    if into == list(range(self.packed)):
                        nodes[target] = nodes[target] + term
                    else:
                        index = torch.tensor(into, device=images.device)
                        nodes[target] = nodes[target].index_add(1, index, term)
        return nodes[-1].flatten(1, 2)


def _arrivals(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, slice, list[int]]]:
    """Group edges (cell, target), sorted by target, into (target, their places, their cells)."""
    arrivals = []
    for target in sorted({target for _, target in pairs}):
        places = [place for place, pair in enumerate(pairs) if pair[1] == target]
        arrivals.append((target, slice(places[0], places[-1] + 1), [pairs[place][0] for place in places]))
    return arrivals
