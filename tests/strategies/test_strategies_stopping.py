"""Wrapping changes nothing but what a rule stops, and the wrapped strategy hears predicted errors."""

from __future__ import annotations

import copy
from typing import ClassVar

import numpy as np
import pytest

from nasbench.errors import BadOption, UnknownName
from nasbench.records import Trial, Verdict
from nasbench.spaces import get_space
from nasbench.strategies.stopping import EarlyStopping, check_epochs
from nasbench.strategies.strategy import Card, Setting, make
from nasbench.testing import check_strategy, toy_space
from nasbench.testing.simulation import drive
from nasbench.testing.strategy import RULES

SETTING = Setting(epochs=(1, 2, 3, 4, 5))

INNER = """
from nasbench.records import Proposal

class Inner:
    told, closed = [], []
    def __init__(self, space, *, rng, epochs=None, continues=None):
        self.epochs, self.continues = epochs, continues
    def ask(self, n):
        return [Proposal((0, 0, 0), self.epochs, continues=self.continues) for _ in range(n)]
    def tell(self, trials):
        self.told.extend(trials)
    def close(self):
        self.closed.append(True)
"""


class Rule(EarlyStopping):
    """Stops every training at its first check and predicts ``predicted``; None lets all go on."""

    card: ClassVar[Card] = Card(family="learning curves", paper="", multi_fidelity=True)

    def __init__(
        self, space, *, rng, setting, strategy="random-search", options=None, every=None, predicted=None
    ):
        super().__init__(space, rng=rng, setting=setting, strategy=strategy, options=options, every=every)
        self.predicted = predicted
        self.seen, self.learnt = [], []

    def _predict_failure(self, code, accuracies):
        self.seen.append(list(accuracies))
        return self.predicted

    def _learn(self, code, accuracies):
        self.learnt.append(list(accuracies))


def rule(setting=SETTING, seed=7, **options):
    return Rule(toy_space(), rng=np.random.default_rng(seed), setting=setting, **options)


def reach(strategy, number, epochs, error):
    """Report one epoch of a running trial."""
    trial = Trial(number, (0, 0, 0), epochs, 0, "ok", error, 1.0)
    return strategy.report(trial, epochs, error)


def end(number, epochs, error, status="ok"):
    return Trial(number, (0, 0, 0), epochs, 0, status, error, 1.0)


@pytest.fixture
def inner(tmp_path):
    file = tmp_path / "inner.py"
    file.write_text(INNER)
    return f"{file}:Inner"


@pytest.mark.parametrize("name", ["random-search", "regularized-evolution", "tpe"])
@pytest.mark.parametrize("workers", [1, 4])
def test_rule_that_never_stops_changes_no_proposal(name, workers):
    def run(factory, **options):
        strategy = make(factory, toy_space(), rng=np.random.default_rng(3), setting=SETTING, **options)
        return drive(
            strategy,
            toy_space(),
            answer=lambda code, number: (sum(code) + number % 5) / 20,
            setting=SETTING,
            n_trials=60,
            workers=workers,
        ).proposals

    from nasbench.strategies.loading import load_strategy

    assert run(Rule, strategy=name) == run(load_strategy(name))


def test_stopped_trial_is_told_with_its_predicted_error(inner):
    strategy = rule(strategy=inner, predicted=0.8)
    strategy.ask(1)
    assert reach(strategy, 0, 1, 0.9) is Verdict.STOP
    trial = end(0, 1, 0.9, "stopped")
    kept = copy.deepcopy(trial)
    strategy.tell([trial])
    (told,) = strategy._inner.told
    assert (told.number, told.status, told.epochs) == (0, "stopped", 1)
    assert told.valid_error == pytest.approx(0.2)
    assert trial == kept


@pytest.mark.parametrize(("predicted", "error"), [(1.7, 0.0), (-0.5, 1.0)])
def test_predicted_error_is_a_fraction(inner, predicted, error):
    strategy = rule(strategy=inner, predicted=predicted)
    strategy.ask(1)
    reach(strategy, 0, 1, 0.9)
    strategy.tell([end(0, 1, 0.9, "stopped")])
    assert strategy._inner.told[-1].valid_error == error


def test_other_trials_are_told_as_they_are(inner):
    strategy = rule(strategy=inner)
    strategy.ask(3)
    trials = [end(2, 5, 0.3), end(0, 3, None, "failed"), end(1, 2, 0.5, "stopped")]
    strategy.tell(trials)
    assert all(told is trial for told, trial in zip(strategy._inner.told[-3:], trials, strict=True))


