"""REINFORCE climbs the expected reward and stays where there is nothing to climb."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.strategies.reinforce import Reinforce
from nasbench.testing import ToyChain, toy_space


@pytest.mark.parametrize("workers", [1, 4])
def test_policy_converges_to_the_best_of_a_separable_reward(line, search, rng, workers):
    space, error_of = line
    strategy = Reinforce(space, rng=rng, learning_rate=0.1)
    search(strategy, error_of, 1_500, workers)
    assert strategy.logits.argmax(axis=1).tolist() == [2, 2, 2, 2]


def test_default_learning_rate_improves_on_its_own_start(line, search, rng):
    space, error_of = line
    codes = search(Reinforce(space, rng=rng), error_of, 1_000)
    errors = [error_of(code) for code in codes]
    assert np.mean(errors[-200:]) < np.mean(errors[:200]) - 0.1


def test_logits_do_not_drift_under_constant_reward(line, search, rng):
    space, _ = line
    strategy = Reinforce(space, rng=rng, learning_rate=0.1)
    before = strategy.logits
    search(strategy, lambda code: 0.3, 500)
    assert np.abs(strategy.logits - before).max() < 1e-6


def test_first_answer_moves_nothing_because_it_is_its_own_baseline(line, answer, rng):
    space, _ = line
    strategy = Reinforce(space, rng=rng)
    before = strategy.logits
    (proposal,) = strategy.ask(1)
    strategy.tell([answer(proposal, 0, 0.2)])
    assert np.array_equal(strategy.logits, before)


def test_second_answer_takes_one_step_of_adam_by_hand(answer):
    space = toy_space()
    strategy = Reinforce(space, rng=np.random.default_rng(0), learning_rate=0.01, momentum=0.9)
    before = strategy.logits
    first, second = strategy.ask(2)
    strategy.tell([answer(first, 0, 0.5)])
    strategy.tell([answer(second, 1, 0.1)])
    # Rewards 0.5 and 0.9; weights 0.09 and 0.1, so that the baseline is (0.045 + 0.09) / 0.19.
    advantage = 0.9 - 0.135 / 0.19
    probabilities = np.exp(before) / np.exp(before).sum(axis=1, keepdims=True)
    gradient = (probabilities - np.eye(3)[list(second.code)]) * advantage
    # Adam's second step, the first gradient having been zero.
    mean = 0.1 * gradient / (1 - 0.9**2)
    square = 0.001 * gradient**2 / (1 - 0.999**2)
    assert np.allclose(strategy.logits, before - 0.01 * mean / (np.sqrt(square) + 1e-8), rtol=0, atol=1e-12)


def test_monte_carlo_gradient_is_unbiased():
    space = toy_space()
    codes = list(itertools.product(range(3), repeat=3))
    reward = dict(zip(codes, np.random.default_rng(4).random(27), strict=True))
    strategy = Reinforce(space, rng=np.random.default_rng(5))
    strategy.logits = np.random.default_rng(6).normal(size=(3, 3))
    p = np.exp(strategy.logits) / np.exp(strategy.logits).sum(axis=1, keepdims=True)
    exact = np.zeros((3, 3))
    for code in codes:
        chance = np.prod([p[i, value] for i, value in enumerate(code)])
        exact += chance * reward[code] * (p - np.eye(3)[list(code)])
    drawn = [p.code for p in strategy.ask(8_000)]
    samples = np.array(
        [score * reward[code] for code, scores in strategy._pending.items() for score in scores]
    )
    assert len(samples) == len(drawn)
    z = (samples.mean(axis=0) - exact) / (samples.std(axis=0) / np.sqrt(len(samples)))
    assert np.abs(z).max() < 4


def test_first_draws_are_nearly_uniform(line, rng):
    space, _ = line
    codes = np.array([p.code for p in Reinforce(space, rng=rng).ask(5_000)])
    counts = np.array([np.bincount(column, minlength=5) for column in codes.T])
    assert (((counts - 1_000) ** 2 / 1_000).sum(axis=1) < 23.5).all()  # chi-square, 4 degrees, p = 1e-4


def test_failed_training_gives_no_update(line, answer, rng):
    space, _ = line
    strategy = Reinforce(space, rng=rng)
    batch = strategy.ask(3)
    before = strategy.logits
    strategy.tell([answer(p, i, None) for i, p in enumerate(batch)])
    assert np.array_equal(strategy.logits, before)
    assert strategy._pending == {}


def test_masked_values_are_never_drawn_nor_pushed(search, rng):
    space = ToyChain()
    strategy = Reinforce(space, rng=rng, learning_rate=0.1)
    before = strategy.logits[0, 0]
    codes = search(strategy, lambda code: sum(value == 2 for value in code) / 4, 300)
    assert space.contains(np.array(codes)).all()
    assert strategy.logits[0, 0] == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate: expected a number > 0, got 0.0"),
        ({"learning_rate": float("inf")}, "learning_rate: expected a number > 0, got inf"),
        ({"learning_rate": float("nan")}, "learning_rate: expected a number > 0, got nan"),
        ({"momentum": 1.0}, r"momentum: expected a number in \[0, 1\), got 1.0"),
        ({"momentum": -0.1}, r"momentum: expected a number in \[0, 1\), got -0.1"),
    ],
)
def test_wrong_options_are_refused(rng, options, message):
    with pytest.raises(BadOption, match=message):
        Reinforce(toy_space(), rng=rng, **options)
