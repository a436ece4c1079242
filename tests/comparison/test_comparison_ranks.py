import numpy as np
import pytest
from scipy.stats import rankdata

from nasbench.comparison.ranks import paired_ranks
from nasbench.errors import BadOption


def test_ranks_of_a_small_case_with_a_tie():
    values = np.array([0.3, 0.1, 0.3]).reshape(3, 1, 1)
    assert paired_ranks(values).ravel().tolist() == [2.5, 1.0, 2.5]


def test_a_missing_entry_leaves_the_whole_seed_unranked():
    values = np.array([[[0.1], [0.2]], [[np.nan], [0.1]]])
    np.testing.assert_array_equal(paired_ranks(values)[..., 0], [[np.nan, 2], [np.nan, 1]])


def test_ranks_agree_with_scipy(rng):
    values = rng.integers(0, 4, size=(6, 10, 5)).astype(float)
    np.testing.assert_array_equal(paired_ranks(values), rankdata(values, axis=0))


def test_a_flat_array_is_refused():
    with pytest.raises(BadOption, match=r"values: expected \(entries, seeds, grid\), got shape \(3,\)\."):
        paired_ranks(np.zeros(3))
