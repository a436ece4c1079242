import numpy as np
import pytest

from nasbench.comparison.effect_size import a12, probability_of_improvement
from nasbench.comparison.power import FEWEST_SEEDS, seeds_needed
from nasbench.errors import BadOption


def test_a12_of_a_small_case_counts_ties_half():
    # pairs (1,2) lower, (1,1) tie, (3,2) higher, (3,1) higher
    assert a12(np.array([1.0, 3.0]), np.array([2.0, 1.0])) == 1.5 / 4


def test_a12_is_one_where_every_run_of_the_first_is_lower():
    assert a12(np.array([0.1, 0.2]), np.array([0.3, 0.4, 0.5])) == 1.0


def test_a12_of_the_other_order_is_the_complement(rng):
    first, second = rng.integers(0, 5, 20) / 5, rng.integers(0, 5, 30) / 5
    assert a12(first, second) + a12(second, first) == pytest.approx(1.0)


def test_a12_equals_the_count_over_all_pairs(rng):
    first, second = rng.integers(0, 5, 20) / 5, rng.integers(0, 5, 30) / 5
    lower = (first[:, None] < second).mean() + 0.5 * (first[:, None] == second).mean()
    assert a12(first, second) == pytest.approx(lower)


def test_a12_refuses_an_empty_sample():
    with pytest.raises(BadOption, match="first, second: expected at least one run each, got 2 and 0"):
        a12(np.ones(2), np.zeros(0))


def test_probability_of_improvement_weighs_data_sets_equally():
    low, high = np.array([0.1]), np.array([0.2, 0.2, 0.2])
    assert probability_of_improvement([low, high], [high, high]) == 0.75


def test_probability_of_improvement_refuses_other_data_sets():
    with pytest.raises(BadOption, match=r"expected the same data sets \(>= 1\), got 1 and 0"):
        probability_of_improvement([np.ones(2)], [])


def test_seeds_needed_by_hand():
    # mean 1, standard deviation 2: (1.960 + 0.842)^2 x 4 / (3 / pi) = 32.9
    differences = np.array([-1.0, 1.0, 3.0])
    assert seeds_needed(differences) == 33


def test_seeds_needed_is_never_fewer_than_the_test_can_use():
    assert seeds_needed(np.array([0.5, 0.5, 0.5])) == FEWEST_SEEDS


def test_seeds_needed_is_unknown_without_a_difference():
    assert seeds_needed(np.array([0.1, -0.1])) is None
    assert seeds_needed(np.array([0.1])) is None


@pytest.mark.slow
def test_that_many_seeds_do_separate_in_four_of_five_samples(rng):
    from nasbench.comparison.paired_tests import wilcoxon

    pilot = rng.normal(size=4_000)
    pilot = 0.5 + (pilot - pilot.mean()) / pilot.std(ddof=1)
    n = seeds_needed(pilot)
    power = np.mean([wilcoxon(rng.normal(0.5, 1.0, n)) < 0.05 for _ in range(1_500)])
    assert 0.76 < power < 0.84
