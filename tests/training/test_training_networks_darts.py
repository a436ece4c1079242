"""The DARTS evaluation network: published sizes exactly, the skeleton, and each operation by hand."""

from dataclasses import replace

import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.spaces.darts_cell import OPERATIONS, edges_of
from nasbench.training.recipe import Recipe
from nasbench.training.recipes import RECIPES

# Twenty cells, 36 channels, 10 classes, no auxiliary head, 32 x 32: parameters and multiply-accumulates of
# the published genotypes, counted independently of the code tested here.
PARAMETERS = {
    "darts-v1": 3_169_414,
    "darts-v2": 3_349_342,
    "pc-darts": 3_634_678,
    "drnas": 4_099_294,
    "sdarts-rs": 3_606_166,
    "sdarts-adv": 3_344_806,
}
MILLION_MACS = {"darts-v2": 528.36, "pc-darts": 556.67, "drnas": 635.14}

PUBLISHED = Recipe(
    epochs=600, batch_size=96, learning_rate=0.025, channels=36, cells_per_stage=6, stages=3, space="darts"
)
SMALL = replace(PUBLISHED, channels=4, cells_per_stage=1)
DARTS = get_space("darts")
ALL_SKIP = (2, 2, *(0, 2, 2) * 3) * 2


@pytest.fixture
def build(torch):
    from nasbench.training.networks import build_network

    def published(code, *, recipe=PUBLISHED, image_shape=(3, 32, 32), classes=10):
        return build_network("darts", code, recipe=recipe, image_shape=image_shape, classes=classes)

    return published


@pytest.fixture
def cost(torch):
    from nasbench.training.networks import cost

    return cost


@pytest.fixture
def darts(torch):
    from nasbench.training.networks import darts

    return darts


@pytest.mark.parametrize(("name", "parameters"), PARAMETERS.items())
def test_parameters_of_published_architectures(build, cost, name, parameters):
    assert cost.count_parameters(build(DARTS.parse(name))) == parameters


@pytest.mark.slow
@pytest.mark.parametrize(("name", "millions"), MILLION_MACS.items())
def test_macs_of_published_architectures(build, cost, name, millions):
    assert round(cost.count_macs(build(DARTS.parse(name)), (3, 32, 32)) / 1e6, 2) == millions


def widths(network):
    """Tell the channels of each cell's nodes."""
    return [cell.inputs[1][-1].num_features for cell in network.cells]


def strided(network):
    """List the cells that have a layer which halves the image behind their inputs."""
    return [
        i
        for i, cell in enumerate(network.cells)
        if any(getattr(layer, "stride", 1) in (2, (2, 2)) for layer in cell.edges.modules())
    ]


@pytest.mark.parametrize(("per_stage", "reductions"), [(6, [6, 13]), (2, [2, 5]), (1, [1, 3])])
def test_reduction_cells_stand_at_one_third_and_two_thirds(build, per_stage, reductions):
    network = build(DARTS.parse("darts-v2"), recipe=replace(SMALL, cells_per_stage=per_stage))
    cells = 3 * per_stage + 2
    assert len(network.cells) == cells
    assert strided(network) == reductions == [cells // 3, 2 * cells // 3]
    assert widths(network) == [4 * 2 ** sum(i >= at for at in reductions) for i in range(cells)]


def test_only_reduction_cells_use_the_reduction_cell(build, cost):
    normal, heavy = ALL_SKIP[:11], (4, 4, *(0, 4, 4) * 3)
    one_stage = replace(SMALL, stages=1)
    light, same = (
        cost.count_parameters(build((*normal, *reduction), recipe=one_stage)) for reduction in (normal, heavy)
    )
    assert light == same
    two_stages = replace(SMALL, stages=2)
    light, more = (
        cost.count_parameters(build((*normal, *reduction), recipe=two_stages))
        for reduction in (normal, heavy)
    )
    # Eight separable 5x5 convolutions of 8 channels instead of eight factorised reductions.
    separable = 2 * (25 * 8 + 8 * 8 + 2 * 8)
    assert more - light == 8 * separable - 8 * (8 * 8 + 2 * 8)


def started(torch, network):
    from nasbench.training.weights import initialise

    return initialise(network, generator=torch.Generator().manual_seed(0))


def test_it_maps_images_to_logits(torch, build):
    network = started(torch, build(DARTS.parse("drnas"), recipe=SMALL, image_shape=(1, 8, 8), classes=7))
    logits = network(torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(1)))
    assert logits.shape == (2, 7)
    assert bool(torch.isfinite(logits).all())


def test_building_allocates_nothing(build):
    assert {p.device.type for p in build(ALL_SKIP, recipe=SMALL).parameters()} == {"meta"}


