"""The LSTM policy gives probabilities that add up, draws by them, and attends to anchors as published."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest
from scipy.stats import chisquare

from nasbench.errors import BadOption, MissingExtra
from nasbench.seeds import uniforms
from nasbench.spaces import Decision, ProductSpace
from nasbench.strategies.controller import Controller, divergences, entropies, log_probabilities
from nasbench.testing import ToyChain, toy_space

torch = pytest.importorskip("torch")


class Anchored(ProductSpace):
    """Three layers of three operations; the second and third say what feeds them."""

    anchors = {2: (0, 1), 4: (0, 2), 5: (1, 2)}  # noqa: RUF012 - a space's attribute

    def __init__(self):
        operations, bit = tuple("abc"), ("no", "yes")
        choices = [operations, operations, bit, operations, bit, bit]
        super().__init__("anchored", [Decision(f"d{i}", names) for i, names in enumerate(choices)])


def controller(space, seed=3, *, layers=2, units=5, spread=1.0):
    rng = np.random.default_rng(seed)
    return Controller(space, rng=rng, layers=layers, units=units, spread=spread)


def all_codes(space):
    return [tuple(row) for block in space.enumerate() for row in block.tolist()]


def chances(policy, codes):
    return log_probabilities(policy.policy(codes), codes).sum(1).detach().exp().numpy()


@pytest.mark.parametrize("space", [toy_space(), ToyChain(), Anchored()], ids=lambda space: space.name)
def test_probabilities_of_all_codes_sum_to_one(space):
    assert chances(controller(space), all_codes(space)).sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("space", [toy_space(), ToyChain(), Anchored()], ids=lambda space: space.name)
def test_draws_follow_the_probabilities(space):
    policy, codes = controller(space), all_codes(space)
    drawn = [code for code, _ in policy.sample(4_000, uniforms(np.random.default_rng(1)))]
    expected = 4_000 * chances(policy, codes)
    counts = np.array([drawn.count(code) for code in codes])
    often = expected >= 5
    rest = [counts[~often].sum()], [expected[~often].sum()]
    found, wanted = np.r_[counts[often], rest[0]], np.r_[expected[often], rest[1]]
    assert chisquare(found[wanted > 0], wanted[wanted > 0]).pvalue > 1e-3


def test_log_probabilities_of_given_codes_are_those_at_their_draw(toy_space):
    policy = controller(toy_space)
    children = policy.sample(20, uniforms(np.random.default_rng(1)))
    codes = [code for code, _ in children]
    again = log_probabilities(policy.policy(codes), codes).detach().numpy()
    assert again == pytest.approx(np.stack([log_p for _, log_p in children]), abs=1e-12)


def test_chance_of_a_value_depends_on_earlier_values():
    first, _, last = controller(toy_space()).policy([(0, 0, 0), (2, 0, 0)])
    assert torch.equal(first[0], first[1])
    assert (last[0] - last[1]).abs().max() > 1e-3


def test_masked_values_have_no_chance_and_finite_scores():
    policy = controller(ToyChain())
    codes = [(1, 0, 0, 0), (2, 1, 2, 0)]
    log_p = policy.policy(codes)
    assert log_p[0].exp()[:, 0].tolist() == [0.0, 0.0]
    assert log_p[2].exp()[0].tolist() == [1.0, 0.0, 0.0]
    (gradient,) = torch.autograd.grad(entropies(log_p).sum(), policy.weights)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("space", [toy_space(), ToyChain()], ids=lambda space: space.name)
def test_mean_entropy_over_paths_is_that_of_the_whole_code(space):
    policy, codes = controller(space), all_codes(space)
    p = chances(policy, codes)
    paths = entropies(policy.policy(codes)).detach().numpy()
    p_taken = p[p > 0]
    assert p @ paths == pytest.approx(-(p_taken * np.log(p_taken)).sum())


@pytest.mark.parametrize("space", [toy_space(), ToyChain()], ids=lambda space: space.name)
def test_mean_divergence_over_paths_is_that_of_the_whole_code(space):
    one, other, codes = controller(space, 3), controller(space, 4), all_codes(space)
    p, q = chances(one, codes), chances(other, codes)
    paths = divergences(one.policy(codes), other.policy(codes)).detach().numpy()
    assert p @ paths == pytest.approx((p * np.log(p / q)).sum())
    assert divergences(one.policy(codes), one.policy(codes)).abs().max() == 0.0


def test_descending_the_negative_log_probability_makes_a_code_likely(toy_space):
    policy = controller(toy_space)
    for _ in range(60):
        policy.descend(lambda: -log_probabilities(policy.policy([(2, 0, 1)]), [(2, 0, 1)]).sum(), 0.05)
    assert chances(policy, [(2, 0, 1)])[0] > 0.9


def test_first_step_of_adam_is_the_learning_rate_along_the_sign():
    policy = controller(toy_space())
    before = policy.weights.detach().numpy().copy()
    slope = np.random.default_rng(0).normal(size=before.size)
    policy.descend(lambda: (policy.weights * torch.from_numpy(slope)).sum(), 0.1)
    after = policy.weights.detach().numpy()
    assert after == pytest.approx(before - 0.1 * np.sign(slope), abs=1e-6)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_anchor_is_the_set_selection_attention_of_the_paper_by_hand():
    units, space = 4, Anchored()
    policy = controller(space, layers=1, units=units)
    flat = iter(policy.weights.detach().numpy())

    def take(*shape):
        return np.array(list(itertools.islice(flat, int(np.prod(shape))))).reshape(shape)

    start, weight, bias = take(units), take(2 * units, 4 * units), take(4 * units)
    decisions = [
        (take(len(d.choices), units), take(units, len(d.choices)), take(len(d.choices)))
        for d in space.decisions
    ]
    w_prev, w_curr, v = take(units, units), take(units, units), take(units)
    code = (2, 0, 1, 1, 0, 1)
    x, hidden, cell, outputs = start, np.zeros(units), np.zeros(units), []
    for (embedding, _, _), value in zip(decisions, code, strict=True):
        new, keep_in, forget, out = np.split(np.r_[x, hidden] @ weight + bias, 4)
        cell = sigmoid(forget) * cell + sigmoid(keep_in) * np.tanh(new)
        hidden = sigmoid(out) * np.tanh(cell)
        outputs.append(hidden)
        x = embedding[value]
    state = {0: outputs[1], 1: outputs[2], 2: outputs[4]}  # layer 0: just before its first offer
    policy_given = [row[0].detach().exp().numpy() for row in policy.policy([code])]
    for i, (source, target) in space.anchors.items():
        feeds = sigmoid(v @ np.tanh(state[source] @ w_prev + state[target] @ w_curr))
        assert policy_given[i] == pytest.approx([1 - feeds, feeds])
    for i in (0, 1, 3):
        weights = np.exp(outputs[i] @ decisions[i][1] + decisions[i][2])
        assert policy_given[i] == pytest.approx(weights / weights.sum())


def test_anchor_with_three_choices_is_refused():
    space = Anchored()
    space.anchors = {1: (0, 1)}
    with pytest.raises(BadOption, match="expected two choices at anchor decision 'd1', got 3"):
        controller(space)


def test_weights_come_from_rng_and_nothing_else_changes(toy_space):
    before = torch.random.get_rng_state(), torch.get_num_threads()
    one, other = controller(toy_space, 5, spread=0.08), controller(toy_space, 5, spread=0.08)
    one.sample(3, uniforms(np.random.default_rng(0)))
    assert torch.equal(one.weights, other.weights)
    assert one.weights.abs().max() <= 0.08
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert torch.get_num_threads() == before[1]


def test_without_torch_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"needs torch. Install it with: pip install 'nasbench\[torch\]'"):
        controller(toy_space())
