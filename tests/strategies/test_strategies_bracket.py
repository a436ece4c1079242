"""A bracket promotes the best of a full rung; brackets overlap where a worker would be idle."""

from __future__ import annotations

from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasbench.records import Proposal
from nasbench.strategies.bracket import Bracket, Brackets, Place
from nasbench.strategies.rungs import Rung

RUNGS = [Rung(1, 6), Rung(3, 2), Rung(9, 1)]


def take(bracket):
    """Empty the rung."""
    places = []
    while (place := bracket.next()) is not None:
        places.append(place)
    return places


def fill(bracket, answer, errors):
    """Tell the first rung these errors, of architectures (0,), (1,), ..."""
    take(bracket)
    for number, error in enumerate(errors):
        bracket.tell(answer(Proposal((number,)), number, error))


def test_first_rung_wants_new_architectures():
    assert take(Bracket(RUNGS)) == [Place(1)] * 6


@given(errors=st.permutations([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]))
def test_promoted_are_the_best_of_the_rung(answer, errors):
    bracket = Bracket(RUNGS)
    fill(bracket, answer, errors)
    best, second = errors.index(0.1), errors.index(0.2)
    assert take(bracket) == [Place(3, (best,), best), Place(3, (second,), second)]


def test_equal_errors_are_promoted_in_order_of_proposal(answer):
    bracket = Bracket(RUNGS)
    take(bracket)
    for number in (4, 2, 5, 0, 3, 1):
        bracket.tell(answer(Proposal((number,)), number, 0.5))
    assert [place.continues for place in take(bracket)] == [0, 1]


def test_nobody_is_promoted_before_the_last_answer(answer):
    bracket = Bracket(RUNGS)
    fill(bracket, answer, [0.1, 0.2, 0.3, 0.4, 0.5])
    assert bracket.next() is None
    bracket.tell(answer(Proposal((5,)), 5, 0.6))
    assert bracket.next() == Place(3, (0,), 0)


def test_failed_trainings_are_never_promoted_and_the_next_rung_is_smaller(answer):
    bracket = Bracket(RUNGS)
    fill(bracket, answer, [None, None, 0.9, None, None, None])
    assert take(bracket) == [Place(3, (2,), 2)]


def test_bracket_in_which_all_failed_is_finished(answer):
    bracket = Bracket(RUNGS)
    fill(bracket, answer, [None] * 6)
    assert bracket.is_finished
    assert bracket.next() is None


def test_bracket_is_finished_after_its_last_rung(answer):
    bracket = Bracket(RUNGS)
    fill(bracket, answer, [0.1] * 6)
    told = [bracket.tell(answer(Proposal(place.code), 6 + i, 0.1)) for i, place in enumerate(take(bracket))]
    assert told == [3, 3]
    assert take(bracket) == [Place(9, (0,), 6)]
    assert not bracket.is_finished
    assert bracket.tell(answer(Proposal((0,)), 8, 0.1)) == 9
    assert bracket.is_finished


def test_next_bracket_begins_while_the_oldest_waits_and_the_oldest_goes_first(answer):
    brackets = Brackets(repeat([Rung(1, 2), Rung(3, 1)]))
    assert [brackets.next(number) for number in range(3)] == [Place(1)] * 3
    brackets.tell(answer(Proposal((0,)), 0, 0.2))
    brackets.tell(answer(Proposal((1,)), 1, 0.1))
    assert brackets.next(3) == Place(3, (1,), 1)
    assert brackets.next(4) == Place(1)


@pytest.mark.parametrize("first", [0, 1])
def test_brackets_that_come_to_an_end_give_no_place(answer, first):
    brackets = Brackets(iter([[Rung(1, 2)]]))
    assert [brackets.next(number) for number in range(3)] == [Place(1), Place(1), None]
    brackets.tell(answer(Proposal((0,)), first, 0.2))
    brackets.tell(answer(Proposal((0,)), 1 - first, 0.2))
    assert brackets.next(3) is None
