from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import NotInSpace
from nasbench.spaces import Decision, ProductSpace, get_space
from nasbench.store.index import RowIndex

NB201 = get_space("nb201")
WIDE = ProductSpace("wide", [Decision(str(i), ("a", "b", "c", "d")) for i in range(40)])


class Renumbered(ProductSpace):
    """A space whose rank is not the mixed radix of its decisions, as where some codes are not allowed."""

    def rank(self, codes):
        return super().rank(codes) * 2

    def rank_one(self, code):
        return super().rank_one(code) * 2


def some(space, n, seed=0):
    codes = np.unique(space.sample(n, rng=np.random.default_rng(seed)), axis=0)
    return codes.astype(np.int8)


SPACES = [NB201, WIDE, Renumbered("odd", [Decision(str(i), ("a", "b", "c")) for i in range(5)])]


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_every_code_finds_its_row_and_no_other_does(space):
    codes = some(space, 100)
    index = RowIndex(space, codes)
    np.testing.assert_array_equal(index.rows(codes), np.arange(len(codes)))
    assert [index.row(tuple(code.tolist())) for code in codes] == list(range(len(codes)))
    known = {code.tobytes() for code in codes}
    others = np.array(
        [code for code in space.sample(200, rng=np.random.default_rng(1)) if code.tobytes() not in known]
    )
    assert (index.rows(others) == -1).all()
    assert {index.row(tuple(code.tolist())) for code in others} == {-1}


def test_a_whole_space_is_indexed_by_rank():
    codes = np.concatenate(list(NB201.enumerate()))
    index = RowIndex(NB201, codes)
    asked = NB201.sample(20_000, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(index.rows(asked), NB201.rank(asked))


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8])
def test_rows_do_not_depend_on_the_type_or_layout_of_the_codes(dtype):
    codes = some(NB201, 300)
    index = RowIndex(NB201, codes)
    asked = codes[::-1].astype(dtype)
    np.testing.assert_array_equal(index.rows(asked), np.arange(len(codes))[::-1])
    np.testing.assert_array_equal(index.rows(np.asfortranarray(asked)), np.arange(len(codes))[::-1])


@pytest.mark.parametrize("value", [5, -1, 100])
@pytest.mark.parametrize("row", [0, 9_000])
def test_a_value_outside_the_space_is_refused_wherever_it_stands(value, row):
    codes = np.zeros((10_000, 6), dtype=np.int8)
    index = RowIndex(NB201, codes[:1])
    codes[row, 5] = value
    for array in (codes, codes.astype(np.int64)):
        with pytest.raises(NotInSpace, match=f"decision '2->3' of space nb201 takes 0 to 4 .* got {value}"):
            index.rows(array)


def test_codes_of_another_length_are_refused():
    index = RowIndex(NB201, np.zeros((1, 6), dtype=np.int8))
    with pytest.raises(NotInSpace, match=r"expected whole numbers of shape \(n, L\)"):
        index.rows(np.zeros((3, 5), dtype=np.int8))
