"""The Gaussian process agrees with the textbook."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from nasbench.spaces import Decision, ProductSpace
from nasbench.strategies.gaussian_process import NOISES, GaussianProcess, KernelModel
from nasbench.strategies.kernels import make_kernel


def kernel(a, b, length=0.5):
    return np.exp(-np.abs(a[:, None] - b) / length)


@pytest.fixture
def data(rng):
    x = rng.random(12)
    return x, np.sin(6 * x)


def test_posterior_interpolates_noiseless_data(data):
    x, y = data
    mean, deviation = GaussianProcess(kernel(x, x), y, 0.0).predict(kernel(x, x))
    assert mean == pytest.approx(y, abs=1e-6)
    assert deviation.max() < 1e-3


def test_posterior_is_the_formula_of_the_textbook(data):
    x, y = data
    new = np.linspace(-1, 2, 7)
    process = GaussianProcess(kernel(x, x), y, 0.1)
    inverse = np.linalg.inv(kernel(x, x) + 0.1 * np.eye(12))
    cross = kernel(new, x)
    centred = y - y.mean()
    variance = centred @ inverse @ centred / 12  # its most likely value
    mean, deviation = process.predict(cross)
    assert mean == pytest.approx(y.mean() + cross @ inverse @ centred)
    assert deviation**2 == pytest.approx(variance * (1 - np.diag(cross @ inverse @ cross.T)))


def test_likelihoods_differ_as_the_normal_densities_do(data):
    x, y = data
    ours, exact = [], []
    for length, noise in ((0.1, 0.01), (0.5, 0.1), (2.0, 0.5)):
        gram = kernel(x, x, length)
        covariance = gram + noise * np.eye(12)
        centred = y - y.mean()
        variance = centred @ np.linalg.solve(covariance, centred) / 12
        ours.append(GaussianProcess(gram, y, noise).log_likelihood)
        exact.append(multivariate_normal(np.zeros(12), variance * covariance).logpdf(centred))
    assert np.diff(ours) == pytest.approx(np.diff(exact))


def test_belief_keeps_the_mean_and_shrinks_the_deviation(data):
    x, y = data
    new = np.linspace(-1, 2, 9)
    process = GaussianProcess(kernel(x, x), y, 0.01)
    mean, deviation = process.predict(kernel(new, x))
    process.believe(kernel(new[:1], x)[0])
    after, less = process.predict(kernel(new, np.append(x, new[0])))
    assert after == pytest.approx(mean, abs=1e-8)
    assert less[0] < 0.2 * deviation[0]
    assert (less <= deviation + 1e-9).all()


def test_equal_architectures_and_no_noise_are_forgiven():
    process = GaussianProcess(np.ones((3, 3)), np.array([0.1, 0.2, 0.3]), 0.0)
    mean, deviation = process.predict(np.ones((1, 3)))
    assert mean == pytest.approx([0.2], abs=1e-6)
    assert np.isfinite(deviation).all()


def test_similarities_that_are_no_kernel_are_forgiven():
    gram = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.9], [0.0, 0.9, 1.0]])  # lowest eigenvalue -0.27
    process = GaussianProcess(gram, np.array([0.1, 0.2, 0.3]), 0.0)
    process.believe(np.array([0.9, 0.0, 0.9]))
    assert all(np.isfinite(values).all() for values in process.predict(np.eye(4)))


SPACE = ProductSpace("line", [Decision(f"d{i}", tuple("abcde")) for i in range(4)])


def targets_of(codes):
    return np.array([sum(abs(value - 2) for value in code) / 8 for code in codes])


def draw(n, rng):
    return [tuple(row) for row in np.unique(SPACE.sample(n, rng=rng), axis=0).tolist()]


def test_model_guesses_architectures_it_has_not_seen(rng):
    model = KernelModel(make_kernel(SPACE, "hamming"))
    codes = draw(150, rng)
    model.learn(codes[::2], targets_of(codes[::2]))
    mean, _ = model.guess(codes[1::2])
    assert np.corrcoef(mean, targets_of(codes[1::2]))[0, 1] > 0.8


def test_noise_is_chosen_where_there_is_noise(rng):
    codes = draw(120, rng)
    chosen = []
    for targets in (targets_of(codes), rng.random(len(codes))):
        model = KernelModel(make_kernel(SPACE, "hamming"))
        model.learn(codes, targets)
        chosen.append(model._chosen[1])
    assert chosen[0] <= 1e-2
    assert chosen[1] == max(NOISES)


def test_running_architectures_are_believed(rng):
    codes = draw(60, rng)
    model = KernelModel(make_kernel(SPACE, "hamming"))
    model.learn(codes[:30], targets_of(codes[:30]))
    mean, deviation = model.guess(codes[30:32])
    model.learn(codes[:30], targets_of(codes[:30]), running=[codes[30]])
    after, less = model.guess(codes[30:32])
    assert after == pytest.approx(mean)
    assert less[0] < 0.5 * deviation[0]


def test_equal_errors_leave_every_guess_at_them(rng):
    codes = draw(20, rng)
    model = KernelModel(make_kernel(SPACE, "hamming"))
    model.learn(codes[:10], np.full(10, 0.25))
    mean, deviation = model.guess(codes[10:])
    assert mean == pytest.approx(0.25)
    assert (deviation < 1e-5).all()
