"""NASP keeps one operation an edge, and numbers in the box behind it."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.strategies.nasp import NASP
from nasbench.testing import check_strategy, toy_relaxed_setting, toy_space
from nasbench.testing.strategy import RULES

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("space", [toy_space(), get_space("nb201")], ids=lambda space: space.name)
def test_keeps_the_contract(space):
    setting = toy_relaxed_setting(space)
    assert check_strategy(NASP, space, setting=setting, epochs=4) == list(RULES)


def made(planted, rng, **options):
    return NASP(toy_space(), rng=rng, setting=planted.setting, **options)


def codes_of(search):
    codes = []
    while proposals := search.ask(1):
        codes += [proposal.code for proposal in proposals]
    return codes


def test_finds_the_planted_best(planted, rng):
    assert codes_of(made(planted, rng, epochs=30, learning_rate=0.05))[-1] == planted.best


def test_numbers_stay_in_the_box(planted, rng):
    search = made(planted, rng, epochs=40, learning_rate=0.3)
    for _ in range(40):
        search.ask(1)
        assert float(search._logits.detach().min()) >= 0.0
        assert float(search._logits.detach().max()) <= 1.0


def test_weights_are_trained_on_one_operation_an_edge(planted, rng, monkeypatch):
    seen = []
    monkeypatch.setattr(planted.relaxation, "weight_step", lambda m: seen.append(m))
    made(planted, rng).ask(1)
    assert seen[0].active is None
    assert (seen[0].weights != 0).sum(dim=1).tolist() == [1, 1, 1]


def test_gradient_is_that_at_the_discrete_architecture(planted, rng):
    search = made(planted, rng)
    here = search.architecture()
    search._architecture_step()
    table = planted.errors.reshape(3, 3, 3)
    i, j, k = here
    neighbours = np.stack([table[:, j, k], table[i, :, k], table[i, j, :]])
    assert search._logits.grad.numpy() == pytest.approx(neighbours - table[here], abs=1e-12)


def test_first_choices_differ_from_seed_to_seed(planted):
    codes = {made(planted, np.random.default_rng(seed)).architecture() for seed in range(10)}
    assert len(codes) > 3


def test_epochs_out_of_range_are_refused(planted, rng):
    with pytest.raises(BadOption, match="epochs: expected a whole number >= 1, got -1"):
        made(planted, rng, epochs=-1)
