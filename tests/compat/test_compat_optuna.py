"""A table as an objective of Optuna: recorded trainings, pruned along their recorded curves."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
from compat_configurations import configuration

from nasbench.compat.optuna import objective, search_space
from nasbench.errors import BadOption, NotMeasured, UnknownName

optuna = pytest.importorskip("optuna")


@pytest.fixture(autouse=True)
def _quiet():
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def fixed(first, last="16"):
    return optuna.trial.FixedTrial(configuration(first, last))


class Impatient(optuna.pruners.BasePruner):
    """Prunes everything at the second report."""

    def prune(self, study, trial):
        return len(trial.intermediate_values) == 2


def asked(study, first, last="16"):
    study.enqueue_trial(configuration(first, last))
    return study.ask()


def test_search_space_has_each_decision_by_name(gapped):
    space = search_space(gapped)
    assert list(space) == ["first", "stem", "last"]
    assert space["first"].choices == ("conv", "pool", "skip")
    assert space["stem"].single()
    trial = optuna.create_study().ask(search_space(str(gapped.path)))
    assert set(trial.params) == {"first", "stem", "last"}


def test_a_trial_is_answered_by_one_recorded_training(gapped):
    for replicate in (0, 1):
        trial = fixed("conv")
        assert objective(gapped, replicate=replicate)(trial) == (3 + 3 * replicate) / 64
        assert trial.user_attrs == {
            "architecture": "conv:fixed:16",
            "replicate": replicate,
            "epochs": 4,
            "train_seconds": 4.0,
        }
    assert objective(gapped, replicate=0, epochs=2)(fixed("conv")) == 2 / 64


def test_a_training_is_drawn_among_those_recorded_and_visits_differ(gapped):
    asked = objective(gapped)
    assert {asked(fixed("conv")) for _ in range(40)} == {3 / 64, 6 / 64}
    assert {asked(fixed("conv", "32")) for _ in range(10)} == {9 / 64}
    again = objective(gapped)
    once = objective(gapped)
    assert [again(fixed("conv")) for _ in range(20)] == [once(fixed("conv")) for _ in range(20)]
    other = [objective(gapped, seed=seed)(fixed("conv")) for seed in range(20)]
    assert len(set(other)) == 2


def test_a_missing_repeat_is_refused_and_not_filled_in(gapped):
    with pytest.raises(
        NotMeasured, match=r"holds valid_error of conv:fixed:32 at 4 epochs for 0, got 1. Nothing is"
    ):
        objective(gapped, replicate=1)(fixed("conv", "32"))


def test_reports_follow_the_recorded_curve(gapped):
    study = optuna.create_study(direction="minimize")
    study.enqueue_trial(configuration("conv"))
    study.optimize(objective(gapped, replicate=0), n_trials=1)
    assert study.trials[0].intermediate_values == {1: 1 / 64, 2: 2 / 64}
    assert study.trials[0].value == 3 / 64


def test_a_hole_in_a_curve_is_not_reported(gapped):
    study = optuna.create_study()
    study.enqueue_trial(configuration("pool"))
    study.optimize(objective(gapped, replicate=1), n_trials=1)
    assert study.trials[0].intermediate_values == {1: 16 / 64}


def test_a_pruned_trial_cost_what_it_trained(gapped):
    study = optuna.create_study(pruner=Impatient())
    study.enqueue_trial(configuration("conv"))
    study.optimize(objective(gapped, replicate=0), n_trials=1)
    (trial,) = study.trials
    assert trial.state == optuna.trial.TrialState.PRUNED
    assert (trial.user_attrs["epochs"], trial.user_attrs["train_seconds"]) == (2, 2.0)


def test_a_failed_training_is_a_failed_trial_that_cost_its_time(gapped):
    study = optuna.create_study()
    study.enqueue_trial(configuration("pool", "32"))
    study.optimize(objective(gapped, replicate=0), n_trials=1)
    (trial,) = study.trials
    assert trial.state == optuna.trial.TrialState.FAIL
    assert trial.user_attrs["train_seconds"] == 7.0
    assert trial.user_attrs["reason"] == "recorded as failed in table gaps"
    assert math.isnan(objective(gapped)(fixed("skip")))


def test_what_the_table_does_not_hold_is_pruned_with_its_reason(gapped):
    study = optuna.create_study()
    study.enqueue_trial(configuration("skip", "32"))
    study.optimize(objective(gapped), n_trials=1)
    (trial,) = study.trials
    assert trial.state == optuna.trial.TrialState.PRUNED
    assert trial.user_attrs["reason"].startswith("architecture: table gaps holds 5 of the 6")


def test_the_test_split_is_the_metric_only_by_its_name(gapped):
    trial = fixed("conv")
    assert objective(gapped, replicate=0)(trial) == 3 / 64
    assert not any("test" in name for name in trial.user_attrs)
    assert objective(gapped, replicate=0, metric="test_error")(fixed("conv")) == 3 / 64 + 1 / 128


def test_what_a_table_does_not_have_is_refused_at_once(gapped):
    with pytest.raises(
        NotMeasured, match="metric: table gaps holds test_error, train_seconds, valid_error, got 'ac"
    ):
        objective(gapped, metric="accuracy")
    with pytest.raises(NotMeasured, match="epochs: table gaps holds 1, 2 and 4, got 3"):
        objective(gapped, epochs=3)
    with pytest.raises(BadOption, match="replicate: expected a whole number >= 0 or None, got -1"):
        objective(gapped, replicate=-1)
    with pytest.raises(UnknownName, match="no table is named 'no-such-table'"):
        objective("no-such-table")


def test_a_copy_travels_as_the_name_of_its_file(gapped):
    made = objective(gapped, metric="test_error", epochs=2, replicate=1, seed=4)
    again = copy.deepcopy(made)
    assert again.table is not made.table
    assert again(fixed("conv")) == made(fixed("conv"))


def test_a_study_finds_a_good_cell_of_nas_bench_201(nb201_table):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    study.optimize(objective(nb201_table), n_trials=60)
    best = nb201_table.query(
        nb201_table.space.parse(study.best_trial.user_attrs["architecture"]),
        epochs=200,
        replicate=study.best_trial.user_attrs["replicate"],
    )
    assert study.best_value == best.valid_error
    assert study.best_value < np.median([trial.value for trial in study.trials])
