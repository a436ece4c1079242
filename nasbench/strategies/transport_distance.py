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

STRUCTURE = (0.1, 0.25, 0.61, 1.5)
"""Coefficients of the difference in place; there is one distance for each. nasbot."""
_UNMATCHED = 1.0  # nasbot nn/nn_gp.py, non_assignment_penalty
_POOLING_MASS = 1 / 16  # of a convolution's; 16 channels, as in the first stage of nb201
_END_MASS = 0.1  # of input and output each, as a share of the other layers; nasbot nn/neural_network.py
_LEAST_END_MASS = 0.1  # of networks without layers; our choice
_SORTS_DIFFER = {"conv": 0.1, "pool": 0.5}  # nasbot nn/nn_comparators.py, of conv and res, and of poolings
_SIZES_DIFFER = math.sqrt(2.0) / 10.0  # nasbot nn/nn_comparators.py, conv_scale
_TABULATED = 6  # layers to match up to which subsets are tabulated for all pairs at once
_SIZE = re.compile(r"(\d+)x\1")


@dataclass(frozen=True, slots=True)
class _Layers:
    """The layers of one network that may be matched with each other.

    Attributes:
        mass: Of each layer.
        sort_cost: Between two labels that differ in more than a size.
        sizes: (k,) kernel sizes, 0 where a label has none.
        sorts: (k,) numbers of the labels without their sizes.
        places: (k, 18) path lengths.
    """

    mass: float
    sort_cost: float
    sizes: _Array
    sorts: npt.NDArray[np.int64]
    places: _Array


class TransportDistance:
    """Distances between layer graphs, each pair computed once."""

    def __init__(self) -> None:
        self._sorts: dict[str, int] = {}  # label without its size -> number
        self._layers: dict[
            LayerGraph, tuple[int, dict[str, _Layers]]
        ] = {}  # number of the graph, and by kind
        self._known: dict[tuple[int, int], _Array] = {}  # (coefficients,) by pair of numbers, lower first

    def __call__(self, a: Sequence[LayerGraph], b: Sequence[LayerGraph]) -> _Array:
        """Compute the distance of every pair for every coefficient, (coefficients, n, m)."""
        first, second = [self._described(graph) for graph in a], [self._described(graph) for graph in b]
        missing = {}
        for i, layers_a in first:
            for j, layers_b in second:
                pair = (i, j) if i < j else (j, i)
                if pair not in self._known and pair not in missing:
                    missing[pair] = (layers_a, layers_b)
        if missing:
            self._known.update(zip(missing, _distances(list(missing.values())), strict=True))
        known = [self._known[(i, j) if i < j else (j, i)] for i, _ in first for j, _ in second]
        return np.array(known).T.reshape(len(STRUCTURE), len(a), len(b))

    def mass(self, graph: LayerGraph) -> float:
        """Add the masses of all layers up, input and output included."""
        return sum(layers.mass * len(layers.sizes) for layers in self._described(graph)[1].values())

    def _described(self, graph: LayerGraph) -> tuple[int, dict[str, _Layers]]:
        """Describe a graph once."""
        if graph not in self._layers:
            places = np.array(path_lengths(graph))
            members: dict[str, list[int]] = {}
            for layer, label in enumerate(graph.labels):
                members.setdefault(_kind(label), []).append(layer)
            masses = {kind: _POOLING_MASS if kind == "pool" else 1.0 for kind in members}
            masses[INPUT] = masses[OUTPUT] = 0.0
            inner = sum(masses[kind] * len(layers) for kind, layers in members.items())
            masses[INPUT] = masses[OUTPUT] = max(_END_MASS * inner, _LEAST_END_MASS)
            described = {
                kind: _Layers(
                    mass=masses[kind],
                    sort_cost=_SORTS_DIFFER.get(kind, 0.0),
                    sizes=np.array([_size(graph.labels[layer]) for layer in layers]),
                    sorts=np.array([self._sort(graph.labels[layer]) for layer in layers]),
                    places=places[layers],
                )
                for kind, layers in members.items()
            }
            self._layers[graph] = (len(self._layers), described)
        return self._layers[graph]

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


