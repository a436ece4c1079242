import numpy as np
import pytest

from nasbench.comparison.cautions import cautions, failed_trials
from nasbench.comparison.entries import Scores, entry_arrays
from nasbench.comparison.pairs import MANN_WHITNEY, WILCOXON, contrast
from nasbench.comparison.verdicts import p_text, verdict
from nasbench.errors import BadOption

NAN = float("nan")
SCORES = Scores.of([[0], [1], [2], [3]], [0.50, 0.40, 0.30, 0.20])


def arrays(runs, **budget):
    return entry_arrays(runs, SCORES, epochs=12, **budget)


def test_runs_are_put_in_the_order_of_their_seeds(make_run):
    entry = arrays([make_run([0.5], seed=7), make_run([0.5, 0.4], seed=2)])
    assert entry.seeds == [2, 7]
    np.testing.assert_allclose(entry.final, [0.40, 0.50])
    assert entry.at([7, 2]) == [1, 0]


def test_trials_past_the_budget_in_seconds_do_not_count(make_run):
    run = make_run([0.5, 0.4, 0.3], seconds=10.0)
    assert arrays([run], budget_seconds=20.0).final.tolist() == [0.40]
    assert arrays([run], budget_seconds=19.9).final.tolist() == [0.50]


def test_trials_past_the_budget_in_evaluations_do_not_count(make_run):
    assert arrays([make_run([0.5, 0.4, 0.3])], budget_evaluations=1).final.tolist() == [0.50]


def test_an_unknown_score_is_missing_unless_the_trial_may_give_it(make_run):
    run = make_run([0.5], codes=[[9]], test=[0.45])
    assert np.isnan(arrays([run]).final).all()
    sealed = Scores.of(np.zeros((0, 1)), np.zeros(0), from_trial=True)
    assert entry_arrays([run], sealed, epochs=12).final.tolist() == [0.45]


def test_two_runs_of_one_seed_are_refused(make_run):
    with pytest.raises(BadOption, match=r"runs: expected one run a seed, got several for \[3\]\."):
        arrays([make_run([0.5], seed=3), make_run([0.4], seed=3)])


def test_scores_of_another_length_are_refused():
    with pytest.raises(BadOption, match=r"score: expected one score an architecture \(= 2\), got 1\."):
        Scores.of([[0], [1]], [0.1])


def test_seconds_to_a_target_and_extremes(make_run):
    entry = arrays([make_run([0.5, 0.4, 0.3], seed=0), make_run([0.5], seed=1, seconds=4.0)])
    assert entry.seconds_to(0.35).tolist() == [30.0, np.inf]
    assert entry.earliest_seconds() == 4.0
    assert entry.latest() == (30.0, 3)


def test_paired_comparison_by_hand(resampler):
    first, second = {0: 0.1, 1: 0.2, 2: 0.3}, {0: 0.2, 1: 0.3, 2: 0.4, 9: 0.0}
    found = contrast(first, second, resampler)
    assert (found.n, found.test) == (3, WILCOXON)
    assert (found.difference, found.low, found.high) == pytest.approx((-0.1, -0.1, -0.1))
    assert found.p == pytest.approx(2 / 8)
    assert found.a12 == pytest.approx(7 / 9)  # six of nine pairs lower, two tied


def test_turned_comparison_is_that_of_the_other_order(resampler):
    first, second = {0: 0.1, 1: 0.4, 2: 0.3}, {0: 0.2, 1: 0.3, 2: 0.7}
    turned, other = contrast(first, second, resampler).turned(), contrast(second, first, resampler)
    assert (turned.difference, turned.a12, turned.p) == pytest.approx((other.difference, other.a12, other.p))
    assert (turned.low, turned.high) == pytest.approx((other.low, other.high))


def test_other_seeds_are_compared_without_pairing(resampler):
    found = contrast({0: 0.1, 1: 0.2, 2: 0.15}, {5: 0.3, 6: 0.4}, resampler)
    assert (found.n, found.test, found.seeds_needed) == (2, MANN_WHITNEY, None)
    assert found.difference == pytest.approx(-0.2)


def test_a_single_run_cannot_be_compared(resampler):
    assert contrast({0: 0.1}, {0: 0.2, 1: 0.3}, resampler) is None


