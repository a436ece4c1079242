"""The posterior of a curve's end: near the truth, as sure as it may be, from a short chain as from a long."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.strategies.curve_ensemble import extrapolate
from nasbench.strategies.curve_families import FAMILIES

NOISE = 0.01
TRUTHS = {
    "power law": lambda x: 0.9 - 0.8 * x**-0.6,
    "exponential": lambda x: 0.7 - 0.6 * np.exp(-0.04 * x),
    "sigmoid": lambda x: 0.85 - 0.75 / (1.0 + (x / 40.0) ** 3),
}


def predict(truth, n, seed=1, noise=NOISE, steps=10, burn_in=3, families=tuple(FAMILIES)):
    """Extrapolate the first ``n`` of 20 points; noise and chain each have a stream of their own."""
    x = np.arange(1.0, n + 1) * 5.0
    y = truth(x) + noise * np.random.default_rng(1).normal(size=n)
    return extrapolate(
        x,
        y,
        families=[FAMILIES[name] for name in families],
        walkers=100,
        steps=steps,
        burn_in=burn_in,
        rng=np.random.default_rng(seed),
    )


@pytest.mark.parametrize("n", [8, 12, 16])
def test_end_of_a_power_law_is_recovered_within_two_deviations(n):
    posterior = predict(TRUTHS["power law"], n)
    end = TRUTHS["power law"](100.0)
    spread = np.hypot(posterior.deviation, posterior.sigmas.mean())
    assert abs(posterior.mean - end) < 2 * spread
    assert spread < 0.05


@pytest.mark.parametrize("name", TRUTHS)
def test_end_is_near_the_truth_after_four_fifths_of_the_curve(name):
    assert predict(TRUTHS[name], 16).mean == pytest.approx(TRUTHS[name](100.0), abs=0.02)


def test_more_of_a_curve_is_surer():
    deviations = [predict(TRUTHS["exponential"], n).deviation for n in (6, 12, 18)]
    assert deviations == sorted(deviations, reverse=True)


def test_chance_of_a_best_falls_with_the_best():
    posterior = predict(TRUTHS["sigmoid"], 10)
    chances = [posterior.chance_above(best) for best in np.linspace(0.0, 1.0, 21)]
    assert chances[0] > 0.99
    assert chances[-1] < 0.01
    assert (np.diff(chances) <= 0).all()


def test_noise_of_the_curve_is_estimated():
    quiet, loud = (predict(TRUTHS["power law"], 18, noise=noise).sigmas.mean() for noise in (0.003, 0.03))
    assert 0.001 < quiet < 0.01
    assert 0.01 < loud < 0.06


def test_family_that_cannot_follow_gets_no_weight():
    good, bad, both = (
        predict(TRUTHS["sigmoid"], 14, families=families) for families in (["mmf"], ["pow3"], ["mmf", "pow3"])
    )
    assert bad.sigmas.mean() > 5 * good.sigmas.mean()
    assert both.sigmas.mean() == pytest.approx(good.sigmas.mean(), rel=0.3)
    assert both.mean == pytest.approx(good.mean, abs=0.01)


def test_samples_are_accuracies():
    posterior = predict(lambda x: 0.95 + 0.0 * x, 6, noise=0.05)
    assert posterior.accuracies.min() >= 0.0
    assert posterior.accuracies.max() <= 1.0
    assert len(posterior.accuracies) == len(posterior.sigmas) == 100 * 7


def test_no_family_no_prediction():
    assert predict(lambda x: 0.5 + 0.3 / np.log(x + 1.0), 8, noise=0.0, families=["ilog2"]) is None


@pytest.mark.parametrize("value", [0.0, 0.1, 1.0])
def test_flat_curve_without_noise_is_extrapolated_flat(value):
    posterior = predict(lambda x: value + 0.0 * x, 8, noise=0.0)
    assert posterior.mean == pytest.approx(value, abs=0.02)


def test_one_seed_gives_one_posterior():
    first, second = (predict(TRUTHS["sigmoid"], 8, seed=5) for _ in range(2))
    assert (first.accuracies == second.accuracies).all()
    assert (predict(TRUTHS["sigmoid"], 8, seed=6).accuracies != first.accuracies).any()


@pytest.mark.slow
@pytest.mark.parametrize("name", TRUTHS)
@pytest.mark.parametrize("n", [9, 12, 16])
def test_short_chain_agrees_with_a_long_one(name, n):
    """Within 0.25 everywhere, and on the same side of certainty where the long chain is certain."""
    short = predict(TRUTHS[name], n, seed=2)
    long = predict(TRUTHS[name], n, seed=3, steps=800, burn_in=200)
    assert short.mean == pytest.approx(long.mean, abs=0.02)
    for best in TRUTHS[name](100.0) + np.linspace(-0.2, 0.2, 41):
        chance = long.chance_above(best)
        assert short.chance_above(best) == pytest.approx(chance, abs=0.25)
        if chance < 0.005:
            assert short.chance_above(best) < 0.05
        if chance > 0.5:
            assert short.chance_above(best) > 0.05
