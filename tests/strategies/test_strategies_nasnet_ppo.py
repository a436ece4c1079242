"""PPO begins as REINFORCE, and clips what has moved too far."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.strategies.controller import entropies, log_probabilities
from nasbench.strategies.nasnet_ppo import NASNetPPO
from nasbench.testing import ToyChain, check_strategy, toy_space
from nasbench.testing.strategy import RULES

torch = pytest.importorskip("torch")


def with_advantages(strategy, n=6):
    children = strategy._draw_children(n)
    for child, advantage in zip(children, np.random.default_rng(1).normal(size=n), strict=True):
        child.advantage = advantage
    return children


def gradient(strategy, loss):
    return torch.autograd.grad(loss, strategy._controller.weights)[0].numpy()


def test_contract_is_kept():
    assert check_strategy(NASNetPPO, passes=1) == list(RULES)


@pytest.mark.slow
def test_contract_is_kept_on_nb201():
    assert check_strategy(NASNetPPO, get_space("nb201"), n_trials=30, batch=10) == list(RULES)


@pytest.mark.parametrize("space", [toy_space(), ToyChain()], ids=lambda space: space.name)
def test_first_pass_has_the_gradient_of_reinforce(space, rng):
    strategy = NASNetPPO(space, rng=rng, entropy_weight=0.0)
    children = with_advantages(strategy)
    codes = [child.code for child in children]
    log_p = log_probabilities(strategy._controller.policy(codes), codes).sum(1)
    reinforce = -(log_p * torch.tensor([child.advantage for child in children])).mean()
    found = gradient(strategy, strategy._loss(children))
    assert found == pytest.approx(gradient(strategy, reinforce), abs=1e-12)
    assert np.abs(found).max() > 1e-3


@pytest.mark.parametrize(("advantage", "drawn_at", "is_clipped"), [(1, 0.7, True), (-1, 0.7, False)])
def test_gain_beyond_the_clip_has_no_gradient(rng, advantage, drawn_at, is_clipped):
    strategy = NASNetPPO(toy_space(), rng=rng, entropy_weight=0.0)
    (child,) = with_advantages(strategy, 1)
    child.advantage = advantage
    child.log_probabilities = child.log_probabilities + np.log(drawn_at)  # ratios are now 1 / 0.7
    found = np.abs(gradient(strategy, strategy._loss([child]))).max()
    assert (found == 0.0) == is_clipped


def test_entropy_counts_with_its_weight(rng):
    strategy = NASNetPPO(toy_space(), rng=rng, entropy_weight=0.5)
    children = with_advantages(strategy)
    codes = [child.code for child in children]
    mean_entropy = entropies(strategy._controller.policy(codes)).mean().item()
    with_it = strategy._loss(children).item()
    strategy._entropy_weight = 0.0
    assert with_it == pytest.approx(strategy._loss(children).item() - 0.5 * mean_entropy)


def test_each_batch_is_passed_over_as_often_as_asked(search, rng, monkeypatch):
    strategy = NASNetPPO(toy_space(), rng=rng, batch=5, passes=3)
    steps = []
    monkeypatch.setattr(strategy._controller, "descend", lambda loss, rate: steps.append(rate))
    search(strategy, lambda code: 0.5, 12)
    assert steps == [3.5e-4] * 6


@pytest.mark.parametrize("workers", [1, 4])
def test_later_children_are_better(line, search, rng, workers):
    space, error_of = line
    strategy = NASNetPPO(space, rng=rng, learning_rate=5e-3, batch=10)
    errors = [error_of(code) for code in search(strategy, error_of, 200, workers)]
    assert np.mean(errors[-40:]) < np.mean(errors[:40]) - 0.15


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"passes": 0}, "passes: expected a whole number >= 1, got 0"),
        ({"learning_rate": 0.0}, "learning_rate: expected a number > 0, got 0.0"),
        ({"clip": -1.0}, "clip: expected a number > 0, got -1.0"),
        ({"clip": "0.2"}, "clip: expected a number > 0, got '0.2'"),
        ({"entropy_weight": -1e-5}, "entropy_weight: expected a number >= 0, got -1e-05"),
        ({"momentum": 1.0}, r"momentum: expected a number in \[0, 1\), got 1.0"),
    ],
)
def test_wrong_options_are_refused(rng, options, message):
    with pytest.raises(BadOption, match=message):
        NASNetPPO(toy_space(), rng=rng, **options)
