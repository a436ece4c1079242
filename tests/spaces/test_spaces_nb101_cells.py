"""The NAS-Bench-101 cells counted again."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.spaces.nb101 import CELLS, CODES
from nasbench.spaces.nb101_cells import distinct_cells, full_graphs
from nasbench.spaces.nb101_graph import valid_graphs

BY_VERTICES = {2: 1, 3: 6, 4: 84, 5: 2_441, 6: 62_010, 7: 359_082}


@pytest.mark.parametrize("vertices", [2, 3, 4, 5, 6])
def test_cells_of_few_vertices_are_as_many_as_published(vertices):
    assert len(distinct_cells(vertices)) == BY_VERTICES[vertices]


def test_graphs_without_operations_are_as_many_as_published():
    assert [len(full_graphs(v)) for v in range(2, 8)] == [1, 2, 10, 121, 1_545, 4_793]


@pytest.mark.slow
def test_all_cells_are_as_many_as_published():
    keys = [distinct_cells(v) for v in BY_VERTICES]
    assert {v: len(k) for v, k in zip(BY_VERTICES, keys, strict=True)} == BY_VERTICES
    together = np.unique(np.concatenate(keys))
    assert len(together) == CELLS == sum(BY_VERTICES.values()) == 423_624
    edges = get_space("nb101").of_keys(keys[-1])[:, :21].sum(axis=1)
    assert {n: int((edges == n).sum()) for n in (6, 7, 8, 9)} == {6: 243, 7: 6_264, 8: 58_563, 9: 294_012}


def test_codes_are_valid_graphs_with_operations():
    assert len(valid_graphs()) * 3**5 == CODES == get_space("nb101").size


def test_cells_are_of_two_to_seven_vertices():
    with pytest.raises(BadOption, match="vertices: expected 2 to 7, got 8"):
        distinct_cells(8)
    with pytest.raises(BadOption, match="vertices: expected 2 to 7, got 1"):
        distinct_cells(1)
