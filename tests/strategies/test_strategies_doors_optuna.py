"""Optuna's samplers search masked spaces, its pruners stop the worse, and it keeps quiet."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from nasbench.errors import BadOption, MissingExtra
from nasbench.records import Verdict
from nasbench.seeds import generator
from nasbench.spaces import get_space
from nasbench.strategies.doors.optuna_door import PRUNERS, SAMPLERS, Optuna
from nasbench.strategies.strategy import Setting
from nasbench.testing import ToyChain, check_strategy, toy_setting
from nasbench.testing.strategy import RULES

optuna = pytest.importorskip("optuna")

SHORT_AND_FULL = Setting(epochs=(1, 3, 9))


def strategy(space, seed=0, **options):
    return Optuna(space, rng=generator(seed, "strategy"), setting=toy_setting(), **options)


@pytest.mark.parametrize("sampler", ["tpe", "independent-tpe", "random"])
def test_sampler_keeps_the_contract(sampler):
    assert check_strategy(Optuna, n_trials=20, sampler=sampler) == list(RULES)


def test_sampler_keeps_the_contract_on_nb201():
    assert check_strategy(Optuna, get_space("nb201"), n_trials=20) == list(RULES)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sampler", "trials"), [("nsga2", 60), ("cmaes", 30), ("gp", 13)]
)  # more than their random start
def test_slower_sampler_keeps_the_contract(sampler, trials):
    pytest.importorskip({"cmaes": "cmaes", "gp": "torch"}.get(sampler, "optuna"))
    assert check_strategy(Optuna, ToyChain(), n_trials=trials, sampler=sampler) == list(RULES)


@pytest.mark.slow
@pytest.mark.parametrize("pruner", ["median", "successive-halving", "hyperband"])
def test_pruner_keeps_the_contract(pruner):
    assert check_strategy(Optuna, ToyChain(), n_trials=15, sampler="random", pruner=pruner) == list(RULES)


@pytest.mark.parametrize("sampler", ["tpe", "independent-tpe", "nsga2", "cmaes"])
def test_proposals_concentrate_on_the_good_values(line, search, sampler):
    pytest.importorskip("cmaes" if sampler == "cmaes" else "optuna")
    space, error_of = line
    codes = np.array(search(strategy(space, sampler=sampler), error_of, 200))
    assert (codes[:10] == 2).mean() < 0.5
    assert (codes[-50:] == 2).mean() > 0.4  # by chance 0.2


def test_tpe_learns_what_follows_which_value_on_a_masked_space(search):
    def error_of(code):
        return sum(x != y for x, y in zip(code, (2, 1, 2, 1), strict=True)) / 4

    codes = search(strategy(ToyChain()), error_of, 120)
    assert np.mean([error_of(code) for code in codes[-40:]]) < 0.6 * np.mean(
        [error_of(code) for code in codes[:10]]
    )


def test_a_decision_is_one_parameter_for_each_set_of_legal_values(search):
    tried = strategy(ToyChain())
    search(tried, lambda code: 0.5, 60)
    names = {name for trial in tried._study.get_trials() for name in trial.params}
    assert names == {"0 of [1, 2]", "1", "2", "3"}  # after an absent layer there is nothing to decide


def feed(tried, answer, errors, epoch=1):
    """Start a trial for each error, report it once, and tell it; return the verdicts."""
    verdicts = []
    for error in errors:
        (proposal,) = tried.ask(1)
        trial = answer(proposal, len(tried._study.get_trials()) - 1, error)
        trial.epochs = epoch
        verdicts.append(tried.report(trial, epoch, error))
        trial.status = "stopped" if verdicts[-1] is Verdict.STOP else "ok"
        tried.tell([trial])
    return verdicts


@pytest.mark.parametrize("pruner", ["median", "successive-halving"])
def test_pruner_stops_the_worse_and_lets_the_better_go_on(toy_space, answer, pruner):
    tried = Optuna(toy_space, rng=generator(0), setting=SHORT_AND_FULL, sampler="random", pruner=pruner)
    verdicts = feed(tried, answer, [0.5, 0.4, 0.3, 0.25, 0.2, 0.9, 0.8, 0.1])
    assert verdicts[-3:] == [Verdict.STOP, Verdict.STOP, Verdict.CONTINUE]
    states = [trial.state.name for trial in tried._study.get_trials()]
    assert states.count("PRUNED") == verdicts.count(Verdict.STOP)


def test_hyperband_stops_some_of_the_worse(toy_space, answer):
    tried = Optuna(toy_space, rng=generator(0), setting=SHORT_AND_FULL, sampler="random", pruner="hyperband")
    verdicts = feed(tried, answer, [0.1] * 20 + [0.9] * 20)
    assert Verdict.STOP in verdicts[20:]


def test_without_a_pruner_nothing_looks_at_running_trials(toy_space):
    assert not hasattr(strategy(toy_space), "report")
    assert hasattr(strategy(toy_space, pruner="median"), "report")


def test_failed_trials_are_told_as_failed(toy_space, answer):
    tried = strategy(toy_space)
    first, second = tried.ask(2)
    tried.tell([answer(second, 1, None), answer(first, 0, 0.25)])
    states = [(trial.state.name, trial.value) for trial in tried._study.get_trials()]
    assert states == [("COMPLETE", 0.25), ("FAIL", None)]


def test_optuna_is_quiet_and_its_verbosity_stays(toy_space, search, capfd):
    optuna.logging.set_verbosity(optuna.logging.DEBUG)
    try:
        search(strategy(toy_space), lambda code: 0.5, 15)
        assert optuna.logging.get_verbosity() == optuna.logging.DEBUG
    finally:
        optuna.logging.set_verbosity(optuna.logging.INFO)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("name", "known"), [("sampler", SAMPLERS), ("pruner", PRUNERS)])
@pytest.mark.parametrize("value", ["best", 3, None])
def test_unknown_sampler_or_pruner_is_refused(toy_space, name, known, value):
    with pytest.raises(BadOption, match=rf"^{name}: expected one of {', '.join(known)}, got {value!r}\.$"):
        strategy(toy_space, **{name: value})


def test_pruner_is_refused_where_nothing_can_be_stopped(toy_space):
    with pytest.raises(BadOption, match="pruner: expected 'none' where a source offers one training length"):
        Optuna(toy_space, rng=generator(0), setting=Setting(epochs=(200,)), pruner="median")


@pytest.mark.parametrize(
    ("sampler", "package", "extra"), [("cmaes", "cmaes", "optuna"), ("gp", "torch", "torch")]
)
def test_what_a_sampler_needs_besides_is_named(toy_space, monkeypatch, sampler, package, extra):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=rf"Sampler {sampler} needs {package}\. .*'nasbench\[{extra}\]'"):
        strategy(toy_space, sampler=sampler)
