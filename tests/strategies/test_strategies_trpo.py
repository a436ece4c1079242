"""TRPO's steps keep to the trust region, improve the surrogate, and use the true curvature."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.strategies.trpo import TRPO, Batch, conjugate_gradient
from nasbench.testing import ToyChain, check_strategy, toy_space
from nasbench.testing.strategy import RULES


def some_batch(space, seed=0, n=12, **options):
    """A policy away from uniform, and children of it with advantages."""
    rng = np.random.default_rng(seed)
    strategy = TRPO(space, rng=rng, **options)
    strategy.logits = rng.normal(size=strategy.logits.shape)
    children = strategy._draw_children(n)
    for child, advantage in zip(children, rng.normal(size=n), strict=True):
        child.advantage = advantage
    return strategy, children, Batch(strategy._masks(children), children)


def test_contract_is_kept():
    assert check_strategy(TRPO) == list(RULES)


def test_contract_is_kept_on_nb201():
    assert check_strategy(TRPO, get_space("nb201"), n_trials=30) == list(RULES)


@pytest.mark.parametrize("space", [toy_space(), ToyChain()], ids=lambda space: space.name)
@pytest.mark.parametrize("delta", [0.01, 0.5])
def test_step_stays_in_the_trust_region_and_improves_the_surrogate(space, delta):
    for seed in range(20):
        strategy, children, batch = some_batch(space, seed, delta=delta)
        old = strategy.logits
        strategy._learn(children)
        divergence = batch.divergence(old, strategy.logits)
        assert 0.0 < divergence <= delta * (1 + 1e-9)
        assert batch.surrogate(strategy.logits) > batch.surrogate(old)


def test_small_step_is_halved_once_at_most_where_damping_is_small():
    strategy, children, batch = some_batch(toy_space(), delta=1e-6, damping=1e-6)
    old = strategy.logits
    strategy._learn(children)
    assert 0.24e-6 < batch.divergence(old, strategy.logits) <= 1e-6


@pytest.mark.parametrize("space", [toy_space(), ToyChain()], ids=lambda space: space.name)
def test_fisher_vector_product_is_the_hessian_of_the_divergence(space):
    torch = pytest.importorskip("torch")
    strategy, children, batch = some_batch(space)
    old = torch.from_numpy(strategy.logits)
    allowed = torch.from_numpy(strategy._masks(children))

    def divergence(logits):
        old_log_p = old.masked_fill(~allowed, -1e9).log_softmax(2)
        new_log_p = logits.view_as(old).masked_fill(~allowed, -1e9).log_softmax(2)
        return (old_log_p.exp() * (old_log_p - new_log_p)).sum((1, 2)).mean()

    hessian = torch.autograd.functional.hessian(divergence, old.flatten()).numpy()
    v = np.random.default_rng(1).normal(size=strategy.logits.shape)
    found = batch.fisher_vector_product(strategy.logits, v).ravel()
    assert found == pytest.approx(hessian @ v.ravel(), abs=1e-12)


def test_gradient_is_the_slope_of_the_surrogate():
    strategy, _, batch = some_batch(ToyChain())
    at = strategy.logits + 0.3  # off the policy that drew: the same, for a softmax
    at[0, 1] += 0.2
    found, h = batch.gradient(at), 1e-6
    for i, j in np.ndindex(*at.shape):
        nudge = np.zeros_like(at)
        nudge[i, j] = h
        slope = (batch.surrogate(at + nudge) - batch.surrogate(at - nudge)) / (2 * h)
        assert found[i, j] == pytest.approx(slope, abs=1e-7)


def test_divergence_is_kullback_leibler_by_hand():
    strategy, _, batch = some_batch(toy_space())
    new = strategy.logits + np.random.default_rng(2).normal(size=(3, 3))
    p, q = (np.exp(x) / np.exp(x).sum(axis=1, keepdims=True) for x in (strategy.logits, new))
    assert batch.divergence(strategy.logits, new) == pytest.approx((p * np.log(p / q)).sum())


def test_conjugate_gradient_solves_in_as_many_steps_as_dimensions(rng):
    root = rng.normal(size=(6, 6))
    matrix, b = root @ root.T + np.eye(6), rng.normal(size=6)
    found = conjugate_gradient(lambda v: matrix @ v, b, 6)
    assert found == pytest.approx(np.linalg.solve(matrix, b), rel=1e-6)


@pytest.mark.parametrize("workers", [1, 4])
def test_policy_converges_to_the_best_of_a_separable_reward(line, search, rng, workers):
    space, error_of = line
    strategy = TRPO(space, rng=rng, delta=0.1)
    search(strategy, error_of, 600, workers)
    assert strategy.logits.argmax(axis=1).tolist() == [2, 2, 2, 2]


def test_logits_stay_under_constant_reward(line, search, rng):
    space, _ = line
    strategy = TRPO(space, rng=rng)
    search(strategy, lambda code: 0.3, 60)
    assert np.array_equal(strategy.logits, np.zeros((4, 5)))


def test_first_draws_are_uniform(line, rng):
    space, _ = line
    codes = np.array([p.code for p in TRPO(space, rng=rng).ask(2_000)])
    counts = np.array([np.bincount(column, minlength=5) for column in codes.T])
    assert (((counts - 400) ** 2 / 400).sum(axis=1) < 23.5).all()  # chi-square, 4 degrees, p = 1e-4


@pytest.mark.parametrize("name", ["delta", "damping"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("inf"), float("nan"), "0.1", True])
def test_wrong_numbers_are_refused(rng, name, value):
    with pytest.raises(BadOption, match=f"{name}: expected a number > 0, got {value!r}"):
        TRPO(toy_space(), rng=rng, **{name: value})
