"""The NASNet space: its count, which cells are the same, published architectures, notation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from nasbench.errors import NotInSpace
from nasbench.spaces import get_space
from nasbench.spaces.drawing import drawing
from nasbench.spaces.nasnet import KNOWN, OPERATIONS, Block, unused_states

SPACE = get_space("nasnet")
BLOCKS = KNOWN["nasnet-a"].split("//")[0].split("|")


def reorderings(blocks):
    """List the cells (as sorted sides) that some other order of the blocks and of their sides gives."""
    found = []
    for order in itertools.permutations(range(5)):
        place = {0: 0, 1: 1, **{2 + block: 2 + i for i, block in enumerate(order)}}
        cell = []
        for i, number in enumerate(order):
            block = blocks[number]
            sides = sorted(
                (place[s], OPERATIONS.index(o)) for s, o in zip(block.states, block.operations, strict=True)
            )
            if sides[-1][0] >= 2 + i:
                break
            (a, x), (b, y) = sides
            cell += [a, b, x, y, int(block.combination == "concat")]
        else:
            found.append(tuple(cell))
    return found


def test_codes_are_counted_by_their_choices():
    cell = math.prod(states**2 * 13**2 * 2 for states in (2, 3, 4, 5, 6))
    assert SPACE.size == cell**2
    assert f"{SPACE.size:.2e}" == "5.23e+36"
    assert len(OPERATIONS) == 13


def test_canonical_is_the_first_of_all_orders(rng):
    codes = SPACE.sample(40, rng=rng)
    codes[:20, [i for i in range(50) if i % 5 < 2]] //= 2  # blocks that depend on few others
    for code, first in zip(codes.tolist(), SPACE.canonical(codes).tolist(), strict=True):
        normal, reduction = SPACE.cells(code)
        assert tuple(first) == (*min(reorderings(normal)), *min(reorderings(reduction)))


def test_the_two_sides_of_a_block_are_alike():
    one = "conv_1x1~1&conv_3x3~0|" + "|".join(BLOCKS[1:])
    other = "conv_3x3~0&conv_1x1~1|" + "|".join(BLOCKS[1:])
    codes = np.array([SPACE.parse(f"{cell}//{cell}") for cell in (one, other)])
    first = SPACE.canonical(codes)
    assert np.array_equal(first[0], first[1])
    assert not np.array_equal(codes[0], codes[1])


def test_canonical_of_nothing_is_nothing():
    assert SPACE.canonical(np.zeros((0, 50), dtype=np.int8)).shape == (0, 50)


def test_published_architectures_have_the_published_outputs():
    # quark0/darts, cnn/genotypes.py: normal_concat and reduce_concat of NASNet and AmoebaNet.
    outputs = {
        name: [unused_states(cell) for cell in SPACE.cells(SPACE.parse(name))]
        for name in ("NASNet_A", "amoebanet-a")
    }
    assert outputs == {
        "NASNet_A": [[2, 3, 4, 5, 6], [4, 5, 6]],
        "amoebanet-a": [[4, 5, 6], [3, 4, 6]],
    }


def test_notation_is_read_and_written():
    text = KNOWN["amoebanet-a"].replace("+", "&", 1)
    code = SPACE.parse(f" {text} ")
    assert SPACE.format(code) == text
    assert SPACE.cells(code)[0][0] == Block((0, 1), ("avg_pool_3x3", "max_pool_3x3"), "concat")
    assert SPACE.parse(":".join(d.choices[v] for d, v in zip(SPACE.decisions, code, strict=True))) == code


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "nasnet-b",
            "expected a normal and a reduction cell joined by '//', or one of nasnet-a, amoebanet-a",
        ),
        ("conv_1x1~0+conv_1x1~1//", "normal cell: expected 5 blocks joined by '|', got 1"),
        (KNOWN["nasnet-a"].replace("~1+", "~1-", 1), "normal cell, block 2: expected operation~state"),
        (KNOWN["nasnet-a"].replace("sep_conv_5x5", "sep", 1), "normal cell, block 2: the operations are"),
        (KNOWN["nasnet-a"].replace("~3", "~5"), "reduce cell, block 5: expected states 0 to 4, got 5"),
    ],
)
def test_other_texts_are_refused(text, message):
    with pytest.raises(NotInSpace, match=message.replace("|", r"\|")):
        SPACE.parse(text)


def test_the_drawing_has_two_edges_a_block_and_the_unused_states():
    normal, reduction = drawing(SPACE, SPACE.parse("nasnet-a"))
    assert len(normal.edges) == 10 + 5
    assert len(reduction.edges) == 10 + 3
    assert normal.nodes == ("c_{k-2}", "c_{k-1}", *(f"block {n} (add)" for n in range(5)), "c_{k}")
