"""NAS-RL follows an unbiased gradient uphill, and stays where there is no hill."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from nasbench.errors import BadOption, MissingExtra
from nasbench.spaces import get_space
from nasbench.strategies.controller import log_probabilities
from nasbench.strategies.nas_rl import NASRL
from nasbench.testing import check_strategy, toy_space
from nasbench.testing.strategy import RULES

torch = pytest.importorskip("torch")


def weights_of(strategy):
    return strategy._controller.weights.detach().numpy().copy()


def test_contract_is_kept():
    assert check_strategy(NASRL, n_trials=20, batch=4) == list(RULES)


@pytest.mark.slow
def test_contract_is_kept_on_nb201():
    assert check_strategy(NASRL, get_space("nb201"), n_trials=30) == list(RULES)


@pytest.mark.parametrize("workers", [1, 4])
def test_policy_converges_to_the_best_of_a_separable_reward(line, search, rng, workers):
    space, error_of = line
    codes = search(NASRL(space, rng=rng, learning_rate=0.02), error_of, 600, workers)
    assert codes[-40:].count((2, 2, 2, 2)) >= 20  # by chance 0.06


def test_policy_does_not_drift_under_constant_reward(line, search, rng):
    space, _ = line
    strategy = NASRL(space, rng=rng, learning_rate=0.02)
    before = weights_of(strategy)
    search(strategy, lambda code: 0.3, 80)
    assert np.abs(weights_of(strategy) - before).max() < 1e-6


def test_monte_carlo_gradient_is_unbiased():
    space = toy_space()
    codes = [tuple(row) for row in next(space.enumerate()).tolist()]
    reward = np.random.default_rng(4).random(27)
    strategy = NASRL(space, rng=np.random.default_rng(5), batch=1)
    policy = strategy._controller
    log_p = log_probabilities(policy.policy(codes), codes).sum(1)
    score = np.stack(
        [torch.autograd.grad(each, policy.weights, retain_graph=True)[0].numpy() for each in log_p]
    )
    p = log_p.detach().exp().numpy()
    exact = (p * reward) @ score
    n = 4_000
    drawn = [child.code for child in strategy._draw_children(n)]
    counts = np.array([drawn.count(code) for code in codes])
    error = np.sqrt(((p * reward**2) @ score**2 - exact**2) / n)
    z = ((counts / n * reward) @ score - exact)[error > 1e-9] / error[error > 1e-9]
    assert np.abs(z).max() < 5


def test_update_is_one_step_down_the_mean_loss_of_the_batch(answer, monkeypatch):
    strategy = NASRL(toy_space(), rng=np.random.default_rng(0), batch=2, reward="accuracy", momentum=0.5)
    losses = []
    monkeypatch.setattr(strategy._controller, "descend", lambda loss, rate: losses.append((loss(), rate)))
    first, second = strategy.ask(2)
    strategy.tell([answer(first, 0, 0.2), answer(second, 1, 0.6)])
    codes = [first.code, second.code]
    log_p = log_probabilities(strategy._controller.policy(codes), codes).sum(1)
    ((loss, rate),) = losses
    assert loss.item() == pytest.approx(-(log_p[1].item() * (0.4 - 0.4 / 0.75)) / 2)
    assert rate == 6e-4


def test_accuracy_is_cubed_as_in_the_paper():
    assert NASRL(toy_space(), rng=np.random.default_rng(0))._reward(0.5) == 0.125
    assert NASRL(toy_space(), rng=np.random.default_rng(0), reward="accuracy")._reward(0.5) == 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate: expected a number > 0, got 0.0"),
        ({"learning_rate": float("nan")}, "learning_rate: expected a number > 0, got nan"),
        ({"learning_rate": "fast"}, "learning_rate: expected a number > 0, got 'fast'"),
        ({"reward": "error"}, "reward: expected 'cubed-accuracy' or 'accuracy', got 'error'"),
        ({"batch": 0}, "batch: expected a whole number >= 1, got 0"),
    ],
)
def test_wrong_options_are_refused(rng, options, message):
    with pytest.raises(BadOption, match=message):
        NASRL(toy_space(), rng=rng, **options)


def test_missing_torch_is_said_at_construction(rng, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match="pip install"):
        NASRL(toy_space(), rng=rng)
