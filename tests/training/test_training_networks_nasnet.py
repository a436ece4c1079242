"""NASNet cells on the DARTS skeleton: published sizes exactly, operations, both ways to combine."""

from dataclasses import replace

import pytest

from nasbench.spaces import get_space
from nasbench.spaces.nasnet import KNOWN, OPERATIONS, Block
from nasbench.training.recipe import Recipe

SPACE = get_space("nasnet")
# Twenty cells, 36 channels, 10 classes, no auxiliary head: parameters of the genotypes NASNet and AmoebaNet
# of quark0/darts on its skeleton, counted independently of the code tested here.
PARAMETERS = {"nasnet-a": 3_830_950, "amoebanet-a": 3_145_078}
PUBLISHED = Recipe(
    epochs=600, batch_size=96, learning_rate=0.025, channels=36, cells_per_stage=6, stages=3, space="nasnet"
)
SMALL = replace(PUBLISHED, channels=4, cells_per_stage=1)


@pytest.fixture
def nasnet(torch):
    from nasbench.training.networks import nasnet

    return nasnet


@pytest.fixture
def count(torch):
    from nasbench.training.networks.cost import count_parameters

    return count_parameters


@pytest.fixture
def build(torch):
    from nasbench.training.networks import build_network

    def network(text, *, recipe=PUBLISHED, image_shape=(3, 32, 32)):
        code = SPACE.parse(text)
        return build_network("nasnet", code, recipe=recipe, image_shape=image_shape, classes=10)

    return network


@pytest.mark.parametrize(("name", "parameters"), PARAMETERS.items())
def test_parameters_of_published_architectures(build, count, name, parameters):
    assert count(build(name)) == parameters


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("stride", [1, 2])
def test_operations_keep_or_halve_the_image(torch, nasnet, name, stride):
    out = nasnet.nasnet_operation(name, 4, stride)(torch.zeros(2, 4, 8, 8))
    assert out.shape == (2, 4, 8 // stride, 8 // stride)


def test_parameters_of_each_convolution_by_hand(nasnet, count):
    normed = 2 * 4
    sizes = {name: count(nasnet.nasnet_operation(name, 4, 1)) for name in OPERATIONS}
    assert sizes == {
        "skip_connect": 0,
        "conv_3x1_1x3": 2 * 3 * 16 + normed,
        "conv_7x1_1x7": 2 * 7 * 16 + normed,
        "dil_conv_3x3": 9 * 4 + 16 + normed,
        **dict.fromkeys(("avg_pool_3x3", "max_pool_3x3", "max_pool_5x5", "max_pool_7x7"), 0),
        "conv_1x1": 16 + normed,
        "conv_3x3": 9 * 16 + normed,
        **{f"sep_conv_{k}x{k}": 2 * (k * k * 4 + 16 + normed) for k in (3, 5, 7)},
    }


def test_large_pools_take_the_largest_of_their_patch(torch, nasnet):
    images = torch.zeros(1, 1, 9, 9)
    images[0, 0, 4, 4] = 1.0
    for side in (5, 7):
        assert nasnet.nasnet_operation(f"max_pool_{side}x{side}", 1, 1)(images).sum() == side * side


def skips(*combinations):
    """Five blocks of skip connections, each on the block before it and on input 1."""
    return [
        Block((max(0, state - 1), 1), ("skip_connect", "skip_connect"), combination)
        for state, combination in enumerate(combinations, start=2)
    ]


def test_blocks_add_or_put_side_by_side(torch, nasnet):
    blocks = [Block((0, 1), ("skip_connect", "skip_connect"), kind) for kind in ("add", "concat")]
    cell = nasnet.NASNetCell(blocks, (1, 1), 1, reduces=False, first_is_larger=False)
    cell.inputs = torch.nn.ModuleList([torch.nn.Identity(), torch.nn.Identity()])
    one, ten = torch.ones(1, 1, 2, 2), 10 * torch.ones(1, 1, 2, 2)
    assert cell(one, ten)[0, :, 0, 0].tolist() == [11, 1, 10]
    assert cell.width == 3


def test_what_is_side_by_side_is_brought_back_where_a_block_takes_it(nasnet, count):
    def size(*combinations):
        cell = nasnet.NASNetCell(skips(*combinations), (4, 4), 4, reduces=False, first_is_larger=False)
        return count(cell), cell.width

    inputs = 2 * (16 + 8)
    assert size("add", "add", "add", "add", "add") == (inputs, 4)
    assert size("concat", "add", "concat", "add", "add") == (inputs + 2 * (32 + 8), 4)
    assert size("add", "add", "add", "add", "concat") == (inputs, 8)


def test_every_cell_takes_the_width_of_the_two_before_it(torch, nasnet):
    cells = SPACE.cells(SPACE.parse(KNOWN["amoebanet-a"].replace("+", "&")))
    network = nasnet.nasnet_network(cells, channels=2, cells_per_stage=1, image_channels=1)
    assert network(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
    assert len(network.cells) == 5


def test_other_orders_of_blocks_have_one_size(build, count):
    cells = [cell.split("|") for cell in KNOWN["nasnet-a"].split("//")]
    swapped = "//".join("|".join([cell[1], cell[0], *cell[2:]]) for cell in cells)
    swapped = swapped.replace("skip_connect~3+avg_pool_3x3~2", "skip_connect~2+avg_pool_3x3~3")
    swapped = swapped.replace("sep_conv_3x3~2+max_pool_3x3~1", "sep_conv_3x3~3+max_pool_3x3~1")
    codes = [SPACE.parse(text) for text in ("nasnet-a", swapped)]
    first = SPACE.canonical(codes)
    assert first[0].tolist() == first[1].tolist()
    assert count(build(swapped, recipe=SMALL)) == count(build("nasnet-a", recipe=SMALL))
