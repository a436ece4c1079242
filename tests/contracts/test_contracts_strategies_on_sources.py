"""Every registered strategy runs on a table, on a surrogate and live, through the loop that users run."""

from __future__ import annotations

import dataclasses
import math

import pytest
from thinking_less import quick_options

from nasbench.errors import BadOption, MissingExtra
from nasbench.evaluation.live import LiveSource
from nasbench.evaluation.opening import open_source
from nasbench.records import Measurement, SourceInfo
from nasbench.runs.execute import RunSpec, execute
from nasbench.runs.packing import equal_runs
from nasbench.spaces import get_space
from nasbench.strategies import STRATEGIES
from nasbench.strategies.loading import load_strategy
from nasbench.training.recipes import RECIPES

RESNET_LIKE = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|"
# nasbot weighs every pair of architectures; this is past its random start.
EVALUATIONS = {"nasbot": "18evals"}

MULTI_FIDELITY = [name for name in STRATEGIES if load_strategy(name).card.multi_fidelity]


class Surrogate:
    """A stub that predicts by formula: an error, seconds and a curve for any cell, no test error."""

    is_live = False
    epochs = tuple(range(1, 28))
    replicates = 1

    def __init__(self):
        self.space = get_space("nb201")
        self.info = SourceInfo("surrogate:stub@0", "surrogate", "stub", "made up", "a formula", "cpu")
        self.costs = {
            "parameters": lambda code: 1e3 * (1 + sum(code)),
            "macs": lambda code: 1e6 * (1 + max(code)),
        }

    def replicates_of(self, code):
        return 1

    def answer(self, code, *, epochs, replicate):
        bad = sum((value - 3) ** 2 for value in code) / 60
        error = 0.05 + 0.5 * bad + 0.4 * math.exp(-epochs / 8)
        return Measurement(min(error, 0.95), None, epochs * (5.0 + sum(code)))

    def curve(self, code, *, epochs, replicate):
        return [(e, self.answer(code, epochs=e, replicate=0)) for e in self.epochs if e < epochs]

    def measure(self, codes, *, epochs, replicate):
        raise NotImplementedError

    def score(self, codes, *, epochs):
        raise NotImplementedError


def made(name):
    try:
        return load_strategy(name)
    except MissingExtra as error:
        pytest.skip(str(error))


def shares_weights(name):
    return made(name).card.family in {"differentiable", "one-shot"}


def ran(name, source, *, budget, workers=1, **more):
    card = made(name).card
    for need in card.needs:
        pytest.importorskip({"surrogate": "sklearn"}.get(need, need))
    options = {"architecture": RESNET_LIKE} if name == "fixed" else quick_options(name)
    spec = RunSpec("test", name, name, options, budget, workers=workers, **more)
    try:
        return execute(spec, 3, source)
    except MissingExtra as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def table():
    return open_source("digits-nb201")


@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_on_a_table_with_curves(name, table, workers):
    columns, outcome = ran(name, table, budget=EVALUATIONS.get(name, "40evals"), workers=workers)
    assert outcome.end in ("budget", "done"), outcome.reason
    assert outcome.trials >= 1
    again, _ = ran(name, table, budget=EVALUATIONS.get(name, "40evals"), workers=workers)
    assert equal_runs(columns, again) == ""


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_on_a_surrogate(name):
    if shares_weights(name):
        pytest.importorskip("torch")
        with pytest.raises(BadOption, match=r"relaxation|shared weights"):
            ran(name, Surrogate(), budget=EVALUATIONS.get(name, "40evals"))
        return
    columns, outcome = ran(name, Surrogate(), budget=EVALUATIONS.get(name, "40evals"), workers=3)
    assert outcome.end in ("budget", "done"), outcome.reason
    assert set(columns.epochs) <= set(Surrogate.epochs)


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_on_a_cluster_where_things_go_wrong(name, table):
    cluster = {
        "speeds": [1.0, 0.5],
        "failures_per_day": 1_500,
        "preemptions_per_day": 3_000,
        "startup_seconds": 2,
    }
    _, outcome = ran(name, table, budget=EVALUATIONS.get(name, "40evals"), workers=4, cluster=cluster)
    assert outcome.end in ("budget", "done"), outcome.reason


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_on_live_training(name):
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    epochs = 6 if name == "domhan-stop" else 3  # it fits curves, and refuses shorter ones
    tiny = dataclasses.replace(
        RECIPES["digits-small"], epochs=epochs, channels=4, cells_per_stage=1, train_images=100, batch_size=50
    )
    source = LiveSource("digits", tiny)
    if shares_weights(name) and getattr(source, "relaxation", None) is None:
        pytest.skip("live training has no relaxation")
    columns, outcome = ran(name, source, budget="4evals")
    assert outcome.end in ("budget", "done"), outcome.reason
    assert outcome.trials >= 1
    assert (columns.charged_seconds > 0).all()


# Of 28 edges, so that a few steps say whether a search acts on them at all.
ON_DARTS = {
    "bender-one-shot": {"epochs": 1, "samples": 2, "rounds": 1},
    "darts-pt": {"epochs": 1, "tune_epochs": 0, "selection": "magnitude"},
    "enas": {"epochs": 1, "controller_steps": 1, "batch": 2, "candidates": 2},
    "random-search-ws": {"epochs": 1, "last_samples": 2},
    "spos": {"epochs": 1, "population": 2, "select": 1, "generations": 2},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_on_live_training_of_darts_cells(name):
    if not shares_weights(name):
        pytest.skip("trains architectures of any space alike")
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    tiny = dataclasses.replace(
        RECIPES["digits-darts"], epochs=1, channels=4, stages=2, train_images=20, batch_size=10
    )
    source = LiveSource("digits", tiny)
    about = RunSpec("test", name, name, ON_DARTS.get(name, {"epochs": 1}), "600s")
    columns, outcome = execute(about, 3, source)
    assert outcome.end == "done", outcome.reason
    assert source.space.contains(columns.codes).all()
    assert (columns.charged_seconds[:1] > 0).all()


@pytest.mark.parametrize("name", sorted(set(MULTI_FIDELITY) - {"blockqnn"}))  # which only may stop early
def test_where_trainings_have_one_length_it_says_so_before_the_run(name):
    with pytest.raises(BadOption, match="training length"):
        ran(name, open_source("nb201-cifar10"), budget="10evals")
