import itertools

import numpy as np
import pytest
from scipy import stats

from nasbench.comparison.paired_tests import EXACT_UP_TO, holm, mann_whitney, wilcoxon
from nasbench.errors import BadOption


def test_six_differences_of_one_sign_have_p_two_in_sixty_four():
    assert wilcoxon(np.array([-1.0, -2.0, -3.0, -4.0, -5.0, -6.0])) == pytest.approx(2 / 64)


def test_differences_that_are_all_zero_have_p_one():
    assert wilcoxon(np.zeros(8)) == 1.0


def test_sign_of_the_differences_does_not_matter(rng):
    differences = rng.normal(0.3, 1.0, 25)
    assert wilcoxon(differences) == wilcoxon(-differences)


def test_p_equals_full_enumeration_of_signs_with_ties_and_zeros():
    differences = np.array([0.0, 0.0, 0.1, -0.1, 0.1, 0.3, 0.3, 0.4])
    ranks = stats.rankdata(np.abs(differences))
    nonzero = ranks[differences != 0]
    observed = ranks[differences > 0].sum()
    sums = [np.dot(signs, nonzero) for signs in itertools.product([0, 1], repeat=len(nonzero))]
    centre = nonzero.sum() / 2
    expected = np.mean(np.abs(np.array(sums) - centre) >= abs(observed - centre))
    assert wilcoxon(differences) == pytest.approx(expected, abs=1e-14)


def test_p_agrees_with_scipy_exactly_without_ties(rng):
    for n in (5, 12, 30, 50):
        differences = rng.normal(0.2, 1.0, n)
        assert wilcoxon(differences) == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue)


def test_normal_approximation_agrees_with_scipy_on_ties_and_zeros(rng):
    differences = rng.integers(-3, 5, EXACT_UP_TO + 100) / 100
    theirs = stats.wilcoxon(differences, zero_method="pratt", correction=False, method="approx").pvalue
    assert wilcoxon(differences) == pytest.approx(theirs, rel=1e-9)


def test_exact_and_approximate_p_meet_at_the_border(rng):
    differences = rng.integers(-3, 4, EXACT_UP_TO) / 100
    theirs = stats.wilcoxon(differences, zero_method="pratt", correction=False, method="approx").pvalue
    assert wilcoxon(differences) == pytest.approx(theirs, abs=0.005)


def test_rounding_noise_does_not_break_a_tie():
    noisy = np.array([0.1 + 0.2 - 0.3 + 0.1, -0.1, 0.1, -0.1])
    assert wilcoxon(noisy) == 1.0


def test_p_is_small_no_more_often_than_it_says_under_the_null(rng):
    p = np.array([wilcoxon(row) for row in rng.integers(-2, 3, size=(1_000, 12)) / 100])
    # One standard error of a rate of 5 % over 1,000 samples is 0.7 %.
    assert (p <= 0.05).mean() < 0.05 + 3 * 0.007


@pytest.mark.parametrize("sample", [[], [0.1, np.nan]])
def test_empty_and_missing_differences_are_refused(sample):
    with pytest.raises(BadOption, match=r"differences: expected at least one finite number, got \d values"):
        wilcoxon(np.array(sample))


def test_mann_whitney_agrees_with_scipy(rng):
    first, second = rng.integers(0, 9, 30) / 9, rng.integers(2, 11, 25) / 9
    theirs = stats.mannwhitneyu(first, second, method="asymptotic").pvalue
    assert mann_whitney(first, second) == pytest.approx(theirs)


def test_mann_whitney_of_equal_values_has_p_one():
    assert mann_whitney(np.full(4, 0.5), np.full(3, 0.5)) == 1.0


def test_mann_whitney_refuses_an_empty_sample():
    with pytest.raises(BadOption, match="second: expected at least one finite number, got 0 values"):
        mann_whitney(np.ones(3), np.zeros(0))


def test_holm_by_hand():
    # 3 x 0.01, then max(0.03, 2 x 0.03), then max(0.06, 1 x 0.04)
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_holm_of_a_published_example():
    # R documentation, p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm")
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])


def test_holm_never_passes_one_and_accepts_nothing_to_correct():
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_refuses_what_is_no_p_value():
    with pytest.raises(BadOption, match=r"p_values: expected numbers in \[0, 1\], got \[0.2, 1.5\]\."):
        holm([0.2, 1.5])
