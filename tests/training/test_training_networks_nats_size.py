"""The networks of NATS-Bench's size space: counts as in the release, widths where they belong."""

from __future__ import annotations

import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.training.recipes import RECIPES

SPACE = get_space("nats-size")
# Parameters and multiply-accumulates on 32 x 32 images, ten classes. The release counts one more
# multiplication a class (NATS-sss, index 0: 0.011714 M parameters, 4.481114 M).
COUNTS = {
    "8:8:8:8:8": (11_714, 4_481_104),
    "64:64:64:64:64": (713_674, 274_399_872),
    "8:16:24:32:40": (115_490, 15_339_920),
}


@pytest.fixture
def build(torch):
    from nasbench.training.networks import build_network

    def published(text, *, recipe="nats-size-90", image_shape=(3, 32, 32), classes=10):
        return build_network(
            "nats-size",
            SPACE.parse(text),
            recipe=RECIPES[recipe],
            image_shape=image_shape,
            classes=classes,
        )

    return published


@pytest.fixture
def cost(torch):
    from nasbench.training.networks import cost

    return cost


@pytest.mark.parametrize(("text", "counts"), COUNTS.items())
def test_counts_equal_the_published_ones(build, cost, text, counts):
    network = build(text)
    assert (cost.count_parameters(network), cost.count_macs(network, (3, 32, 32))) == counts


@pytest.mark.parametrize(
    ("classes", "image_shape", "parameters", "millions"),
    [(100, (3, 32, 32), 12_524, 4.481924), (120, (3, 16, 16), 12_704, 1.121336)],
)
def test_counts_on_the_other_data_sets_equal_those_of_the_release(
    build, cost, classes, image_shape, parameters, millions
):
    network = build("8:8:8:8:8", classes=classes, image_shape=image_shape)
    assert cost.count_parameters(network) == parameters
    assert (cost.count_macs(network, image_shape) + classes) / 1e6 == pytest.approx(millions, rel=1e-12)


def test_the_cell_is_the_sum_over_its_edges(torch):
    from nasbench.training.networks.nats_size import SizeCell

    cell = SizeCell(1, 1)
    for module in cell.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.zeros_(module.weight)
            module.weight.data[:, :, 1, 1] = 1.0  # every convolution passes its image on
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = 0.0
    images = torch.arange(8, dtype=torch.float32).reshape(2, 1, 2, 2)
    # Node 1 is x, node 2 is x + x, the output x + x + 2 x.
    assert torch.equal(cell.eval()(images), 4 * images)


def test_the_width_changes_on_the_edges_from_the_input_only(torch):
    from nasbench.training.networks.nats_size import SizeCell

    same, wider = (sum(p.numel() for p in SizeCell(8, width).parameters()) for width in (8, 16))
    assert same == 5 * (8 * 8 * 9 + 2 * 8)
    skip = 8 * 16 + 2 * 16
    assert wider == 2 * (8 * 16 * 9 + 2 * 16) + 3 * (16 * 16 * 9 + 2 * 16) + skip


def test_a_recipe_of_other_stages_is_refused(build):
    with pytest.raises(BadOption, match="the networks of space nats-size have 3, got 1"):
        build("8:8:8:8:8", recipe="digits-small")


@pytest.mark.parametrize("epochs", [1, 12, 90])
def test_the_published_recipes_differ_in_their_epochs_alone(epochs):
    recipe, longest = RECIPES[f"nats-size-{epochs}"], RECIPES["nats-size-90"]
    assert (recipe.epochs, recipe.space) == (epochs, "nats-size")
    assert {**recipe.to_dict(), "epochs": 90} == longest.to_dict()


def test_a_network_trains_on_the_digits(torch):
    from dataclasses import replace

    from nasbench.evaluation.live import LiveSource

    tiny = replace(RECIPES["digits-nats-size"], epochs=1, train_images=100)
    answer = LiveSource("digits", tiny).answer((0, 0, 0, 0, 0), epochs=1, replicate=0)
    assert 0 < answer.valid_error < 1
