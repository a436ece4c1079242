"""Validation asks only what was not seen, and its numbers are those of the planted truth."""

from __future__ import annotations

import json

import numpy as np
import pytest
from surrogate_tables import INFO

from nasbench.errors import BadOption, NotMeasured
from nasbench.surrogates.fitting import fit_surrogate
from nasbench.surrogates.quality import quality
from nasbench.surrogates.validation import leave_out, validate


@pytest.fixture(scope="module")
def half(planted):
    return fit_surrogate(planted, model="linear", fraction=0.5, name="half")


@pytest.fixture(scope="module")
def found(half, planted):
    return validate(half, planted, content_hash="abc")


def test_only_unseen_architectures_are_asked_about(found, half, planted):
    assert found.unseen == len(planted) - len(half.fitted)
    assert (found.fitted, found.content_hash) == (200, "abc")
    assert set(found.metrics) == {"valid_error", "test_error"}


def test_an_additive_truth_is_found_out(found):
    end = found.metrics["valid_error"].at_the_end
    assert end["kendall_tau"] > 0.7
    assert end["mae"] < 0.02
    assert found.metrics["valid_error"].by_epoch[-1] == (8, end)
    assert found.seconds["mae"] < 0.2


def test_noise_and_what_is_not_known_are_told_apart(found):
    of = found.metrics["valid_error"]
    assert of.noise == pytest.approx(0.02, rel=0.35)
    assert of.unknown < 0.02


def test_intervals_widen_with_their_level(found):
    widths = [interval.width for interval in found.metrics["valid_error"].intervals]
    assert widths == sorted(widths)


def test_intervals_hold_on_average_as_often_as_they_say(planted):
    coverage = []
    for seed in range(8):  # one fit of 30 held-out architectures may be off by a tenth
        made = fit_surrogate(planted, model="linear", fraction=0.5, seed=seed)
        coverage.append([i.coverage for i in validate(made, planted).metrics["valid_error"].intervals])
    assert np.mean(coverage, axis=0) == pytest.approx([0.5, 0.8, 0.9, 0.95], abs=0.07)


def test_it_is_plain_data(found):
    text = json.dumps(found.as_dict(), allow_nan=False)
    assert json.loads(text)["metrics"]["valid_error"]["intervals"][0]["level"] == 0.5


def test_a_fit_on_everything_leaves_nothing_to_ask(planted):
    with pytest.raises(
        BadOption, match=r"that the surrogate has not seen, got 0 in made-up\. Fit it on a part"
    ):
        validate(fit_surrogate(planted, model="linear"), planted)


def test_a_table_of_another_recipe_or_length_is_refused(half, make_table):
    from dataclasses import replace

    with pytest.raises(BadOption, match="recipe: surrogate half predicts"):
        validate(half, make_table(info=replace(INFO, recipe={"epochs": 9})))


def test_without_known_noise_the_validation_says_so(make_table):
    table = make_table(replicates=1)
    of = validate(fit_surrogate(table, model="linear", fraction=0.5), table).metrics["valid_error"]
    assert of.noise is None


def test_each_strategy_is_left_out_in_turn(planted):
    proposed = {
        "first": planted.codes[:150],
        "second": planted.codes[100:300],
        "third": planted.codes[300:310],
        "none": planted.codes[:0],
    }
    found = leave_out(planted, proposed, model="linear")
    assert [one.strategy for one in found] == ["first", "second"]  # of the third there is too little
    assert [one.asked for one in found] == [100, 150]
    assert [one.fitted for one in found] == [210, 160]
    assert all(one.numbers["kendall_tau"] > 0.6 for one in found)


def test_what_the_table_does_not_hold_is_not_left_out_silently(planted):
    every = planted.space.unrank(np.arange(15_625))
    held = {code.tobytes() for code in planted.codes}
    absent = np.array([code for code in every if code.tobytes() not in held][:30])
    with pytest.raises(NotMeasured):
        leave_out(planted, {"one": absent, "two": planted.codes[:100]}, model="linear")


def test_quality_of_a_known_case():
    actual = np.array([0.1, 0.2, 0.3, 0.4])
    told = np.array([0.1, 0.3, 0.2, 0.4])
    numbers = quality(actual, told)
    assert numbers["mae"] == pytest.approx(0.05)
    assert numbers["kendall_tau"] == pytest.approx(4 / 6)
    assert numbers["r2"] == pytest.approx(1 - 0.02 / 0.05)


def test_sparse_tau_forgives_differences_too_small_to_matter():
    actual = np.array([0.1000, 0.2000, 0.20001])
    told = np.array([0.1, 0.20002, 0.20001])
    numbers = quality(actual, told)
    assert numbers["kendall_tau"] == pytest.approx(1 / 3)
    assert numbers["sparse_kendall_tau"] > 0.8


def test_a_constant_truth_has_no_r2():
    assert np.isnan(quality(np.full(3, 0.5), np.array([0.4, 0.5, 0.6]))["r2"])
