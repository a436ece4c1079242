"""Seed noise is measured from repeats, drawn by address, and never made up."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.surrogates.noise import SeedNoise, fit_noise


def repeated(rng, *, n=600, repeats=3, sd=0.03, correlation=0.8, epochs=5):
    """Two metrics whose deviations share a part over epochs and metrics."""
    shared = rng.standard_normal((1, n, repeats, 1))
    own = rng.standard_normal((2, n, repeats, epochs))
    deviations = sd * (np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own)
    return rng.uniform(0.2, 0.6, (2, n, 1, 1)) + deviations


def test_its_size_is_found_again(rng):
    noise = fit_noise(repeated(rng))
    spread = noise.spread(np.full((1, 5), 0.4), 0, np.arange(5))
    assert np.allclose(spread, 0.03, rtol=0.1)
    assert noise.architectures == 600


def test_its_correlation_is_found_again(rng):
    noise = fit_noise(repeated(rng))
    correlation = noise.factor @ noise.factor.T
    off = correlation[~np.eye(len(correlation), dtype=bool)]
    assert np.allclose(off, 0.8 * 0.95, atol=0.06)  # shrunk by a twentieth


def test_it_may_depend_on_the_error(rng):
    errors = rng.uniform(0.1, 0.9, (1, 2_000, 1, 1)) * np.ones((1, 1, 2, 1))
    errors = errors + errors * 0.1 * rng.standard_normal(errors.shape)
    noise = fit_noise(errors)
    low, high = noise.spread(np.array([[0.2], [0.8]]), 0, np.array([0])).ravel()
    assert 0.7 * 0.02 < low < 1.4 * 0.02
    assert 0.7 * 0.08 < high < 1.4 * 0.08


def test_too_few_repeats_say_nothing(rng):
    errors = repeated(rng, n=100)
    errors[:, 15:, 1:] = np.nan
    assert fit_noise(errors) is None
    assert fit_noise(repeated(rng, repeats=1)) is None


def test_a_training_that_is_not_whole_is_left_out(rng):
    errors = repeated(rng, n=60)
    with_gap = errors.copy()
    with_gap[0, 0, 0, 2] = np.nan
    with_gap[:, 1] = np.nan
    noise = fit_noise(with_gap)
    assert noise.architectures == 59
    assert np.isfinite(noise.deviations).all()


def test_a_draw_is_addressed_and_nothing_else(rng):
    noise = fit_noise(repeated(rng))
    first = noise.draw("key", (1, 2, 3), 0)
    assert first.shape == (2, 5)
    assert np.array_equal(first, noise.draw("key", (1, 2, 3), 0))
    for other in (("other", (1, 2, 3), 0), ("key", (1, 2, 4), 0), ("key", (1, 2, 3), 1)):
        assert not np.array_equal(first, noise.draw(*other))


def test_draws_have_the_correlation(rng):
    noise = fit_noise(repeated(rng))
    draws = np.stack([noise.draw("key", (i,), 0) for i in range(4_000)])
    flat = draws.transpose(0, 2, 1).reshape(4_000, -1)
    assert np.allclose(np.corrcoef(flat.T), noise.factor @ noise.factor.T, atol=0.06)


def test_trainings_lie_around_the_mean_in_log_odds():
    """One metric, two epochs, a width that is known at two errors; by hand between them and beyond."""
    centres = np.array([[[0.1, 0.5], [0.1, 0.5]]])
    noise = SeedNoise(centres, np.array([[[0.018, 0.1], [0.018, 0.1]]]), np.eye(2), 20)
    widths = {0.05: 0.2, 0.3: 0.3, 0.9: 0.4}  # 0.018 / (0.1 * 0.9) = 0.2, 0.1 / (0.5 * 0.5) = 0.4
    for mean, width in widths.items():
        found = noise.around(np.array([[mean, mean]]), np.array([[0.0, -2.0]]))[0]
        assert found[0] == pytest.approx(mean)
        assert found[1] == pytest.approx(1 / (1 + (1 - mean) / mean * np.exp(2 * width)))
    extreme = noise.around(np.array([[0.001, 0.999]]), np.array([[-9.0, 9.0]]))
    assert ((extreme > 0) & (extreme < 1)).all()
