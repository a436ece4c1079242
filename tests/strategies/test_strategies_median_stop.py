"""The median rule compares the best so far with the others' running averages, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.records import Trial, Verdict
from nasbench.spaces import get_space
from nasbench.store.bundled import find_table
from nasbench.strategies.median_stop import MedianStop
from nasbench.strategies.strategy import Setting
from nasbench.testing import check_strategy, toy_space
from nasbench.testing.strategy import RULES

SETTING = Setting(epochs=(1, 2, 3, 4))


def median_stop(setting=SETTING, **options):
    return MedianStop(toy_space(), rng=np.random.default_rng(7), setting=setting, **options)


def train(strategy, accuracies, epochs=SETTING.epochs):
    """Ask one trial, train it as long as the strategy lets it, tell it; return the epochs trained."""
    (proposal,) = strategy.ask(1)
    number = strategy._proposed - 1
    for epoch, accuracy in zip(epochs, accuracies, strict=True):
        trial = Trial(number, proposal.code, epoch, 0, "ok", 1.0 - accuracy, 1.0)
        if epoch < epochs[-1] and strategy.report(trial, epoch, 1.0 - accuracy) is Verdict.STOP:
            trial.status = "stopped"
            break
    strategy.tell([trial])
    return epoch


def test_training_below_the_median_of_running_averages_stops():
    strategy = median_stop(startup=3)
    for last in (0.4, 0.6, 0.8):
        assert train(strategy, [0.2, last, 0.8, 0.9]) == 4
    # Running averages after 2 epochs: 0.3, 0.4, 0.5; their median is 0.4.
    assert train(strategy, [0.2, 0.39, 0.9, 0.9]) == 2


def test_best_of_a_curve_counts_and_ties_go_on():
    strategy = median_stop(startup=3)
    for last in (0.4, 0.6, 0.8):
        train(strategy, [0.25, last, 0.5, 0.5])
    assert train(strategy, [0.5, 0.0, 0.5, 0.5]) == 4
    assert train(strategy, [0.25, 0.5, 0.5, 0.5]) == 4


def test_nothing_stops_before_enough_others_came_as_far():
    strategy = median_stop(startup=3)
    assert [train(strategy, [0.9, 0.9, 0.9, 0.9]), train(strategy, [0.8, 0.8, 0.8, 0.8])] == [4, 4]
    assert train(strategy, [0.0, 0.0, 0.0, 0.0]) == 4
    assert train(strategy, [0.0, 0.0, 0.0, 0.0]) == 1


def test_stopped_trainings_count_up_to_where_they_came():
    strategy = median_stop(startup=1)
    train(strategy, [0.5, 0.5, 0.5, 0.5])
    assert train(strategy, [0.25, 0.5, 0.5, 0.5]) == 1
    assert [len(averages) for averages in strategy._averages] == [2, 1, 1, 1]


def test_wrapped_strategy_hears_the_best_error_so_far():
    heard = []
    strategy = median_stop(startup=1, every=3)
    strategy._inner.tell = heard.extend
    train(strategy, [0.5, 0.5, 0.5, 0.5])
    train(strategy, [0.25, 0.375, 0.125, 0.5])
    assert [(trial.status, trial.valid_error) for trial in heard] == [("ok", 0.5), ("stopped", 0.625)]


def test_it_saves_epochs_on_recorded_curves_and_keeps_the_best():
    table = find_table("digits-nb201")
    curves = 1.0 - np.asarray(table.column("valid_error"), dtype=float)[:, 0, :]
    spent, kept = [], []
    for seed in range(10):
        strategy = median_stop(Setting(epochs=table.epochs))
        rows = np.random.default_rng(seed).integers(0, len(curves), size=150)
        epochs = [train(strategy, curves[row].tolist(), table.epochs) for row in rows]
        spent.append(np.mean(epochs) / table.epochs[-1])
        ends = curves[rows, -1]
        kept.append(ends[np.array(epochs) == table.epochs[-1]].max() == ends.max())
    assert np.mean(spent) < 0.7  # measured: 0.56
    assert np.mean(kept) >= 0.7  # measured: 0.9


@pytest.mark.parametrize("startup", [0, 2.5, True, None])
def test_wrong_startup_is_refused(startup):
    with pytest.raises(BadOption, match="startup: expected a whole number >= 1, got"):
        median_stop(startup=startup)


def test_source_without_curves_is_refused():
    with pytest.raises(BadOption, match="several training lengths, got only 200"):
        median_stop(Setting(epochs=(200,)))


@pytest.mark.parametrize("space", [None, get_space("nb201")], ids=["toys", "nb201"])
def test_it_keeps_the_contract(space):
    assert check_strategy(MedianStop, space, n_trials=30) == list(RULES)
    assert check_strategy(MedianStop, space, n_trials=30, strategy="regularized-evolution", every=4) == list(
        RULES
    )
