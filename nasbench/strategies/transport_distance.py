"""OTMANN: how far apart two networks are, as the cheapest way to match their layers.

Layers have mass, about what they compute. Matching a unit of mass costs what the two layers' labels differ,
and a coefficient times what their places in the networks differ; a unit left unmatched costs 1.

* Mass: 1/16 for pooling (a convolution of 16 channels multiplies 16 times for what pooling does once), 1 for
  every other layer; input and output a tenth of all others together, each, and at least a tenth.
* Labels: 0 where equal; s = sqrt(2)/10 times the square root of the difference in size between layers of one
  sort; a tenth of the way from s to 1 between sorts of convolution, half the way between sorts of pooling;
  other labels are never matched, nor are input and output with anything else.
* Places: the shortest, the longest and the random walk's mean way from the input, and to the output, counting
  all layers, only convolutions, or only pooling; the mean absolute difference of these 18 lengths.

Layers that may be matched have equal masses, input and output apart, and no match costs more than leaving
both layers unmatched: so the transport problem falls into assignment problems, which are solved exactly. The
distance is symmetric, keeps the triangle inequality, and is 0 between equal layer graphs.

Source: Kandasamy, Neiswanger, Schneider, Poczos and Xing 2018, section 3; constants as in the authors'
repository ``nasbot`` (nn/nn_comparators.py, nn/neural_network.py), except channels and least masses: ours.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from nasbench.strategies.layer_graph import INPUT, OUTPUT, LayerGraph

_Array = npt.NDArray[np.float64]
_Numbers = npt.NDArray[np.int64]

STRUCTURE = (0.1, 0.25, 0.61, 1.5)
"""Coefficients of the difference in place; there is one distance for each. nasbot."""
_UNMATCHED = 1.0  # nasbot nn/nn_gp.py, non_assignment_penalty
_POOLING_MASS = 1 / 16  # of a convolution's; 16 channels, as in the first stage of nb201
_END_MASS = 0.1  # of input and output each, as a share of the other layers; nasbot nn/neural_network.py
_LEAST_END_MASS = 0.1  # of networks without layers; our choice
_SORTS_DIFFER = {"conv": 0.1, "pool": 0.5}  # nasbot nn/nn_comparators.py, of conv and res, and of poolings
_SIZES_DIFFER = math.sqrt(2.0) / 10.0  # nasbot nn/nn_comparators.py, conv_scale
_TABULATED = 6  # layers to match up to which subsets are tabulated for all pairs at once
_AT_ONCE = 50_000  # layer pairs compared at once, which keeps their path lengths in the cache; our choice
_SIZE = re.compile(r"(\d+)x\1")


@dataclass(frozen=True, slots=True)
class _Layers:
    """The layers of one network that may be matched with each other.

    Attributes:
        mass: Of each layer.
        features: (k, 20) size of the kernel, 0 where a label has none; number of the label without its size;
            18 path lengths.
    """

    mass: float
    features: _Array


_Network = dict[str, _Layers]  # by kind


class TransportDistance:
    """Distances between layer graphs, each pair computed once."""

    def __init__(self) -> None:
        self._sorts: dict[str, int] = {}  # label without its size -> number
        self._numbers: dict[LayerGraph, int] = {}
        self._networks: list[_Network] = []  # by number
        # By number: the column of a network that others were compared with, -1 where it has none.
        self._column = np.full(0, -1)
        self._with_column: list[int] = []
        self._known = np.full((0, 0, len(STRUCTURE)), np.nan)  # (numbers, columns, coefficients)

    def __call__(self, a: Sequence[LayerGraph], b: Sequence[LayerGraph]) -> _Array:
        """Compute the distance of every pair for every coefficient, (coefficients, n, m)."""
        (first, back_a), (second, back_b) = (
            np.unique(
                np.array([self._number(graph) for graph in graphs], dtype=np.int64), return_inverse=True
            )
            for graphs in (a, b)
        )
        self._make_room(second.tolist())
        columns = self._column[second]
        found = self._known[first[:, None], columns]
        rows, places = np.nonzero(np.isnan(found[:, :, 0]))
        if len(rows):
            i, j = first[rows], second[places]
            computed = _distances(self._networks, np.minimum(i, j), np.maximum(i, j))
            found[rows, places] = self._known[i, columns[places]] = computed
            turned = self._column[i] >= 0  # will be asked for the other way round
            self._known[j[turned], self._column[i[turned]]] = computed[turned]
        asked: _Array = found[back_a[:, None], back_b]
        return asked.transpose(2, 0, 1)

    def _make_room(self, numbers: Sequence[int]) -> None:
        """Give these networks a column each, and all networks a row."""
        new = [number for number in numbers if number >= len(self._column) or self._column[number] < 0]
        rows, columns = len(self._networks), len(self._with_column) + len(new)
        if rows > self._known.shape[0] or columns > self._known.shape[1]:
            held = self._known
            grown = np.full(
                (_grown(held.shape[0], rows), _grown(held.shape[1], columns), len(STRUCTURE)), np.nan
            )
            grown[: held.shape[0], : held.shape[1]] = held
            self._known = grown
            self._column = np.concatenate([self._column, np.full(len(grown) - len(held), -1)])
        for number in new:
            column = len(self._with_column)
            self._known[self._with_column, column] = self._known[number, :column]
            self._column[number] = column
            self._with_column.append(number)

    def mass(self, graph: LayerGraph) -> float:
        """Add the masses of all layers up, input and output included."""
        network = self._networks[self._number(graph)]
        return sum(layers.mass * len(layers.features) for layers in network.values())

    def _number(self, graph: LayerGraph) -> int:
        """Number a graph, and describe it the first time."""
        number = self._numbers.get(graph)
        if number is None:
            number = self._numbers[graph] = len(self._networks)
            self._networks.append(self._describe(graph))
        return number

    def _describe(self, graph: LayerGraph) -> _Network:
        """Sort the layers of a network by kind."""
        members: dict[str, list[int]] = {}
        for layer, label in enumerate(graph.labels):
            members.setdefault(_kind(label), []).append(layer)
        masses = {kind: _POOLING_MASS if kind == "pool" else 1.0 for kind in members}
        masses[INPUT] = masses[OUTPUT] = 0.0
        inner = sum(masses[kind] * len(layers) for kind, layers in members.items())
        masses[INPUT] = masses[OUTPUT] = max(_END_MASS * inner, _LEAST_END_MASS)
        features = np.array(
            [
                (_size(label), self._sort(label), *places)
                for label, places in zip(graph.labels, path_lengths(graph), strict=True)
            ]
        )
        return {kind: _Layers(masses[kind], features[layers]) for kind, layers in members.items()}

    def _sort(self, label: str) -> int:
        """Number a label without its size."""
        return self._sorts.setdefault(_SIZE.sub("", label), len(self._sorts))


def _kind(label: str) -> str:
    """Name what a layer may be matched with."""
    return next((kind for kind in ("conv", "pool") if kind in label), label)


def _size(label: str) -> float:
    """Read the size of a kernel, e.g. 3 of ``nor_conv_3x3``."""
    found = _SIZE.search(label)
    return float(found[1]) if found else 0.0


def path_lengths(graph: LayerGraph) -> list[list[float]]:
    """Measure where each layer is: 18 lengths a layer.

    By whether all layers, convolutions or pooling count; by shortest, longest and mean of the random walk;
    from the input, then to the output. A way counts where it starts and what it passes, not where it ends.
    """
    lengths: list[list[float]] = [[] for _ in graph.labels]
    n = len(graph.labels)
    ways: list[tuple[Sequence[int], Sequence[Sequence[int]]]] = [
        (range(n), graph.inputs),
        (range(n - 1, -1, -1), graph.outputs()),
    ]
    averages: list[Callable[[list[float]], float]] = [min, max, lambda values: sum(values) / len(values)]
    for counted in ("", "conv", "pool"):
        for average in averages:
            for order, following in ways:
                length = [0.0] * n
                for layer in order:
                    if following[layer]:
                        length[layer] = (counted in graph.labels[layer]) + average(
                            [length[other] for other in following[layer]]
                        )
                for layer in range(n):
                    lengths[layer].append(length[layer])
    return lengths


def _grown(held: int, wanted: int) -> int:
    """Say how much room to hold, so that growing one at a time copies little."""
    return held if wanted <= held else max(wanted, 2 * held, 64)


def _distances(networks: Sequence[_Network], first: _Numbers, second: _Numbers) -> _Array:
    """Compute the distances of p pairs of networks, given by their numbers, (p, coefficients)."""
    total = np.zeros((len(first), len(STRUCTURE)))
    involved, back = np.unique(np.concatenate([first, second]), return_inverse=True)
    a, b = back.reshape(2, -1)  # places among those involved
    described = [networks[number] for number in involved.tolist()]
    for kind in sorted({kind for network in described for kind in network}):
        total += _costs_of_kind(kind, [network.get(kind) for network in described], a, b)
    return total


def _costs_of_kind(kind: str, layers: Sequence[_Layers | None], a: _Numbers, b: _Numbers) -> _Array:
    """Match the layers of one kind, of networks a with networks b; (p, coefficients)."""
    total = np.zeros((len(a), len(STRUCTURE)))
    counts = np.array([0 if one is None else len(one.features) for one in layers])
    masses = np.array([0.0 if one is None else one.mass for one in layers])
    place = np.zeros(len(layers), dtype=np.int64)  # of a network among those with as many layers
    stacked = {}
    for k in np.unique(counts[counts > 0]).tolist():
        alike = np.flatnonzero(counts == k)
        place[alike] = np.arange(len(alike))
        stacked[k] = np.stack([one.features for one in layers if one is not None and len(one.features) == k])
    fewer, more = np.where(counts[a] <= counts[b], (a, b), (b, a))
    groups = counts[fewer] * (counts.max() + 1) + counts[more]
    for group in np.unique(groups).tolist():
        k, m = divmod(group, counts.max() + 1)
        members = np.flatnonzero(groups == group)
        if k == 0:
            total[members] = (_UNMATCHED * m * masses[more[members]])[:, None]
            continue
        size = max(_AT_ONCE // (k * m), 1)
        for some in np.split(members, range(size, len(members), size)):
            matching = _matching_costs(
                stacked[k][place[fewer[some]]], stacked[m][place[more[some]]], _SORTS_DIFFER.get(kind, 0.0)
            )
            # Masses differ at input and output only, which are matched one to one.
            mass_a, mass_b = masses[fewer[some], None], masses[more[some], None]
            total[some] = np.minimum(mass_a, mass_b) * matching + _UNMATCHED * np.abs(mass_a - mass_b)
    return total


def _matching_costs(a: _Array, b: _Array, sort_cost: float) -> _Array:
    """Match k layers of one network with m >= k of another at least cost, a unit of mass; (n, coefficients).

    Args:
        a: (n, k, 20) features.
        b: (n, m, 20) features.
        sort_cost: Between two labels that differ in more than a size.
    """
    k, m = a.shape[1], b.shape[1]
    by_size = _SIZES_DIFFER * np.sqrt(np.abs(a[:, :, None, 0] - b[:, None, :, 0]))  # (n, k, m)
    by_sort = sort_cost * (a[:, :, None, 1] != b[:, None, :, 1])
    label = by_size + by_sort * (1.0 - by_size)
    place = np.abs(a[:, :, None, 2:] - b[:, None, :, 2:]).mean(axis=3)
    costs = label[:, None] + place[:, None] * np.array(STRUCTURE)[:, None, None]  # (n, coefficients, k, m)
    least: _Array = cheapest_matchings(np.minimum(costs, 2.0 * _UNMATCHED)) + _UNMATCHED * (m - k)
    return least


def cheapest_matchings(costs: _Array) -> _Array:
    """Add up the costs of the cheapest matching of every row with a column of its own, (...,).

    Args:
        costs: (..., k, m), k <= m.
    """
    k, m = costs.shape[-2:]
    if m > _TABULATED:
        flat = costs.reshape(-1, k, m)
        return np.array([cost[linear_sum_assignment(cost)].sum() for cost in flat]).reshape(costs.shape[:-2])
    cells = np.ascontiguousarray(np.moveaxis(costs, (-2, -1), (0, 1)))  # (k, m, ...)
    cheapest = {0: np.zeros(costs.shape[:-2])}  # set of columns taken by the rows so far -> cost
    for row in cells:
        following: dict[int, _Array] = {}
        for taken, cost in cheapest.items():
            for column in range(m):
                if not taken >> column & 1:
                    value = cost + row[column]
                    reached = taken | 1 << column
                    if reached in following:
                        np.minimum(following[reached], value, out=value)
                    following[reached] = value
        cheapest = following
    least: _Array = np.min(list(cheapest.values()), axis=0)
    return least
