import numpy as np
import pytest

from nasbench.comparison.entries import Scores, entry_arrays
from nasbench.comparison.panel import compare

SCORES = Scores.of([[0], [1], [2], [3]], [0.50, 0.40, 0.30, 0.20])


@pytest.fixture
def entry(make_run):
    def build(*valid_by_seed, seeds=None):
        """Trial i is of architecture i, worth 0.5 - 0.1 i, so a run's score is that of its best trial."""
        chosen = range(len(valid_by_seed)) if seeds is None else seeds
        runs = [make_run(valid, seed=seed) for seed, valid in zip(chosen, valid_by_seed, strict=True)]
        return entry_arrays(runs, SCORES, epochs=12)

    return build


def test_two_entries_by_hand(entry, resampler):
    slow, fast = entry([0.5, 0.6, 0.3], [0.5, 0.6, 0.3]), entry([0.5, 0.4, 0.3], [0.5, 0.4, 0.3, 0.2])
    numbers = compare([slow, fast], resampler, random_search=0)
    assert numbers.evaluations.tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(numbers.error_over_evaluations[0].mean, [0.5, 0.5, 0.3, 0.3])
    np.testing.assert_allclose(numbers.error_over_evaluations[1].mean, [0.5, 0.4, 0.3, 0.25])
    np.testing.assert_allclose(numbers.rank_over_evaluations[0].mean, [1.5, 2.0, 1.5, 1.75])
    assert (numbers.seconds[0], numbers.seconds[-1]) == (10.0, 40.0)
    assert numbers.means == pytest.approx([0.3, 0.25])
    assert numbers.final_ranks == [1.75, 1.25]
    assert numbers.best == 1
    assert numbers.target == pytest.approx(0.5)  # random search after 20 of 40 seconds
    assert numbers.is_target_half_way
    assert numbers.times[1].median_seconds == 10.0


def test_target_with_a_budget_in_evaluations_is_random_search_at_half_of_them(entry, resampler):
    random = entry([0.5, 0.4, 0.3, 0.2])
    numbers = compare([random], resampler, random_search=0, budget_evaluations=4)
    assert numbers.target == pytest.approx(0.4)


def test_an_entry_turned_round_is_the_same_comparison(entry, resampler):
    numbers = compare([entry([0.5], [0.5, 0.4]), entry([0.5, 0.4], [0.5])], resampler, random_search=None)
    there, back = numbers.between(0, 1), numbers.between(1, 0)
    assert there[0].difference == -back[0].difference
    assert there[1] == back[1]


def test_target_without_random_search_is_the_median_of_the_means(entry, resampler):
    numbers = compare(
        [entry([0.5]), entry([0.5, 0.4]), entry([0.5, 0.4, 0.3])], resampler, random_search=None
    )
    assert numbers.target == pytest.approx(0.4)
    assert [times.reached for times in numbers.times] == [0, 1, 1]
    assert all(times.ratio is None for times in numbers.times)


def test_random_search_reaches_its_own_target_at_a_ratio_of_one(entry, resampler):
    numbers = compare([entry([0.5, 0.4], [0.5, 0.4])], resampler, random_search=0)
    assert (numbers.times[0].ratio.value, numbers.times[0].ratio.low) == (1.0, None)


def test_ranks_are_over_the_seeds_that_every_entry_has(entry, resampler):
    a = entry([0.5], [0.5, 0.4], [0.5], seeds=[0, 1, 2])
    b = entry([0.5, 0.4], [0.5], seeds=[1, 3])
    numbers = compare([a, b], resampler, random_search=None)
    assert numbers.final_ranks == [1.5, 1.5]  # seed 1 alone: both end on architecture 1


def test_an_entry_without_results_is_not_ranked_and_does_not_unrank_others(entry, resampler):
    numbers = compare([entry([0.5], [0.5]), entry([], [])], resampler, random_search=1)
    assert numbers.final_ranks == [1.0, None]
    assert numbers.means == [pytest.approx(0.5), None]
    assert numbers.between(0, 1) is None


def test_a_panel_without_any_result_has_empty_grids(entry, resampler):
    numbers = compare([entry([]), entry()], resampler, random_search=0)
    assert numbers.seconds.size == 0
    assert numbers.evaluations.size == 0
    assert (numbers.best, numbers.target, numbers.times) == (None, None, [None, None])


def test_grids_end_at_the_budget(entry, resampler):
    numbers = compare([entry([0.5])], resampler, random_search=0, budget_seconds=100.0, budget_evaluations=9)
    assert numbers.seconds[-1] == 100.0
    assert numbers.evaluations[-1] == 9
