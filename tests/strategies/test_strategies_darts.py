"""DARTS descends the expected error, waits where there is no relaxation, and pays for what it searched."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.spaces.mixture import Mixture
from nasbench.spaces.relaxed import PlainRelaxed
from nasbench.strategies.darts import DARTS
from nasbench.strategies.darts_second_order import DARTSSecondOrder
from nasbench.strategies.relaxation import discretise
from nasbench.strategies.relaxed_search import softmax
from nasbench.strategies.strategy import Setting
from nasbench.testing import check_strategy, toy_relaxed_setting, toy_setting, toy_space
from nasbench.testing.strategy import RULES

torch = pytest.importorskip("torch")
BOTH = pytest.mark.parametrize("strategy", [DARTS, DARTSSecondOrder])


@BOTH
@pytest.mark.parametrize("space", [toy_space(), get_space("nb201")], ids=lambda space: space.name)
def test_keeps_the_contract(strategy, space):
    setting = toy_relaxed_setting(space)
    assert check_strategy(strategy, space, setting=setting, epochs=4) == list(RULES)


def made(planted, rng, strategy=DARTS, **options):
    return strategy(toy_space(), rng=rng, setting=planted.setting, **options)


@BOTH
def test_finds_the_planted_best(planted, rng, strategy):
    search = made(planted, rng, strategy, epochs=5, learning_rate=0.1)
    codes = [search.ask(1)[0].code for _ in range(5)]
    assert codes[-1] == planted.best


def test_proposes_one_report_an_epoch_and_then_stays_done(planted, rng):
    search = made(planted, rng, epochs=3)
    assert search.ask(0) == []
    proposals = [search.ask(4) for _ in range(3)]
    assert [len(asked) for asked in proposals] == [1, 1, 1]
    assert {proposal.purpose for (proposal,) in proposals} == {"report"}
    assert search.ask(1) == search.ask(1) == []


def test_reports_pay_for_the_search_since_the_last_one(planted, rng):
    search = made(planted, rng, epochs=2)
    paid = [search.ask(1)[0].search_seconds for _ in range(2)]
    assert sum(paid) == pytest.approx(search._relaxation.seconds)
    # Two steps in turn, on all operations: 1 second of every network and 3 edges of 0 + 1 + 2 seconds.
    assert paid[0] == pytest.approx(2 * (1 + 3 * 3))


def test_second_order_pays_four_steps_for_each_gradient(planted, rng):
    (proposal,) = made(planted, rng, DARTSSecondOrder, epochs=2).ask(1)
    assert proposal.search_seconds == pytest.approx((4 + 1) * (1 + 3 * 3))


def test_second_order_on_a_table_is_the_first_order(planted):
    first = made(planted, np.random.default_rng(3), epochs=4)
    second = made(planted, np.random.default_rng(3), DARTSSecondOrder, epochs=4)
    codes = [(first.ask(1)[0].code, second.ask(1)[0].code) for _ in range(4)]
    assert all(a == b for a, b in codes)
    assert torch.allclose(first._logits, second._logits, atol=1e-9)


def test_one_architecture_step_is_one_step_of_adam_by_hand(planted, rng):
    search = made(planted, rng, learning_rate=0.01)
    before = search._logits.detach().clone().requires_grad_()
    search._architecture_step()
    planted.relaxation.architecture_loss(Mixture(softmax(before))).backward()
    gradient = before.grad + 1e-3 * before.detach()
    step = 0.01 * gradient / (gradient.abs() + 1e-8)  # Adam's first step, both averages unbiased
    assert torch.allclose(search._logits, before - step, atol=1e-12)


@pytest.mark.parametrize("shape", [(6, 5), (1, 2)])
def test_softmax_is_torchs(shape):
    logits = 50 * torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(softmax(logits), torch.softmax(logits, dim=1), atol=1e-15)


def test_discrete_architecture_is_the_first_of_equal_logits():
    logits = torch.tensor([[0.0, 2.0, 2.0], [1.0, 1.0, 1.0], [0.0, 0.0, 1.0]])
    assert discretise(PlainRelaxed(toy_space()), logits) == (1, 0, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "huge"}, "preset: expected one of small, darts, nb201, got 'huge'"),
        ({"epochs": 0}, "epochs: expected a whole number >= 1, got 0"),
        ({"epochs": 2.0}, "epochs: expected a whole number >= 1, got 2.0"),
        ({"learning_rate": 0.0}, "learning_rate: expected a number > 0, got 0.0"),
        ({"learning_rate": float("nan")}, "learning_rate: expected a number > 0, got nan"),
        ({"learning_rate": "fast"}, "learning_rate: expected a number > 0, got 'fast'"),
    ],
)
def test_options_out_of_range_are_refused(planted, rng, options, message):
    with pytest.raises(BadOption, match=message):
        made(planted, rng, **options)


@BOTH
def test_source_without_a_relaxation_is_refused(rng, strategy):
    with pytest.raises(BadOption, match="setting: expected a source with a relaxation of space toy"):
        strategy(toy_space(), rng=rng, setting=toy_setting())
    assert Setting(epochs=(1,)).relaxation is None


def test_global_thread_count_is_left_alone(planted, rng):
    before = torch.get_num_threads()
    made(planted, rng).ask(1)
    assert torch.get_num_threads() == before
