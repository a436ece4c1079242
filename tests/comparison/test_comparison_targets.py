import numpy as np
import pytest

from nasbench.comparison.bootstrap import Resampler
from nasbench.comparison.targets import first_reach, median_ratio, median_time
from nasbench.errors import BadOption

INF = float("inf")


def test_first_reach_is_the_first_moment_even_if_the_score_rises_again():
    spent, values = np.array([1.0, 2.0, 3.0, 4.0]), np.array([np.nan, 0.5, 0.3, 0.6])
    assert first_reach(spent, values, 0.5) == 2.0
    assert first_reach(spent, values, 0.4) == 3.0
    assert first_reach(spent, values, 0.2) == INF


def test_a_score_equal_to_the_target_but_for_rounding_reaches_it():
    assert first_reach(np.array([1.0]), np.array([0.1 + 0.2]), 0.3) == 1.0


def test_median_takes_runs_that_never_reached_as_the_latest():
    assert median_time(np.array([3.0, INF, 1.0])) == 3.0
    assert median_time(np.array([1.0, 2.0, 4.0, INF])) == 3.0
    assert median_time(np.array([1.0, INF, INF])) is None
    assert median_time(np.array([1.0, INF])) is None
    assert median_time(np.zeros(0)) is None


def test_half_the_time_in_every_run_is_a_ratio_of_a_half(rng, resampler):
    reference = rng.random(11)
    ratio = median_ratio(reference / 2, reference, resampler)
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((0.5, 0.5, 0.5))


@pytest.mark.parametrize("n", [8, 9])
def test_interval_equals_plain_resampling(rng, n):
    resampler = Resampler(400, 1)
    times, reference = rng.random(n), rng.random(n) + 0.5
    plain = []
    for counts in resampler.counts(n).astype(int):
        drawn = np.repeat(np.arange(n), counts)
        plain.append(np.median(times[drawn]) / np.median(reference[drawn]))
    ratio = median_ratio(times, reference, resampler)
    assert ratio.low == pytest.approx(np.quantile(plain, 0.025, method="lower"))
    assert ratio.high == pytest.approx(np.quantile(plain, 0.975, method="higher"))


def test_ratio_is_missing_where_a_median_is(resampler):
    assert median_ratio(np.array([1.0, INF]), np.array([1.0, 2.0]), resampler) is None
    assert median_ratio(np.array([1.0, 2.0]), np.array([INF, INF]), resampler) is None
    assert median_ratio(np.array([1.0, 2.0]), np.array([0.0, 0.0]), resampler) is None


def test_interval_is_unbounded_above_where_many_resamples_never_reach(resampler):
    ratio = median_ratio(np.array([1.0, 1.0, INF]), np.array([2.0, 2.0, 2.0]), resampler)
    assert (ratio.value, ratio.low, ratio.high) == (0.5, 0.5, None)


def test_one_seed_has_a_ratio_without_interval(resampler):
    ratio = median_ratio(np.array([1.0]), np.array([4.0]), resampler)
    assert (ratio.value, ratio.low, ratio.high) == (0.25, None, None)


def test_other_seeds_are_refused(resampler):
    with pytest.raises(BadOption, match=r"times: expected the seeds of the reference \(= 2\), got 1 runs"):
        median_ratio(np.array([1.0]), np.array([1.0, 2.0]), resampler)