def _distances(pairs: Sequence[tuple[dict[str, _Layers], dict[str, _Layers]]]) -> _Array:
    """Compute distances of pairs of described graphs, (pairs, coefficients)."""
    total = np.zeros((len(pairs), len(STRUCTURE)))
    alike: dict[tuple[int, int], list[tuple[int, _Layers, _Layers]]] = {}  # by layers to match, fewer first
    for i, (a, b) in enumerate(pairs):
        for kind in (*a, *b.keys() - a.keys()):
            if kind in a and kind in b:
                fewer, more = sorted((a[kind], b[kind]), key=lambda layers: len(layers.sizes))
                alike.setdefault((len(fewer.sizes), len(more.sizes)), []).append((i, fewer, more))
            else:
                alone = a[kind] if kind in a else b[kind]
                total[i] += _UNMATCHED * alone.mass * len(alone.sizes)
    for matches in alike.values():
        where, fewer_each, more_each = zip(*matches, strict=True)
        np.add.at(total, list(where), _matching_costs(fewer_each, more_each))
    return total


def _matching_costs(first: Sequence[_Layers], second: Sequence[_Layers]) -> _Array:
    """Match k layers of one network with m >= k of another, for n such matches; (n, coefficients)."""
    sizes_a, sizes_b = (np.stack([layers.sizes for layers in side]) for side in (first, second))
    sorts_a, sorts_b = (np.stack([layers.sorts for layers in side]) for side in (first, second))
    places_a, places_b = (np.stack([layers.places for layers in side]) for side in (first, second))
    mass_a, mass_b = (np.array([[layers.mass] for layers in side]) for side in (first, second))
    sort_cost = np.array([layers.sort_cost for layers in first])[:, None, None]
    by_size = _SIZES_DIFFER * np.sqrt(np.abs(sizes_a[:, :, None] - sizes_b[:, None, :]))  # (n, k, m)
    by_sort = sort_cost * (sorts_a[:, :, None] != sorts_b[:, None, :])
    label = by_size + by_sort * (1.0 - by_size)
    place = np.abs(places_a[:, :, None] - places_b[:, None, :]).mean(axis=3)
    k, m = place.shape[1:]
    costs = np.full((len(first), len(STRUCTURE), m, m), _UNMATCHED)  # rows from k on: layers left unmatched
    costs[:, :, :k] = np.minimum(
        label[:, None] + place[:, None] * np.array(STRUCTURE)[:, None, None], 2.0 * _UNMATCHED
    )
    # Masses differ at input and output only, which are matched one to one.
    matched = np.minimum(mass_a, mass_b) * cheapest_matchings(costs)
    total: _Array = matched + _UNMATCHED * np.abs(mass_a - mass_b)
    return total


def cheapest_matchings(costs: _Array) -> _Array:
    """Add up the costs of the cheapest one-to-one matching of rows and columns, (...,).

    Args:
        costs: (..., k, k).
    """
    size = costs.shape[-1]
    if size > _TABULATED:
        flat = costs.reshape(-1, size, size)
        return np.array([cost[linear_sum_assignment(cost)].sum() for cost in flat]).reshape(costs.shape[:-2])
    cheapest = {0: np.zeros(costs.shape[:-2])}  # set of columns taken by the rows so far -> cost
    for row in range(size):
        following: dict[int, _Array] = {}
        for taken, cost in cheapest.items():
            for column in range(size):
                if not taken >> column & 1:
                    value = cost + costs[..., row, column]
                    reached = taken | 1 << column
                    following[reached] = np.minimum(following.get(reached, value), value)
        cheapest = following
    return cheapest[(1 << size) - 1]
