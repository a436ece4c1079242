"""The hierarchical space: counts, its mutation, the trivial genotype, which genotypes are the same."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from nasbench.errors import NotInSpace
from nasbench.seeds import uniforms
from nasbench.spaces import get_space
from nasbench.spaces.hierarchical import CELL_EDGES, MOTIF_EDGES, OPERATIONS, edges_among

SPACE = get_space("hierarchical")
IDENTITY = OPERATIONS.index("identity")
TEXT = "100000-020003-000400-600601-050000-123456/1203040561"


def test_codes_are_counted_by_their_edges():
    assert (len(MOTIF_EDGES), len(CELL_EDGES)) == (6, 10)
    assert SPACE.size == 7 ** (6 * 6 + 10)
    assert len(SPACE.decisions) == 46


def test_edges_are_listed_by_target_then_source():
    assert edges_among(4) == ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
    assert edges_among(5)[6:] == ((0, 4), (1, 4), (2, 4), (3, 4))


def test_trivial_is_a_chain_of_identities():
    motifs, cell = SPACE.motifs(SPACE.trivial)
    assert {edge for edge, v in zip(MOTIF_EDGES, motifs[0], strict=True) if v == IDENTITY} == {
        (0, 1),
        (1, 2),
        (2, 3),
    }
    assert all(motif == motifs[0] for motif in motifs)
    assert {edge for edge, v in zip(CELL_EDGES, cell, strict=True) if v} == {(0, 1), (1, 2), (2, 3), (3, 4)}
    assert SPACE.parse("trivial") == SPACE.trivial


def changed(before, after):
    return [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]


def probability(i):
    """Chance that the paper's draw of level, motif, target and source falls on decision i."""
    if i < 36:
        (_, j), nodes, share = MOTIF_EDGES[i % 6], 4, 0.5 / 6
    else:
        (_, j), nodes, share = CELL_EDGES[i - 36], 5, 0.5
    return share / (nodes - 1) / j


def test_the_chances_of_all_edges_add_up():
    assert sum(map(probability, range(46))) == pytest.approx(1.0)


def test_mutation_changes_exactly_one_edge_drawn_by_level_motif_target_and_source(rng):
    n = 4_000
    codes = SPACE.sample(n, rng=rng)
    draw = uniforms(rng)
    both = [
        [changed(a, b) for a, b in zip(codes.tolist(), SPACE.mutate(codes, rng=rng).tolist(), strict=True)],
        [changed(code, SPACE.mutate_one(tuple(code), draw)) for code in codes.tolist()],
    ]
    for places in both:
        assert all(len(place) == 1 for place in places)
        counts = Counter(place[0] for place in places)
        assert (
            chisquare([counts[i] for i in range(46)], [n * probability(i) for i in range(46)]).pvalue > 1e-3
        )


def test_mutation_draws_every_other_value_alike(rng):
    draw = uniforms(rng)
    code = SPACE.parse(TEXT)
    values = Counter()
    while values.total() < 600:
        child = SPACE.mutate_one(code, draw)
        (i,) = changed(code, child)
        if code[i] == 3:
            values[child[i]] += 1
    assert set(values) == {0, 1, 2, 4, 5, 6}
    assert chisquare(list(values.values())).pvalue > 1e-3


def ways(code):
    """List the sequences of level-1 operations on every way through the written-out network, sorted."""
    motifs, cell = SPACE.motifs(code)

    def through(edges, values, nodes):
        live = {edge: v for edge, v in zip(edges, values, strict=True) if v}
        arriving = {0: [()]}
        for j in range(1, nodes):
            arriving[j] = [(*w, live[i, j]) for i in range(j) if (i, j) in live for w in arriving[i]]
        return arriving[nodes - 1]

    found = []
    for way in through(CELL_EDGES, cell, 5):
        parts = [through(MOTIF_EDGES, motifs[m - 1], 4) for m in way]
        found += [tuple(itertools.chain(*part)) for part in itertools.product(*parts)]
    return sorted(found)


