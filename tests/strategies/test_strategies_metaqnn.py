"""MetaQNN explores by the published schedule and ends on the best path."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.strategies.metaqnn import MetaQNN
from nasbench.testing import ToyChain, check_strategy, toy_space
from nasbench.testing.strategy import RULES

PUBLISHED = [(1.0, 1500), (0.9, 100), (0.8, 100), (0.7, 100)] + [
    (e, 150) for e in (0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
]


def test_contract_is_kept():
    assert check_strategy(MetaQNN, n_trials=30, replay=8) == list(RULES)


def test_contract_is_kept_on_nb201():
    assert check_strategy(MetaQNN, get_space("nb201"), n_trials=30, replay=8, scale=0.01) == list(RULES)


def test_epsilon_follows_the_published_schedule(rng):
    strategy = MetaQNN(get_space("nb201"), rng=rng, scale=1)
    for epsilon, length in PUBLISHED:
        for _ in range(length):
            assert strategy.epsilon == epsilon
            strategy.ask(1)
    assert strategy.epsilon == 0.1


def test_default_schedule_ends_after_two_hundred(rng):
    strategy = MetaQNN(get_space("nb201"), rng=rng)
    strategy.ask(111)
    assert strategy.epsilon == 1.0
    strategy.ask(1)
    assert strategy.epsilon == 0.9
    strategy.ask(77)
    assert strategy.epsilon == 0.1


@pytest.mark.parametrize("state", ["layer", "prefix"])
def test_replay_of_random_draws_converges_to_the_best_path(search, rng, state):
    # One path is far better than its neighbours promise; utilities are those of the best way on.
    def error_of(code):
        return 0.1 if code == (2, 0, 1) else 0.3 + 0.1 * code[0] + 0.02 * sum(code)

    space = toy_space()
    strategy = MetaQNN(space, rng=rng, scale=1, state=state, learning_rate=0.1)  # epsilon stays 1
    search(strategy, error_of, 60)
    assert strategy._table.choose(0.0, strategy._draw) == (2, 0, 1)
    if state == "prefix":
        assert max(strategy._table.row((2, 0))) == pytest.approx(0.9, abs=0.01)


def test_masked_values_are_never_written(search, rng):
    codes = search(MetaQNN(ToyChain(), rng=rng, scale=0.01), lambda code: sum(code) / 8, 100)
    assert ToyChain().contains(np.array(codes)).all()


def test_later_proposals_are_better_than_random(line, search, rng):
    space, error_of = line
    errors = [error_of(code) for code in search(MetaQNN(space, rng=rng), error_of, 200)]
    assert np.mean(errors[-20:]) < np.mean(errors[:100]) - 0.1


def test_no_architecture_is_trained_twice_while_others_come_up(search, rng):
    codes = search(MetaQNN(get_space("nb201"), rng=rng, scale=0.01), lambda code: code[0] / 5, 100)
    assert len(set(codes)) == 100


def test_failed_training_changes_no_utility(answer, rng):
    strategy = MetaQNN(toy_space(), rng=rng)
    (proposal,) = strategy.ask(1)
    strategy.tell([answer(proposal, 0, None)])
    assert strategy._table.row(()) == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 0.0}, "scale: expected a number > 0, got 0.0"),
        ({"scale": "1"}, "scale: expected a number > 0, got '1'"),
        ({"learning_rate": 1.5}, r"learning_rate: expected a number in \(0, 1\], got 1.5"),
        ({"replay": 0}, "replay: expected a whole number >= 1, got 0"),
        ({"state": "last"}, "state: expected 'layer' or 'prefix', got 'last'"),
    ],
)
def test_wrong_options_are_refused(rng, options, message):
    with pytest.raises(BadOption, match=message):
        MetaQNN(toy_space(), rng=rng, **options)
