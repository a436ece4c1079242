"""The TransNAS-Bench-101 networks: where they halve and widen, their operations, their sizes by hand."""

from dataclasses import replace

import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.spaces.transnas_micro import OPERATIONS
from nasbench.training.recipe import Recipe

MACRO, MICRO = get_space("transnas-macro"), get_space("transnas-micro")
RECIPE = Recipe(epochs=1, batch_size=64, learning_rate=0.1, channels=4, cells_per_stage=2, stages=1)


@pytest.fixture
def build(torch):
    from nasbench.training.networks import build_network

    def network(space, text, *, recipe=None, image_shape=(1, 8, 8)):
        stages = 1 if space is MACRO else 4
        recipe = recipe or replace(RECIPE, stages=stages, space=space.name)
        return build_network(
            space.name, space.parse(text), recipe=recipe, image_shape=image_shape, classes=10
        )

    return network


def shapes(torch, network, image_shape):
    """Tell channels and height behind the stem and behind each block."""
    from nasbench.training.networks.transnas import BasicBlock, Cell

    seen = []
    network.eval()
    for module in network:
        if isinstance(module, BasicBlock | Cell):
            module.register_forward_hook(lambda _m, _i, out: seen.append(tuple(out.shape[1:3])))
    network(torch.zeros(1, *image_shape, device="meta"))
    return seen


def test_macro_modules_halve_and_widen_in_their_first_block(torch, build):
    got = shapes(torch, build(MACRO, "64-1234-basic", image_shape=(1, 16, 16)), (1, 16, 16))
    assert got == [(4, 16)] * 2 + [(8, 16)] * 2 + [(8, 8)] * 2 + [(16, 4)] * 2


def test_micro_cells_halve_and_widen_in_the_skeleton_41414(torch, build):
    got = shapes(torch, build(MICRO, "64-41414-1_02_333", image_shape=(1, 16, 16)), (1, 16, 16))
    assert got == [(8, 8)] * 4 + [(16, 4)] * 4 + [(32, 2)] * 2


def test_halving_a_single_pixel_keeps_it(torch, build):
    assert shapes(torch, build(MACRO, "64-443311-basic"), (1, 8, 8))[-1] == (16, 1)


def test_parameters_of_a_residual_block_by_hand(torch):
    from nasbench.training.networks.cost import count_parameters
    from nasbench.training.networks.transnas import BasicBlock

    keeps = 2 * (9 * 4 * 4 + 2 * 4)
    assert count_parameters(BasicBlock(4, 4, 1)) == keeps
    changes = (9 * 4 * 8 + 2 * 8) + (9 * 8 * 8 + 2 * 8) + (4 * 8 + 2 * 8)
    assert count_parameters(BasicBlock(4, 8, 2)) == changes


def test_parameters_of_a_cell_are_those_of_its_edges_by_hand(torch):
    from nasbench.training.networks.cost import count_parameters
    from nasbench.training.networks.transnas import Cell

    code = MICRO.parse("1_02_333")  # 0->1 skip, 1->2 1x1, 0->3, 1->3, 2->3 3x3
    keeps = (16 + 8) + 3 * (9 * 16 + 8)
    assert count_parameters(Cell(code, 4, 4, 1)) == keeps
    reduction = 4 * 8 + 2 * 8
    changes = reduction + (64 + 16) + (9 * 4 * 8 + 16) + 2 * (9 * 64 + 16)
    assert count_parameters(Cell(code, 4, 8, 2)) == changes


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("side", [8, 5, 1])
def test_operations_give_one_shape(torch, name, side):
    from nasbench.training.networks.transnas import operation

    out = operation(name, 4, 6, 2)(torch.zeros(2, 4, side, side))
    assert out.shape == (2, 6, -(-side // 2), -(-side // 2))


def test_a_cell_is_the_sum_over_its_edges(torch):
    from nasbench.training.networks.transnas import Cell

    images = torch.arange(32.0).view(2, 1, 4, 4)
    # 0->1 skip, 0->2 skip, 1->2 skip, 0->3 none, 1->3 skip, 2->3 skip: node 2 is 2x, the output 3x.
    assert torch.equal(Cell((1, 1, 1, 0, 1, 1), 1, 1, 1)(images), 3 * images)
    assert torch.equal(Cell((0, 1, 0, 0, 1, 0), 1, 1, 1)(images), 0 * images)  # 0->2 leads nowhere


def test_a_factorised_reduction_sees_pixels_of_both_parities(torch):
    from nasbench.training.networks.transnas import FactorizedReduction

    reduction = FactorizedReduction(1, 2, 2)
    reduction.norm = torch.nn.Identity()
    for convolution in (reduction.here, reduction.next):
        torch.nn.init.ones_(convolution.weight)
    out = reduction(torch.arange(16.0).view(1, 1, 4, 4))
    assert out[0, 0].tolist() == [[0.0, 2.0], [8.0, 10.0]]
    assert out[0, 1].tolist() == [[5.0, 7.0], [13.0, 15.0]]


def test_cells_of_one_class_without_useless_edges_have_one_size(build):
    from nasbench.training.networks.cost import count_parameters

    one, other = "64-41414-2_30_013", "64-41414-3_20_031"  # nodes 1 and 2 exchanged
    canonical = MICRO.canonical([MICRO.parse(one), MICRO.parse(other)]).tolist()
    assert canonical[0] == canonical[1]
    assert count_parameters(build(MICRO, one)) == count_parameters(build(MICRO, other))


@pytest.mark.parametrize(("space", "stages"), [(MACRO, 1), (MICRO, 4)], ids=["macro", "micro"])
def test_another_skeleton_is_refused(build, space, stages):
    text = space.format(space.sample_one(lambda: 0.5))
    with pytest.raises(BadOption, match=f"stages: the networks of space {space.name} have {stages}, got 2"):
        build(space, text, recipe=replace(RECIPE, stages=2))
