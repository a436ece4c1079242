"""A table behind the face of a Syne Tune blackbox: recorded trainings, and nothing that was not recorded."""

from __future__ import annotations

import copy
import logging

import numpy as np
import pytest
from compat_configurations import configuration

from nasbench.compat.syne_tune import blackbox
from nasbench.errors import BadOption, NotInSpace, NotMeasured, UnknownName
from nasbench.spaces import get_space
from nasbench.store.data import TableData
from nasbench.store.info import TableInfo
from nasbench.store.writer import write_tables

pytest.importorskip("syne_tune")


def test_spaces_are_those_of_the_table(gapped):
    made = blackbox(gapped)
    assert list(made.configuration_space) == ["first", "stem", "last"]
    assert made.configuration_space["first"].categories == ["conv", "pool", "skip"]
    assert made.configuration_space["stem"].categories == ["fixed"]
    assert (made.fidelity_space["epochs"].lower, made.fidelity_space["epochs"].upper) == (1, 4)
    assert made.fidelity_values.tolist() == [1, 2, 4]
    assert (made.num_fidelities, made.num_seeds, made.fidelity_name()) == (3, 2, "epochs")
    assert made.objectives_names == ["valid_error", "train_seconds"]
    assert made.directions == {"valid_error": "minimize", "train_seconds": "minimize"}


def test_a_seed_is_that_very_training(gapped):
    made = blackbox(gapped)
    for seed in (0, 1):
        assert made(configuration("conv"), 4, seed=seed) == {
            "valid_error": (3 + 3 * seed) / 64,
            "train_seconds": 4.0,
        }
        assert made(configuration("conv"), {"epochs": 2}, seed)["valid_error"] == (2 + 3 * seed) / 64
    curve = made.objective_function(configuration("conv"), seed=1)
    np.testing.assert_array_equal(curve, [[4 / 64, 1], [5 / 64, 2], [6 / 64, 4]])


def test_one_answer_is_one_training(gapped):
    """NASLib's NAS-Bench-101 draws another repeat for each number of one evaluation."""
    made = blackbox(gapped, objectives=["valid_error", "test_error", "train_seconds"])
    for seed in range(30):
        drawn = blackbox(gapped, objectives=made.objectives_names, seed=seed)(configuration("conv"), 4)
        assert drawn in [made(configuration("conv"), 4, seed=replicate) for replicate in (0, 1)]


def test_a_missing_seed_is_refused_and_not_filled_in(gapped):
    """Syne Tune's own NAS-Bench-201 fills a missing seed with the mean of the others."""
    made = blackbox(gapped)
    assert made(configuration("conv", "32"), 4, seed=0)["valid_error"] == 9 / 64
    with pytest.raises(
        NotMeasured, match=r"expected a training 1 of conv:fixed:32 in table gaps, at 4 epochs"
    ):
        made(configuration("conv", "32"), 4, seed=1)
    with pytest.raises(
        NotMeasured, match=r"expected a training 2 of conv:fixed:16 .* numbers them from 0 to 1"
    ):
        made(configuration("conv"), 4, seed=2)


def test_a_hole_in_a_curve_stays_a_hole(gapped):
    made = blackbox(gapped)
    assert made(configuration("pool"), 4, seed=1)["valid_error"] == 18 / 64
    with pytest.raises(
        NotMeasured, match="at 2 epochs, got none: it failed or was not recorded, and nothing is"
    ):
        made(configuration("pool"), 2, seed=1)
    with pytest.raises(NotMeasured, match="at each of 1, 2 and 4 epochs"):
        made(configuration("pool"), seed=1)


def test_without_a_seed_one_complete_training_answers_every_time(gapped):
    made = blackbox(gapped)
    answers = {made(configuration("conv"), 4)["valid_error"] for _ in range(50)}
    assert len(answers) == 1
    other = {blackbox(gapped, seed=seed)(configuration("conv"), 4)["valid_error"] for seed in range(50)}
    assert other == {3 / 64, 6 / 64}
    for seed in range(20):  # the one with a hole, and the failed one, are never drawn
        assert blackbox(gapped, seed=seed)(configuration("pool"), 4)["valid_error"] == 15 / 64
        assert blackbox(gapped, seed=seed)(configuration("pool", "32"), 4)["valid_error"] == 24 / 64


def test_architectures_without_a_complete_training_are_left_out(gapped):
    made = blackbox(gapped)
    assert made.left_out == 1
    assert made.all_configurations() == [
        configuration("conv"),
        configuration("conv", "32"),
        configuration("pool"),
        configuration("pool", "32"),
    ]
    with pytest.raises(
        NotMeasured, match=r"expected a training of skip:fixed:16 .* valid_error, train_seconds at"
    ):
        made(configuration("skip"), 4)
    with pytest.raises(NotMeasured, match="architecture: table gaps holds 5 of the 6"):
        made(configuration("skip", "32"), 4)


def test_the_length_that_is_asked_for_answers(gapped):
    """Other benchmarks accept a fidelity and answer for another, or for all of it."""
    made = blackbox(gapped)
    answers = [made(configuration("conv"), length, seed=0) for length in (1, 2, 4)]
    assert [answer["valid_error"] for answer in answers] == [1 / 64, 2 / 64, 3 / 64]
    assert [answer["train_seconds"] for answer in answers] == [1.0, 2.0, 4.0]


