"""The published hash: known values, the same as step by step, one for each cell."""

from __future__ import annotations

from nb101_by_hand import FIRST_HASH, FIRST_OF_FILE, INCEPTION, hash_of, orders_of

from nasbench.spaces import get_space
from nasbench.spaces.nb101_cells import distinct_cells
from nasbench.spaces.nb101_hash import graph_hash, key_hash, key_hashes

SPACE = get_space("nb101")


def test_the_first_cell_of_the_official_file_has_its_hash():
    """As many scripts on top of the official file print it."""
    assert key_hash(SPACE.key(SPACE.of_cell(*FIRST_OF_FILE))) == FIRST_HASH


def test_hash_is_that_of_the_steps_one_by_one(rng):
    for code in map(tuple, SPACE.sample(60, rng=rng).tolist()):
        assert key_hash(SPACE.key(code)) == hash_of(*SPACE.cell(code))


def test_hash_is_the_same_in_every_order():
    hashes = {hash_of(*cell) for cell in orders_of(*INCEPTION)}
    assert hashes == {key_hash(SPACE.key(SPACE.of_cell(*INCEPTION)))}


def test_cells_that_differ_have_hashes_that_differ():
    keys = distinct_cells(5)
    assert len({key_hash(key) for key in keys.tolist()}) == len(keys)


def test_many_at_once_equal_one_by_one(rng):
    keys = SPACE.keys(SPACE.sample(200, rng=rng))
    assert [found.tobytes().hex() for found in key_hashes(keys)] == [key_hash(key) for key in keys.tolist()]
    assert len(key_hashes(keys[:0])) == 0


def test_any_labelled_graph_has_a_hash():
    assert graph_hash([[], [0]], [[1], []], [-1, -2]) == hash_of([[0, 1], [0, 0]], ["input", "output"])
