"""Syne Tune's schedulers stop the worse at their rungs and draw from a random state of their own."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.records import Verdict
from nasbench.seeds import generator
from nasbench.spaces import get_space
from nasbench.strategies.doors.syne_tune_door import SyneTune
from nasbench.strategies.strategy import Setting
from nasbench.testing import ToyChain, check_strategy, toy_setting
from nasbench.testing.strategy import RULES

pytest.importorskip("syne_tune")

RUNGS = Setting(epochs=(1, 3, 9))


def strategy(space, seed=0, setting=RUNGS, **options):
    return SyneTune(space, rng=generator(seed, "strategy"), setting=setting, **options)


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", ["random-search", "tpe", "asha", "bohb"])
def test_scheduler_keeps_the_contract(scheduler):
    assert check_strategy(SyneTune, ToyChain(), n_trials=13, scheduler=scheduler) == list(RULES)


@pytest.mark.parametrize("scheduler", ["tpe", "asha"])
def test_scheduler_keeps_the_contract_on_nb201(scheduler):
    assert check_strategy(SyneTune, get_space("nb201"), n_trials=16, scheduler=scheduler) == list(RULES)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("scheduler", ["bore", "asha-bore"])
def test_bore_keeps_the_contract(scheduler):
    assert check_strategy(SyneTune, get_space("nb201"), n_trials=9, scheduler=scheduler) == list(RULES)


@pytest.mark.parametrize("scheduler", ["tpe", "bohb"])
def test_kernel_densities_concentrate_on_the_good_values(line, search, scheduler):
    space, error_of = line
    codes = np.array(search(strategy(space, scheduler=scheduler), error_of, 110))
    assert (codes[:10] == 2).mean() < 0.5
    assert (codes[-60:] == 2).mean() > 0.35  # by chance 0.2, with a third drawn at random


def start(tried, answer, number, error, epochs):
    """Propose one trial that stands at these epochs."""
    (proposal,) = tried.ask(1)
    trial = answer(proposal, number, error)
    trial.epochs = epochs
    return trial


def test_asha_stops_what_is_not_among_the_best_third_at_a_rung(toy_space, answer):
    tried = strategy(toy_space)
    errors = [0.5, 0.6, 0.4, 0.7, 0.45, 0.3]
    trials = [start(tried, answer, number, error, 1) for number, error in enumerate(errors)]
    said = [tried.report(trial, 1, trial.valid_error) for trial in trials]
    # The first goes on; then the rank among those heard so far, from 0, must not be above a third of them.
    assert [verdict is Verdict.STOP for verdict in said] == [False, True, False, True, False, False]


def test_ends_of_trials_reach_the_scheduler(toy_space, answer):
    tried = strategy(toy_space)
    ok, failed, stopped = (start(tried, answer, n, e, 9) for n, e in enumerate([0.2, None, 0.9]))
    assert tried.report(ok, 1, 0.2) is Verdict.CONTINUE
    assert tried.report(stopped, 1, 0.9) is Verdict.STOP
    stopped.status = "stopped"
    tried.tell([stopped, failed, ok])
    results = tried._scheduler.searcher.trial_results
    assert {number: values[-1] for number, values in results.items()} == {0: 0.2, 2: 0.9}
    assert tried._running == {}


def test_reduction_says_how_many_go_on(toy_space, answer):
    stops = {}
    for reduction in (2, 6):
        tried = strategy(toy_space, reduction=reduction)
        trials = [start(tried, answer, n, error, 1) for n, error in enumerate(np.linspace(0.9, 0.1, 30))]
        trials += [start(tried, answer, 30 + n, e, 1) for n, e in enumerate(np.linspace(0.1, 0.9, 30))]
        said = [tried.report(trial, 1, trial.valid_error) for trial in trials]
        stops[reduction] = said.count(Verdict.STOP)
    assert stops[2] < stops[6]


def test_only_schedulers_that_stop_look_at_running_trials(toy_space):
    assert hasattr(strategy(toy_space, scheduler="asha"), "report")
    assert not hasattr(strategy(toy_space, scheduler="tpe"), "report")


def test_two_strategies_at_once_do_not_disturb_each_other(toy_space):
    alone = [strategy(toy_space, seed, scheduler="random-search").ask(6) for seed in (1, 2)]
    first, second = (strategy(toy_space, seed, scheduler="random-search") for seed in (1, 2))
    together = [[], []]
    for _ in range(6):
        together[0] += first.ask(1)
        together[1] += second.ask(1)
    assert together == alone


def test_syne_tune_is_quiet(toy_space, search, capfd):
    search(strategy(toy_space, scheduler="bohb", setting=toy_setting()), lambda code: None, 20)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scheduler": "best"}, "scheduler: expected one of random-search, tpe, bore, asha, .* got 'best'"),
        ({"reduction": 1}, "reduction: expected a number > 1, got 1"),
        ({"reduction": "3"}, "reduction: expected a number > 1, got '3'"),
        ({"reduction": float("inf")}, "reduction: expected a number > 1, got inf"),
        (
            {"setting": Setting(epochs=(200,))},
            "scheduler: expected one of random-search, tpe, bore where a source offers one training length",
        ),
    ],
)
def test_option_out_of_range_is_refused(toy_space, options, message):
    with pytest.raises(BadOption, match=message):
        strategy(toy_space, **options)
