import numpy as np
import pytest

from nasbench.comparison.incumbents import after_each_trial, evaluations_spent, incumbent_rows, on_grid
from nasbench.errors import BadOption

NAN = float("nan")


def test_incumbent_is_the_lowest_validation_error_so_far(make_run):
    run = make_run([0.5, 0.6, 0.3, 0.4, 0.2])
    assert incumbent_rows(run, epochs=12).tolist() == [0, 0, 2, 2, 4]


def test_a_tie_leaves_the_earlier_incumbent(make_run):
    assert incumbent_rows(make_run([0.5, 0.5, 0.5]), epochs=12).tolist() == [0, 0, 0]


def test_failed_and_stopped_trials_never_become_the_incumbent(make_run):
    run = make_run([NAN, 0.4, 0.1, 0.3], status=["failed", "ok", "stopped", "ok"])
    assert incumbent_rows(run, epochs=12).tolist() == [-1, 1, 1, 3]


def test_trials_of_other_epochs_never_become_the_incumbent(make_run):
    run = make_run([0.1, 0.4, 0.2], epochs=[4, 12, 4])
    assert incumbent_rows(run, epochs=12).tolist() == [-1, 1, 1]


def test_the_latest_report_is_the_incumbent_of_a_weight_sharing_run(make_run):
    run = make_run([0.1, 0.5, 0.3, 0.4], purpose=["search", "report", "report", "report"])
    assert incumbent_rows(run, epochs=12).tolist() == [-1, 1, 2, 3]


def test_a_failed_report_leaves_the_one_before(make_run):
    run = make_run([0.5, NAN], purpose="report", status=["ok", "failed"])
    assert incumbent_rows(run, epochs=12).tolist() == [0, 0]


def test_an_empty_run_has_no_incumbent(make_run):
    run = make_run([])
    rows = incumbent_rows(run, epochs=12)
    assert rows.shape == (0,)
    assert after_each_trial(np.zeros(0), rows).shape == (0,)
    assert np.isnan(on_grid(run.spent_seconds, np.zeros(0), np.array([1.0, 2.0]))).all()


def test_evaluations_count_failed_trials_but_not_reports(make_run):
    run = make_run([NAN, 0.5, 0.4], status=["failed", "ok", "ok"], purpose=["search", "search", "report"])
    assert evaluations_spent(run).tolist() == [1, 2, 2]


def test_evaluations_of_a_run_of_reports_alone_are_its_reports(make_run):
    assert evaluations_spent(make_run([0.5, 0.4], purpose="report")).tolist() == [1, 2]


def test_score_follows_the_incumbent_and_is_nan_before_it(make_run):
    run = make_run([NAN, 0.4, 0.5, 0.3], status=["failed", "ok", "ok", "ok"])
    after = after_each_trial(np.array([9.0, 0.7, 8.0, 0.9]), incumbent_rows(run, epochs=12))
    np.testing.assert_array_equal(after, [NAN, 0.7, 0.7, 0.9])


def test_curve_is_a_right_continuous_step_that_holds_its_last_value():
    spent, values = np.array([10.0, 20.0, 30.0]), np.array([0.5, 0.4, 0.3])
    sampled = on_grid(spent, values, np.array([9.9, 10.0, 19.9, 20.0, 30.0, 99.0]))
    np.testing.assert_array_equal(sampled, [NAN, 0.5, 0.5, 0.4, 0.3, 0.3])


def test_a_free_trial_counts_at_the_moment_it_was_free():
    assert on_grid(np.array([10.0, 10.0]), np.array([0.5, 0.4]), np.array([10.0])).tolist() == [0.4]


def test_values_of_another_length_are_refused():
    with pytest.raises(BadOption, match=r"values: expected one value a trial \(= 2\), got 1\."):
        on_grid(np.array([1.0, 2.0]), np.array([0.5]), np.array([1.0]))


def test_incumbents_equal_a_plain_loop_on_random_runs(make_run, rng):
    for _ in range(20):
        n = int(rng.integers(1, 60))
        valid = rng.integers(0, 8, n) / 8
        status = rng.choice(["ok", "failed", "stopped"], n, p=[0.7, 0.2, 0.1])
        epochs = rng.choice([4, 12], n, p=[0.3, 0.7])
        run = make_run(valid, status=list(status), epochs=epochs)
        best, plain = -1, []
        for t in range(n):
            if status[t] == "ok" and epochs[t] == 12 and (best < 0 or valid[t] < valid[best]):
                best = t
            plain.append(best)
        assert incumbent_rows(run, epochs=12).tolist() == plain
