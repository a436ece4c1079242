"""Curves described by few numbers come back, and are always errors."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.surrogates.curves import LEAST, fit_basis, from_log_odds, log_odds


def test_curves_of_two_shapes_come_back_from_two_numbers(rng):
    epochs = np.linspace(0, 1, 30)
    odds = rng.standard_normal((50, 1)) - epochs * rng.random((50, 1))
    errors = from_log_odds(odds)
    basis = fit_basis(errors)
    assert np.allclose(basis.errors(basis.project(errors)), errors)
    assert np.allclose(basis.vectors @ basis.vectors.T, np.eye(basis.coefficients))
    two = fit_basis(errors, most=2)
    assert np.allclose(two.errors(two.project(errors)), errors)


def test_one_epoch_needs_one_number(rng):
    errors = rng.uniform(0.1, 0.9, (20, 1))
    basis = fit_basis(errors)
    assert basis.coefficients == 1
    assert np.allclose(basis.errors(basis.project(errors)), errors)


def test_some_epochs_are_columns_of_all(rng):
    errors = rng.uniform(0.1, 0.9, (20, 9))
    basis = fit_basis(errors)
    coefficients = basis.project(errors)
    some = np.array([0, 4, 8])
    assert np.allclose(basis.errors(coefficients, some), basis.errors(coefficients)[:, some])


def test_whatever_is_predicted_is_an_error(rng):
    basis = fit_basis(rng.uniform(0.1, 0.9, (20, 9)))
    wild = basis.errors(rng.standard_normal((100, basis.coefficients)) * 30)
    assert ((wild >= 0) & (wild <= 1)).all()


@pytest.mark.parametrize("error", [0.0, 1.0])
def test_log_odds_of_the_ends_are_finite(error):
    assert np.isfinite(log_odds(np.array([error]))).all()
    assert abs(from_log_odds(log_odds(np.array([error])))[0] - error) == pytest.approx(LEAST)