def test_canonical_keeps_every_way_through_the_network(rng):
    codes = SPACE.sample(30, rng=rng)
    codes[rng.random(codes.shape) < 0.4] = 0
    for code, first in zip(codes.tolist(), SPACE.canonical(codes).tolist(), strict=True):
        assert ways(code) == ways(first)


def renamed(code, rng):
    """Give the motifs other numbers and the inner nodes of all graphs another order where there is one."""
    motifs, cell = SPACE.motifs(code)

    def reordered(values, nodes):
        edges = edges_among(nodes)
        for order in rng.permutation(list(itertools.permutations(range(1, nodes - 1)))).tolist():
            place = {0: 0, nodes - 1: nodes - 1, **{node: k + 1 for k, node in enumerate(order)}}
            moved = {(place[i], place[j]): v for (i, j), v in zip(edges, values, strict=True) if v}
            if all(i < j for i, j in moved):
                return [moved.get(edge, 0) for edge in edges]
        raise AssertionError("the order as it is is possible")

    order = rng.permutation(6).tolist()
    shuffled = [reordered(motifs[m], 4) for m in order]
    cell = [order.index(v - 1) + 1 if v else 0 for v in reordered(cell, 5)]
    return tuple(itertools.chain(*shuffled, cell))


def test_canonical_does_not_depend_on_names_and_orders(rng):
    codes = SPACE.sample(60, rng=rng)
    codes[rng.random(codes.shape) < 0.4] = 0
    others = np.array([renamed(code, rng) for code in codes.tolist()])
    assert (others != codes).any(axis=1).sum() > 50
    assert np.array_equal(SPACE.canonical(codes), SPACE.canonical(others))


def test_what_leads_nowhere_and_what_is_not_used_is_emptied():
    # Motif 1 is the only one in use, its edge 0->2 leads nowhere and node 1 comes second;
    # motif 2 has no way through.
    code = SPACE.parse("330060-200000-111111-222222-333333-444444/1020001000")
    first = SPACE.format(SPACE.canonical(np.array([code]))[0])
    assert first == "030006-" + "-".join(["000000"] * 5) + "/0000001000"


def test_equal_motifs_are_one():
    one = SPACE.parse("000100-000100-000000-000000-000000-000000/1020010000")
    same = SPACE.parse("000100-000000-000000-000000-000000-000000/1010010000")
    assert np.array_equal(SPACE.canonical([one]), SPACE.canonical([same]))


def test_graph_writes_the_motifs_out(rng):
    for code in SPACE.sample(8, rng=rng):
        graph = SPACE.encode(code[None], "graph")[0]
        assert not np.tril(graph.sum(axis=2)).any()
        arriving = {0: [()]}
        for j in range(1, 25):
            arriving[j] = [
                (*w, op)
                for i in range(j)
                for op in np.flatnonzero(graph[i, j]).tolist()
                if op
                for w in arriving[i]
            ]
        assert sorted(arriving[24]) == ways(code.tolist())


def test_notation_is_read_and_written():
    code = SPACE.parse(f" {TEXT} ")
    assert SPACE.format(code) == TEXT
    assert code[:6] == (1, 0, 0, 0, 0, 0)
    assert code[36:] == (1, 2, 0, 3, 0, 4, 0, 5, 6, 1)
    assert SPACE.parse(":".join(d.choices[v] for d, v in zip(SPACE.decisions, code, strict=True))) == code


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT[:-1], "expected 6 motifs of 6 digits joined by '-', then '/' and the 10 digits"),
        (TEXT.replace("/", "-"), "expected 6 motifs"),
        ("7" + TEXT[1:], "decision 'motif 1 0->1' of space hierarchical takes 0 to 6"),
    ],
)
def test_other_texts_are_refused(text, message):
    with pytest.raises(NotInSpace, match=message):
        SPACE.parse(text)
