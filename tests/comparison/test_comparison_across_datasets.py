import numpy as np
import pytest
from scipy import stats

from nasbench.comparison.across_datasets import critical_difference, friedman
from nasbench.errors import BadOption


def test_friedman_agrees_with_scipy(rng):
    scores = rng.random((4, 6))
    assert friedman(scores) == pytest.approx(stats.friedmanchisquare(*scores).pvalue)


@pytest.mark.parametrize("refused", [lambda: friedman(np.ones((4, 3))), lambda: critical_difference(4, 3)])
def test_three_data_sets_are_refused_with_the_reason(refused):
    with pytest.raises(
        BadOption, match=r"at least 5 data sets, got 3\. .* no power, and seeds are not data sets"
    ):
        refused()


def test_friedman_refuses_two_entries():
    with pytest.raises(BadOption, match="expects at least 3 entries, got 2"):
        friedman(np.ones((2, 6)))


def test_critical_difference_refuses_one_entry():
    with pytest.raises(BadOption, match="entries: expected at least 2 to compare, got 1"):
        critical_difference(1, 6)


def test_critical_difference_of_a_published_example():
    # Demsar 2006, section 3.2.4: four classifiers, fourteen data sets, q = 2.569, CD = 1.25
    assert critical_difference(4, 14) == pytest.approx(2.569 * np.sqrt(4 * 5 / (6 * 14)), rel=1e-3)
