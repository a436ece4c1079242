"""The NAS-Bench-Macro network: published sizes exactly, its blocks, and its skeleton."""

from dataclasses import replace

import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.training.recipe import Recipe

SPACE = get_space("nb-macro")
# As published with the benchmark's results (xiusu/NAS-Bench-Macro).
PARAMETERS = {"00000000": 387_882, "11111111": 1_588_874, "22222222": 2_932_586, "22212220": 1_985_514}
MILLION_MACS = {"00000000": 7.71, "22222222": 105.66}
PUBLISHED = Recipe(
    epochs=50, batch_size=256, learning_rate=0.1, channels=32, cells_per_stage=1, stages=4, space="nb-macro"
)


@pytest.fixture
def build(torch):
    from nasbench.training.networks import build_network

    def published(text, *, recipe=PUBLISHED, image_shape=(3, 32, 32)):
        code = SPACE.parse(text)
        return build_network("nb-macro", code, recipe=recipe, image_shape=image_shape, classes=10)

    return published


@pytest.mark.parametrize(("text", "parameters"), PARAMETERS.items())
def test_parameters_equal_the_published_ones(build, text, parameters):
    from nasbench.training.networks.cost import count_parameters

    assert count_parameters(build(text)) == parameters


@pytest.mark.parametrize(("text", "millions"), MILLION_MACS.items())
def test_macs_equal_the_published_ones(build, text, millions):
    from nasbench.training.networks.cost import count_macs

    assert round(count_macs(build(text), (3, 32, 32)) / 1e6, 2) == millions


def test_codes_of_one_class_build_networks_of_one_size(build):
    from nasbench.training.networks.cost import count_macs, count_parameters

    assert SPACE.canonical([SPACE.parse("12020110")]).tolist() == [list(SPACE.parse("12002101"))]
    moved, first = build("12020110"), build("12002101")
    assert count_parameters(moved) == count_parameters(first)
    assert count_macs(moved, (3, 32, 32)) == count_macs(first, (3, 32, 32))


def test_an_identity_that_keeps_the_shape_does_nothing(torch):
    from nasbench.training.networks.nb_macro import block

    assert isinstance(block("identity", 4, 4, stride=1), torch.nn.Identity)


@pytest.mark.parametrize("name", ["identity", "mb3_k3", "mb6_k5"])
@pytest.mark.parametrize(("channels", "stride"), [(4, 1), (8, 2)])
def test_blocks_keep_or_change_the_shape(torch, name, channels, stride):
    from nasbench.training.networks.nb_macro import block

    out = block(name, 4, channels, stride=stride)(torch.zeros(2, 4, 8, 8))
    assert out.shape == (2, channels, 8 // stride, 8 // stride)


def test_a_block_of_one_shape_adds_its_input(torch):
    from nasbench.training.networks.nb_macro import block

    adds, maps = block("mb3_k3", 2, 2, stride=1), block("mb3_k3", 2, 4, stride=1)
    for module in (adds, maps):
        torch.nn.init.zeros_(module.layers[-1].weight)  # the last normalisation gives its bias, zero
    images = torch.arange(32.0).view(1, 2, 4, 4)
    assert torch.equal(adds(images), images)
    assert not maps(images).any()


@pytest.mark.parametrize(("field", "wanted"), [("stages", 4), ("cells_per_stage", 1)])
def test_another_skeleton_is_refused(build, field, wanted):
    with pytest.raises(BadOption, match=f"{field}: the networks of space nb-macro have {wanted}, got 3"):
        build("00000000", recipe=replace(PUBLISHED, **{field: 3}))
