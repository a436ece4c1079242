"""The ensemble's derivatives are right, and its members learn by themselves."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.strategies.mlp_ensemble import MLPEnsemble


def ensemble(seed=0, **changes):
    options = {"members": 3, "layers": 2, "width": 12, "learning_rate": 0.01, **changes}
    return MLPEnsemble(4, **options, rng=np.random.default_rng(seed))


@pytest.fixture
def data(rng):
    x = rng.random((100, 4))
    return x, x @ np.array([1.0, -2.0, 0.5, 0.0]) + 3.0


def test_gradients_are_the_slopes_of_the_mean_absolute_error(data):
    x, y = (np.asarray(part[:20], np.float32) for part in data)
    model = ensemble()
    batch = np.broadcast_to(x, (3, *x.shape)).copy()
    loss = lambda: np.abs(model.predict(x) - y).mean(axis=1).sum()  # noqa: E731
    before = model._flat.copy()
    model._step(batch, np.broadcast_to(y, (3, 20)))
    gradient = model._gradient.copy()
    for i in np.random.default_rng(1).choice(len(before), 40, replace=False):
        slopes = []
        for step in (1e-3, -1e-3):
            model._flat[:] = before
            model._flat[i] += step
            slopes.append(loss())
        assert (slopes[0] - slopes[1]) / 2e-3 == pytest.approx(gradient[i], abs=2e-3)


def test_first_step_of_adam_moves_every_weight_by_the_learning_rate(data):
    x, y = (np.asarray(part[:20], np.float32) for part in data)
    model = ensemble()
    before = model._flat.copy()
    model._step(np.broadcast_to(x, (3, *x.shape)), np.broadcast_to(y, (3, 20)))
    moved = model._flat - before
    clear = np.abs(model._gradient) > 1e-3
    assert moved[clear] == pytest.approx(-0.01 * np.sign(model._gradient[clear]), rel=1e-3)


def test_members_learn_a_simple_function_each_in_its_own_way(data):
    x, y = data
    model = ensemble()
    model.fit(x[:80], y[:80], epochs=200)
    guesses = model.predict(x[80:])
    assert guesses.shape == (3, 20)
    assert np.abs(guesses - y[80:]).mean() < 0.2 * y.std()
    assert guesses.std(axis=0).min() > 0.0


def test_weights_are_drawn_within_the_limit_of_glorot():
    model = ensemble(width=40)
    for weights, biases in model._layers:
        limit = np.sqrt(6 / (weights.shape[1] + weights.shape[2]))
        assert 0.8 * limit < np.abs(weights).max() <= limit
        assert not biases.any()


def test_one_seed_gives_one_ensemble(data):
    guesses = []
    for seed in (1, 1, 2):
        model = ensemble(seed)
        model.fit(*data, epochs=2)
        guesses.append(model.predict(data[0]))
    assert (guesses[0] == guesses[1]).all()
    assert (guesses[0] != guesses[2]).any()
