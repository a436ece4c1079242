"""The space nb101: how codes are drawn and moved, masked, ordered and encoded."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from nb101_by_hand import FIRST_OF_FILE, INCEPTION

from nasbench.errors import BadOption, NotInSpace
from nasbench.seeds import uniforms
from nasbench.spaces import get_space
from nasbench.spaces.nb101_graph import GRAPHS, PAIRS, pruned_graphs, validity
from nasbench.spaces.nb101_moves import graph_of_code, graphs_of_codes
from nasbench.strategies.layer_graph import INPUT, OUTPUT, LayerGraphs, has_graph

SPACE = get_space("nb101")
N = 20_000


@pytest.fixture
def inception():
    return SPACE.of_cell(*INCEPTION)


def test_graph_numbers_read_the_first_edge_as_the_highest_bit():
    code = SPACE.parse("1")  # only 0 -> 6, the sixth edge
    assert graph_of_code(code) == 1 << 15
    assert graphs_of_codes(np.array([code], dtype=np.int8)).tolist() == [1 << 15]


# Drawing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", [False, True])
def test_sample_is_uniform_over_valid_matrices(rng, one):
    """Each edge is as frequent as among all valid graphs, within five standard deviations."""
    if one:
        draw = uniforms(rng)
        codes = np.array([SPACE.sample_one(draw) for _ in range(N)])
    else:
        codes = SPACE.sample(N, rng=rng)
    valid = np.frombuffer(validity(), dtype=bool)
    graphs = np.flatnonzero(valid)
    expected = np.array([((graphs >> (20 - e)) & 1).mean() for e in range(21)])
    assert np.abs(codes[:, :21].mean(axis=0) - expected).max() < 5 * 0.5 / math.sqrt(N)
    for operation in range(3):
        share = (codes[:, 21:] == operation).mean(axis=0)
        assert np.abs(share - 1 / 3).max() < 5 * 0.48 / math.sqrt(N)


def test_sampling_none_gives_none(rng):
    assert SPACE.sample(0, rng=rng).shape == (0, 26)


@pytest.mark.parametrize("one", [False, True])
def test_mutation_flips_edges_and_redraws_operations_as_published(rng, inception, one):
    """The law is that of independent flips, given that the child is valid and not its parent."""
    flips = (rng.random((40 * N, 21)) < 1 / 7).astype(np.int64)
    redrawn = rng.random((40 * N, 5)) < 1 / 5
    places = 1 << np.arange(20, -1, -1)
    children = graph_of_code(inception) ^ flips @ places
    good = np.frombuffer(validity(), dtype=bool)[children] & (flips.any(axis=1) | redrawn.any(axis=1))
    expected = np.concatenate([flips[good].mean(axis=0), redrawn[good].mean(axis=0)])
    if one:
        draw = uniforms(rng)
        found = np.array([SPACE.mutate_one(inception, draw) for _ in range(N)])
    else:
        found = SPACE.mutate(np.tile(inception, (N, 1)), rng=rng)
    changed = found != np.array(inception)
    assert np.abs(changed.mean(axis=0) - expected).max() < 5 * 0.4 / math.sqrt(N)
    assert changed.any(axis=1).all()
    to_second = found[:, 21 + 4] == 0  # from maxpool3x3, one of two others with equal chance
    assert abs(to_second.sum() / changed[:, 25].sum() - 0.5) < 0.06


def test_mutation_brings_dropped_vertices_back(rng):
    codes = np.tile(SPACE.parse("1"), (400, 1))
    sizes = {len(SPACE.cell(tuple(code))[0]) for code in SPACE.mutate(codes, rng=rng).tolist()}
    assert {2, 3, 4} <= sizes


def test_draws_in_a_circle_still_end():
    assert SPACE.contains([SPACE.sample_one(lambda: 0.999999)]).all()  # the matrix of all ones, for ever
    parent = SPACE.parse("1")
    child = SPACE.mutate_one(parent, itertools.repeat(0.0).__next__)
    assert child != parent
    assert SPACE.contains([child]).all()
    a = SPACE.parse("1")
    b = SPACE.parse("10-1:conv3x3")
    stuck = itertools.cycle([0.9] * 5 + [0.1] + [0.9] * 20).__next__  # neither edge of the way out
    assert SPACE.crossover_one(b, a, stuck) in (a, b)


def test_crossover_takes_each_decision_from_a_parent(rng):
    a, b = SPACE.sample(500, rng=rng), SPACE.sample(500, rng=rng)
    child = SPACE.crossover(a, b, rng=rng)
    assert ((child == a) | (child == b)).all()
    assert 0.3 < (child == a)[a != b].mean() < 0.7


# Masks and moves ----------------------------------------------------------------------------------


def test_masks_forbid_exactly_dead_ends(rng):
    for code in map(tuple, SPACE.sample(20, rng=rng).tolist()):
        for decided in range(13, 21):
            prefix = code[:decided]
            rest = len(PAIRS) - decided - 1
            for value in (0, 1):
                graph = int("".join(map(str, (*prefix, value))), 2) << rest
                possible = any(validity()[graph : graph + (1 << rest)])
                assert SPACE.allowed(prefix)[value] == possible
        assert SPACE.allowed(code[:21]).tolist() == [True] * 3


def test_whole_codes_have_no_next_decision(inception):
    with pytest.raises(BadOption, match="prefix: expected fewer than 26 decisions, got 26"):
        SPACE.allowed(inception)


def test_neighbours_differ_in_one_decision_and_are_valid(inception):
    near = SPACE.neighbours(inception)
    assert ((near != np.array(inception)).sum(axis=1) == 1).all()
    assert SPACE.contains(near).all()
    flipped = [graph_of_code(inception) ^ (1 << e) for e in range(21)]
    assert len(near) == sum(validity()[graph] for graph in flipped) + 10


# Order --------------------------------------------------------------------------------------------


def test_ranks_have_no_gaps(rng):
    ranks = rng.integers(0, SPACE.size, size=200)
    codes = SPACE.unrank(ranks)
    assert SPACE.contains(codes).all()
    assert np.array_equal(SPACE.rank(codes), ranks)
    assert [SPACE.rank_one(tuple(code)) for code in codes.tolist()] == ranks.tolist()
    assert SPACE.rank(SPACE.unrank([0, SPACE.size - 1])).tolist() == [0, SPACE.size - 1]


def test_enumeration_begins_with_the_smallest_code_and_goes_on_in_order():
    first, second = itertools.islice(SPACE.enumerate(1_000), 2)
    assert SPACE.rank(np.concatenate([first, second])).tolist() == list(range(2_000))


def test_codes_outside_are_refused_where_they_are_used(inception):
    outside = np.array([inception, (0,) * 26])
    assert SPACE.contains(outside).tolist() == [True, False]
    for use in (SPACE.keys, SPACE.canonical, lambda codes: SPACE.encode(codes, "path")):
        with pytest.raises(NotInSpace, match="expected a path from input to output, got none"):
            use(outside)


# Encodings ----------------------------------------------------------------------------------------


def test_paths_are_the_sequences_of_operations(inception):
    encoded = SPACE.encode([inception], "path")[0]
    c1, c3, mp = 1, 0, 2
    words = [(c1,), (c3,), (mp,), (c3, c3)]
    expected = {1 + word[0] for word in words[:3]} | {1 + 3 + 3 * c3 + c3}
    assert set(np.flatnonzero(encoded).tolist()) == expected
    assert encoded.shape == (364,)
    direct = SPACE.encode([SPACE.parse("1")], "path")[0]
    assert np.flatnonzero(direct).tolist() == [0]


def test_paths_are_of_the_pruned_cell(rng):
    codes = SPACE.sample(100, rng=rng)
    pruned = [SPACE.of_cell(*SPACE.cell(tuple(code))) for code in codes.tolist()]
    assert np.array_equal(SPACE.encode(codes, "path"), SPACE.encode(pruned, "path"))


def test_adjacency_is_edges_and_operations(inception):
    encoded = SPACE.encode([inception], "adjacency")[0]
    assert encoded[:21].tolist() == list(inception[:21])
    assert encoded[21:].reshape(5, 3).argmax(axis=1).tolist() == list(inception[21:])
    assert encoded.sum() == sum(inception[:21]) + 5


def test_layers_are_the_vertices_with_their_inputs(rng):
    assert has_graph(SPACE)
    graphs = LayerGraphs(SPACE)
    for cell in (INCEPTION, FIRST_OF_FILE):
        code = SPACE.of_cell(*cell)
        (drawn,) = graphs([code])
        assert drawn.labels == (INPUT, *cell[1][1:-1], OUTPUT)
        inputs = [tuple(np.flatnonzero(column).tolist()) for column in np.array(cell[0]).T]
        assert list(drawn.inputs) == inputs
    for code in map(tuple, SPACE.sample(50, rng=rng).tolist()):
        assert len(graphs([code])[0].labels) == len(SPACE.cell(code)[1])


def test_drawing_shows_the_pruned_cell(inception):
    (graph,) = SPACE.drawing(inception)
    assert graph.nodes == tuple(INCEPTION[1])
    assert {(e.source, e.target) for e in graph.edges} == {
        tuple(e) for e in np.argwhere(INCEPTION[0]).tolist()
    }
    shot = get_space("nb1shot1-1")
    (small,) = shot.drawing(shot.parse("11111-1001-110-00-0:maxpool3x3,conv1x1,conv3x3,conv3x3"))
    assert small.nodes == ("input", "maxpool3x3", "output")


def test_every_valid_graph_is_a_code_of_the_space(rng):
    graphs = rng.integers(0, GRAPHS, size=300)
    codes = np.concatenate([(graphs[:, None] >> np.arange(20, -1, -1)) & 1, np.zeros((300, 5), int)], axis=1)
    assert np.array_equal(SPACE.contains(codes), pruned_graphs()[graphs] >= 0)
