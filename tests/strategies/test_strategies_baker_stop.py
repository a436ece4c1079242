"""Sequential regression predicts the ends of curves it has learnt from, and knows how well."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from nasbench.errors import BadOption, MissingExtra
from nasbench.records import Trial, Verdict
from nasbench.spaces import get_space
from nasbench.store.bundled import find_table
from nasbench.strategies.strategy import Setting
from nasbench.testing import check_strategy, toy_space
from nasbench.testing.strategy import RULES

pytest.importorskip("sklearn")

from nasbench.strategies.baker_stop import BakerStop, CurveRegression, curve_features

EPOCHS = tuple(range(1, 11))


def baker_stop(epochs=EPOCHS, costs=None, **options):
    setting = Setting(epochs=epochs, costs=costs or {})
    return BakerStop(toy_space(), rng=np.random.default_rng(7), setting=setting, **options)


def train(strategy, accuracies, epochs=EPOCHS):
    """Ask one trial, train it as long as the strategy lets it, tell it; return the epochs trained."""
    (proposal,) = strategy.ask(1)
    number = strategy._proposed - 1
    for epoch, accuracy in zip(epochs, accuracies.tolist(), strict=True):
        trial = Trial(number, proposal.code, epoch, 0, "ok", 1.0 - accuracy, 1.0)
        if epoch < epochs[-1] and strategy.report(trial, epoch, 1.0 - accuracy) is Verdict.STOP:
            trial.status = "stopped"
            break
    strategy.tell([trial])
    return epoch


def line(slope):
    """Accuracies on a straight line from 0.1."""
    return 0.1 + slope * np.arange(len(EPOCHS))


def learn_lines(strategy, n=30, seed=0):
    """Train ``n`` straight curves of slopes in [0, 0.06] to the end."""
    for slope in np.random.default_rng(seed).uniform(0.0, 0.06, size=n):
        assert train(strategy, line(slope)) == 10


@pytest.mark.parametrize("tau", [1, 2, 3, 9])
def test_features_are_accuracies_and_their_differences(tau):
    curves = np.random.default_rng(0).random((4, tau))
    features = curve_features(curves)
    assert features.shape == (4, max(1, 3 * tau - 3))
    if tau == 9:
        assert features[:, 9] == pytest.approx(curves[:, 1] - curves[:, 0])
        assert features[:, 17] == pytest.approx(curves[:, 2] - 2 * curves[:, 1] + curves[:, 0])


def test_architecture_and_known_costs_are_features():
    strategy = baker_stop(costs={"parameters": lambda code: 100.0 + sum(code), "macs": lambda code: 7.0})
    features = strategy._features([(0, 1, 2)], np.array([[0.25, 0.5]]))
    assert features[0].tolist() == [0.25, 0.5, 0.25, 1, 0, 0, 0, 1, 0, 0, 0, 1, 103.0, 7.0]
    assert baker_stop()._features([(0, 1, 2)], np.array([[0.25, 0.5]])).shape == (1, 12)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_straight_curves_are_predicted_without_error(kernel, rng):
    slopes = rng.uniform(0.0, 0.06, size=60)
    curves = 0.1 + slopes[:, None] * np.arange(10)
    model = CurveRegression(
        curve_features(curves[:50, :3]), curves[:50, -1], kernel=kernel, draws=20, rng=rng
    )
    errors = [model.predict(curve_features(curve[None, :3])) - curve[-1] for curve in curves[50:]]
    assert np.abs(errors).max() < 0.02  # of a range of 0.54
    assert model.sigma < 0.02


def test_deviation_is_that_of_the_noise(rng):
    features = rng.normal(size=(100, 1))
    finals = 0.5 + 0.1 * features[:, 0] + 0.03 * rng.normal(size=100)
    model = CurveRegression(features, finals, kernel="linear", draws=10, rng=rng)
    assert model.sigma == pytest.approx(0.03, rel=0.25)


def test_equal_ends_are_predicted_with_little_doubt(rng):
    model = CurveRegression(rng.random((10, 2)), np.full(10, 0.75), kernel="rbf", draws=3, rng=rng)
    assert model.predict(np.array([[0.5, 0.5]])) == pytest.approx(0.75)
    assert 0 < model.sigma < 1e-3


def test_hopeless_training_stops_once_enough_were_trained_fully():
    strategy = baker_stop(startup=30)
    learn_lines(strategy, 29)
    assert train(strategy, line(0.0)) == 10
    assert train(strategy, line(0.0)) < 5


def test_best_training_goes_on():
    # Linear: an rbf falls back to the mean beyond what it saw. From 3: the first point tells nothing here.
    strategy = baker_stop(startup=30, kernel="linear", every=3)
    learn_lines(strategy)
    assert train(strategy, line(0.065)) == 10


def test_wrapped_strategy_hears_where_the_curve_would_have_ended():
    heard = []
    strategy = baker_stop(startup=30, every=4)
    strategy._inner.tell = heard.extend
    learn_lines(strategy)
    assert train(strategy, line(0.02)) == 4
    assert 1.0 - heard[-1].valid_error == pytest.approx(0.28, abs=0.03)


def test_full_confidence_never_stops():
    strategy = baker_stop(startup=30, confidence=1.0)
    learn_lines(strategy)
    assert train(strategy, line(0.0)) == 10


def test_more_confidence_stops_no_earlier():
    stopped = []
    for confidence in (0.5, 0.95, 0.9999):
        strategy = baker_stop(startup=30, confidence=confidence)
        noise = np.random.default_rng(3).normal(size=(40, 10)) * 0.05
        slopes = np.random.default_rng(4).uniform(0.0, 0.06, size=40)
        curves = np.clip(0.1 + slopes[:, None] * np.arange(10) + noise, 0.0, 1.0)
        stopped.append([train(strategy, curve) for curve in curves][30:])
    assert np.mean(stopped[0]) <= np.mean(stopped[1]) <= np.mean(stopped[2])
    assert np.mean(stopped[0]) < np.mean(stopped[2])


def test_models_are_fitted_again_when_the_trainings_have_doubled():
    strategy = baker_stop(startup=6, confidence=1.0, every=5)
    n_trained = []
    for slope in np.linspace(0.0, 0.06, 14):
        train(strategy, line(slope))
        n_trained.append(strategy._models[5].n_trained if 5 in strategy._models else 0)
    assert n_trained == [0] * 6 + [6] * 6 + [12] * 2


def test_failed_and_stopped_trainings_are_not_learnt_from():
    strategy = baker_stop()
    strategy.ask(2)
    code = (0, 0, 0)
    for number in (0, 1):
        strategy.report(Trial(number, code, 1, 0, "ok", 0.5, 1.0), 1, 0.5)
    strategy.tell([Trial(0, code, 1, 0, "failed", None, 1.0), Trial(1, code, 1, 0, "stopped", 0.5, 1.0)])
    assert strategy._full == []


@pytest.mark.slow
def test_it_saves_epochs_on_recorded_curves_and_keeps_the_best():
    table = find_table("digits-nb201")
    curves = 1.0 - np.asarray(table.column("valid_error"), dtype=float)[:, 0, :]
    spent, kept = [], []
    for seed in range(10):
        strategy = baker_stop(table.epochs)
        rows = np.random.default_rng(seed).integers(0, len(curves), size=150)
        epochs = [train(strategy, curves[row], table.epochs) for row in rows]
        spent.append(np.mean(epochs) / table.epochs[-1])
        ends = curves[rows, -1]
        kept.append(ends[np.array(epochs) == table.epochs[-1]].max() == ends.max())
    assert np.mean(spent) < 0.7  # measured: 0.51
    assert np.mean(kept) >= 0.7  # measured: 0.9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"startup": 5}, "startup: expected a whole number >= 6, got 5"),
        ({"startup": 30.0}, "startup: expected .* got 30.0"),
        ({"confidence": 0.4}, r"confidence: expected a number in \[0.5, 1\], got 0.4"),
        ({"confidence": float("nan")}, "confidence: expected .* got nan"),
        ({"kernel": "poly"}, "kernel: expected 'rbf' or 'linear', got 'poly'"),
        ({"draws": 0}, "draws: expected a whole number >= 1, got 0"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(BadOption, match=message):
        baker_stop(**options)


def test_source_without_curves_is_refused():
    with pytest.raises(BadOption, match="several training lengths, got only 200"):
        baker_stop((200,))


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.svm", None)
    with pytest.raises(MissingExtra, match=r"pip install 'nasbench\[surrogate\]'"):
        baker_stop()


@pytest.mark.parametrize("space", [None, get_space("nb201")], ids=["toys", "nb201"])
def test_it_keeps_the_contract(space):
    assert check_strategy(BakerStop, space, n_trials=20, startup=6, draws=2, every=9) == list(RULES)
