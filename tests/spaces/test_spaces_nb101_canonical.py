"""The canonical form of NAS-Bench-101 cells: exact, idempotent, the same for every order of the vertices."""

from __future__ import annotations

import numpy as np
import pytest
from nb101_by_hand import orders_of

from nasbench.spaces import get_space
from nasbench.spaces.nb101_canonical import (
    canonical_key,
    canonical_keys,
    pack_operations,
    pruned_keys,
    unpack_operations,
)
from nasbench.spaces.nb101_cells import distinct_cells

SPACE = get_space("nb101")


@pytest.fixture
def codes(rng):
    return SPACE.sample(300, rng=rng)


def test_every_order_of_the_vertices_is_one_cell(codes):
    for code in map(tuple, codes[:40].tolist()):
        matrix, operations = SPACE.cell(code)
        keys = {SPACE.key(SPACE.of_cell(*cell)) for cell in orders_of(matrix, operations)}
        assert keys == {SPACE.key(code)}


def test_one_by_one_equals_many_at_once(codes):
    assert SPACE.keys(codes).tolist() == [SPACE.key(tuple(code)) for code in codes.tolist()]
    assert np.array_equal(SPACE.canonical(codes[:1])[0], SPACE.canonical(codes)[0])
    assert len(SPACE.keys(codes[:0])) == 0


def test_canonical_cells_stay(codes):
    keys = SPACE.keys(codes)
    assert np.array_equal(canonical_keys(keys), keys)
    assert [canonical_key(key) for key in keys.tolist()] == keys.tolist()
    assert np.array_equal(SPACE.keys(SPACE.of_keys(keys)), keys)


def test_operations_go_into_a_key_and_come_out(rng):
    operations = rng.integers(0, 3, size=(50, 5))
    assert np.array_equal(unpack_operations(pack_operations(operations)), operations)


def test_what_pruning_drops_does_not_count():
    used = SPACE.parse("1000-001-00-0:conv1x1,conv3x3,conv3x3")  # 0 -> 1 -> 4; 2 and 3 have no part in it
    other = SPACE.parse("1000-001-00-0:conv1x1,maxpool3x3,conv1x1")
    loose = SPACE.parse("1101-001-00-1:conv1x1,maxpool3x3,conv1x1")
    assert SPACE.key(used) == SPACE.key(other) == SPACE.key(SPACE.parse("10-1:conv1x1"))
    assert SPACE.key(loose) != SPACE.key(used)
    assert SPACE.format(SPACE.canonical([used])[0]) == "10-1:conv1x1"


def test_dropped_vertices_end_up_last(codes):
    for code in SPACE.canonical(codes).tolist():
        matrix, _ = SPACE.cell(tuple(code))
        padded = SPACE.of_cell(*SPACE.cell(tuple(code)))
        assert padded == tuple(code)
        assert len(matrix) == 7 - sum(not any(row) for row in full_rows(code)[1:6])


def full_rows(code):
    rows = np.zeros((7, 7), dtype=int)
    rows[np.triu_indices(7, 1)] = code[:21]
    return rows


def test_classes_are_those_of_pynauty(rng):
    """Cells are isomorphic for us exactly where they are for nauty."""
    pynauty = pytest.importorskip("pynauty")

    def certificate(code):
        matrix, operations = SPACE.cell(code)
        n = len(matrix)
        colours = [
            {v for v in range(n) if operations[v] == name}
            for name in ("input", "output", "conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
        ]
        graph = pynauty.Graph(
            n,
            directed=True,
            adjacency_dict={v: np.flatnonzero(matrix[v]).tolist() for v in range(n)},
            vertex_coloring=[colour for colour in colours if colour],
        )
        return (tuple(len(colour) for colour in colours), pynauty.certificate(graph))

    drawn = [tuple(code) for code in SPACE.sample(3_000, rng=rng).tolist()]
    small = [tuple(code) for v in (4, 5) for code in SPACE.of_keys(distinct_cells(v)).tolist()]
    ours, theirs = {}, {}
    for code in [*drawn, *small]:
        key, name = SPACE.key(code), certificate(code)
        assert ours.setdefault(key, name) == name
        assert theirs.setdefault(name, key) == key
    assert len(small) < len(ours) < len(drawn) + len(small)


def test_dropped_operations_are_written_as_the_first(codes):
    graphs_kept = SPACE.canonical(codes)
    for code in graphs_kept.tolist():
        for v, row in enumerate(full_rows(code)[1:6]):
            assert row.any() or code[21 + v] == 0


def test_keys_are_of_pruned_cells():
    with_loose_end = SPACE.parse("1100-001-00-0:conv1x1,maxpool3x3,conv1x1")
    graph = int("".join(map(str, with_loose_end[:21])), 2)
    packed = pack_operations(np.array([with_loose_end[21:]]))
    assert canonical_keys(pruned_keys(np.array([graph], dtype=np.int32), packed))[0] == SPACE.key(
        SPACE.parse("10-1:conv1x1")
    )
