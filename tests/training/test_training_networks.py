from dataclasses import replace

import pytest

from nasbench.errors import BadOption, UnknownName
from nasbench.training.recipes import RECIPES

# Format strings and counts as published (Dong and Yang 2020; NATS-Bench topology space), CIFAR-10 at 32 x 32:
# (parameters, millions of multiply-accumulates).
PUBLISHED = {
    "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|": (73_306, 7.783),
    "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|": (
        73_306,
        7.783,
    ),
    "|nor_conv_1x1~0|+|nor_conv_1x1~0|nor_conv_1x1~1|+|nor_conv_1x1~0|nor_conv_1x1~1|nor_conv_1x1~2|": (
        241_306,
        31.376,
    ),
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|": (
        1_531_546,
        220.120,
    ),
    "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|": (559_386, 78.562),
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|": (
        1_073_466,
        153.273,
    ),
}
ALL_NONE, ALL_3X3 = (0,) * 6, (3,) * 6


@pytest.fixture
def build(torch):
    from nasbench.training.networks import build_network

    def published(code, *, image_shape=(3, 32, 32), classes=10):
        return build_network(
            "nb201", code, recipe=RECIPES["nb201-h1"], image_shape=image_shape, classes=classes
        )

    return published


@pytest.fixture
def cost(torch):
    from nasbench.training.networks import cost

    return cost


@pytest.mark.parametrize(("text", "counts"), PUBLISHED.items())
def test_parameters_equal_the_published_ones(build, cost, space, text, counts):
    assert cost.count_parameters(build(space.parse(text))) == counts[0]


@pytest.mark.parametrize(("text", "counts"), PUBLISHED.items())
def test_macs_equal_the_published_ones(build, cost, space, text, counts):
    assert round(cost.count_macs(build(space.parse(text)), (3, 32, 32)) / 1e6, 3) == counts[1]


@pytest.mark.parametrize("code", [ALL_NONE, ALL_3X3])
def test_a_hundred_classes_add_5850_parameters(build, cost, code):
    ten, hundred = (cost.count_parameters(build(code, classes=n)) for n in (10, 100))
    assert hundred - ten == 5_850


@pytest.mark.parametrize(
    ("code", "parameters", "millions"), [(ALL_NONE, 80_456, 1.953), (ALL_3X3, 1_538_696, 55.037)]
)
def test_counts_on_imagenet16_120_equal_the_published_ones(build, cost, code, parameters, millions):
    network = build(code, image_shape=(3, 16, 16), classes=120)
    assert cost.count_parameters(network) == parameters
    assert round(cost.count_macs(network, (3, 16, 16)) / 1e6, 3) == millions


def test_counting_leaves_the_network_in_its_mode(build, cost):
    network = build(ALL_NONE).train()
    cost.count_macs(network, (3, 32, 32))
    assert network.training


def test_a_cell_is_the_sum_over_its_edges(torch):
    from nasbench.training.networks.nb201 import Cell

    images = torch.arange(32, dtype=torch.float32).reshape(2, 1, 4, 4)
    # 0->1 skip, 0->2 skip, 1->2 skip, 0->3 none, 1->3 skip, 2->3 skip: node 2 is 2x, the output 3x.
    assert torch.equal(Cell((1, 1, 1, 0, 1, 1), 1)(images), 3 * images)


def test_a_cell_follows_the_order_of_the_edges(torch):
    from nasbench.training.networks.nb201 import Cell

    images = torch.ones(1, 1, 2, 2)
    assert torch.equal(Cell((0, 0, 0, 1, 0, 0), 1)(images), images)  # only 0->3
    assert torch.equal(Cell((0, 1, 0, 0, 0, 1), 1)(images), images)  # only 0->2->3
    assert torch.equal(Cell((0, 1, 0, 0, 1, 0), 1)(images), 0 * images)  # 0->2 leads nowhere


@pytest.mark.parametrize("side", [4, 8, 16])
def test_average_pooling_does_not_count_the_padding(torch, side):
    from nasbench.training.networks.nb201 import average_3x3

    images = torch.ones(1, 2, side, side)
    torch.testing.assert_close(average_3x3(images), images)


@pytest.mark.parametrize("side", [8, 16])
def test_average_pooling_is_torchs(torch, side):
    from nasbench.training.networks.nb201 import average_3x3

    images = torch.rand(3, 2, side, side, generator=torch.Generator().manual_seed(0))
    pooled = torch.nn.functional.avg_pool2d(images, 3, stride=1, padding=1, count_include_pad=False)
    torch.testing.assert_close(average_3x3(images), pooled)


