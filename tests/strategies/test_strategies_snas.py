"""SNAS draws near one-hot weights with the right frequencies, and steps both levels at once."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.spaces.mixture import Mixture
from nasbench.strategies.snas import SNAS, concrete
from nasbench.testing import check_strategy, toy_relaxed_setting, toy_space
from nasbench.testing.strategy import RULES

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("space", [toy_space(), get_space("nb201")], ids=lambda space: space.name)
def test_keeps_the_contract(space):
    setting = toy_relaxed_setting(space)
    assert check_strategy(SNAS, space, setting=setting, epochs=4) == list(RULES)


def made(planted, rng, **options):
    return SNAS(toy_space(), rng=rng, setting=planted.setting, **options)


def codes_of(search):
    codes = []
    while proposals := search.ask(1):
        codes += [proposal.code for proposal in proposals]
    return codes


def test_finds_the_planted_best(planted, rng):
    assert codes_of(made(planted, rng, epochs=60, learning_rate=0.1))[-1] == planted.best


def test_draws_sum_to_one(rng):
    for temperature in (1.0, 0.03):
        draw = concrete(torch.from_numpy(rng.normal(size=(6, 5))), temperature, rng)
        assert torch.allclose(draw.sum(dim=1), torch.ones(6, dtype=torch.float64), atol=1e-14)


def test_cold_draws_are_one_hot_with_the_softmax_frequencies(rng):
    from scipy.stats import chisquare

    logits = torch.tensor([[0.5, -1.0, 0.0, 1.0]], dtype=torch.float64).expand(4_000, 4)
    draws = concrete(logits, 1e-3, rng)
    counts = np.bincount(draws.argmax(dim=1).numpy(), minlength=4)
    expected = 4_000 * torch.softmax(logits[0], dim=0).numpy()
    assert chisquare(counts, expected).pvalue > 0.01
    assert float((draws.amax(dim=1) > 0.999).double().mean()) > 0.98


def test_warm_draws_are_not(rng):
    draws = concrete(torch.zeros(1_000, 4, dtype=torch.float64), 10.0, rng)
    assert float(draws.amax()) < 0.6


def test_temperature_falls_on_a_straight_line(planted, rng):
    search = made(planted, rng, epochs=3)
    temperatures = []
    for _ in range(3):
        temperatures.append(search._ramp(*search._temperatures))
        search.ask(1)
    assert temperatures == pytest.approx([1.0, 0.515, 0.03])


def test_both_levels_take_the_same_draw(planted, rng, monkeypatch):
    seen = []
    kept = planted.relaxation.training_loss
    monkeypatch.setattr(
        planted.relaxation, "training_loss", lambda m: seen.append(m.weights.detach()) or kept(m)
    )
    monkeypatch.setattr(planted.relaxation, "weight_step", lambda m: seen.append(m.weights))
    made(planted, rng).ask(1)
    assert len(seen) == 2
    assert torch.equal(*seen)


def test_gradient_goes_through_the_draw(planted, rng):
    search = made(planted, rng)
    mixture = search._mixture()
    planted.relaxation.training_loss(Mixture(mixture.weights)).backward()
    assert search._logits.grad.abs().sum() > 0


@pytest.mark.parametrize("name", ["temperature_start", "temperature_end"])
def test_temperature_out_of_range_is_refused(planted, rng, name):
    with pytest.raises(BadOption, match=f"{name}: expected a number > 0, got 0"):
        made(planted, rng, **{name: 0})
