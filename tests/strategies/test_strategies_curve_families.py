"""Each family is its published formula, and its fit finds its own curves."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.strategies.curve_families import FAMILIES, fit

X = np.arange(1.0, 21.0) * 5.0

# Parameters of a plausible curve, and its value at x = 16, worked out by hand.
CASES = {
    "vapor-pressure": ((-0.5, -1.0, 0.05), np.exp(-0.5 - 1.0 / 16.0) * 16.0**0.05),
    "ilog2": ((0.9, 0.5), 0.9 - 0.5 / np.log(17.0)),
    "weibull": ((0.9, 0.1, 0.0625, 2.0), 0.9 - 0.8 / np.e),
    "pow3": ((0.9, 0.8, 0.5), 0.9 - 0.8 / 4.0),
    "pow4": ((0.9, 0.5, 1.0, 0.5), 0.9 - 1.0 / 3.0),
    "log-log-linear": ((0.3, 1.0), np.log(0.3 * np.log(16.0) + 1.0)),
    "mmf": ((0.9, 0.1, 0.0625, 3.0), 0.9 - 0.8 / 2.0),
    "janoschek": ((0.9, 0.1, 0.25, 0.5), 0.9 - 0.8 / np.e),
    "hill3": ((0.9, 2.0, 16.0), 0.9 / 2.0),
    "log-power": ((0.9, np.log(16.0), -2.0), 0.9 / 2.0),
    "exp4": ((0.9, 0.25, -1.0, 0.5), 0.9 - np.exp(-2.0)),
}


def test_every_family_has_a_case():
    assert CASES.keys() == FAMILIES.keys()
    assert len(FAMILIES) == 11


@pytest.mark.parametrize("name", FAMILIES)
def test_family_is_its_formula(name):
    parameters, value = CASES[name]
    assert FAMILIES[name].function(16.0, *parameters) == pytest.approx(value)


@pytest.mark.parametrize("name", FAMILIES)
def test_many_curves_are_evaluated_at_once(name):
    family = FAMILIES[name]
    parameters = np.array([CASES[name][0], family.start])
    curves = family.curves(X, parameters)
    assert curves.shape == (2, 20)
    assert curves[0] == pytest.approx(family.function(X, *CASES[name][0]))


@pytest.mark.parametrize("name", FAMILIES)
def test_start_and_case_are_within_the_bounds(name):
    family = FAMILIES[name]
    assert family.inside(np.array([family.start, CASES[name][0], family.lower, family.upper])).all()
    assert not family.inside(np.array([family.lower]) - 1e-9).any()


@pytest.mark.parametrize("name", FAMILIES)
def test_fit_follows_a_curve_of_the_family(name, rng):
    family = FAMILIES[name]
    y = family.function(X, *CASES[name][0])
    optima, losses = fit(family, X, y, np.ones(20), rng=rng)
    assert (np.diff(losses) >= 0).all()
    assert losses == pytest.approx(np.square(family.curves(X, optima) - y).sum(axis=1), abs=1e-9)
    assert family.inside(optima).all()
    assert np.sqrt(losses[0] / 20) < 0.015  # pow4, whose parameters hardly differ in effect: 0.0104


def test_fit_of_a_linear_family_is_the_least_squares_solution(rng):
    y = 0.3 + 0.1 * rng.normal(size=20)
    weights = rng.uniform(1.0, 10.0, size=20)
    optima, _ = fit(FAMILIES["ilog2"], X, y, weights, rng=rng)
    design = np.stack([np.ones(20), -1.0 / np.log(X + 1.0)], axis=1)
    roots = np.sqrt(weights)
    wanted, *_ = np.linalg.lstsq(design * roots[:, None], y * roots)
    assert optima[0] == pytest.approx(wanted, rel=1e-3)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("y", [np.zeros(6), np.ones(6), np.array([1.0, 0.0] * 3), np.linspace(1.0, 0.0, 6)])
def test_fit_survives_curves_that_no_family_has(name, y, rng):
    optima, losses = fit(FAMILIES[name], X[:6], y, np.ones(6), rng=rng)
    assert np.isfinite(optima).all()
    assert np.isfinite(losses).all()


def test_derivatives_of_pow3_are_those_on_paper():
    slopes = FAMILIES["pow3"].derivatives(X, np.array([[0.9, 0.8, 0.5]]))[0]
    wanted = np.stack([np.ones(20), -(X**-0.5), 0.8 * X**-0.5 * np.log(X)])
    assert slopes == pytest.approx(wanted, abs=1e-5)


def test_one_seed_gives_one_fit():
    y = 0.9 - 0.8 * X**-0.5
    first, second = (fit(FAMILIES["mmf"], X, y, np.ones(20), rng=np.random.default_rng(1)) for _ in range(2))
    assert (first[0] == second[0]).all()
