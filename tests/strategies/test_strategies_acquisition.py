"""Acquisition functions agree with their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.strategies.acquisition import (
    ACQUISITIONS,
    acquire,
    confidence_bound,
    expected_improvement,
    independent_thompson_sampling,
    log_expected_improvement,
    probability_of_improvement,
    thompson_sampling,
)

MEAN = np.array([0.1, 0.5, 0.3, 9.0])
DEVIATION = np.array([0.2, 0.3, 0.01, 0.001])


def test_expected_improvement_is_never_negative(rng):
    mean, deviation = rng.normal(size=1_000) * 50, rng.random(1_000) * 5
    assert (expected_improvement(mean, deviation, 0.0) >= 0.0).all()


def test_expected_improvement_without_doubt_is_the_plain_difference():
    mean = np.array([0.5, 0.1, 0.2])
    assert expected_improvement(mean, np.zeros(3), 0.2) == pytest.approx([0.0, 0.1, 0.0])


def test_expected_improvement_is_the_mean_of_draws(rng):
    draws = MEAN + DEVIATION * rng.standard_normal((200_000, 4))
    simulated = np.maximum(0.3 - draws, 0.0).mean(axis=0)
    assert expected_improvement(MEAN, DEVIATION, 0.3) == pytest.approx(simulated, abs=2e-3)


def test_log_expected_improvement_is_the_mean_of_draws(rng):
    draws = np.exp(MEAN + DEVIATION * rng.standard_normal((200_000, 4)))
    simulated = np.maximum(np.exp(0.3) - draws, 0.0).mean(axis=0)
    assert log_expected_improvement(MEAN, DEVIATION, 0.3) == pytest.approx(simulated, abs=3e-3)


def test_log_expected_improvement_is_never_negative(rng):
    mean, deviation = rng.normal(size=1_000) * 5, rng.random(1_000) + 1e-5
    assert (log_expected_improvement(mean, deviation, -3.0) >= 0.0).all()


def test_probability_of_improvement_is_the_share_of_draws(rng):
    draws = MEAN + DEVIATION * rng.standard_normal((200_000, 4))
    simulated = (draws < 0.3).mean(axis=0)
    assert probability_of_improvement(MEAN, DEVIATION, 0.3) == pytest.approx(simulated, abs=5e-3)
    assert probability_of_improvement(MEAN, np.zeros(4), 0.2).tolist() == [1.0, 0.0, 0.0, 0.0]


def test_confidence_bound_prefers_doubt():
    rating = confidence_bound(np.array([0.3, 0.3, 0.2]), np.array([0.1, 0.4, 0.1]), 0.5)
    assert rating == pytest.approx([-0.25, -0.1, -0.15])


def test_independent_thompson_sampling_draws_each_from_its_normal(rng):
    drawn = -np.array([independent_thompson_sampling(MEAN, DEVIATION, rng=rng) for _ in range(20_000)])
    assert drawn.mean(axis=0) == pytest.approx(MEAN, abs=0.01)
    assert drawn.std(axis=0) == pytest.approx(DEVIATION, rel=0.03)


def test_thompson_sampling_believes_each_function_in_turn(rng):
    functions = np.arange(6.0).reshape(3, 2)
    rated = {tuple(thompson_sampling(functions, rng=rng)) for _ in range(50)}
    assert rated == {(-0.0, -1.0), (-2.0, -3.0), (-4.0, -5.0)}


@pytest.mark.parametrize("name", ACQUISITIONS)
def test_surely_lower_error_is_rated_higher_by_every_name(rng, name):
    rating = acquire(name, np.array([0.5, 0.1]), np.array([1e-3, 1e-3]), best=0.3, rng=rng)
    assert rating[1] > rating[0]
