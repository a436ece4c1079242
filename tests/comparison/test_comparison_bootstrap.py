import numpy as np
import pytest
from scipy import stats

from nasbench.comparison.bootstrap import Resampler, difference_interval, exact, mean, mean_interval
from nasbench.comparison.curves import band
from nasbench.errors import BadOption


def test_each_resample_draws_as_many_seeds_as_there_are():
    counts = Resampler(500, 3).counts(7)
    assert counts.shape == (500, 7)
    assert (counts.sum(axis=1) == 7).all()


def test_each_seed_is_drawn_equally_often_up_to_chance():
    counts = Resampler(10_000, 3).counts(5)
    # 50,000 draws, 10,000 expected a seed, standard deviation 89.
    assert np.abs(counts.sum(axis=0) - 10_000).max() < 4.5 * 89.5


def test_same_seed_gives_the_same_resamples_and_another_gives_others():
    first = Resampler(50, 1).counts(6)
    np.testing.assert_array_equal(first, Resampler(50, 1).counts(6))
    assert (first != Resampler(50, 2).counts(6)).any()
    assert (first != Resampler(50, 1).counts(6, side="second")).any()


def test_resampling_leaves_the_global_generator_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the global state is what is being watched
    Resampler(10, 0).counts(3)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_sums_of_exact_values_do_not_depend_on_their_order(rng):
    values = exact(rng.normal(size=501), 501)
    forward, backward = 0.0, 0.0
    for a, b in zip(values, values[::-1], strict=True):
        forward, backward = forward + a, backward + b
    assert forward == backward == values.sum()


def test_exact_values_differ_by_less_than_is_printed(rng):
    values = rng.random(300)
    assert np.abs(exact(values, 300) - values).max() < 300 * 2.0**-52


def test_exact_keeps_zeros():
    assert exact(np.zeros(3), 3).tolist() == [0, 0, 0]


def test_mean_of_a_small_matrix():
    np.testing.assert_allclose(mean(np.array([[1.0, 4.0], [3.0, 8.0]])), [2, 6])


def test_interval_of_two_seeds_runs_from_one_to_the_other(resampler):
    # A quarter of the resamples is (a, a) and a quarter (b, b).
    low, high = mean_interval(np.array([[0.2], [0.6]]), resampler)
    np.testing.assert_allclose([low[0], high[0]], [0.2, 0.6])


def test_one_seed_has_no_interval(resampler):
    assert mean_interval(np.array([[0.2]]), resampler) is None
    assert difference_interval(np.array([0.2]), np.array([0.1, 0.3]), resampler) is None


def test_interval_agrees_with_scipy(rng):
    values = rng.gamma(2.0, size=(40, 3))
    low, high = mean_interval(values, Resampler(20_000, 0))
    for column in range(3):
        theirs = stats.bootstrap(
            (values[:, column],),
            np.mean,
            method="percentile",
            n_resamples=20_000,
            rng=np.random.default_rng(1),
        ).confidence_interval
        width = theirs.high - theirs.low
        np.testing.assert_allclose([low[column], high[column]], [theirs.low, theirs.high], atol=0.03 * width)


def test_paired_interval_of_a_constant_shift_has_no_width(rng, resampler):
    first = rng.random((20, 1))
    low, high = mean_interval((first - 0.25) - first, resampler)
    np.testing.assert_allclose([low[0], high[0]], -0.25)


def test_unpaired_interval_agrees_with_the_normal_one(rng):
    first, second = rng.normal(1.0, 1.0, 200), rng.normal(0.0, 2.0, 150)
    low, high = difference_interval(first, second, Resampler(10_000, 0))
    centre = first.mean() - second.mean()
    half = 1.96 * np.sqrt(first.var() / 200 + second.var() / 150)
    np.testing.assert_allclose([low, high], [centre - half, centre + half], atol=0.06 * half)


def test_no_resamples_are_refused():
    with pytest.raises(BadOption, match=r"resamples: expected a whole number >= 1, got 0\."):
        Resampler(0)


def test_no_seeds_are_refused(resampler):
    with pytest.raises(BadOption, match=r"n: expected at least 1 seed, got 0\."):
        resampler.counts(0)


def test_band_is_missing_wherever_one_run_has_no_result(resampler):
    made = band(np.array([[np.nan, 0.4, 0.2], [0.5, 0.6, 0.4]]), resampler)
    np.testing.assert_allclose(made.mean, [np.nan, 0.5, 0.3])
    np.testing.assert_allclose(made.median, [np.nan, 0.5, 0.3])
    np.testing.assert_array_equal(np.isnan(made.low), [True, False, False])
    np.testing.assert_array_equal(np.isnan(made.high), [True, False, False])


def test_band_of_no_runs_and_of_one_run(resampler):
    assert np.isnan(band(np.zeros((0, 2)), resampler).mean).all()
    alone = band(np.array([[0.5]]), resampler)
    assert alone.mean.tolist() == [0.5]
    assert np.isnan(alone.low).all()


def test_regret_is_the_error_moved_down(resampler):
    made = band(np.array([[0.5], [0.7]]), resampler).minus(0.4)
    np.testing.assert_allclose([made.mean[0], made.median[0]], 0.2)
    np.testing.assert_allclose([made.low[0], made.high[0]], [0.1, 0.3])


@pytest.mark.slow
def test_interval_covers_the_true_mean_about_as_often_as_it_says(rng):
    resampler = Resampler(2_000, 0)
    trials = 2_000
    low, high = mean_interval(rng.normal(size=(40, trials)), resampler)
    covered = ((low <= 0) & (high >= 0)).mean()
    # The percentile interval is a little short at n = 40: about 0.94; one standard error is 0.005.
    assert 0.92 < covered < 0.96
