"""Spaces given by a list: moves stay inside it, draws are uniform, masks lead to members."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from nasbench.errors import BadOption, NotInSpace
from nasbench.seeds import uniforms
from nasbench.spaces import Decision
from nasbench.spaces.listed import ListedSpace
from nasbench.testing import check_space
from nasbench.testing.space import RULES

MEMBERS = [(0, 0, 1), (0, 1, 1), (0, 1, 2), (1, 1, 2), (2, 1, 0), (2, 1, 2)]


@pytest.fixture
def listed():
    decisions = [Decision(name, tuple("abc")) for name in ("first", "second", "third")]
    return ListedSpace("few", decisions, MEMBERS, rule="a member")


def test_contract_is_kept(listed):
    assert check_space(listed) == list(RULES)


def test_neighbours_are_the_members_one_decision_away(listed):
    for code in MEMBERS:
        near = [other for other in MEMBERS if sum(a != b for a, b in zip(code, other, strict=True)) == 1]
        assert sorted(map(tuple, listed.neighbours(code).tolist())) == near


def test_draws_are_uniform_over_the_members(listed, rng):
    for drawn in (
        map(tuple, listed.sample(3_000, rng=rng).tolist()),
        (listed.sample_one(draw) for draw in [uniforms(rng)] * 3_000),
    ):
        counts = Counter(drawn)
        assert set(counts) == set(MEMBERS)
        assert chisquare([counts[code] for code in MEMBERS]).pvalue > 1e-3


def test_mutants_are_uniform_over_the_neighbours(listed, rng):
    code = (0, 1, 2)
    near = [tuple(row) for row in listed.neighbours(code).tolist()]
    assert len(near) == 3
    counts = Counter(map(tuple, listed.mutate(np.array([code] * 3_000), rng=rng).tolist()))
    assert chisquare([counts[other] for other in near]).pvalue > 1e-3


def test_a_mix_outside_the_list_is_steered_back_to_it(listed):
    # First from (2, 1, 0), second from (0, 0, 1): nothing begins with 2, 0, so the second is 1 after all.
    draws = iter([0.0, 0.9, 0.9])
    assert listed.crossover_one((2, 1, 0), (0, 0, 1), lambda: next(draws)) == (2, 1, 0)
    # Neither parent's third value continues 1, 1: the only one that does is taken.
    assert listed._mixed((1, 1, 2), (0, 1, 1), [True, True, False]) == (1, 1, 2)


def test_masks_permit_exactly_what_a_member_continues_with(listed):
    assert listed.allowed(()).tolist() == [True, True, True]
    assert listed.allowed((1,)).tolist() == [False, True, False]
    assert listed.allowed((2, 1)).tolist() == [True, False, True]


def test_a_mask_handed_out_is_a_copy(listed):
    listed.allowed((1,))[:] = True
    assert listed.allowed((1,)).tolist() == [False, True, False]


def test_no_mask_follows_what_no_member_begins_with(listed):
    with pytest.raises(BadOption, match=r"expected the beginning of a code of space few, got \(1, 0\)"):
        listed.allowed((1, 0))
    with pytest.raises(BadOption, match="expected fewer than 3 decisions, got 3"):
        listed.allowed((0, 0, 1))


@pytest.mark.parametrize("members", [MEMBERS[::-1], [*MEMBERS, MEMBERS[-1]], [(0, 0, 0), (1, 1, 1)]])
def test_members_out_of_order_and_members_on_their_own_are_refused(members):
    decisions = [Decision(name, tuple("abc")) for name in ("first", "second", "third")]
    with pytest.raises(BadOption, match="members: expected the codes of space few in lexicographic order"):
        ListedSpace("few", decisions, members, rule="a member")


def test_crossover_of_arrays_steers_what_falls_outside(listed, rng):
    a, b = np.array([(2, 1, 0)] * 400), np.array([(0, 0, 1)] * 400)
    children = {tuple(row) for row in listed.crossover(a, b, rng=rng).tolist()}
    assert children <= set(MEMBERS)
    assert {(2, 1, 0), (0, 0, 1), (0, 1, 1)} <= children


def test_what_is_not_listed_is_refused_by_the_rule(listed):
    with pytest.raises(NotInSpace, match=r"expected a member, in space few, got \(1, 0, 0\)"):
        listed.check((1, 0, 0))


def test_ranks_count_members(listed):
    assert listed.rank(np.array(MEMBERS)).tolist() == [listed.rank_one(code) for code in MEMBERS]
    assert listed.unrank([5, 0]).tolist() == [list(MEMBERS[5]), list(MEMBERS[0])]
