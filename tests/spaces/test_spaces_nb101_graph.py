"""Graphs of NAS-Bench-101 cells as numbers: pruning, validity, completion."""

from __future__ import annotations

import numpy as np
import pytest
from nb101_by_hand import kept_of, matrix_of

from nasbench.spaces.nb101_graph import (
    BIT,
    GRAPHS,
    INVALID,
    PAIRS,
    is_completable,
    kept_vertices,
    pruned_graphs,
    rows_of,
    valid_before,
    valid_graphs,
    validity,
)


@pytest.fixture
def some(rng):
    sparse = rng.integers(0, GRAPHS, size=400) & rng.integers(0, GRAPHS, size=400)
    return np.concatenate([rng.integers(0, GRAPHS, size=400), sparse]).astype(np.int32)


def test_pruning_keeps_what_lies_on_paths(some):
    for graph in some.tolist():
        kept = kept_of(matrix_of(graph))
        left = sum(bit for (i, j), bit in BIT.items() if graph & bit and i in kept and j in kept)
        valid = bool(kept) and bin(left).count("1") <= 9
        assert pruned_graphs()[graph] == (left if valid else INVALID)
        mask = sum(1 << (5 - v) for v in kept[1:-1]) if valid else 0
        assert kept_vertices()[graph] == mask
        assert validity()[graph] == valid


def test_pruned_graphs_are_pruned_no_further():
    once = pruned_graphs()[valid_graphs()]
    assert (pruned_graphs()[once] == once).all()


def test_rows_are_the_rows_of_the_matrix(some):
    rows = np.stack(rows_of(some), axis=1)
    for graph, row in zip(some.tolist(), rows.tolist(), strict=True):
        assert row == [int("".join(map(str, line)), 2) for line in matrix_of(graph)[:-1].tolist()]


def test_three_quarters_of_the_graphs_are_valid():
    assert len(valid_graphs()) == 1_538_083
    assert valid_before()[valid_graphs()[[0, 1, 1000]]].tolist() == [0, 1, 1000]


def test_a_graph_is_completable_where_some_completion_is_valid(rng):
    """The last eight edges are tried in all ways."""
    undecided = 8
    decided = len(PAIRS) - undecided
    dense = rng.integers(0, GRAPHS >> undecided, size=150)
    sparse = (
        dense
        & rng.integers(0, GRAPHS >> undecided, size=150)
        & rng.integers(0, GRAPHS >> undecided, size=150)
    )
    answers = set()
    for prefix in [*dense.tolist(), *sparse.tolist(), (GRAPHS >> undecided) - 1, 0]:
        graph = prefix << undecided
        possible = any(validity()[graph : graph + (1 << undecided)])
        assert is_completable(graph, decided) == possible
        answers.add(possible)
    assert answers == {True, False}


def test_no_edge_left_that_leads_on_is_a_dead_end():
    assert not is_completable(0, len(PAIRS))
    assert is_completable(0, len(PAIRS) - 15 - 1)  # 0 -> 6 is not decided yet
    assert not is_completable(0, 6)  # the input has no edge
