"""The spaces of NAS-Bench-1Shot1: their counts under every convention, and their cells of NAS-Bench-101."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nasbench.errors import BadOption, NotInSpace
from nasbench.spaces import get_space
from nasbench.spaces.nb1shot1 import INPUTS, NB1Shot1Space

NUMBERS = [1, 2, 3]
WHOLE = get_space("nb101")
every_number = pytest.mark.parametrize("number", NUMBERS)


def graphs_of(number):
    """Yield the inputs of each vertex and the output, in all ways."""
    inputs = INPUTS[number]
    return itertools.product(
        *(itertools.combinations(range(vertex), n) for vertex, n in enumerate(inputs, start=1))
    )


@pytest.mark.parametrize(("number", "codes"), [(1, 14_580), (2, 29_160), (3, 1_312_200)])
def test_codes_are_counted(number, codes):
    interior = len(INPUTS[number]) - 1
    assert get_space(f"nb1shot1-{number}").size == codes
    assert sum(3**interior for _ in graphs_of(number)) == codes


@pytest.mark.parametrize(("number", "count"), [(1, 6_240), (2, 16_632), (3, 363_648)])
def test_operations_of_vertices_that_feed_some_are_counted(number, count):
    assert (
        sum(3 ** len({v for inputs in graph for v in inputs} - {0}) for graph in graphs_of(number)) == count
    )


@pytest.mark.parametrize(("number", "count"), [(1, 2_487), (2, 3_609), (3, 24_066)])
def test_graphs_whose_kept_vertices_lie_on_one_path_are_counted(number, count):
    found = {}
    for graph in graphs_of(number):
        kept = {len(graph)}
        for vertex in range(len(graph), 0, -1):
            if vertex in kept:
                kept.update(graph[vertex - 1])
        order = sorted(kept)
        if all(a in graph[b - 1] for a, b in itertools.pairwise(order) if a > 0):
            found[tuple((v, graph[v - 1]) for v in order[1:])] = 3 ** (len(kept - {0}) - 1)
    assert sum(found.values()) == count


@pytest.mark.parametrize(
    ("number", "cells"), [(1, 2_685), (2, 7_773), pytest.param(3, 55_854, marks=pytest.mark.slow)]
)
def test_cells_of_nas_bench_101_are_counted(number, cells):
    space = get_space(f"nb1shot1-{number}")
    assert len(np.unique(space.classes)) == cells == space.networks


@every_number
def test_cells_have_nine_edges_and_the_given_inputs(number, rng):
    space = get_space(f"nb1shot1-{number}")
    codes = space.to_nb101(space.sample(200, rng=rng))
    assert WHOLE.contains(codes).all()
    assert (codes[:, :21].sum(axis=1) == 9).all()
    matrices = np.zeros((200, 7, 7), dtype=int)
    matrices[:, *np.triu_indices(7, 1)] = codes[:, :21]
    vertices = [*range(1, len(INPUTS[number])), 6]
    assert (matrices.sum(axis=1)[:, vertices] == INPUTS[number]).all()


@pytest.mark.parametrize("number", [1, 2])
def test_canonical_is_the_first_code_of_the_same_cell(number, rng):
    space = get_space(f"nb1shot1-{number}")
    codes = space.sample(100, rng=rng)
    first = space.canonical(codes)
    assert np.array_equal(WHOLE.keys(space.to_nb101(first)), WHOLE.keys(space.to_nb101(codes)))
    assert (space.rank(first) <= space.rank(codes)).all()


@every_number
def test_encodings_are_those_of_the_cell(number, rng):
    space = get_space(f"nb1shot1-{number}")
    codes = space.sample(20, rng=rng)
    for kind in ("adjacency", "path", "graph"):
        assert np.array_equal(space.encode(codes, kind), WHOLE.encode(space.to_nb101(codes), kind))


def test_a_cell_is_written_with_its_loose_ends():
    space = get_space("nb1shot1-1")
    text = "11111-1001-110-00-0:maxpool3x3,conv1x1,conv3x3,conv3x3"
    assert space.format(space.parse(text)) == text
    assert WHOLE.format(WHOLE.canonical(space.to_nb101([space.parse(text)]))[0]) == "11-1:maxpool3x3"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("10000-1001-110-00-1:conv3x3,conv3x3,conv3x3,conv3x3", "gives vertex 2 2 of the vertices 0 to 1 as"),
        (
            "11111-1000-110-00-0:conv3x3,conv3x3,conv3x3,conv3x3",
            "gives the output 2 of the vertices 0 to 4 as",
        ),
        ("11-1:conv3x3", "gives vertex 2 2 of the vertices 0 to 1 as inputs, got none"),
        (
            "111111-10010-1100-000-00-0:maxpool3x3,conv1x1,conv3x3,conv3x3,conv3x3",
            "gives the output 2 of",
        ),
        (
            "111101-10001-1100-000-00-0:maxpool3x3,conv1x1,conv3x3,conv3x3,conv1x1",
            "expected 4 interior vertices in space nb1shot1-1",
        ),
    ],
)
def test_cells_of_other_spaces_are_refused(text, rule):
    with pytest.raises(NotInSpace, match=rule):
        get_space("nb1shot1-1").parse(text)


def test_there_are_three_spaces():
    with pytest.raises(BadOption, match="number: expected 1, 2 or 3, got 4"):
        NB1Shot1Space(4)
