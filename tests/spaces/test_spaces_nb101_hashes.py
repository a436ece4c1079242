"""Hashes of many cells on whole arrays: those of the cells one by one."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.spaces import get_space
from nasbench.spaces.nb101_cells import distinct_cells
from nasbench.spaces.nb101_hash import class_hash, key_hashes
from nasbench.spaces.nb101_hashes import class_hashes

SPACE = get_space("nb101")


def one_by_one(keys):
    return [class_hash(key) for key in keys.tolist()]


def hexadecimal(digests):
    return [digest.tobytes().hex() for digest in digests]


@pytest.mark.parametrize("vertices", [2, 3, 4, 5])
def test_all_small_cells_hash_as_one_by_one(vertices):
    keys = distinct_cells(vertices)
    assert hexadecimal(class_hashes(keys)) == one_by_one(keys)


def test_large_cells_hash_as_one_by_one(rng):
    keys = np.unique(SPACE.keys(SPACE.sample(300, rng=rng)))
    assert hexadecimal(class_hashes(keys)) == one_by_one(keys)


def test_cells_of_all_sizes_keep_their_places(rng):
    keys = np.concatenate([distinct_cells(vertices) for vertices in (2, 3, 4)])
    keys = keys[rng.permutation(len(keys))]
    assert hexadecimal(class_hashes(keys)) == one_by_one(keys)


def test_many_classes_in_any_order_and_repeated(rng):
    """More classes than are hashed one by one."""
    keys = SPACE.keys(SPACE.sample(6_000, rng=rng))
    keys = np.concatenate([keys, keys[::-1]])
    assert len(np.unique(keys)) > 2_000
    found = key_hashes(keys)
    assert hexadecimal(found[::40]) == one_by_one(keys[::40])


def test_no_cell_has_no_hash():
    assert class_hashes(np.empty(0, dtype=np.int32)).shape == (0, 16)
