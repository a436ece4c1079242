"""Fronts, hypervolumes and attainment are what one finds by hand on paper."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.comparison.entries import Scores
from nasbench.comparison.trade_off import front_of, hypervolume, median_attainment, undominated


def points(*pairs):
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


def test_undominated_points_are_those_found_by_hand():
    costs, errors = np.array([3.0, 1.0, 2.0, 2.0, 4.0, 1.0]), np.array([0.1, 0.5, 0.3, 0.2, 0.1, 0.5])
    # (3, .1) beats (4, .1); (2, .2) beats (2, .3); of the two (1, .5) the first stays
    assert undominated(costs, errors).tolist() == [1, 3, 0]
    assert undominated(np.zeros(0), np.zeros(0)).tolist() == []


def test_undominated_points_are_those_that_no_pair_dominates(rng):
    costs, errors = rng.integers(0, 8, 60).astype(float), rng.integers(0, 8, 60) / 10
    found = set(zip(costs[undominated(costs, errors)], errors[undominated(costs, errors)], strict=True))
    for cost, error in zip(costs, errors, strict=True):
        beaten = ((costs <= cost) & (errors <= error) & ((costs < cost) | (errors < error))).any()
        assert ((cost, error) in found) != beaten


@pytest.mark.parametrize(
    ("front", "share"),
    [
        (points(), 0.0),
        (points((0, 0)), 1.0),
        (points((5, 0.5)), 0.25),  # a quarter of 10 x 1
        (points((2, 0.5), (5, 0.25)), (3 * 0.5 + 5 * 0.75) / 10),
        (points((5, 0.25), (2, 0.5)), (3 * 0.5 + 5 * 0.75) / 10),  # in any order
        (points((2, 0.5), (5, 0.25), (5, 0.4), (6, 0.25)), (3 * 0.5 + 5 * 0.75) / 10),  # dominated: nothing
        (points((10, 0.1), (3, 1.0), (12, 0.0)), 0.0),  # on or beyond the reference: nothing
    ],
)
def test_hypervolume_is_that_by_hand(front, share):
    assert hypervolume(front, reference_cost=10.0, reference_error=1.0) == pytest.approx(share)


def test_hypervolume_is_the_share_of_draws_that_the_front_dominates(rng):
    front = np.column_stack([rng.random(12) * 4, rng.random(12)])
    drawn = rng.random((40_000, 2)) * [4.0, 1.0]
    dominated = (front[:, None, :] <= drawn).all(axis=2).any(axis=0).mean()
    assert hypervolume(front, reference_cost=4.0, reference_error=1.0) == pytest.approx(dominated, abs=0.01)


def test_attainment_of_one_run_is_its_own_front():
    front = points((1, 0.5), (2, 0.6), (3, 0.2))
    assert median_attainment([front]).tolist() == [[1, 0.5], [3, 0.2]]


def test_median_attainment_of_three_runs_is_that_by_hand():
    runs = [points((1, 0.5), (3, 0.1)), points((2, 0.4)), points((2, 0.3), (4, 0.2))]
    # at 1: .5, none, none; at 2: .5 .4 .3; at 3: .1 .4 .3; at 4: .1 .4 .2
    assert median_attainment(runs).tolist() == [[2, 0.4], [3, 0.3], [4, 0.2]]


def test_of_an_even_number_of_runs_half_are_enough():
    assert median_attainment([points((1, 0.5)), points((2, 0.3))]).tolist() == [[1, 0.5], [2, 0.3]]


def test_nothing_is_attained_where_most_runs_have_no_front():
    assert median_attainment([points((1, 0.5)), points(), points()]).shape == (0, 2)
    assert median_attainment([points(), points()]).shape == (0, 2)


COST = {np.array([i], dtype=np.int8).tobytes(): float(cost) for i, cost in enumerate((5, 3, 1, 2, 4))}


def scored(*values, from_trial=False):
    return Scores.of([[i] for i in range(len(values))], values, from_trial=from_trial)


def test_front_is_chosen_by_validation_error_and_scored_by_what_the_search_never_saw(make_run):
    run = make_run([0.1, 0.2, 0.4, 0.3, 0.25])
    found = front_of(run, scored(0.15, 0.5, 0.45, 0.35, 0.05), COST, epochs=12, trials=5)
    # (4, .25) is beaten by (3, .2); its score of .05 does not save it
    assert found.tolist() == [[1, 0.45], [2, 0.35], [3, 0.5], [5, 0.15]]


def test_trials_past_the_budget_failed_or_of_other_lengths_are_in_no_front(make_run):
    run = make_run(
        [0.1, np.nan, 0.4, 0.3, 0.2],
        status=["ok", "failed", "ok", "ok", "ok"],
        epochs=[12, 12, 6, 12, 12],
    )
    assert front_of(run, scored(1, 2, 3, 4, 5), COST, epochs=12, trials=4).tolist() == [[2, 4], [5, 1]]


def test_run_that_reports_what_it_would_hand_over_is_judged_by_its_reports(make_run):
    run = make_run([0.1, 0.2, 0.3], purpose=["search", "report", "search"])
    assert front_of(run, scored(1, 2, 3), COST, epochs=12, trials=3).tolist() == [[3, 2]]


def test_unknown_cost_and_unknown_score_are_left_out(make_run):
    run = make_run([0.1, 0.2, 0.3])
    costs = {key: cost for key, cost in COST.items() if cost != 3}
    assert front_of(run, scored(1, 2, np.nan), costs, epochs=12, trials=3).tolist() == [[5, 1]]


def test_score_may_be_the_trials_own_sealed_test_error(make_run):
    run = make_run([0.1, 0.2], test=[0.7, 0.8])
    assert front_of(run, scored(from_trial=True), COST, epochs=12, trials=2).tolist() == [[3, 0.8], [5, 0.7]]


def test_run_without_a_result_has_an_empty_front(make_run):
    run = make_run([np.nan], status="failed")
    assert front_of(run, scored(1), COST, epochs=12, trials=1).shape == (0, 2)
