"""The networks of the hierarchical space: identity chains do nothing, merging, scales, sizes by hand."""

from dataclasses import replace

import numpy as np
import pytest

from nasbench.spaces import get_space
from nasbench.spaces.hierarchical import OPERATIONS
from nasbench.training.recipe import Recipe

SPACE = get_space("hierarchical")
RECIPE = Recipe(
    epochs=1, batch_size=64, learning_rate=0.1, channels=4, cells_per_stage=1, stages=3, space="hierarchical"
)
REST = "-".join(["000000"] * 5)


@pytest.fixture
def cell(torch):
    from nasbench.training.networks.hierarchical import cell

    def build(text, channels=4):
        return cell(*SPACE.motifs(SPACE.parse(text)), channels)

    return build


def count(network):
    from nasbench.training.networks.cost import count_parameters

    return count_parameters(network)


def test_the_trivial_genotype_is_the_identity_map(torch, cell):
    images = torch.rand(2, 4, 8, 8, generator=torch.Generator().manual_seed(0)) - 0.5
    assert torch.equal(cell("trivial")(images), images)
    assert count(cell("trivial")) == 0


def test_a_cell_without_a_way_through_gives_zeros(torch, cell):
    images = torch.ones(1, 4, 4, 4)
    assert not cell(f"606000-{REST}/1010010001")(images).any()  # the motif has none
    assert not cell(f"606006-{REST}/1010010000")(images).any()  # the cell has none


@pytest.mark.parametrize("name", OPERATIONS[1:])
def test_operations_keep_the_shape(torch, name):
    from nasbench.training.networks.hierarchical import operation

    assert operation(name, 4)(torch.zeros(2, 4, 8, 8)).shape == (2, 4, 8, 8)


def test_parameters_of_each_operation_by_hand(torch):
    from nasbench.training.networks.hierarchical import operation

    sizes = {name: count(operation(name, 4)) for name in OPERATIONS[1:]}
    assert sizes == {
        "conv_1x1": 16 + 8,
        "depthwise_conv_3x3": 36 + 8,
        "sep_conv_3x3": 36 + 8 + 16 + 8,
        "max_pool_3x3": 0,
        "avg_pool_3x3": 0,
        "identity": 0,
    }


def test_a_node_of_two_edges_brings_its_channels_back(cell):
    # One motif, 0->3 by 1x1; the cell has it on 0->1, 0->2 and 1->2, 2->4: node 2 merges two.
    one = 16 + 8
    assert count(cell(f"000100-{REST}/1110000010")) == 4 * one + (8 * 4 + 8)


def test_each_edge_has_a_copy_of_its_motif(cell):
    once, twice = cell(f"000300-{REST}/0000001000"), cell(f"000300-{REST}/1000000100")
    assert count(twice) == 2 * count(once)


def test_other_names_of_the_motifs_have_one_size(cell):
    assert count(cell(f"000100-000200-{REST[7:]}/1020010002")) == count(
        cell(f"000200-000100-{REST[7:]}/2010020001")
    )


def test_cells_stand_at_three_scales(torch):
    from nasbench.training.networks.hierarchical import Motif, hierarchical_network

    motifs, edges = SPACE.motifs(SPACE.trivial)
    network = hierarchical_network(motifs, edges, channels=4, image_channels=1, classes=5)
    shapes = []
    for module in network:
        if isinstance(module, Motif):
            module.register_forward_hook(lambda _m, _i, out: shapes.append(tuple(out.shape[1:])))
    assert network(torch.zeros(2, 1, 8, 8)).shape == (2, 5)
    assert shapes == [(4, 8, 8), (8, 4, 4), (16, 2, 2)]


def test_recipes_say_cells_and_stages(torch):
    from nasbench.training.networks import build_network

    def size(recipe):
        code = tuple(SPACE.sample(1, rng=np.random.default_rng(0))[0].tolist())
        return count(build_network("hierarchical", code, recipe=recipe, image_shape=(1, 8, 8), classes=5))

    assert size(RECIPE) < size(replace(RECIPE, cells_per_stage=2)) < size(replace(RECIPE, channels=8))