def test_a_matrix_first_made_while_evaluating_serves_training_too(torch):
    from nasbench.training.networks.nb201 import average_3x3, averaging_matrix

    averaging_matrix.cache_clear()
    with torch.inference_mode():
        average_3x3(torch.ones(1, 1, 3, 5))
    images = torch.ones(1, 1, 3, 5, requires_grad=True)
    average_3x3(images).sum().backward()
    assert images.grad is not None


def test_convolutions_are_ordered_relu_convolution_normalisation(torch):
    from nasbench.training.networks.nb201 import relu_conv_bn

    layers = [type(layer).__name__ for layer in relu_conv_bn(4, 4, 3)]
    assert layers == ["ReLU", "Conv2d", "Normalisation"]


def test_a_pointwise_convolution_is_torchs(torch):
    from nasbench.training.networks.nb201 import PointwiseConvolution

    draws = torch.Generator().manual_seed(0)
    convolution = PointwiseConvolution(3, 6, 1, bias=False)
    torch.nn.init.uniform_(convolution.weight, -1, 1, generator=draws)
    images = torch.rand(4, 3, 5, 7, generator=draws)
    torch.testing.assert_close(convolution(images), torch.nn.functional.conv2d(images, convolution.weight))


def test_a_cell_computes_what_separate_edges_compute(torch):
    from nasbench.training.networks.nb201 import Cell
    from nasbench.training.weights import initialise

    draws = torch.Generator().manual_seed(0)
    width = 3
    # 0->1 3x3, 0->2 3x3, 1->2 pool, 0->3 1x1, 1->3 3x3, 2->3 skip.
    with torch.device("meta"):
        cell = Cell((3, 3, 4, 2, 3, 1), width)
    initialise(cell, generator=draws)
    for norm in (m for m in cell.modules() if isinstance(m, torch.nn.BatchNorm2d)):
        torch.nn.init.uniform_(norm.weight, 0.5, 2.0, generator=draws)
        torch.nn.init.uniform_(norm.bias, -1.0, 1.0, generator=draws)

    def edge(images, name, part, kernel):
        convolution, norm = cell.convolutions[name]
        rows = slice(part * width, (part + 1) * width)
        brought = torch.nn.functional.conv2d(images.relu(), convolution.weight[rows], padding=kernel // 2)
        return torch.nn.functional.batch_norm(
            brought, None, None, norm.weight[rows], norm.bias[rows], training=True
        )

    node0 = torch.rand(5, width, 8, 8, generator=draws) - 0.5
    node1 = edge(node0, "0_nor_conv_3x3", 0, 3)
    pooled = torch.nn.functional.avg_pool2d(node1, 3, stride=1, padding=1, count_include_pad=False)
    node2 = edge(node0, "0_nor_conv_3x3", 1, 3) + pooled
    node3 = edge(node0, "0_nor_conv_1x1", 0, 1) + edge(node1, "1_nor_conv_3x3", 0, 3) + node2
    torch.testing.assert_close(cell.train()(node0), node3, rtol=1e-4, atol=1e-5)


def test_residual_block_halves_the_image_and_sets_the_width(torch):
    from nasbench.training.networks.nb201 import ResidualBlock

    assert ResidualBlock(2, 6)(torch.zeros(1, 2, 8, 8)).shape == (1, 6, 4, 4)


def test_building_allocates_nothing(build):
    assert {p.device.type for p in build(ALL_3X3).parameters()} == {"meta"}


def test_a_space_without_a_network_is_named(torch):
    from nasbench.training.networks import build_network

    with pytest.raises(UnknownName, match=r"no trainable space is named 'nb202'\. Did you mean .*'nb201'"):
        build_network("nb202", ALL_NONE, recipe=RECIPES["nb201-h1"], image_shape=(3, 32, 32), classes=10)


def test_an_image_that_cannot_be_halved_is_refused(torch):
    from nasbench.training.networks import build_network

    recipe = replace(RECIPES["digits-small"], stages=5)
    with pytest.raises(BadOption, match=r"sides that are multiples of 16, got 8x8. Take a recipe"):
        build_network("nb201", ALL_NONE, recipe=recipe, image_shape=(1, 8, 8), classes=10)
