"""What is not known is measured apart from noise, and intervals hold as often as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nasbench.surrogates.calibration import LEVELS, calibrate


def held_out(rng, n=2_000, *, slope=2.0, floor=0.01, noise=0.02):
    disagreement = rng.uniform(0.002, 0.02, (n, 1))
    unknown = np.hypot(slope * disagreement, floor)
    predicted = np.full((n, 1), 0.5)
    true = predicted + unknown * rng.standard_normal((n, 1))
    trainings = true[:, None] + noise * rng.standard_normal((n, 3, 1))
    return trainings, predicted, disagreement, np.full((n, 1), noise)


def test_slope_and_floor_are_found_again(rng):
    calibration = calibrate(*held_out(rng))
    assert calibration.slopes[0] == pytest.approx(2.0, rel=0.15)
    assert calibration.floors[0] == pytest.approx(0.01, rel=0.25)


def test_intervals_hold_as_often_as_they_say(rng):
    calibration = calibrate(*held_out(rng))
    trainings, predicted, disagreement, noise = held_out(rng)
    total = np.hypot(calibration.unknown(disagreement, np.array([0])), noise)
    for level, factor in zip(LEVELS, calibration.factors[:, 0], strict=True):
        inside = np.abs(trainings[:, 0] - predicted) <= factor * total
        assert inside.mean() == pytest.approx(level, abs=0.03)


def test_they_hold_where_disagreement_says_nothing(rng):
    trainings, predicted, _, noise = held_out(rng)
    calibration = calibrate(trainings, predicted, np.zeros_like(predicted), noise)
    assert calibration.slopes[0] == 0.0
    new, new_predicted, _, _ = held_out(rng)
    total = np.hypot(calibration.unknown(np.zeros_like(predicted), np.array([0])), noise)
    inside = np.abs(new[:, 0] - new_predicted) <= calibration.factors[2, 0] * total
    assert inside.mean() == pytest.approx(0.9, abs=0.03)


def test_without_known_noise_all_is_unknown(rng):
    trainings, predicted, disagreement, _ = held_out(rng)
    calibration = calibrate(trainings[:, :1], predicted, disagreement, None)
    assert calibration.floors[0] > 0.015


def test_the_factor_is_the_order_statistic_of_split_conformal():
    trainings = np.arange(1, 20, dtype=float)[:, None, None] / 100
    calibration = calibrate(trainings, np.zeros((19, 1)), np.zeros((19, 1)), None)
    scale = calibration.floors[0]
    assert calibration.factors[:, 0] * scale == pytest.approx([0.10, 0.16, 0.18, 0.19])


def test_too_few_for_a_level_give_no_finite_interval(rng):
    calibration = calibrate(*(part[:10] for part in held_out(rng)))
    assert math.isinf(calibration.factors[LEVELS.index(0.95), 0])
    assert math.isfinite(calibration.factors[LEVELS.index(0.5), 0])


def test_missing_repeats_are_missing(rng):
    trainings, predicted, disagreement, noise = held_out(rng, n=300)
    trainings[::2, 0] = np.nan
    calibration = calibrate(trainings, predicted, disagreement, noise)
    assert np.isfinite(calibration.factors).all()
