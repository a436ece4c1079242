"""ProxylessNAS executes what it must, and each of its estimators points downhill."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.spaces.mixture import Mixture
from nasbench.strategies.proxylessnas import ProxylessNAS, policy_loss
from nasbench.strategies.relaxed_search import drawn, one_hot, softmax
from nasbench.testing import check_strategy, toy_relaxed_setting, toy_space
from nasbench.testing.strategy import RULES

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("space", [toy_space(), get_space("nb201")], ids=lambda space: space.name)
def test_keeps_the_contract(space):
    setting = toy_relaxed_setting(space)
    assert check_strategy(ProxylessNAS, space, setting=setting, epochs=6) == list(RULES)


def made(planted, rng, **options):
    return ProxylessNAS(toy_space(), rng=rng, setting=planted.setting, **options)


def codes_of(search):
    codes = []
    while proposals := search.ask(1):
        codes += [proposal.code for proposal in proposals]
    return codes


ESTIMATORS = pytest.mark.parametrize("estimator", ["two-path", "full", "reinforce"])


@ESTIMATORS
def test_keeps_the_contract_with_each_estimator(estimator):
    setting = toy_relaxed_setting(toy_space())
    assert check_strategy(ProxylessNAS, toy_space(), setting=setting, epochs=6, estimator=estimator)


@ESTIMATORS
def test_finds_the_planted_best(planted, rng, estimator):
    planted.relaxation.epoch_steps = 25
    search = made(planted, rng, epochs=45, learning_rate=0.1, estimator=estimator)
    assert codes_of(search)[-1] == planted.best


def test_two_path_update_leaves_all_other_probabilities(planted, rng):
    search = made(planted, rng, learning_rate=0.1)
    for _ in range(10):
        before = softmax(search._logits).detach()
        search._two_path()
        changed = (softmax(search._logits).detach() - before).abs() > 1e-6
        assert changed.sum(dim=1).tolist() == [2, 2, 2]


def test_two_path_update_executes_two_operations_an_edge(planted, rng, monkeypatch):
    seen = []
    kept = planted.relaxation.architecture_loss
    monkeypatch.setattr(planted.relaxation, "architecture_loss", lambda m: seen.append(m) or kept(m))
    made(planted, rng)._two_path()
    assert seen[0].active.sum(dim=1).tolist() == [2, 2, 2]
    assert seen[0].weights.sum(dim=1).tolist() == [1, 1, 1]
    assert not seen[0].weights[~seen[0].active].any()


def test_full_update_is_the_gradient_of_the_gates_through_the_softmax(planted, rng, monkeypatch):
    search = made(planted, rng)
    probabilities = softmax(search._logits).detach()
    gates = drawn(probabilities, np.random.default_rng(5))
    gradient = search._gate_gradient(gates, gates >= 0)
    monkeypatch.setattr(search, "_rng", np.random.default_rng(5))
    search._full()
    by_hand = probabilities * (gradient - (gradient * probabilities).sum(dim=1, keepdim=True))
    assert torch.allclose(search._logits.grad, by_hand, atol=1e-14)


def test_reinforce_is_unbiased(planted, rng):
    logits = torch.tensor(rng.normal(size=(3, 3)), requires_grad=True)
    planted.relaxation.architecture_loss(Mixture(softmax(logits))).backward()
    exact, logits.grad = logits.grad, None
    # The expectation over all 27 paths, each weighed by its probability, with any baseline.
    codes = [(i, j, k) for i in range(3) for j in range(3) for k in range(3)]
    paths = torch.stack([one_hot(torch.tensor(code), 3) for code in codes])
    chances = (paths * softmax(logits).detach()).sum(dim=2).prod(dim=1)
    rewards = -torch.tensor(planted.errors)
    policy_loss(logits, paths, 27 * chances * (rewards - 0.7)).backward()
    assert torch.allclose(logits.grad, exact, atol=1e-14)


def test_weights_alone_are_trained_at_first(planted, rng):
    search = made(planted, rng, epochs=6, learning_rate=0.1)
    planted.relaxation.epoch_steps = 10
    before = search._logits.detach().clone()
    search.ask(1)
    search.ask(1)
    assert torch.equal(search._logits, before)
    search.ask(1)
    assert not torch.equal(search._logits, before)


def test_unknown_estimator_is_refused(planted, rng):
    with pytest.raises(BadOption, match="estimator: expected one of two-path, full, reinforce, got 'best'"):
        made(planted, rng, estimator="best")