def test_fewer_lengths_leave_fewer_out(gapped):
    made = blackbox(gapped, epochs=[4, 1])
    assert made.fidelity_values.tolist() == [1, 4]
    answers = {
        blackbox(gapped, epochs=[1, 4], seed=seed)(configuration("pool"), 4)["valid_error"]
        for seed in range(30)
    }
    assert answers == {15 / 64, 18 / 64}


def test_frames_have_a_row_for_each_recorded_training_only(gapped):
    x, y = blackbox(gapped).hyperparameter_objectives_values()
    # 5 x 2 x 3 cells, less 3 of the missing repeat, 1 hole, 2 of one failed training and 6 of the others
    assert len(x) == len(y) == 30 - 3 - 1 - 2 - 6
    assert list(x.columns) == ["first", "stem", "last", "epochs"]
    assert not y.isna().any().any()
    made = blackbox(gapped)
    of_first = y[(x["first"] == "conv") & (x["last"] == "16") & (x["epochs"] == 2)]
    assert of_first["valid_error"].tolist() == [2 / 64, 5 / 64]
    curves_x, curves_y = made.hyperparameter_objectives_values(predict_curves=True)
    assert list(curves_x.columns) == ["first", "stem", "last"]
    assert curves_y.shape == (5, 6)  # complete trainings: 2, 1, 1, 1 and none
    assert curves_y.iloc[0].tolist() == [1 / 64, 1, 2 / 64, 2, 3 / 64, 4]


def test_the_test_split_is_an_objective_only_by_its_name(gapped):
    """NASLib, HPOBench and Syne Tune search NAS-Bench-201 by its test numbers."""
    assert "test_error" not in blackbox(gapped)(configuration("conv"), 4)
    made = blackbox(gapped, objectives=["valid_error", "test_error"])
    answer = made(configuration("conv"), 4, seed=0)
    assert answer == {"valid_error": 3 / 64, "test_error": 3 / 64 + 1 / 128}


def test_the_better_direction_comes_from_the_table(gapped):
    """Syne Tune's own pages flip signs for benchmarks on a list of names."""
    names = [*gapped.metrics, "parameters"]
    assert blackbox(gapped, objectives=names).directions == dict.fromkeys(names, "minimize")


def test_scalars_are_objectives_of_every_length(gapped):
    made = blackbox(gapped, objectives=["valid_error", "parameters", "rank"])
    assert made.directions == {"valid_error": "minimize", "parameters": "minimize", "rank": "none"}
    assert made(configuration("pool"), 1, seed=0)["parameters"] == 12.0


def test_the_longest_length_may_be_a_key_of_the_space(gapped):
    made = blackbox(gapped)
    assert made.configuration_space_with_max_resource_attr("longest")["longest"] == 4
    with pytest.raises(
        BadOption, match="max_resource_attr: expected a name that no decision has, got 'last'"
    ):
        made.configuration_space_with_max_resource_attr("last")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"first": "conv"}, "expected the decisions first, stem, last, got first"),
        ({**configuration("conv"), "more": 1}, "got first, stem, last, more"),
        (configuration("dense"), "decision 'first' takes conv, pool, skip, got 'dense'"),
    ],
)
def test_what_is_no_configuration_is_refused(gapped, given, message):
    with pytest.raises(NotInSpace, match=message):
        blackbox(gapped)(given, 4)


def test_lengths_that_are_not_there_are_refused(gapped):
    made = blackbox(gapped)
    with pytest.raises(NotMeasured, match="fidelity: blackbox of table gaps holds 1, 2 and 4 epochs, got 3"):
        made(configuration("conv"), 3)
    with pytest.raises(NotMeasured, match="got 'long'"):
        made(configuration("conv"), "long")
    with pytest.raises(BadOption, match="fidelity: expected 'epochs', got hp_epoch"):
        made(configuration("conv"), {"hp_epoch": 4})


def test_what_a_table_does_not_have_is_refused_at_once(gapped):
    with pytest.raises(
        BadOption, match="objectives: table gaps holds test_error, train_seconds, valid_error, par"
    ):
        blackbox(gapped, objectives=["accuracy"])
    with pytest.raises(
        BadOption, match="objectives: expected a list of curves or scalars, got 'valid_error'"
    ):
        blackbox(gapped, objectives="valid_error")
    with pytest.raises(BadOption, match="epochs: table gaps holds 1, 2 and 4, got 3"):
        blackbox(gapped, epochs=[3, 4])
    with pytest.raises(UnknownName, match="no table is named 'no-such-table'"):
        blackbox("no-such-table")


