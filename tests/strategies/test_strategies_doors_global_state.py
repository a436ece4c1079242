"""The caller's random state is as if the library had never drawn; the library's own goes on."""

from __future__ import annotations

import random

import numpy as np
import pytest

from nasbench.seeds import generator
from nasbench.strategies.doors.global_state import GlobalState
from nasbench.testing.simulation import global_random_state


def draws(state, n=1):
    with state.lent():
        return [(random.random(), np.random.random()) for _ in range(n)]  # noqa: NPY002


def test_callers_state_is_untouched():
    before = global_random_state()
    draws(GlobalState(generator(1)), 3)
    assert global_random_state() == before


def test_callers_state_is_put_back_after_an_error():
    state, before = GlobalState(generator(1)), global_random_state()

    def fail():
        with state.lent():
            random.random()
            np.random.random()  # noqa: NPY002
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert global_random_state() == before


def test_draws_go_on_from_where_they_last_were():
    state = GlobalState(generator(1))
    assert [*draws(state), *draws(state)] == draws(GlobalState(generator(1)), 2)


def test_what_the_caller_draws_between_changes_nothing():
    state = GlobalState(generator(1))
    first = draws(state)
    saved = random.getstate()
    random.random()
    second = draws(state)
    random.setstate(saved)
    assert [*first, *second] == draws(GlobalState(generator(1)), 2)


def test_other_seeds_give_other_draws():
    assert draws(GlobalState(generator(1))) != draws(GlobalState(generator(2)))