def test_verdict_says_lower_higher_or_not_separated(resampler):
    low = {seed: 0.05 + 0.001 * seed for seed in range(8)}
    high = {seed: value + 0.01 + 0.0001 * seed for seed, value in low.items()}
    found = contrast(low, high, resampler)
    lower = verdict("a", "b", found, 0.008, mean=0.0535, other_mean=0.0639)
    assert lower.startswith("a ends lower than b: 5.35 vs 6.39 %; difference -1.03, 95 % interval -1.0")
    assert lower.endswith("p = 0.008 after Holm, A12 1.00, n = 8 paired seeds.")
    assert verdict("b", "a", found.turned(), 0.008, mean=None, other_mean=None).startswith(
        "b ends HIGHER than a: difference 1.03"
    )
    assert "a is not separated from b" in verdict("a", "b", found, 0.05, mean=0.0535, other_mean=0.0639)


def test_small_differences_are_written_with_more_digits(resampler):
    found = contrast({0: 0.05, 1: 0.06}, {0: 0.05003, 1: 0.06001}, resampler)
    assert "difference -0.0020," in verdict("a", "b", found, 1.0, mean=0.055, other_mean=0.05502)


def test_verdict_that_does_not_separate_says_how_many_seeds_would(resampler):
    found = contrast({0: 0.1, 1: 0.3, 2: 0.2}, {0: 0.2, 1: 0.2, 2: 0.21}, resampler)
    said = verdict("a", "b", found, 1.0, mean=0.2, other_mean=0.2033)
    assert f"About {found.seeds_needed} paired seeds would separate them" in said


def test_p_values_are_written_short():
    assert (p_text(0.00004), p_text(0.0312), p_text(1.0)) == ("p < 0.001", "p = 0.031", "p = 1")


def said_of(entry, failed=(), expected=()):
    return cautions("x", entry, failed_seeds=failed, expected_seeds=expected, epochs=12)


def test_a_sound_entry_has_no_cautions(make_run):
    assert said_of(arrays([make_run([0.5, 0.4], seed=seed) for seed in range(10)]), expected=range(10)) == []


def test_few_missing_and_failed_runs_are_named(make_run):
    said = said_of(arrays([make_run([0.5], seed=0)]), failed=[3], expected=range(5))
    assert said == [
        "x: 1 of 2 runs failed and is in no mean (seed 3).",
        "x: 3 runs missing (seeds 1, 2, 4).",
        "x: 1 finished run; with fewer than 10 seeds a mean says little.",
    ]


def test_runs_without_a_result_are_named(make_run):
    runs = [make_run([0.5], seed=seed) for seed in range(8)]
    runs += [make_run([], seed=8), make_run([0.1], seed=9, epochs=4), make_run([0.1], seed=10, codes=[[9]])]
    said = said_of(arrays(runs))
    assert any(
        "in 1 of 11 runs the budget is smaller than one evaluation" in s and "seed 8" in s for s in said
    )
    assert any("1 of 11 runs finished no trial of 12 epochs" in s and "seed 9" in s for s in said)
    assert any("in 1 of 11 runs the final architecture has no recorded score (seed 10)" in s for s in said)


def test_failed_trials_and_early_ends_are_counted(make_run):
    runs = [make_run([NAN, 0.4], seed=seed, status=["failed", "ok"]) for seed in range(9)]
    runs.append(make_run([0.5], seed=9, end="done"))
    entry = arrays(runs)
    assert failed_trials(entry) == 9
    assert said_of(entry) == [
        "x: 9 of 19 trials failed; they cost their time and never count as a result.",
        "x: 1 of 10 runs ended before the budget (nothing more to propose: 1); each holds its last value.",
    ]


def test_an_entry_without_runs_says_so():
    assert said_of(arrays([]), failed=[0, 1]) == [
        "x: 2 of 2 runs failed and are in no mean (seeds 0, 1).",
        "x: no finished run, so there is nothing to compare.",
    ]


def test_seconds_of_a_search_are_not_taken_for_those_of_what_it_looked_up(make_run):
    run = make_run([0.3, 0.2, 0.1], purpose="report", seconds=[2.0, 1.0, 1.0])
    run.origins.update({0: "table", 1: "live", 2: "table"})
    said = said_of(arrays([run]))
    assert any(
        "3 reports looked up or trained at no charge; what is charged is the search, measured here" in one
        for one in said
    )
    assert not any("trained live" in one for one in said)
