"""GDAS executes one operation an edge, and every logit learns."""

from __future__ import annotations

import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.strategies.gdas import GDAS
from nasbench.testing import check_strategy, toy_relaxed_setting, toy_space
from nasbench.testing.strategy import RULES

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("space", [toy_space(), get_space("nb201")], ids=lambda space: space.name)
def test_keeps_the_contract(space):
    setting = toy_relaxed_setting(space)
    assert check_strategy(GDAS, space, setting=setting, epochs=4) == list(RULES)


def made(planted, rng, **options):
    return GDAS(toy_space(), rng=rng, setting=planted.setting, **options)


def codes_of(search):
    codes = []
    while proposals := search.ask(1):
        codes += [proposal.code for proposal in proposals]
    return codes


def test_finds_the_planted_best(planted, rng):
    assert codes_of(made(planted, rng, epochs=60, learning_rate=0.1))[-1] == planted.best


def test_one_operation_an_edge_is_active_with_weight_one(planted, rng):
    search = made(planted, rng)
    for _ in range(20):
        mixture = search._mixture()
        assert mixture.active.sum(dim=1).tolist() == [1, 1, 1]
        assert torch.allclose(mixture.weights.detach(), mixture.active.double(), atol=1e-15)


def test_operations_that_were_not_drawn_learn_too(planted, rng):
    search = made(planted, rng)
    mixture = search._mixture()
    planted.relaxation.architecture_loss(mixture).backward()
    assert (search._logits.grad[~mixture.active].abs() > 0).all()


def test_draws_follow_the_softmax(planted, rng):
    from scipy.stats import chisquare

    search = made(planted, rng)
    with torch.no_grad():
        search._logits[:] = torch.tensor([0.0, 1.0, -0.5])
    counts = sum(search._mixture().active for _ in range(2_000)).sum(dim=0).numpy()
    expected = 6_000 * torch.softmax(search._logits[0].detach(), dim=0).numpy()
    assert chisquare(counts, expected).pvalue > 0.01


def test_weights_are_trained_on_the_drawn_path_alone(planted, rng):
    search = made(planted, rng)
    before = planted.relaxation.seconds
    search._weight_step()
    # 1 second of every network and one operation of 0 to 2 seconds on each of 3 edges, not all three.
    assert planted.relaxation.seconds - before <= 1 + 3 * 2


def test_gradient_of_a_table_is_paid_in_full(planted, rng):
    search = made(planted, rng)
    before = planted.relaxation.seconds
    search._architecture_step()
    assert planted.relaxation.seconds - before == 1 + 3 * (0 + 1 + 2)


def test_weights_go_before_the_logits(planted, rng, monkeypatch):
    search = made(planted, rng)
    order = []
    monkeypatch.setattr(search, "_weight_step", lambda: order.append("weights"))
    monkeypatch.setattr(search, "_architecture_step", lambda: order.append("logits"))
    search.ask(1)
    assert order == ["weights", "logits"]


@pytest.mark.parametrize("name", ["temperature_start", "temperature_end"])
def test_temperature_out_of_range_is_refused(planted, rng, name):
    with pytest.raises(BadOption, match=f"{name}: expected a number > 0, got -1.0"):
        made(planted, rng, **{name: -1.0})