def test_an_image_that_cannot_be_halved_twice_is_refused(build):
    with pytest.raises(BadOption, match=r"sides that are multiples of 4, got 14x14. Take a recipe"):
        build(ALL_SKIP, recipe=SMALL, image_shape=(1, 14, 14))


class Doubling:
    """Stands in for an operation: multiplies by its number."""

    def __new__(cls, torch, factor):
        module = torch.nn.Module()
        module.forward = lambda images: factor * images
        return module


def test_a_cell_adds_two_edges_a_node_and_puts_the_nodes_side_by_side(torch, darts):
    # Nodes take (0, 1), (0, 2), (1, 3), (2, 4); edge e multiplies by e + 1.
    cell = darts.Cell(
        edges_of((2, 2, 1, 2, 2, 4, 2, 2, 8, 2, 2)), (1, 1), 1, reduces=False, first_is_larger=False
    )
    cell.inputs = torch.nn.ModuleList([torch.nn.Identity(), torch.nn.Identity()])
    cell.edges = torch.nn.ModuleList([Doubling(torch, e + 1.0) for e in range(8)])
    one, ten = torch.ones(1, 1, 2, 2), 10 * torch.ones(1, 1, 2, 2)
    second = 1 * 1 + 2 * 10
    third = 3 * 1 + 4 * second
    fourth = 5 * 10 + 6 * third
    fifth = 7 * second + 8 * fourth
    assert cell(one, ten)[0, :, 0, 0].tolist() == [second, third, fourth, fifth]


def test_the_first_cell_takes_the_stem_twice_and_each_other_the_two_before_it(torch, darts):
    seen = []

    def cell(value):
        module = torch.nn.Module()
        module.forward = lambda a, b: seen.append((float(a), float(b))) or torch.tensor(value)
        return module

    stem, head = torch.nn.Identity(), torch.nn.Identity()
    network = darts.DartsNetwork(stem, [cell(1.0), cell(2.0), cell(3.0)], head)
    assert float(network(torch.tensor(0.0))) == 3.0
    assert seen == [(0.0, 0.0), (0.0, 1.0), (1.0, 2.0)]


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("stride", [1, 2])
def test_operations_keep_or_halve_the_image(torch, darts, name, stride):
    images = torch.rand(2, 6, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.device("meta"):
        operation = darts.operation(name, 6, stride)
    assert started(torch, operation)(images).shape == (2, 6, 8 // stride, 8 // stride)


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("sep_conv_3x3", [(3, 1, 6), (1, 1, 1)] * 2),
        ("sep_conv_5x5", [(5, 1, 6), (1, 1, 1)] * 2),
        ("dil_conv_3x3", [(3, 2, 6), (1, 1, 1)]),
        ("dil_conv_5x5", [(5, 2, 6), (1, 1, 1)]),
    ],
)
def test_convolutions_are_the_published_ones(torch, darts, name, layers):
    operation = darts.operation(name, 6, 2)
    convolutions = [m for m in operation if isinstance(m, torch.nn.Conv2d)]
    assert [(c.kernel_size[0], c.dilation[0], c.groups) for c in convolutions] == layers
    assert [c.stride[0] for c in convolutions] == [2, *[1] * (len(layers) - 1)]
    kinds = [type(m).__name__ for m in operation]
    assert kinds == ["ReLU", "Conv2d", "PointwiseConvolution", "Normalisation"] * (len(layers) // 2)


@pytest.mark.parametrize("stride", [1, 2])
def test_pooling_does_not_count_the_padding(torch, darts, stride):
    below_zero = -torch.ones(1, 2, 4, 4)
    for name in ("max_pool_3x3", "avg_pool_3x3"):
        pooled = darts.operation(name, 2, stride)(below_zero)
        torch.testing.assert_close(pooled, -torch.ones(1, 2, 4 // stride, 4 // stride))


def test_a_factorised_reduction_sees_pixels_of_both_parities(torch, darts):
    reduction = darts.FactorizedReduction(1, 3)
    reduction.norm = torch.nn.Identity()
    for convolution in (reduction.even, reduction.odd):
        torch.nn.init.ones_(convolution.weight)
    images = torch.arange(16.0).view(1, 1, 4, 4) - 1.0
    out = reduction(images)
    assert out[0, 0].tolist() == [[0.0, 1.0], [7.0, 9.0]]
    assert out[0, 1].tolist() == out[0, 2].tolist() == [[4.0, 6.0], [12.0, 14.0]]


def test_the_recipe_of_the_digits_trains_this_space():
    assert RECIPES["digits-darts"].space == "darts"
    assert RECIPES["digits-darts"].stages > 1  # else no reduction cell is built
