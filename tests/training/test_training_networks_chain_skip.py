"""The networks of NAS-RL: who feeds whom, what is mended, padding, sizes by hand."""

from dataclasses import replace

import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.spaces.chain_skip import ChainSkipSpace
from nasbench.training.recipes import RECIPES

SPACE = get_space("chain-skip-6")
RECIPE = RECIPES["digits-chain-skip-6"]


@pytest.fixture
def small(torch):
    from nasbench.training.networks.chain_skip import chain_skip_network

    def network(text, *, strides=False, channels=24):
        space = ChainSkipSpace(text.count(",") + 1, strides=strides)
        layers = space.layers(space.parse(text))
        return chain_skip_network(layers, channels=channels, image_channels=2, classes=3)

    return network


def count(network):
    from nasbench.training.networks.cost import count_parameters

    return count_parameters(network)


def test_parameters_by_hand(small):
    # Layer 2 takes layer 1, layer 3 both of them; only layer 3 is left for the classifier.
    by_hand = (15 * 2 * 24 + 48) + (9 * 24 * 36 + 72) + (49 * 60 * 48 + 96) + (48 * 3 + 3)
    assert count(small("3x5-24,3x3-36@1,7x7-48@1+2")) == by_hand


def test_a_layer_that_nothing_feeds_takes_the_image_and_one_that_feeds_nothing_the_classifier(small):
    by_hand = 2 * (2 * 24 + 48) + (2 * 24 * 3 + 3)
    assert count(small("1x1-24,1x1-24")) == by_hand


def test_filters_keep_their_ratio_to_the_smallest_choice(small):
    network = small("1x1-24,1x1-36,1x1-48,1x1-64", channels=6)
    assert [layer[0].out_channels for layer in network.layers] == [6, 9, 12, 16]


def test_other_orders_of_the_layers_have_one_size(small):
    assert count(small("3x3-24,1x1-36,5x5-48@2,3x3-64@1+3")) == count(
        small("1x1-36,5x5-48@1,3x3-24,3x3-64@2+3")
    )


def test_smaller_images_are_padded_with_zeros_to_the_right_and_below(torch):
    from nasbench.training.networks.chain_skip import side_by_side

    out = side_by_side([torch.ones(1, 1, 2, 3), torch.ones(1, 2, 3, 1)])
    assert out.shape == (1, 3, 3, 3)
    assert out[0, 0].tolist() == [[1, 1, 1], [1, 1, 1], [0, 0, 0]]
    assert out[0, 1].tolist() == [[1, 0, 0]] * 3


def test_strides_shrink_and_what_is_joined_is_padded(torch, small):
    network = small("3x3-s2x3-24,1x1-s1x1-24,3x3-s1x1-36@1+2", strides=True)
    shapes = []
    for layer in network.layers:
        layer.register_forward_hook(lambda _m, _i, out: shapes.append(tuple(out.shape[2:])))
    assert network(torch.zeros(2, 2, 8, 9)).shape == (2, 3)
    assert shapes == [(4, 3), (8, 9), (8, 9)]


@pytest.mark.parametrize("field", ["stages", "cells_per_stage"])
def test_another_skeleton_is_refused(torch, field):
    from nasbench.training.networks import build_network

    recipe = replace(RECIPE, **{field: 2})
    code = SPACE.sample_one(lambda: 0.0)
    with pytest.raises(BadOption, match=f"{field}: the networks of space chain-skip-6 have 1, got 2"):
        build_network("chain-skip-6", code, recipe=recipe, image_shape=(1, 8, 8), classes=10)
