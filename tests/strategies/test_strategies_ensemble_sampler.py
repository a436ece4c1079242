"""The sampler draws from a density it is given, equally well however that is stretched."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.strategies.ensemble_sampler import sweep

MEAN = np.array([3.0, -1.0, 0.5])
FACTOR = np.array([[1.0, 0.0, 0.0], [0.9, 0.3, 0.0], [0.02, 0.0, 0.05]])  # of the covariance
SPLITS = {"one block": (slice(0, 3),), "two blocks": (slice(0, 2), slice(2, 3))}


class Gaussian:
    """A normal density of three strongly correlated coordinates, in blocks."""

    def __init__(self, start, splits, mean=MEAN, covariance=FACTOR @ FACTOR.T):
        self.blocks = [start[:, split].copy() for split in splits]
        self.splits, self.mean, self.precision = splits, mean, np.linalg.inv(covariance)

    @property
    def points(self):
        return np.concatenate(self.blocks, axis=1)

    def log_density(self, points):
        away = points - self.mean
        return -0.5 * np.einsum("mi,ij,mj->m", away, self.precision, away)

    def change(self, block, rows, proposal):
        old = self.points[rows]
        new = old.copy()
        new[:, self.splits[block]] = proposal
        self.asked = proposal
        return self.log_density(new) - self.log_density(old)

    def accept(self, block, rows, accepted):
        self.blocks[block][rows][accepted] = self.asked[accepted]


@pytest.mark.parametrize("splits", SPLITS.values(), ids=SPLITS)
def test_it_samples_a_correlated_gaussian(splits, rng):
    target = Gaussian(rng.normal(size=(40, 3)), splits)
    samples, accepted = [], []
    for step in range(2_000):
        accepted.append(sweep(target, rng))
        if step >= 200:
            samples.append(target.points)
    points = np.concatenate(samples)
    assert points.mean(axis=0) == pytest.approx(MEAN, abs=0.06)
    assert np.cov(points.T) == pytest.approx(FACTOR @ FACTOR.T, rel=0.15, abs=0.01)
    assert 0.3 < np.mean(accepted) < 0.9


def test_stretching_the_density_stretches_the_samples(rng):
    stretch = np.array([[2.0, 0.5, 0.0], [0.0, 1e-3, 0.0], [7.0, 0.0, 100.0]])
    start = rng.normal(size=(20, 3))
    one_block = SPLITS["one block"]
    plain = Gaussian(start, one_block)
    stretched = Gaussian(
        start @ stretch.T, one_block, stretch @ MEAN, stretch @ FACTOR @ FACTOR.T @ stretch.T
    )
    for target in (plain, stretched):
        draws = np.random.default_rng(5)
        for _ in range(20):
            sweep(target, draws)
    assert stretched.points == pytest.approx(plain.points @ stretch.T, rel=1e-6)
    assert not np.allclose(plain.points, start)


def test_impossible_proposals_are_refused(rng):
    class Nowhere(Gaussian):
        def change(self, block, rows, proposal):
            super().change(block, rows, proposal)
            return np.full(len(proposal), -np.inf)

    start = rng.normal(size=(10, 3))
    target = Nowhere(start, SPLITS["two blocks"])
    assert sweep(target, rng) == 0.0
    assert (target.points == start).all()
