"""The table's states, its greedy choice, the backward update and the schedule, each by hand."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.seeds import uniforms
from nasbench.strategies.q_learning import QTable, back_up, scheduled_epsilon
from nasbench.testing import ToyChain, toy_space


@pytest.fixture
def draw(rng):
    return uniforms(rng)


def test_layer_state_sees_the_last_value_only():
    table = QTable(toy_space(), state="layer", initial=0.5)
    assert table.row((0, 2)) is table.row((1, 2))
    assert table.row((0, 2)) is not table.row((0, 1))
    assert table.row((2,)) is not table.row((0, 2))
    assert table.row(()) == [0.5, 0.5, 0.5]


def test_prefix_state_sees_all_values():
    table = QTable(toy_space(), state="prefix", initial=0.5)
    assert table.row((0, 2)) is not table.row((1, 2))
    assert table.row((0, 2)) is table.row((0, 2))


def test_back_up_goes_from_the_end_so_that_the_reward_reaches_the_start():
    table = QTable(toy_space(), state="prefix", initial=0.5)
    back_up(table.episode((1, 0, 2)), intermediate=0.0, last=0.9, rate=0.1)
    last = 0.5 + 0.1 * (0.9 - 0.5)
    middle = 0.5 + 0.1 * (last - 0.5)
    assert table.row((1, 0))[2] == pytest.approx(last)
    assert table.row((1,))[0] == pytest.approx(middle)
    assert table.row(())[1] == pytest.approx(0.5 + 0.1 * (middle - 0.5))
    assert table.row(())[0] == 0.5


def test_back_up_takes_the_best_of_the_values_that_are_allowed():
    table = QTable(ToyChain(), state="layer", initial=0.0)
    table.row((1, 0))[1] = 5.0  # forbidden after an absent layer
    back_up(table.episode((1, 0, 0, 0)), intermediate=0.0, last=1.0, rate=1.0)
    assert table.row((1,))[0] == 1.0


def test_greedy_choice_takes_the_best_allowed_value(draw):
    table = QTable(ToyChain(), state="layer", initial=0.0)
    table.row(())[0] = 9.0  # forbidden
    table.row(())[2] = 1.0
    table.row((2,))[0] = 1.0
    assert {table.choose(0.0, draw) for _ in range(20)} == {(2, 0, 0, 0)}


def test_equal_values_are_drawn_uniformly(draw):
    table = QTable(toy_space(), state="layer", initial=0.0)
    counts = np.bincount([table.choose(0.0, draw)[1] for _ in range(3_000)], minlength=3)
    assert ((counts - 1_000) ** 2 / 1_000).sum() < 18.4  # chi-square, 2 degrees, p = 1e-4


def test_random_choice_ignores_the_table(draw):
    table = QTable(toy_space(), state="layer", initial=0.0)
    table.row(())[2] = 1.0
    counts = np.bincount([table.choose(1.0, draw)[0] for _ in range(3_000)], minlength=3)
    assert ((counts - 1_000) ** 2 / 1_000).sum() < 18.4


def test_nothing_is_written_twice_until_attempts_run_out(draw):
    table = QTable(toy_space(), state="layer", initial=0.0)
    codes = [table.write(1.0, draw) for _ in range(40)]
    assert len(set(codes[:20])) == 20
    assert len(set(codes)) == 27


def test_schedule_holds_its_last_epsilon():
    schedule = ((1.0, 4), (0.5, 2), (0.1, 3))
    found = [scheduled_epsilon(schedule, n, 1.0) for n in range(12)]
    assert found == [1.0] * 4 + [0.5] * 2 + [0.1] * 6
    assert [scheduled_epsilon(schedule, n, 0.5) for n in range(4)] == [1.0, 1.0, 0.5, 0.1]


def test_unknown_state_is_refused():
    with pytest.raises(BadOption, match="state: expected 'layer' or 'prefix', got 'all'"):
        QTable(toy_space(), state="all", initial=0.0)
