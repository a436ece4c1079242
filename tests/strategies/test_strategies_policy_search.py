"""Children come and are learnt from in batches, against an unbiased moving average."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.strategies.policy_search import Child, PolicySearch


class Counting(PolicySearch):
    """Its k-th draw is (k,); remembers every batch."""

    def __init__(self, *, batch=2, momentum=0.5):
        super().__init__(batch=batch, momentum=momentum)
        self.draws, self.learnt = 0, []

    def _draw_children(self, n):
        self.draws += n
        return [Child((k,), np.zeros(1)) for k in range(self.draws - n, self.draws)]

    def _learn(self, children):
        self.learnt.append([(child.code[0], child.advantage) for child in children])


def test_advantage_is_the_reward_minus_the_unbiased_moving_average(answer):
    strategy = Counting()
    first, second = strategy.ask(2)
    strategy.tell([answer(first, 0, 0.2), answer(second, 1, 0.6)])
    # Rewards 0.8 and 0.4 with weights 1/4 and 1/2: the average is 0.4 / 0.75.
    assert strategy.learnt == [[(0, 0.0), (1, pytest.approx(0.4 - 0.4 / 0.75))]]


def test_constant_rewards_have_no_advantage(search):
    strategy = Counting(momentum=0.95)
    search(strategy, lambda code: 0.3, 40)
    assert np.abs([a for batch in strategy.learnt for _, a in batch]).max() < 1e-12


def test_answers_out_of_order_find_their_child(answer):
    strategy = Counting(batch=3)
    batch = strategy.ask(3)
    for number in (2, 0, 1):
        strategy.tell([answer(batch[number], number, 0.5)])
    assert [code for code, _ in strategy.learnt[0]] == [2, 0, 1]


def test_failed_trainings_do_not_fill_a_batch(answer):
    strategy = Counting()
    batch = strategy.ask(3)
    strategy.tell([answer(batch[0], 0, None), answer(batch[1], 1, 0.5)])
    assert strategy.learnt == []
    strategy.tell([answer(batch[2], 2, 0.5)])
    assert [code for code, _ in strategy.learnt[0]] == [1, 2]


def test_children_of_the_old_policy_are_dropped_after_an_update(answer):
    strategy = Counting()
    batch = strategy.ask(3)  # the fourth is drawn and waits
    strategy.tell([answer(p, i, 0.5) for i, p in enumerate(batch[:2])])
    assert [p.code for p in strategy.ask(2)] == [(4,), (5,)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": 0}, "batch: expected a whole number >= 1, got 0"),
        ({"batch": 2.0}, "batch: expected a whole number >= 1, got 2.0"),
        ({"batch": True}, "batch: expected a whole number >= 1, got True"),
        ({"momentum": 1.0}, r"momentum: expected a number in \[0, 1\), got 1.0"),
        ({"momentum": -0.1}, r"momentum: expected a number in \[0, 1\), got -0.1"),
        ({"momentum": "0.5"}, r"momentum: expected a number in \[0, 1\), got '0.5'"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(BadOption, match=message):
        Counting(**options)
