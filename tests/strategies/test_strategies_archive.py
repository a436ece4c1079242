"""The archive never hands out an architecture twice, and knows the end of a space."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from nasbench.records import Proposal
from nasbench.seeds import uniforms
from nasbench.spaces import Decision, ProductSpace
from nasbench.strategies.archive import Archive
from nasbench.testing import ToyChain, toy_space


def archive_of(space, seed=0):
    return Archive(space, uniforms(np.random.default_rng(seed)))


class Unsized(ProductSpace):
    def __init__(self):
        super().__init__("unsized", [Decision(f"d{i}", ("a", "b")) for i in range(3)])
        self.size = None


@pytest.mark.parametrize("space", [toy_space(), ToyChain(), Unsized()], ids=lambda space: space.name)
def test_every_architecture_is_drawn_once_and_then_none_for_ever(space):
    archive = archive_of(space)
    drawn = []
    while (code := archive.draw_new()) is not None:
        drawn.append(archive.propose(code).code)
    assert Counter(drawn) == Counter(tuple(row) for block in space.enumerate() for row in block.tolist())
    assert archive.draw_new() is None
    assert archive.random_candidates(5) == []
    assert archive.mutated_candidates(drawn[:2], 5) == []


def test_larger_space_is_listed_when_draws_find_nothing_new():
    space = ProductSpace("binary", [Decision(f"d{i}", ("a", "b")) for i in range(10)])  # 1,024 codes
    archive = archive_of(space)
    codes = [tuple(row) for block in space.enumerate() for row in block.tolist()]
    for code in codes[:-1]:
        archive.propose(code)
    assert archive.draw_new() == codes[-1]


def test_draws_are_uniform_over_what_is_left():
    space = toy_space()
    firsts = Counter()
    for seed in range(400):
        archive = archive_of(space, seed)
        archive.propose((0, 0, 0))
        firsts[archive.draw_new()] += 1
    assert (0, 0, 0) not in firsts
    assert sum((n - 400 / 26) ** 2 / (400 / 26) for n in firsts.values()) < 55  # chi-square, 25, p = 5e-4


def test_answers_end_a_run_and_failed_ones_leave_no_error(answer):
    archive = archive_of(toy_space())
    for code in ((0, 0, 0), (0, 0, 1), (0, 0, 2)):
        archive.propose(code)
    archive.tell([answer(Proposal((0, 0, 2)), 2, 0.4), answer(Proposal((0, 0, 0)), 0, None)])
    assert archive.running == [(0, 0, 1)]
    assert archive.codes == [(0, 0, 2)]
    assert not archive.is_new((0, 0, 0))
    assert len(archive) == 3


def test_repeated_answers_count_with_their_mean(answer):
    archive = archive_of(toy_space())
    archive.tell([answer(Proposal((1, 1, 1)), i, error) for i, error in enumerate((0.2, None, 0.4))])
    assert archive.errors == pytest.approx([0.3])


def test_errors_of_zero_have_a_logarithm(answer):
    archive = archive_of(toy_space())
    archive.tell([answer(Proposal((1, 1, 1)), 0, 0.0), answer(Proposal((1, 1, 2)), 1, 0.5)])
    assert archive.log_errors == pytest.approx([np.log(1e-4), np.log(0.5)])


def test_best_are_sorted_and_ties_keep_the_order_of_answer(answer):
    archive = archive_of(toy_space())
    told = [((0, 0, 0), 0.3), ((0, 0, 1), 0.1), ((0, 0, 2), 0.3), ((0, 1, 0), 0.2)]
    archive.tell([answer(Proposal(code), i, error) for i, (code, error) in enumerate(told)])
    assert archive.best(3) == [(0, 0, 1), (0, 1, 0), (0, 0, 0)]


def test_mutations_are_as_many_moves_as_the_chances_say():
    space = ProductSpace("long", [Decision(f"d{i}", tuple("abcdefghij")) for i in range(40)])
    archive = archive_of(space)
    start = (0,) * 40
    for moves, expected in (((1.0,), {1: 1.0}), ((0.25, 0.0, 0.75), {1: 0.25, 3: 0.75})):
        codes = archive.mutated_candidates([start], 300, moves=moves)
        changed = Counter(sum(value > 0 for value in code) for code in codes)
        for n, share in expected.items():
            # two moves may meet in one decision, which leaves one change fewer
            assert abs(changed[n] / len(codes) - share) < 0.12
        assert max(changed) == max(expected)


def test_candidates_are_different_and_never_proposed():
    archive = archive_of(ToyChain())
    for _ in range(12):
        archive.propose(archive.draw_new())
    for codes in (archive.random_candidates(10), archive.mutated_candidates([(1, 1, 1, 1)], 10)):
        assert len(set(codes)) == len(codes) > 0
        assert all(archive.is_new(code) for code in codes)
        assert ToyChain().contains(np.array(codes)).all()
