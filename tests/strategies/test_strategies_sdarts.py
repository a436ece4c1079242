"""SDARTS perturbs within its box, upwards where it is adversarial, and without epsilon is DARTS."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.spaces.mixture import Mixture
from nasbench.strategies.darts import DARTS
from nasbench.strategies.relaxed_search import softmax
from nasbench.strategies.sdarts import SDARTS
from nasbench.testing import check_strategy, toy_relaxed_setting, toy_space
from nasbench.testing.strategy import RULES

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("space", [toy_space(), get_space("nb201")], ids=lambda space: space.name)
def test_keeps_the_contract(space):
    setting = toy_relaxed_setting(space)
    assert check_strategy(SDARTS, space, setting=setting, epochs=4) == list(RULES)


def made(planted, rng, **options):
    return SDARTS(toy_space(), rng=rng, setting=planted.setting, **options)


def codes_of(search):
    codes = []
    while proposals := search.ask(1):
        codes += [proposal.code for proposal in proposals]
    return codes


KINDS = pytest.mark.parametrize("perturbation", ["random", "adversarial"])


@KINDS
def test_finds_the_planted_best(planted, rng, perturbation):
    search = made(planted, rng, epochs=10, learning_rate=0.1, perturbation=perturbation)
    assert codes_of(search)[-1] == planted.best


@KINDS
def test_without_epsilon_it_is_darts_bit_for_bit(planted, perturbation):
    options = {"epochs": 5, "learning_rate": 0.05}
    plain = DARTS(toy_space(), rng=np.random.default_rng(1), setting=planted.setting, **options)
    still = made(
        planted,
        np.random.default_rng(1),
        perturbation=perturbation,
        epsilon_start=0.0,
        epsilon_end=0.0,
        **options,
    )
    for _ in range(5):
        assert still.ask(1)[0].code == plain.ask(1)[0].code
        assert torch.equal(still._logits, plain._logits)


@KINDS
def test_perturbed_weights_are_probabilities_near_the_others(planted, rng, perturbation):
    search = made(planted, rng, perturbation=perturbation, epsilon_start=0.1)
    for _ in range(20):
        weights = softmax(torch.from_numpy(rng.normal(size=(3, 3))))
        moved = search._perturbed(weights)
        assert float(moved.min()) >= 0.0
        assert torch.allclose(moved.sum(dim=1), torch.ones(3, dtype=torch.float64), atol=1e-14)
        # Each weight moves by at most 0.1, then its row is divided by a sum within 0.3 of one.
        assert float((moved - weights).abs().max()) <= 0.1 + 0.3 / 0.7


def test_ascent_never_lowers_the_loss_and_mostly_raises_it(planted, rng):
    search = made(planted, rng, perturbation="adversarial")
    raised = 0
    for _ in range(30):
        weights = softmax(torch.from_numpy(rng.normal(size=(3, 3))))
        clean, moved = (
            float(planted.relaxation.training_loss(Mixture(at)))
            for at in (weights, search._adversely(weights, 0.1))
        )
        assert moved >= clean
        raised += moved > clean
    assert raised == 30


def test_ascent_beats_random_noise(planted, rng):
    search = made(planted, rng)
    weights = torch.full((3, 3), 1 / 3, dtype=torch.float64)
    losses = {
        perturb: float(planted.relaxation.training_loss(Mixture(perturb(weights, 0.1))))
        for perturb in (search._randomly, search._adversely)
    }
    assert losses[search._adversely] > losses[search._randomly]


def test_row_that_noise_clips_to_nothing_stays_unmoved(planted, rng, monkeypatch):
    search = made(planted, rng)
    monkeypatch.setattr(search, "_noise", lambda weights, epsilon: -torch.ones_like(weights))
    weights = torch.full((3, 3), 1 / 3, dtype=torch.float64)
    assert torch.equal(search._randomly(weights, 1.0), weights)


def test_epsilon_grows_on_a_straight_line(planted, rng):
    search = made(planted, rng, epochs=3)
    found = []
    for _ in range(3):
        found.append(search._ramp(*search._epsilons))
        search.ask(1)
    assert found == pytest.approx([0.03, 0.165, 0.3])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"perturbation": "none"}, "perturbation: expected one of random, adversarial, got 'none'"),
        ({"epsilon_start": -0.1}, "epsilon_start: expected a number >= 0, got -0.1"),
        ({"epsilon_end": float("inf")}, "epsilon_end: expected a number >= 0, got inf"),
    ],
)
def test_options_out_of_range_are_refused(planted, rng, options, message):
    with pytest.raises(BadOption, match=message):
        made(planted, rng, **options)
