"""A surrogate answers wherever a table does, the same question always with the same answer."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nasbench.errors import BadOption, NotInSpace, NotMeasured
from nasbench.evaluation.opening import open_source
from nasbench.evaluation.surrogate_source import SurrogateSource
from nasbench.runs.execute import RunSpec, execute
from nasbench.runs.packing import equal_runs
from nasbench.spaces import get_space
from nasbench.store.bundled import find_table
from nasbench.surrogates.files import save
from nasbench.surrogates.fitting import fit_surrogate
from nasbench.testing import check_source

CODE = (4, 2, 1, 2, 1, 1)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("surrogates") / "digits.surrogate.h5"
    save(fit_surrogate(find_table("digits-nb201"), model="linear", rows=300, name="digits"), path)
    return path


@pytest.fixture(scope="module")
def source(path):
    return open_source(str(path))


def test_it_keeps_the_contract_of_sources(source):
    assert check_source(source)


def test_it_says_what_it_is(source):
    assert source.info.kind == "surrogate"
    assert source.info.label.startswith("surrogate:digits@")
    assert source.info.extra["fitted_on"].startswith("digits-nb201@")
    assert 0 < source.info.extra["quality"]["valid_error"]["kendall_tau"] < 1
    assert source.replicates == 3


def test_a_second_opening_answers_the_same(source, path):
    again = open_source(str(path))
    for replicate in range(3):
        asked = {"epochs": 20, "replicate": replicate}
        assert again.answer(CODE, **asked) == source.answer(CODE, **asked)


def test_repeats_differ_by_noise_about_the_mean(source):
    codes = get_space("nb201").sample(300, rng=np.random.default_rng(0))
    first = source.measure(codes, epochs=20, replicate=0)
    second = source.measure(codes, epochs=20, replicate=1)
    noise = source.surrogate.predict(codes).errors["valid_error"].noise[:, 0]
    difference = (first.valid_error - second.valid_error) / (noise * math.sqrt(2))
    assert np.std(difference) == pytest.approx(1.0, abs=0.15)
    assert np.array_equal(first.train_seconds, second.train_seconds)


def test_a_shorter_training_is_a_prefix_of_a_longer_one(source):
    curve = dict(source.curve(CODE, epochs=20, replicate=2))
    assert list(curve) == list(range(1, 20))
    assert curve[7] == source.answer(CODE, epochs=7, replicate=2)
    seconds = [found.train_seconds for found in curve.values()]
    assert seconds == sorted(seconds)


def test_without_noise_there_is_one_repeat_the_mean(path):
    mean = open_source(f"{path}:mean")
    assert mean.replicates == 1
    assert mean.info.name == "digits:mean"
    predicted = mean.surrogate.predict(np.array([CODE])).errors["valid_error"].mean[0, 0]
    assert mean.answer(CODE, epochs=20, replicate=0).valid_error == pytest.approx(predicted, abs=1e-9)


def test_scores_are_predicted_means(source):
    codes = np.array([CODE, (0, 0, 0, 0, 0, 1)])
    predicted = source.surrogate.predict(codes).errors["test_error"].mean[:, 0]
    assert source.score(codes, epochs=20) == pytest.approx(predicted, abs=1e-9)
    assert source.scored_by == "mean test error"


def test_what_it_was_not_fitted_for_is_not_measured(source):
    with pytest.raises(
        NotMeasured, match=r"answers for 1, 2, .* epochs and 3 repeats, got 21 epochs, replicate 0"
    ):
        source.answer(CODE, epochs=21, replicate=0)
    with pytest.raises(NotMeasured, match="replicate 3"):
        source.answer(CODE, epochs=20, replicate=3)
    with pytest.raises(NotInSpace):
        source.answer((9, 0, 0, 0, 0, 0), epochs=20, replicate=0)


def test_it_flags_what_lies_far_from_its_data(source):
    assert not source.is_far(CODE)


def test_searches_run_on_it_and_repeat_to_the_bit(source, path):
    for name in ("random-search", "regularized-evolution", "hyperband", "median-stop"):
        spec = RunSpec("test", name, name, {}, "40evals", workers=3)
        first, outcome = execute(spec, 5, source)
        assert outcome.end in ("budget", "done"), outcome.reason
        second, _ = execute(spec, 5, open_source(str(path)))
        assert equal_runs(first, second) == ""


def test_strategies_that_share_weights_are_refused_before_the_run(source):
    pytest.importorskip("torch")
    with pytest.raises(BadOption, match="relaxation"):
        execute(RunSpec("test", "darts", "darts", {}, "10evals"), 0, source)


def test_a_table_without_noise_gives_one_repeat(tmp_path):
    fitted = fit_surrogate(find_table("digits-nb201"), model="linear", rows=60)
    if fitted.noise is None:
        assert SurrogateSource(fitted, "0" * 64).replicates == 1


def test_device_and_into_are_refused(path, tmp_path):
    with pytest.raises(BadOption, match="only live sources train on a device"):
        open_source(str(path), device="cpu")
    with pytest.raises(BadOption, match="only live sources make trainings to record"):
        open_source(str(path), into=tmp_path / "x.h5")
