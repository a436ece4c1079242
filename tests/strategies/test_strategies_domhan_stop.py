"""Extrapolation stops what will hardly become the best, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption, UnknownName
from nasbench.records import Trial, Verdict
from nasbench.spaces import get_space
from nasbench.strategies.domhan_stop import DomhanStop, flat_beginning
from nasbench.strategies.strategy import Setting
from nasbench.testing import check_strategy, toy_space
from nasbench.testing.strategy import RULES

EPOCHS = tuple(range(1, 21))
CHEAP = {"families": ["ilog2", "pow3"], "walkers": 6, "steps": 2, "burn_in": 1, "every": 13}
X = np.array(EPOCHS) * 5.0


def domhan_stop(epochs=EPOCHS, **options):
    return DomhanStop(toy_space(), rng=np.random.default_rng(7), setting=Setting(epochs=epochs), **options)


def power_law(end, noise_seed=0):
    """A noisy curve that ends near ``end``."""
    noise = np.random.default_rng(noise_seed).normal(size=len(X))
    return np.clip(end + 0.05 - 0.8 * X**-0.6 + 0.005 * noise, 0.0, 1.0)


def train(strategy, accuracies):
    """Ask one trial, train it as long as the strategy lets it, tell it; return the epochs trained."""
    (proposal,) = strategy.ask(1)
    number = strategy._proposed - 1
    for epoch, accuracy in zip(EPOCHS, accuracies.tolist(), strict=True):
        trial = Trial(number, proposal.code, epoch, 0, "ok", 1.0 - accuracy, 1.0)
        if epoch < EPOCHS[-1] and strategy.report(trial, epoch, 1.0 - accuracy) is Verdict.STOP:
            trial.status = "stopped"
            break
    strategy.tell([trial])
    return epoch


def test_hopeless_training_is_stopped_early():
    strategy = domhan_stop()
    assert train(strategy, power_law(0.9)) == 20
    assert train(strategy, power_law(0.6, 1)) <= 10


def test_promising_training_goes_on():
    strategy = domhan_stop()
    train(strategy, power_law(0.7))
    assert train(strategy, power_law(0.85, 1)) == 20


def test_wrapped_strategy_hears_where_the_curve_would_have_ended():
    heard = []
    strategy = domhan_stop(every=12)
    strategy._inner.tell = heard.extend
    train(strategy, power_law(0.9))
    assert train(strategy, power_law(0.6, 1)) == 12
    assert heard[1].status == "stopped"
    assert 1.0 - heard[1].valid_error == pytest.approx(0.6, abs=0.04)


def test_nothing_is_stopped_before_a_first_full_training():
    assert train(domhan_stop(**CHEAP), np.full(20, 0.01)) == 20


def test_curve_that_was_above_the_best_is_never_stopped():
    strategy = domhan_stop(threshold=1.0, every=1)
    train(strategy, power_law(0.5))
    falling = np.concatenate([[0.2, 0.6], np.linspace(0.2, 0.0, 18)])
    assert train(strategy, falling) == 20


def test_fewer_than_five_points_are_never_judged():
    strategy = domhan_stop(threshold=1.0, every=1)
    train(strategy, power_law(0.9))
    assert train(strategy, power_law(0.1, 1)) == 5


def test_threshold_of_nought_never_stops():
    strategy = domhan_stop(threshold=0.0, **CHEAP)
    train(strategy, power_law(0.9))
    assert train(strategy, np.full(20, 0.01)) == 20


def test_rule_draws_from_a_stream_of_its_own():
    plain, stopping = domhan_stop(threshold=0.0), domhan_stop(threshold=0.5)
    codes = [[], []]
    for strategy, kept in zip((plain, stopping), codes, strict=True):
        for end in (0.9, 0.5, 0.6):
            train(strategy, power_law(end))
            kept.append(strategy.ask(3))
    assert codes[0] == codes[1]


@pytest.mark.parametrize(
    ("accuracies", "cut"),
    [
        ([0.1] * 12, 0),
        ([0.1] * 6 + [0.2] * 6, 6),
        ([0.1] * 6 + [0.2] * 5, 0),  # the last stretch of five is never a beginning
        ([0.1] * 3 + [0.2] * 4 + [0.1] + [0.2] * 6, 8),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], 1),
        ([0.1, 0.3], 0),
    ],
)
def test_flat_beginning_ends_where_five_points_have_risen(accuracies, cut):
    assert flat_beginning(accuracies) == cut


def test_time_after_a_flat_beginning_is_counted_from_its_end(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "nasbench.strategies.domhan_stop.extrapolate", lambda x, y, **options: seen.append((x, y))
    )
    strategy = domhan_stop(every=12)
    train(strategy, power_law(0.9))
    train(strategy, np.array([0.1] * 5 + [0.3] * 15))
    ((x, y),) = seen
    assert y == pytest.approx([0.3] * 7)
    assert x == pytest.approx(100.0 * np.arange(1, 8) / 15)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": -0.1}, r"threshold: expected a number in \[0, 1\], got -0.1"),
        ({"threshold": float("nan")}, "threshold: expected .* got nan"),
        ({"walkers": 7}, "walkers: expected an even whole number >= 4, got 7"),
        ({"walkers": 2}, "walkers: expected .* got 2"),
        (
            {"steps": 3, "burn_in": 3},
            "burn_in, steps: expected whole numbers 0 <= burn_in < steps, got 3 and 3",
        ),
        ({"steps": 3.0}, "burn_in, steps: expected .* got 3 and 3.0"),
        ({"burn_in": -1}, "burn_in, steps: expected .* got -1 and 10"),
        ({"families": []}, r"families: expected a list of names, got \[\]"),
        ({"families": "pow3"}, "families: expected a list of names, got 'pow3'"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(BadOption, match=message):
        domhan_stop(**options)


def test_unknown_family_is_refused_with_the_near_ones():
    with pytest.raises(UnknownName, match=r"no curve family is named 'pow5'\. Did you mean"):
        domhan_stop(families=["pow5"])


@pytest.mark.parametrize(
    ("epochs", "message"),
    [
        ((200,), "several training lengths, got only 200"),
        ((4, 12, 36, 108), "measures more than 5 training lengths"),
    ],
)
def test_source_without_curves_is_refused(epochs, message):
    with pytest.raises(BadOption, match=message):
        domhan_stop(epochs)


@pytest.mark.parametrize("space", [None, get_space("nb201")], ids=["toys", "nb201"])
def test_it_keeps_the_contract(space):
    assert check_strategy(DomhanStop, space, n_trials=10, **CHEAP) == list(RULES)
