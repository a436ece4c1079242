"""Charging policies are data: complete, checked, and priced by hand."""

from __future__ import annotations

import pytest

from nasbench.errors import BadOption
from nasbench.evaluation.charging import Charging
from nasbench.evaluation.evaluator import Evaluator
from nasbench.records import Proposal

# Seconds of the toy table: epochs * (10 + rank) + replicate.
A, A_3, A_9 = (1, 0, 0), 57.0, 171.0
FAILED, FAILED_9 = (1, 1, 1), 207.0


def charged(source, proposals, **policies):
    evaluator = Evaluator(source, seed=0, charging=Charging.of(policies))
    return [evaluator.answer(proposal)[3] for proposal in proposals]


def test_defaults_charge_everything_but_thinking_and_the_final_training():
    assert Charging().as_dict() == {
        "repeat": "full",
        "isomorph": "separate",
        "promotion": "continue",
        "failed": "full",
        "final": "free",
        "thinking": "free",
    }


def test_policies_survive_being_written_as_a_mapping():
    policies = {**Charging().as_dict(), "repeat": "cached", "promotion": "restart"}
    assert Charging.of(policies).as_dict() == policies


def test_unknown_policy_is_refused():
    with pytest.raises(BadOption, match=r"charging: expected policies among repeat, .*, got 'repeats'"):
        Charging.of({"repeats": "full"})


def test_unknown_value_of_a_policy_is_refused():
    with pytest.raises(BadOption, match=r"charging\.repeat: expected one of full, cached, got 'half'"):
        Charging.of({"repeat": "half"})


def test_repeat_in_full_pays_each_time(toy_source):
    assert charged(toy_source, [Proposal(A, replicate=0)] * 3) == [A_9] * 3


def test_cached_repeat_is_free(toy_source):
    costs = charged(toy_source, [Proposal(A), Proposal((0, 0, 1), replicate=0), Proposal(A)], repeat="cached")
    assert costs[0] in (A_9, A_9 + 1, A_9 + 2)
    assert costs[1:] == [99.0, 0.0]


def test_cached_repeat_at_other_epochs_is_paid(toy_source):
    proposals = [Proposal(A, epochs=3, replicate=0), Proposal(A, epochs=9, replicate=0)]
    assert charged(toy_source, proposals, repeat="cached") == [A_3, A_9]


def test_cached_answer_does_not_stand_in_for_a_replicate_asked_by_number(toy_source):
    proposals = [Proposal(A, replicate=0), Proposal(A, replicate=2), Proposal(A)]
    assert charged(toy_source, proposals, repeat="cached") == [A_9, A_9 + 2, 0.0]


def test_failed_training_costs_its_seconds(failing_source):
    assert charged(failing_source, [Proposal(FAILED, replicate=0)]) == [FAILED_9]


def test_failed_training_is_free_where_the_suite_says_so(failing_source):
    proposals = [Proposal(FAILED, replicate=0), Proposal(A, replicate=0)]
    assert charged(failing_source, proposals, failed="free") == [0.0, A_9]


def test_promotion_pays_only_the_further_epochs(toy_source):
    proposals = [Proposal(A, epochs=3, replicate=1), Proposal(A, epochs=9, continues=0)]
    assert charged(toy_source, proposals) == [A_3 + 1, A_9 - A_3]


def test_promotion_by_restart_pays_all_epochs(toy_source):
    proposals = [Proposal(A, epochs=3, replicate=1), Proposal(A, epochs=9, continues=0)]
    assert charged(toy_source, proposals, promotion="restart") == [A_3 + 1, A_9 + 1]


def test_training_reached_by_promotion_is_cached_too(toy_source):
    proposals = [Proposal(A, epochs=3), Proposal(A, epochs=9, continues=0), Proposal(A)]
    assert charged(toy_source, proposals, repeat="cached")[2] == 0.0