def test_rule_sees_the_curve_so_far_at_check_epochs_only():
    strategy = rule(every=2)
    strategy.ask(2)
    for epochs, error in ((1, 0.9), (2, 0.8), (3, 0.6), (4, 0.5)):
        assert reach(strategy, 0, epochs, error) is Verdict.CONTINUE
        assert reach(strategy, 1, epochs, 1.0) is Verdict.CONTINUE
    assert strategy.seen[0] == pytest.approx([0.1, 0.2])
    assert strategy.seen[2] == pytest.approx([0.1, 0.2, 0.4, 0.5])
    assert strategy.seen[1::2] == [[0.0] * 2, [0.0] * 4]


def test_rule_learns_whole_and_stopped_curves_but_no_failed_ones():
    strategy = rule(every=4, predicted=0.5)
    strategy.ask(3)
    for epochs in (1, 2, 3):
        for number in range(3):
            reach(strategy, number, epochs, 0.75)
    reach(strategy, 0, 4, 0.5)
    strategy.tell([end(0, 4, 0.5, "stopped"), end(1, 3, None, "failed"), end(2, 5, 0.25)])
    assert strategy.learnt == [[0.25, 0.25, 0.25, 0.5], [0.25, 0.25, 0.25, 0.75]]
    assert not strategy._curves
    assert not strategy._predicted


def test_best_is_that_of_full_trainings():
    strategy = rule(predicted=0.99)
    strategy.ask(4)
    assert strategy._best is None
    reach(strategy, 0, 1, 0.1)
    strategy.tell([end(0, 1, 0.1, "stopped"), end(1, 5, 0.4), end(2, 5, 0.3), end(3, 5, 0.5)])
    assert strategy._best == pytest.approx(0.7)


@pytest.mark.parametrize("options", [{"epochs": 3}, {"continues": 0}])
def test_shorter_and_continued_trainings_are_left_alone(inner, options):
    strategy = rule(strategy=inner, options=options, predicted=0.5)
    strategy.ask(1)
    assert [reach(strategy, 0, epochs, 0.9) for epochs in (1, 2)] == [Verdict.CONTINUE] * 2
    assert strategy.seen == []


def test_close_reaches_the_wrapped_strategy(inner):
    strategy = rule(strategy=inner)
    strategy.close()
    assert strategy._inner.closed
    rule().close()  # random search has nothing to close


def test_strategy_that_reports_itself_is_refused():
    with pytest.raises(
        BadOption, match="strategy: expected one that leaves running trainings alone, got 'median-"
    ):
        rule(strategy="median-stop")


def test_source_without_curves_is_refused():
    with pytest.raises(BadOption, match="several training lengths, got only 200"):
        rule(Setting(epochs=(200,)))


def test_unknown_wrapped_strategy_is_refused():
    with pytest.raises(UnknownName, match="no strategy is named 'random-serch'"):
        rule(strategy="random-serch")


def test_options_of_the_wrapped_strategy_are_its_own():
    with pytest.raises(BadOption, match="population, sample: expected whole numbers >= 1, got 0 and 3"):
        rule(strategy="regularized-evolution", options={"population": 0})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"options": "population"}, "options: expected a mapping of the wrapped strategy's options"),
        ({"strategy": None}, "strategy: expected the name of a strategy, got None"),
        ({"every": 0}, r"every: expected a whole number of epochs from 1 to .* \(= 4\), got 0"),
        ({"every": 5}, "every: expected .* got 5"),
        ({"every": 2.0}, "every: expected .* got 2.0"),
        ({"every": True}, "every: expected .* got True"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(BadOption, match=message):
        rule(**options)


@pytest.mark.parametrize(
    ("epochs", "every", "checks"),
    [
        (range(1, 21), None, range(2, 20, 2)),
        (range(1, 201), None, range(20, 200, 20)),
        ((12, 200), None, [12]),
        ((4, 12, 36, 108), None, [4, 12, 36]),
        ((4, 12, 36, 108), 10, [12, 36]),
        (range(1, 6), 1, [1, 2, 3, 4]),
        (range(1, 6), 3, [3]),
    ],
)
def test_checks_are_spread_over_the_training(epochs, every, checks):
    assert check_epochs(tuple(epochs), every) == set(checks)


@pytest.mark.parametrize("space", [None, get_space("nb201")], ids=["toys", "nb201"])
@pytest.mark.parametrize("predicted", [None, 0.5])
def test_wrapper_keeps_the_contract(space, predicted):
    assert check_strategy(Rule, space, strategy="regularized-evolution", predicted=predicted) == list(RULES)
