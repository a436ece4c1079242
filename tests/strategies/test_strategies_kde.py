"""The kernel density over architectures is a density, and agrees with its formula."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from nasbench.strategies.kde import CategoricalKDE

CHOICES = (3, 2, 5)
ALL = np.array(list(itertools.product(*(range(c) for c in CHOICES))))


def density(codes, choices=CHOICES, min_bandwidth=1e-3):
    return CategoricalKDE(np.array(codes), choices, min_bandwidth=min_bandwidth)


@pytest.fixture
def codes(rng):
    return ALL[rng.integers(0, len(ALL), size=9)]


def test_density_over_all_architectures_sums_to_one(codes):
    assert np.exp(density(codes).log_density(ALL)).sum() == pytest.approx(1.0)


def test_density_is_the_mean_of_products_of_kernels(codes):
    kde = density(codes)
    expected = [
        np.mean(
            [
                math.prod(
                    1 - h if x == y else h / (c - 1)
                    for x, y, h, c in zip(at, centre, kde.bandwidth, CHOICES, strict=True)
                )
                for centre in codes
            ]
        )
        for at in ALL
    ]
    np.testing.assert_allclose(np.exp(kde.log_density(ALL)), expected, rtol=1e-12)


def test_bandwidth_of_two_choices_is_the_normal_reference_rule():
    values = np.array([[0], [1], [1], [1], [0], [1], [1], [1], [1], [1]])
    expected = 1.06 * values.std() * 10 ** (-1 / 5)
    assert density(values, (2,)).bandwidth == pytest.approx([expected])


def test_density_does_not_depend_on_the_order_of_the_choices(codes, rng):
    renamed = [rng.permutation(c) for c in CHOICES]
    there = np.array([[renamed[i][v] for i, v in enumerate(code)] for code in codes])
    all_there = np.array([[renamed[i][v] for i, v in enumerate(code)] for code in ALL])
    np.testing.assert_allclose(density(codes).log_density(ALL), density(there).log_density(all_there))


def test_bandwidth_has_a_floor_and_an_upper_end(codes):
    assert density([ALL[0]] * 8, min_bandwidth=0.05).bandwidth.tolist() == [0.05] * 3
    np.testing.assert_allclose(density(codes, min_bandwidth=1.0).bandwidth, [2 / 3, 1 / 2, 4 / 5])
    uniform = np.exp(density(codes, min_bandwidth=1.0).log_density(ALL))
    np.testing.assert_allclose(uniform, 1 / 30)


def test_decision_without_a_choice_changes_nothing(codes):
    with_one = np.insert(codes, 1, 0, axis=1)
    n = len(codes)
    wide, plain = density(with_one, (3, 1, 2, 5)), density(codes)
    ratio = n ** (-1 / 8) / n ** (-1 / 7)  # the rule counts decisions
    np.testing.assert_allclose(wide.bandwidth[[0, 2, 3]], plain.bandwidth * ratio)
    assert np.exp(wide.log_density(np.insert(ALL, 1, 0, axis=1))).sum() == pytest.approx(1.0)


def test_many_decisions_do_not_underflow(rng):
    codes = rng.integers(0, 10, size=(50, 400))
    kde = density(codes, (10,) * 400)
    assert np.isfinite(kde.log_density(rng.integers(0, 10, size=(5, 400)))).all()
    assert (kde.log_density(codes[:5]) < -100).all()
