"""The NAS-Bench-201 cell: counts of the paper, encodings checked by hand, notation, classes."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from nasbench.errors import BadOption, NotInSpace
from nasbench.spaces import get_space
from nasbench.spaces.nb201 import EDGES, OPERATIONS

NONE, SKIP, CONV1, CONV3, POOL = range(5)


@pytest.fixture(scope="module")
def space():
    return get_space("nb201")


@pytest.fixture(scope="module")
def codes(space):
    return np.concatenate(list(space.enumerate()))


def test_there_are_15625_codes(space, codes):
    assert space.size == len(codes) == len(np.unique(codes, axis=0)) == 15_625


def test_zero_and_skip_algebra_leaves_6466_classes(space):
    assert len(np.unique(space.classes("zero-and-skip"))) == 6_466


def test_skip_algebra_alone_leaves_12751_classes(space):
    assert len(np.unique(space.classes("skip"))) == 12_751


def test_15284_cells_join_input_and_output(space, codes):
    assert int(space.connected(codes).sum()) == 15_284


def test_connection_agrees_with_a_walk_over_the_graph(space, codes):
    some = codes[::61]
    for code, joined in zip(some.tolist(), space.connected(some).tolist(), strict=True):
        reached = {0}
        for (i, j), operation in zip(EDGES, code, strict=True):  # edges are sorted by target
            if i in reached and operation != NONE:
                reached.add(j)
        assert (3 in reached) == joined


def test_every_canonical_code_is_the_first_of_its_class(space, codes):
    canonical = space.canonical(codes)
    assert len(np.unique(canonical, axis=0)) == 6_466
    assert (space.rank(canonical) <= np.arange(15_625)).all()
    assert np.array_equal(space.canonical(canonical), canonical)


def test_codes_of_one_class_are_the_same_function(space, codes):
    # Operations as fixed matrices over the integers mod a prime: equal networks give equal outputs.
    rng = np.random.default_rng(0)
    prime = 1_000_003
    matrices = {NONE: np.zeros((3, 3), np.int64), SKIP: np.eye(3, dtype=np.int64)}
    matrices |= {op: rng.integers(1, prime, (3, 3)) for op in (CONV1, CONV3, POOL)}
    start = rng.integers(1, prime, 3)
    outputs = {}
    canonical = space.canonical(codes).tolist()
    for code, first in zip(codes[::7].tolist(), canonical[::7], strict=True):
        for each in (tuple(code), tuple(first)):
            if each not in outputs:
                nodes = [start, *(np.zeros(3, np.int64) for _ in range(3))]
                for (i, j), operation in zip(EDGES, each, strict=True):
                    nodes[j] = (nodes[j] + matrices[operation] @ nodes[i]) % prime
                outputs[each] = nodes[3].tolist()
        assert outputs[tuple(code)] == outputs[tuple(first)]


def test_what_leaves_a_zero_node_does_not_matter(space):
    a = (NONE, CONV3, CONV1, POOL, CONV3, SKIP)  # node 1 is zero; edges 1->2 and 1->3 carry nothing
    b = (NONE, CONV3, NONE, POOL, NONE, SKIP)
    assert np.array_equal(*space.canonical(np.array([a, b])))


def test_a_node_joined_by_skip_is_its_source(space):
    a = (SKIP, CONV1, CONV3, POOL, NONE, SKIP)  # node 1 is the input, so that 0->2 and 1->2 may swap
    b = (SKIP, CONV3, CONV1, POOL, NONE, SKIP)
    first, second = space.classes("skip")[space.rank(np.array([a, b]))]
    assert first == second


def test_other_operations_make_another_class(space):
    a, b = (SKIP, CONV1, CONV3, POOL, NONE, SKIP), (SKIP, CONV1, CONV3, POOL, NONE, CONV1)
    assert not np.array_equal(*space.canonical(np.array([a, b])))


def test_layout_of_the_code_follows_the_notation(space):
    text = "|none~0|+|skip_connect~0|nor_conv_1x1~1|+|nor_conv_3x3~0|avg_pool_3x3~1|none~2|"
    assert space.parse(text) == (NONE, SKIP, CONV1, CONV3, POOL, NONE)
    assert space.format((NONE, SKIP, CONV1, CONV3, POOL, NONE)) == text
    assert [d.name for d in space.decisions] == ["0->1", "0->2", "1->2", "0->3", "1->3", "2->3"]
    assert all(d.choices == OPERATIONS for d in space.decisions)


def test_rank_counts_in_base_five(space):
    assert space.rank_one((4, 2, 1, 2, 1, 1)) == int("421211", 5)


def test_six_digits_are_read_too(space):
    assert space.parse(" 421211 ") == (4, 2, 1, 2, 1, 1)


def test_notation_with_spaces_is_read(space):
    assert space.parse("| none~0 |+|none~0|none~1|+|none~0|none~1| skip_connect~2 |") == (0, 0, 0, 0, 0, 1)


def test_every_code_reads_back_from_its_notation(space, codes):
    for code in map(tuple, codes[::13].tolist()):
        assert space.parse(space.format(code)) == code


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("|none~0|", "architecture: expected 3 nodes joined by '+'"),
        (
            "|none~0|+|none~0|+|none~0|none~1|none~2|",
            "node 2 takes one operation from each of its 2 earlier nodes, got 1",
        ),
        (
            "|none~0|+|none~1|none~0|+|none~0|none~1|none~2|",
            "node 2, input 0: expected 'operation~0', got 'none~1'",
        ),
        (
            "|none|+|none~0|none~1|+|none~0|none~1|none~2|",
            "node 1, input 0: expected 'operation~0', got 'none'",
        ),
        (
            "|conv~0|+|none~0|none~1|+|none~0|none~1|none~2|",
            "node 1, input 0: the operations are none, skip_connect",
        ),
        ("12345", "code: expected 6 decisions for space nb201, got 5"),
        ("000005", "code: decision '2->3' of space nb201 takes 0 to 4"),
    ],
)
def test_wrong_notation_is_refused_by_its_rule(space, text, message):
    with pytest.raises(NotInSpace, match=re.escape(message)):
        space.parse(text)


def test_onehot_encoding_by_hand(space):
    row = space.encode(np.array([[0, 1, 2, 3, 4, 0]]), "onehot")[0]
    assert np.flatnonzero(row).tolist() == [0, 5 + 1, 10 + 2, 15 + 3, 20 + 4, 25 + 0]


def test_adjacency_encoding_by_hand(space):
    row = space.encode(np.array([[1, 2, 3, 4, 1, 2]]), "adjacency")[0]
    assert row.reshape(4, 4).tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [2, 3, 0, 0], [4, 1, 2, 0]]


def test_graph_encoding_by_hand(space):
    graph = space.encode(np.array([[1, 2, 3, 4, 0, 2]]), "graph")[0]
    assert graph.shape == (4, 4, 5)
    wanted = {(0, 1, 1), (0, 2, 2), (1, 2, 3), (0, 3, 4), (1, 3, 0), (2, 3, 2)}
    assert set(map(tuple, np.argwhere(graph == 1.0).tolist())) == wanted
    assert graph.sum() == 6


def spelled(code):
    """Spell the operation sequences of the live paths of a cell."""
    edge = dict(zip(EDGES, code, strict=True))
    paths = ([(0, 3)], [(0, 1), (1, 3)], [(0, 2), (2, 3)], [(0, 1), (1, 2), (2, 3)])
    words = {tuple(edge[step] for step in path) for path in paths}
    return {word for word in words if NONE not in word}


ALL_WORDS = [word for length in (1, 2, 3) for word in itertools.product(range(1, 5), repeat=length)]


@pytest.mark.parametrize(
    "code",
    [
        (NONE,) * 6,
        (SKIP,) * 6,
        (NONE, NONE, NONE, CONV3, NONE, NONE),
        (CONV1, POOL, CONV3, SKIP, CONV1, POOL),
        (CONV3, NONE, CONV3, NONE, NONE, CONV3),
    ],
)
def test_path_encoding_spells_the_live_paths(space, code):
    row = space.encode(np.array([code]), "path")[0]
    assert row.shape == (4 + 16 + 64,)
    assert {ALL_WORDS[i] for i in np.flatnonzero(row)} == spelled(code)


def test_path_encoding_spells_the_live_paths_of_many_cells(space, codes):
    some = codes[::97]
    for code, row in zip(some.tolist(), space.encode(some, "path"), strict=True):
        assert {ALL_WORDS[i] for i in np.flatnonzero(row)} == spelled(code)


def test_unknown_encoding_is_refused(space):
    with pytest.raises(
        BadOption, match="kind: space nb201 encodes as onehot, adjacency, path, graph, got 'gcn'"
    ):
        space.encode(np.zeros((1, 6), dtype=np.int8), "gcn")


def test_unknown_algebra_is_refused(space):
    with pytest.raises(BadOption, match="algebra: expected 'zero-and-skip' or 'skip', got 'zero'"):
        space.classes("zero")


def test_each_cell_has_24_neighbours(space):
    assert len(space.neighbours((0, 1, 2, 3, 4, 0))) == 24
