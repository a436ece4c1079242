"""The transport distance is a distance, and the one that the whole linear program gives."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import linprog

from nasbench.spaces import Decision, ProductSpace, get_space
from nasbench.strategies.layer_graph import INPUT, OUTPUT, LayerGraph, LayerGraphs
from nasbench.strategies.transport_distance import (
    STRUCTURE,
    TransportDistance,
    cheapest_matchings,
    path_lengths,
)

CHAINS = ProductSpace(
    "chains", [Decision(f"layer {i}", ("conv3x3", "conv5x5", "max_pool", "avg_pool", "fc")) for i in range(9)]
)
SPACES = [get_space("nb201"), CHAINS]


def graphs_of(space, n, seed=3):
    codes = space.sample(n, rng=np.random.default_rng(seed)).tolist()
    return LayerGraphs(space)([tuple(row) for row in codes])


def masses_of(graph):
    inner = [1 / 16 if "pool" in label else 1.0 for label in graph.labels[1:-1]]
    end = max(0.1 * sum(inner), 0.1)
    return [end, *inner, end]


def label_cost(a, b):
    sizes = {"nor_conv_1x1": 1, "nor_conv_3x3": 3, "conv3x3": 3, "conv5x5": 5}
    if a == b:
        return 0.0
    if a in sizes and b in sizes:
        return np.sqrt(2) / 10 * np.sqrt(abs(sizes[a] - sizes[b]))
    return 0.5 if "pool" in a and "pool" in b else 1e3


def by_linear_program(a, b, coefficient):
    """The transport problem as published: each network may leave its mass with the other's extra layer."""
    places_a, places_b = np.array(path_lengths(a)), np.array(path_lengths(b))
    cost = np.ones((len(places_a) + 1, len(places_b) + 1))
    cost[-1, -1] = 0.0
    for i, j in itertools.product(range(len(places_a)), range(len(places_b))):
        place = np.abs(places_a[i] - places_b[j]).mean()
        cost[i, j] = label_cost(a.labels[i], b.labels[j]) + coefficient * place
    supply, demand = masses_of(a), masses_of(b)
    supply, demand = [*supply, sum(demand)], [*demand, sum(supply)]
    rows = np.kron(np.eye(len(supply)), np.ones(len(demand)))
    columns = np.kron(np.ones(len(supply)), np.eye(len(demand)))
    found = linprog(cost.ravel(), A_eq=np.vstack([rows, columns]), b_eq=[*supply, *demand])
    assert found.success
    return found.fun


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_distance_is_that_of_the_whole_transport_problem(space):
    graphs = graphs_of(space, 12)
    distances = TransportDistance()(graphs[:6], graphs[6:])
    for k, coefficient in enumerate(STRUCTURE):
        for i, j in ((0, 0), (1, 3), (2, 5), (4, 1), (5, 4)):
            assert distances[k, i, j] == pytest.approx(
                by_linear_program(graphs[i], graphs[6 + j], coefficient)
            )


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_distances_are_symmetric_zero_to_itself_and_keep_the_triangle_inequality(space):
    graphs = graphs_of(space, 30)
    distances = TransportDistance()(graphs, graphs)
    for distance in distances:
        assert np.diag(distance) == pytest.approx(0.0)
        assert distance == pytest.approx(distance.T)
        assert distance[~np.eye(30, dtype=bool)].max() > 1.0
        assert (distance[:, :, None] <= distance[:, None, :] + distance.T[None, :, :] + 1e-9).all()


def test_distance_grows_with_the_weight_of_the_structure():
    graphs = graphs_of(get_space("nb201"), 20)
    distances = TransportDistance()(graphs, graphs)
    assert (np.diff(distances, axis=0) >= -1e-12).all()


def test_renamed_nodes_are_at_no_distance(rng):
    space = get_space("nb201")
    draw = LayerGraphs(space)
    for a, b, _, c, d, e in space.sample(30, rng=rng).tolist():
        pair = draw([(a, b, 0, c, d, e), (b, a, 0, c, e, d)])
        assert TransportDistance()(pair[:1], pair[1:]) == pytest.approx(0.0)


