"""Layer graphs are what one draws by hand."""

from __future__ import annotations

import pytest

from nasbench.spaces import get_space
from nasbench.strategies.layer_graph import INPUT, OUTPUT, LayerGraph, LayerGraphs, has_graph
from nasbench.testing import ToyChain, toy_space

NONE, SKIP, CONV1, CONV3, POOL = range(5)
ONE, THREE, AVERAGE = "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"


@pytest.mark.parametrize(
    ("code", "labels", "inputs"),  # edges 0->1, 0->2, 1->2, 0->3, 1->3, 2->3
    [
        ((NONE, NONE, NONE, CONV3, NONE, NONE), (INPUT, THREE, OUTPUT), ((), (0,), (1,))),
        ((NONE,) * 6, (INPUT, OUTPUT), ((), ())),
        ((SKIP,) * 6, (INPUT, OUTPUT), ((), (0,))),
        (
            (CONV1, NONE, CONV3, NONE, NONE, POOL),
            (INPUT, ONE, THREE, AVERAGE, OUTPUT),
            ((), (0,), (1,), (2,), (3,)),
        ),
        # the layer on 0->2 reaches nothing, for 2->3 is none
        ((CONV1, CONV3, NONE, NONE, POOL, NONE), (INPUT, ONE, AVERAGE, OUTPUT), ((), (0,), (1,), (2,))),
        # the layer on 2->3 has no input
        ((CONV1, NONE, NONE, NONE, SKIP, CONV3), (INPUT, ONE, OUTPUT), ((), (0,), (1,))),
        # a skip joins what comes before to what comes after
        (
            (CONV1, SKIP, NONE, NONE, CONV3, POOL),
            (INPUT, ONE, THREE, AVERAGE, OUTPUT),
            ((), (0,), (1,), (0,), (2, 3)),
        ),
    ],
)
def test_cell_is_turned_as_by_hand(code, labels, inputs):
    assert LayerGraphs(get_space("nb201"))([code]) == [LayerGraph(labels, inputs)]


def test_outputs_are_the_inputs_seen_from_the_other_end():
    graph = LayerGraph((INPUT, "a", "b", OUTPUT), ((), (0,), (0, 1), (1, 2)))
    assert graph.outputs() == [[1, 2], [2, 3], [3], []]


def test_space_without_a_graph_becomes_a_chain():
    graphs = LayerGraphs(toy_space())([(2, 0, 1)])
    assert graphs == [LayerGraph((INPUT, "skip", "conv", "pool", OUTPUT), ((), (0,), (1,), (2,), (3,)))]


def test_spaces_say_whether_they_have_a_graph():
    assert has_graph(get_space("nb201"))
    assert not has_graph(ToyChain())


def test_an_identity_is_a_connection_too():
    space = get_space("hierarchical")
    assert LayerGraphs(space)([space.trivial]) == [LayerGraph((INPUT, OUTPUT), ((), (0,)))]