def test_a_table_without_any_complete_training_is_refused(tmp_path):
    valid = np.array([[[0.5, np.nan]], [[0.25, np.nan]]])
    curves = {"valid_error": valid, "train_seconds": np.array([[[1.0, np.nan]], [[1.0, np.nan]]])}
    info = TableInfo("nb201", "d", "desk", "cpu", "CC0", "a test")
    codes = get_space("nb201").unrank([0, 1])
    write_tables(tmp_path / "t.h5", [TableData("t", info, codes, (1, 2), curves)])
    with pytest.raises(
        NotMeasured, match="holds no training with valid_error, train_seconds at 1 and 2 epochs"
    ):
        blackbox(str(tmp_path / "t.h5"))
    assert blackbox(str(tmp_path / "t.h5"), epochs=[1]).left_out == 0


def test_forbidden_values_are_refused_or_repaired(tmp_path):
    space = get_space("nas-bench-graph")
    codes = space.canonical(np.array([space.parse("0000|skip|skip|skip|gat")]))
    info = TableInfo("nas-bench-graph", "d", "desk", "cpu", "CC0", "a test", rows_answer_for="class")
    curves = {"valid_error": np.full((1, 1, 1), 0.5), "train_seconds": np.full((1, 1, 1), 3.0)}
    write_tables(tmp_path / "t.h5", [TableData("t", info, codes, (1,), curves)])
    only_skips = {"links": "0000", **{f"operation {i}": "skip" for i in range(1, 5)}}
    with pytest.raises(NotInSpace, match="expected at least one operation besides skip"):
        blackbox(str(tmp_path / "t.h5"))(only_skips, 1)
    assert blackbox(str(tmp_path / "t.h5"), repair=True)(only_skips, 1)["valid_error"] == 0.5


def test_a_copy_travels_as_the_name_of_its_file(gapped):
    made = blackbox(gapped, objectives=["test_error"], epochs=[2, 4], seed=3, repair=True)
    again = copy.deepcopy(made)
    assert again.table is not made.table
    assert again.objectives_names == ["test_error"]
    assert again(configuration("conv"), 4) == made(configuration("conv"), 4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_syne_tunes_own_table_gives_the_same_answers(nb201_table):
    """On what is complete, the face is that of BlackboxTabular."""
    tabular = pytest.importorskip("syne_tune.blackbox_repository.blackbox_tabular", exc_type=ImportError)
    made = blackbox(nb201_table)
    configurations = made.all_configurations()[::500]
    x, _ = made.hyperparameter_objectives_values()
    rows = nb201_table.rows(np.array([made.code_of(c) for c in configurations], dtype=np.int8))
    frame = x.iloc[rows].drop(columns="epochs").reset_index(drop=True)
    values = np.stack([nb201_table.column(m)[rows][:, :2] for m in made.objectives_names], axis=3)
    theirs = tabular.BlackboxTabular(
        frame,
        made.configuration_space,
        made.fidelity_space,
        values,
        made.fidelity_values,
        made.objectives_names,
    )
    for given in configurations:
        for seed in (0, 1):
            assert made(given, 200, seed) == theirs(given, 200, seed)
            np.testing.assert_array_equal(made(given, seed=seed), theirs(given, seed=seed))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["asha", "random-search"])
def test_syne_tunes_simulator_runs_on_it(name, tmp_path, monkeypatch):
    monkeypatch.setenv("SYNETUNE_FOLDER", str(tmp_path))
    repository = pytest.importorskip("syne_tune.blackbox_repository", exc_type=ImportError)
    from syne_tune import StoppingCriterion, Tuner
    from syne_tune.backend.simulator_backend.simulator_callback import SimulatorCallback
    from syne_tune.experiments import load_experiment
    from syne_tune.optimizer.baselines import ASHA, RandomSearch

    logging.getLogger("syne_tune").setLevel(logging.CRITICAL)
    made = blackbox("digits-nb201")
    if name == "asha":
        scheduler = ASHA(
            made.configuration_space, metric="valid_error", time_attr="epochs", max_t=20, random_seed=1
        )
    else:
        scheduler = RandomSearch(made.configuration_space, metrics=["valid_error"], random_seed=1)
    tuner = Tuner(
        trial_backend=repository.UserBlackboxBackend(made, elapsed_time_attr="train_seconds"),
        scheduler=scheduler,
        stop_criterion=StoppingCriterion(max_num_trials_finished=50),
        n_workers=4,
        sleep_time=0,
        callbacks=[SimulatorCallback()],
        tuner_name=name,
    )
    tuner.run()
    results = load_experiment(tuner.name).results
    assert results.trial_id.nunique() >= 50
    longest = results.groupby("trial_id").epochs.max()
    assert (longest < 20).any() == (name == "asha")
    for _, row in results.iloc[::29].iterrows():
        given = {decision.name: row[f"config_{decision.name}"] for decision in made.table.space.decisions}
        assert row.valid_error == made(given, int(row.epochs))["valid_error"]


def test_syne_tunes_surrogates_are_fitted_on_it(gapped):
    repository = pytest.importorskip("syne_tune.blackbox_repository", exc_type=ImportError)
    neighbors = pytest.importorskip("sklearn.neighbors")
    made = blackbox(gapped)
    surrogate = repository.add_surrogate(made, neighbors.KNeighborsRegressor(n_neighbors=1))
    np.testing.assert_allclose(
        surrogate(configuration("conv", "32")), made(configuration("conv", "32"), seed=0), rtol=1e-6
    )
