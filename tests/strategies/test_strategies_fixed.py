"""Fixed proposes what was named and stops."""

from __future__ import annotations

import pytest

from nasbench.errors import BadOption, NotInSpace
from nasbench.strategies.fixed import Fixed
from nasbench.testing import toy_space


def test_one_architecture_is_proposed_once(rng):
    strategy = Fixed(toy_space(), rng=rng, architecture="conv:pool:skip")
    assert [p.code for p in strategy.ask(5)] == [(0, 1, 2)]
    assert strategy.ask(5) == []


def test_repeats_go_round_the_list(rng):
    strategy = Fixed(toy_space(), rng=rng, architectures=["0:0:0", "1:1:1"], repeats=2)
    first = strategy.ask(3)
    assert [p.code for p in first + strategy.ask(3)] == [(0, 0, 0), (1, 1, 1)] * 2


def test_training_repeat_is_left_to_the_evaluator(rng):
    (proposal,) = Fixed(toy_space(), rng=rng, architecture="0:0:0").ask(1)
    assert proposal.replicate is None
    assert proposal.epochs is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "architecture: expected either architecture .* got neither"),
        ({"architecture": "0:0:0", "architectures": ["0:0:0"]}, "architecture: .* got both"),
        ({"architectures": []}, "architectures: expected at least one architecture, got an empty list"),
        ({"architectures": "0:0:0"}, "architectures: expected a list of architectures, got the text '0:0:0'"),
        ({"architecture": "0:0:0", "repeats": 0}, "repeats: expected a whole number >= 1, got 0"),
        ({"architecture": "0:0:0", "repeats": True}, "repeats: expected a whole number >= 1, got True"),
        ({"architecture": "0:0:0", "repeats": 1.5}, "repeats: expected a whole number >= 1, got 1.5"),
    ],
)
def test_wrong_options_are_refused(rng, options, message):
    with pytest.raises(BadOption, match=message):
        Fixed(toy_space(), rng=rng, **options)


def test_name_that_is_no_architecture_is_refused(rng):
    with pytest.raises(
        NotInSpace, match="decision 'layer 0' of space toy takes conv, pool, skip, got 'dense'"
    ):
        Fixed(toy_space(), rng=rng, architecture="dense:pool:skip")
