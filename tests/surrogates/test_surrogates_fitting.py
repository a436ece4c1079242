"""A fitted surrogate predicts what was planted, says how sure it is, and refuses what it cannot know."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from surrogate_tables import planted_errors

from nasbench.errors import BadOption, NotInSpace, NotMeasured
from nasbench.spaces import get_space
from nasbench.store.data import Provenance
from nasbench.surrogates.fitting import fit_surrogate

SPACE = get_space("nb201")


@pytest.fixture(scope="module")
def linear(planted):
    return fit_surrogate(planted, model="linear", seed=1)


@pytest.fixture(scope="module")
def others():
    return SPACE.sample(500, rng=np.random.default_rng(9))


def test_it_predicts_errors_that_no_row_had(linear, others):
    predicted = linear.predict(others)
    error = predicted.errors["valid_error"].mean[:, 0] - planted_errors(others)
    assert np.abs(error).mean() < 0.02
    assert set(predicted.errors) == {"valid_error", "test_error"}


def test_it_predicts_whole_curves_that_fall_as_planted(linear, others):
    curves = linear.predict(others, epochs=linear.epochs).errors["valid_error"].mean
    assert np.diff(curves, axis=1).mean(axis=0) == pytest.approx([-0.1, -0.1], abs=0.02)


def test_seconds_are_predicted_and_never_fall(linear, others):
    seconds = linear.predict(others, epochs=linear.epochs).train_seconds
    planted = (1 + (others == 3).sum(axis=1)) * 8.0
    assert np.median(np.abs(seconds[:, -1] / planted - 1)) < 0.15
    assert (np.diff(seconds, axis=1) > 0).all()


def test_noise_is_kept_apart_from_what_is_not_known(linear, others):
    spread = linear.predict(others).errors["valid_error"]
    assert spread.noise.mean() == pytest.approx(0.02, rel=0.25)
    assert spread.unknown.mean() < 0.02


def test_its_intervals_hold_for_new_trainings(linear, others, rng):
    low, high = linear.predict(others).errors["valid_error"].interval(0.9)
    new = planted_errors(others) + 0.02 * rng.standard_normal(len(others))
    inside = (low[:, 0] <= new) & (new <= high[:, 0])
    assert inside.mean() == pytest.approx(0.9, abs=0.07)
    with pytest.raises(BadOption, match=re.escape("level: expected one of 0.5, 0.8, 0.9, 0.95, got 0.7.")):
        linear.predict(others[:1]).errors["valid_error"].interval(0.7)


def test_one_by_one_equals_a_batch(linear, others):
    batch = linear.predict(others[:20]).errors["valid_error"].mean
    single = [linear.predict(others[i : i + 1]).errors["valid_error"].mean[0] for i in range(20)]
    assert np.allclose(batch, np.array(single), atol=1e-12)


def test_same_seed_gives_the_same_predictions_and_another_seed_others(planted, linear, others):
    again = fit_surrogate(planted, model="linear", seed=1).predict(others).errors["valid_error"].mean
    other = fit_surrogate(planted, model="linear", seed=2).predict(others).errors["valid_error"].mean
    first = linear.predict(others).errors["valid_error"].mean
    assert np.array_equal(again, first)
    assert not np.array_equal(other, first)


def test_a_table_without_repeats_has_no_noise(make_table, others):
    fitted = fit_surrogate(make_table(replicates=1), model="linear")
    assert fitted.noise is None
    spread = fitted.predict(others).errors["valid_error"]
    assert np.isnan(spread.noise).all()
    assert spread.interval(0.9)[1].max() <= 1.0


def test_a_row_that_answers_for_its_class_does_so_here(digits):
    fitted = fit_surrogate(digits, model="linear", rows=200)
    codes = SPACE.sample(100, rng=np.random.default_rng(0))
    classes = SPACE.canonical(codes)
    same = fitted.predict(codes).errors["valid_error"].mean
    assert np.array_equal(same, fitted.predict(classes).errors["valid_error"].mean)


def test_only_the_rows_that_it_may_see_are_used(planted):
    among = np.zeros(len(planted), dtype=bool)
    among[::2] = True
    fitted = fit_surrogate(planted, model="linear", among=among)
    assert {tuple(code) for code in fitted.fitted.tolist()} <= {tuple(c) for c in planted.codes[::2].tolist()}


def test_members_are_told_of(planted):
    told = []
    fit_surrogate(planted, model="linear", rows=60, on_member=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("options", [{"rows": 49}, {"fraction": 0.1}])
def test_too_few_rows_are_refused(planted, options):
    with pytest.raises(BadOption, match="rows: expected at least 50 architectures with whole trainings"):
        fit_surrogate(planted, model="linear", **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fraction": 0.0}, "fraction: expected a share in (0, 1], got 0.0."),
        ({"fraction": 1.5}, "fraction: expected a share in (0, 1], got 1.5."),
        ({"fraction": 0.5, "rows": 80}, "rows: expected a fraction or a number of rows, got both."),
    ],
)
def test_how_much_to_use_is_checked(planted, options, message):
    with pytest.raises(BadOption, match=re.escape(message)):
        fit_surrogate(planted, model="linear", **options)


def test_a_constant_target_is_refused(make_table, make_data):
    data = make_data(n=60)
    flat = {**data.curves, "valid_error": np.full_like(data.curves["valid_error"], 0.25)}
    with pytest.raises(
        BadOption, match=r"expected architectures with different errors, got 60 with 0\.2500 each"
    ):
        fit_surrogate(make_table(replace(data, curves=flat)), model="linear")


def test_missing_curves_are_refused_with_the_reason(make_table, make_data):
    data = make_data(n=60)
    ragged = data.curves["valid_error"].copy()
    ragged[:, :, 0] = np.nan
    with pytest.raises(
        NotMeasured, match="expected trainings with valid_error, test_error and train_seconds at all"
    ):
        fit_surrogate(
            make_table(replace(data, curves={**data.curves, "valid_error": ragged})), model="linear"
        )


def test_failed_trainings_are_left_out_and_counted(make_table, make_data):
    data = make_data(n=80)
    failed = np.zeros((80, 2), dtype=np.int8)
    failed[:5] = 1
    curves = {name: curve.copy() for name, curve in data.curves.items()}
    for name in ("valid_error", "test_error"):
        curves[name][:5] = np.nan
    fitted = fit_surrogate(make_table(replace(data, curves=curves, failed=failed)), model="linear")
    assert (fitted.card.architectures, fitted.card.left_out) == (75, 5)


def test_test_errors_that_are_not_whole_are_not_predicted(make_table, make_data):
    data = make_data(n=60)
    late = data.curves["test_error"].copy()
    late[:, :, :-1] = np.nan
    fitted = fit_surrogate(
        make_table(replace(data, curves={**data.curves, "test_error": late})), model="linear"
    )
    assert fitted.metrics == ("valid_error",)


def test_trainings_of_several_recipes_are_refused(make_table, make_data):
    data = make_data(n=60)
    rows = tuple(json.dumps({"recipe_hash": name}) for name in ("a", "b"))
    of = np.zeros((60, 2), dtype=np.int32)
    of[30:] = 1
    with pytest.raises(BadOption, match="expected trainings of one recipe, got 2 in made-up"):
        fit_surrogate(make_table(replace(data, provenance=Provenance(rows, of))), model="linear")


def test_another_space_or_recipe_is_refused(linear, planted):
    linear.require(space="nb201", recipe_hash=planted.info.recipe_hash)
    with pytest.raises(BadOption, match="space: surrogate made-up-linear predicts nb201, got darts"):
        linear.require(space="darts", recipe_hash=planted.info.recipe_hash)
    with pytest.raises(BadOption, match="recipe: surrogate made-up-linear predicts trainings by recipe"):
        linear.require(space="nb201", recipe_hash="0" * 64)


def test_what_is_no_architecture_and_no_epoch_is_refused(linear):
    with pytest.raises(NotInSpace, match="takes 0 to 4"):
        linear.predict(np.array([[0, 0, 0, 0, 0, 5]]))
    with pytest.raises(BadOption, match=r"epochs: surrogate made-up-linear predicts 2, 4, 8, got 3\."):
        linear.predict(np.array([[0, 0, 0, 0, 0, 1]]), epochs=(3,))


@pytest.mark.slow
def test_the_default_ensemble_ranks_a_real_table(digits):
    pytest.importorskip("sklearn")
    pytest.importorskip("xgboost")
    fitted = fit_surrogate(digits, rows=600)
    assert fitted.card.quality["valid_error"]["kendall_tau"] > 0.55
