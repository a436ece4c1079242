"""Drawings of architectures: every space has one, and it shows the edges that are there."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption, NotInSpace
from nasbench.spaces import SPACES, get_space
from nasbench.spaces.drawing import Drawable, Edge, Graph, chain, drawing
from nasbench.testing import ToyChain


def shown(graph):
    return {(graph.nodes[e.source], graph.nodes[e.target], e.label) for e in graph.edges}


@pytest.mark.parametrize("name", sorted(SPACES))
def test_every_space_draws_its_architectures(name):
    space = get_space(name)
    for code in space.sample(5, rng=np.random.default_rng(0)).tolist():
        graphs = drawing(space, code)
        assert graphs
        assert all(graph.nodes for graph in graphs)
        assert graphs == drawing(space, tuple(code))


@pytest.mark.parametrize("name", sorted(SPACES))
def test_what_is_not_in_the_space_is_not_drawn(name):
    with pytest.raises(NotInSpace):
        drawing(get_space(name), (99,))


def test_a_space_without_graphs_lists_its_decisions():
    space = ToyChain()
    assert not isinstance(space, Drawable)
    (graph,) = drawing(space, (1, 2, 0, 0))
    assert graph.nodes == ("layer 0: conv", "layer 1: pool", "layer 2: absent", "layer 3: absent")
    assert graph.edges == ()


def test_a_cell_shows_its_edges_but_none():
    (graph,) = drawing(get_space("nb201"), (3, 0, 2, 1, 0, 0))
    assert shown(graph) == {
        ("input", "node 1", "nor_conv_3x3"),
        ("node 1", "node 2", "nor_conv_1x1"),
        ("input", "output", "skip_connect"),
    }
    assert drawing(get_space("transnas-micro"), (3, 0, 2, 1, 0, 0)) == (graph,)


def test_darts_shows_two_cells_as_the_paper_does():
    space = get_space("darts")
    normal, reduction = drawing(space, space.parse("darts-v2"))
    assert (normal.name, reduction.name) == ("normal cell", "reduction cell")
    assert len(normal.edges) == len(reduction.edges) == 8 + 4
    assert ("c_{k-2}", "node 2", "skip_connect") in shown(normal)
    assert ("node 0", "node 3", "dil_conv_3x3") in shown(normal)
    assert ("node 3", "c_{k}", "") in shown(reduction)


def test_chains_show_their_layers_in_a_row():
    (macro,) = drawing(get_space("nb-macro"), (2, 1, 0, 0, 0, 0, 0, 0))
    assert macro.nodes[:4] == ("image", "mb6_k5 ↓2", "mb3_k3", "identity ↓2")
    (modules,) = drawing(get_space("transnas-macro"), (1, 2, 3, 4, 0, 0))
    assert modules.nodes[1:5] == ("normal", "channels_x2", "resolution_half", "channels_x2_resolution_half")
    assert modules == chain("network", modules.nodes)


def test_skip_connections_show_what_was_mended():
    space = get_space("chain-skip-6")
    code = space.parse("3x5-24,3x3-36,7x7-48@1,1x1-64@3,1x1-64@4,1x1-64@5")
    (graph,) = drawing(space, code)
    edges = {(e.source, e.target) for e in graph.edges}
    assert edges == {(0, 1), (0, 2), (1, 3), (3, 4), (4, 5), (5, 6), (2, 7), (6, 7)}
    assert graph.nodes[1] == "layer 1: 24 filters 3x5"


def test_hierarchical_shows_the_cell_and_the_motifs_in_use():
    space = get_space("hierarchical")
    assert [graph.name for graph in drawing(space, space.trivial)] == ["cell", "motif 1"]


def test_a_tree_shows_its_operations_and_its_leaves():
    space = get_space("nas-bench-graph")
    (graph,) = drawing(space, space.parse("0012|gcn|gin|fc|cheb"))
    assert shown(graph) == {
        ("features", "node 1", "gcn"),
        ("features", "node 2", "gin"),
        ("node 1", "node 3", "fc"),
        ("node 2", "node 4", "cheb"),
        ("node 3", "output", ""),
        ("node 4", "output", ""),
    }


@pytest.mark.parametrize("edge", [Edge(1, 0), Edge(0, 0), Edge(0, 2), Edge(-1, 1)])
def test_edges_lead_forward_between_nodes(edge):
    with pytest.raises(BadOption, match="expected sources before targets among 2 nodes"):
        Graph("two", ("a", "b"), (edge,))
