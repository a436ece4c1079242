"""Chains with skip anchors: counts, anchors, which chains are the same, encodings, notation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nasbench.errors import BadOption, NotInSpace
from nasbench.spaces import get_space
from nasbench.spaces.chain_skip import ChainSkipSpace, Layer
from nasbench.testing import check_space
from nasbench.testing.space import RULES

SIX = get_space("chain-skip-6")
TEXT = "3x5-24,3x3-36@1,7x7-48@1+2,1x1-64,5x3-24@4,3x3-24@2+5"


def reorderings(space, code):
    """Write the code of every order of the layers in which each comes behind those that feed it."""
    layers = space.layers(code)
    for order in itertools.permutations(range(space.depth)):
        place = {layer: i for i, layer in enumerate(order)}
        if all(place[s] < place[t] for t in order for s in layers[t].sources):
            parts = []
            for layer in order:
                height, width = layers[layer].kernel
                sources = "+".join(str(place[s] + 1) for s in sorted(layers[layer].sources))
                text = f"{height}x{width}-{layers[layer].filters}"
                parts.append(f"{text}@{sources}" if sources else text)
            yield space.parse(",".join(parts))


@pytest.mark.parametrize(("depth", "strides", "own"), [(1, False, 64), (6, False, 64), (3, True, 576)])
def test_codes_are_counted_as_in_the_paper(depth, strides, own):
    space = ChainSkipSpace(depth, strides=strides)
    assert space.size == own**depth * 2 ** (depth * (depth - 1) // 2)


def test_six_layers_have_two_to_the_51_codes():
    assert SIX.size == 2**51
    assert len(SIX.decisions) == 6 * 3 + 15


@pytest.mark.parametrize("space", [ChainSkipSpace(1), ChainSkipSpace(3, strides=True), ChainSkipSpace(12)])
def test_contract_is_kept_at_other_depths(space):
    assert check_space(space) == list(RULES)


def test_anchors_of_a_layer_come_before_its_convolution():
    names = [decision.name for decision in ChainSkipSpace(3).decisions]
    assert names == [
        *("layer 1 height", "layer 1 width", "layer 1 filters"),
        *("layer 2 from 1", "layer 2 height", "layer 2 width", "layer 2 filters"),
        *("layer 3 from 1", "layer 3 from 2", "layer 3 height", "layer 3 width", "layer 3 filters"),
    ]
    assert ChainSkipSpace(3).anchors == {3: (0, 1), 7: (0, 2), 8: (1, 2)}


def test_two_layers_make_6176_networks():
    space = ChainSkipSpace(2)
    codes = np.concatenate(list(space.enumerate()))
    one_behind_the_other, side_by_side = 64 * 64, 64 * 65 // 2
    classes = len(np.unique(space.canonical(codes), axis=0))
    assert classes == one_behind_the_other + side_by_side == 6_176


def test_canonical_is_the_first_of_all_orders(rng):
    space = ChainSkipSpace(4)
    codes = space.sample(200, rng=rng)
    codes[:, [i for i in range(codes.shape[1]) if i not in space.anchors]] //= 2  # alike layers are frequent
    codes[:100, [i for i in space.anchors if i % 2]] = 0  # and so are layers that nothing joins
    for code, first in zip(codes.tolist(), space.canonical(codes).tolist(), strict=True):
        assert tuple(first) == min(reorderings(space, code))


def test_every_order_has_one_canonical_form(rng):
    for code in SIX.sample(5, rng=rng).tolist():
        orders = np.array(list(reorderings(SIX, code))[:40])
        assert len(np.unique(SIX.canonical(orders), axis=0)) == 1


def test_alike_layers_do_not_multiply_the_work():
    space = ChainSkipSpace(20)
    all_alike = np.zeros((1, len(space.decisions)), dtype=np.int8)
    assert np.array_equal(space.canonical(all_alike), all_alike)


def test_layers_say_what_a_code_means():
    assert SIX.layers(SIX.parse(TEXT)) == (
        Layer((), (3, 5), (1, 1), 24),
        Layer((0,), (3, 3), (1, 1), 36),
        Layer((0, 1), (7, 7), (1, 1), 48),
        Layer((), (1, 1), (1, 1), 64),
        Layer((3,), (5, 3), (1, 1), 24),
        Layer((1, 4), (3, 3), (1, 1), 24),
    )


def test_notation_is_read_and_written():
    code = SIX.parse(f" {TEXT} ")
    assert SIX.format(code) == TEXT
    assert SIX.parse(":".join(d.choices[v] for d, v in zip(SIX.decisions, code, strict=True))) == code
    strided = ChainSkipSpace(2, strides=True)
    assert strided.format(strided.parse("3x5-s2x1-24,1x1-s1x3-64@1")) == "3x5-s2x1-24,1x1-s1x3-64@1"
    assert strided.layers(strided.parse("3x5-s2x1-24,1x1-s1x3-64@1"))[1] == Layer((0,), (1, 1), (1, 3), 64)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3x5-24", "expected 2 layers joined by ',' .* got 1"),
        ("3x5-24,3x3", "layer 2: expected HEIGHTxWIDTH-FILTERS such as 3x5-24"),
        ("3x5-24,3x3-s1x1-24", "layer 2: expected HEIGHTxWIDTH-FILTERS"),
        ("3x5-24,3x3-24@2", "layer 2: expected different earlier layers behind @, got '3x3-24@2'"),
        ("3x5-24,3x3-24@1+1", "layer 2: expected different earlier layers"),
        ("3x5-24,2x3-24", "layer 2: height is one of 1, 3, 5, 7, got 2"),
        ("3x5-20,3x3-24", "layer 1: filters is one of 24, 36, 48, 64, got 20"),
    ],
)
def test_other_texts_are_refused(text, message):
    with pytest.raises(NotInSpace, match=message):
        ChainSkipSpace(2).parse(text)


def test_strides_are_asked_for_where_they_are_decided():
    with pytest.raises(NotInSpace, match="such as 3x5-s2x1-24"):
        ChainSkipSpace(1, strides=True).parse("3x5-24")


@pytest.mark.parametrize("depth", [0, 21, 2.0, True])
def test_other_depths_are_refused(depth):
    with pytest.raises(BadOption, match="depth: expected a whole number of layers, 1 to 20, got"):
        ChainSkipSpace(depth)


def test_adjacency_holds_anchors_and_sizes():
    space = ChainSkipSpace(3)
    row = space.encode(np.array([space.parse("3x5-24,1x1-36@1,7x3-64@2")]), "adjacency")[0]
    assert row[:9].reshape(3, 3).tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert row[9:].tolist() == [1, 2, 0, 0, 0, 1, 3, 1, 3]