def test_distances_of_single_layers_are_those_by_hand():
    def alone(*labels):
        return LayerGraph((INPUT, *labels, OUTPUT), ((), *((i,) for i in range(len(labels) + 1))))

    def distance(a, b):
        return TransportDistance()([a], [b])[:, 0, 0]

    three = alone("nor_conv_3x3")
    assert distance(three, alone("nor_conv_1x1")) == pytest.approx(np.sqrt(2) / 10 * np.sqrt(2))
    # other sorts of convolution: a tenth of the way from the sizes' cost to 1
    assert distance(three, alone("sep_conv_3x3")) == pytest.approx(0.1)
    assert distance(three, alone("sep_conv_1x1")) == pytest.approx(0.9 * 0.2 + 0.1)
    assert distance(alone("max_pool"), alone("avg_pool")) == pytest.approx(0.5 / 16)
    # nothing to match: both layers are left, and nothing that input or output are differs but their ways
    assert distance(alone("a"), alone("b")) == pytest.approx(2.0)
    # one layer more: it is left (1), the first moves, input and output too and their masses grow by 0.1
    assert distance(alone("a"), alone("a", "a"))[0] == pytest.approx(1.0 + 2 * 0.1 + 0.1 * (3 / 18) * 1.2)


def test_masses_are_those_by_hand():
    distance = TransportDistance()
    conv, pool = LayerGraphs(get_space("nb201"))([(3, 0, 0, 0, 4, 0), (0,) * 6])
    assert distance.mass(conv) == pytest.approx((1 + 1 / 16) * 1.2)
    assert distance.mass(pool) == pytest.approx(0.2)


def test_path_lengths_are_those_by_hand():
    # input -> conv -> pool -> output, and input -> output
    graph = LayerGraph((INPUT, "conv", "pool", OUTPUT), ((), (0,), (1,), (0, 2)))
    lengths = np.array(path_lengths(graph)).reshape(4, 3, 3, 2)  # layer, counted, average, direction
    from_input, to_output = lengths[:, 0, :, 0], lengths[:, 0, :, 1]
    assert from_input.tolist() == [[0, 0, 0], [1, 1, 1], [2, 2, 2], [1, 3, 2]]
    assert to_output.tolist() == [[1, 3, 2], [2, 2, 2], [1, 1, 1], [0, 0, 0]]
    assert lengths[:, 1, 1, 0].tolist() == [0, 1, 1, 1]  # longest from the input, convolutions only
    assert lengths[:, 2, 2, 1].tolist() == [0.5, 1, 1, 0]  # random walk to the output, pooling only


@pytest.mark.parametrize("rows", [1, 2, 4])
@pytest.mark.parametrize("columns", [4, 6, 7])
def test_cheapest_matching_is_that_of_all_choices_of_columns(rows, columns, rng):
    costs = rng.random((3, 2, rows, columns))
    found = cheapest_matchings(costs)
    choices = itertools.permutations(range(columns), rows)
    best = np.min([costs[..., range(rows), list(choice)].sum(axis=-1) for choice in choices], axis=0)
    assert found == pytest.approx(best)


def test_distance_is_the_same_whatever_was_asked_with_it_and_in_whatever_order():
    graphs = graphs_of(get_space("nb201"), 40)
    at_once = TransportDistance()
    together = at_once(graphs, graphs)
    assert (at_once(graphs[20:], graphs[:20]) == together[:, 20:, :20]).all()
    piecemeal = TransportDistance()
    piecemeal(graphs, graphs[:1])  # numbers the graphs alike
    parts = [piecemeal(graphs[i : i + 1], graphs[j : j + 7]) for i in range(40) for j in range(0, 40, 7)]
    assert (np.concatenate(parts, axis=2).reshape(4, 40, 40) == together).all()
    assert (together == together.transpose(0, 2, 1)).all()


def test_pairs_are_computed_once(monkeypatch):
    graphs = graphs_of(CHAINS, 10)
    distance = TransportDistance()
    first = distance(graphs, graphs)
    monkeypatch.setattr("nasbench.strategies.transport_distance._distances", None)  # a call would fail
    assert (distance(graphs[5:], graphs[:5]) == first[:, 5:, :5]).all()
