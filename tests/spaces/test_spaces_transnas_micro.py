"""The micro space of TransNAS-Bench-101: its count, which cells are the same, encodings, notation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nasbench.errors import NotInSpace
from nasbench.spaces import get_space
from nasbench.spaces.four_nodes import EDGES

SPACE = get_space("transnas-micro")
ALL = np.concatenate(list(SPACE.enumerate()))


def live_edges(code):
    """List the edges (source, target, operation) on ways from 0 to 3, found by walking."""
    edges = {(i, j, op) for (i, j), op in zip(EDGES, code, strict=True) if op}

    def reached(start, step):
        seen, todo = {start}, [start]
        while todo:
            node = todo.pop()
            for other in [edge[1 - step] for edge in edges if edge[step] == node]:
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
        return seen

    forward, backward = reached(0, 0), reached(3, 1)
    return frozenset((i, j, op) for i, j, op in edges if i in forward and j in backward)


def isomorphism_class(code):
    """Name the class of a cell by the smaller of its two drawings."""
    edges = live_edges(code)
    swap = {0: 0, 1: 2, 2: 1, 3: 3}
    other = frozenset((swap[i], swap[j], op) for i, j, op in edges)
    drawings = [sorted(edges)] + [sorted(other)] * all(i < j for i, j, _ in other)
    return tuple(min(drawings))


def test_there_are_4096_codes_and_1948_networks():
    assert len(ALL) == SPACE.size == 4_096
    canonical = [tuple(row) for row in SPACE.canonical(ALL).tolist()]
    pairs = {(first, isomorphism_class(code)) for code, first in zip(ALL.tolist(), canonical, strict=True)}
    assert len(pairs) == len(set(canonical)) == len({name for _, name in pairs}) == 1_948


def test_canonical_is_the_first_code_of_its_class():
    first: dict[object, list[int]] = {}
    for code in ALL.tolist():
        first.setdefault(isomorphism_class(code), code)
    assert SPACE.canonical(ALL).tolist() == [first[isomorphism_class(code)] for code in ALL.tolist()]


def test_a_cell_without_a_way_through_is_the_empty_one():
    dead = SPACE.parse("3_00_020")  # only 0->1 and 1->3 would be a way; 1->3 is
    assert SPACE.canonical(np.array([dead])).any()
    assert not SPACE.canonical(np.array([SPACE.parse("3_30_000")])).any()


def test_the_authors_notation_is_read_and_written():
    code = SPACE.parse("64-41414-1_02_333")
    assert code == (1, 0, 2, 3, 3, 3)
    assert SPACE.format(code) == "64-41414-1_02_333"
    assert SPACE.parse("1_02_333") == code


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("64-41414-1_02_33", r"expected 64-41414-CELL .* got '64-41414-1_02_33'"),
        ("64-41411-1_02_333", "expected 64-41414-CELL"),
        ("64-41414-1_02_334", "decision '2->3' of space transnas-micro takes 0 to 3"),
    ],
)
def test_other_texts_are_refused(text, message):
    with pytest.raises(NotInSpace, match=message):
        SPACE.parse(text)


def test_paths_are_those_that_a_walk_finds():
    codes = ALL[::37]
    words = [w for n in (1, 2, 3) for w in itertools.product((1, 2, 3), repeat=n)]
    edge = {pair: e for e, pair in enumerate(EDGES)}
    for code, row in zip(codes.tolist(), SPACE.encode(codes, "path"), strict=True):
        ways = [((0, 3),), ((0, 1), (1, 3)), ((0, 2), (2, 3)), ((0, 1), (1, 2), (2, 3))]
        spelled = {tuple(code[edge[pair]] for pair in way) for way in ways}
        assert [words[i] for i in np.flatnonzero(row)] == [w for w in words if w in spelled]


def test_graph_and_adjacency_hold_the_operation_of_each_edge():
    code = SPACE.parse("1_02_333")
    graph = SPACE.encode(np.array([code]), "graph")[0]
    matrix = SPACE.encode(np.array([code]), "adjacency").reshape(4, 4)
    for (i, j), op in zip(EDGES, code, strict=True):
        assert graph[i, j].tolist() == [float(k == op) for k in range(4)]
        assert matrix[j, i] == op
    assert graph.sum() == len(EDGES)
