"""Local search climbs to optima of a known table and starts again."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.strategies.local_search import LocalSearch
from nasbench.testing import toy_space


def table_of(space, seed):
    codes = [tuple(row) for block in space.enumerate() for row in block.tolist()]
    errors = np.random.default_rng(seed).permutation(len(codes)) / len(codes)
    return dict(zip(codes, errors.tolist(), strict=True))


class Watched(LocalSearch):
    """Writes down where it settles and where it gives up."""

    def __init__(self, space, **options):
        self.settled, self.ends = [], []
        super().__init__(space, **options)

    def _settle(self, code, error):
        self.settled.append((code, error))
        super()._settle(code, error)

    def _unseen(self):
        if self.settled:
            self.ends.append((self.settled[-1][0], set(self._known)))
            self.settled.append(None)
        return super()._unseen()


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("move", ["first", "best"])
def test_walk_ends_at_a_local_optimum_and_restarts(line, search, move, workers):
    space, _ = line
    table = table_of(space, 1)
    strategy = Watched(space, rng=np.random.default_rng(2), move=move)
    search(strategy, table.get, 300, workers)
    assert len(strategy.ends) >= 5
    for end, known in strategy.ends:
        near = {tuple(row) for row in space.neighbours(end).tolist()}
        assert near <= known
        assert min(table[code] for code in near) > table[end]


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("move", ["first", "best"])
def test_every_move_goes_to_a_better_neighbour(line, search, move, workers):
    space, _ = line
    table = table_of(space, 1)
    strategy = Watched(space, rng=np.random.default_rng(2), move=move)
    search(strategy, table.get, 300, workers)
    moves = [(a, b) for a, b in itertools.pairwise(strategy.settled) if a is not None and b is not None]
    assert len(moves) >= 5
    for (code, error), (better, lower) in moves:
        near = [tuple(row) for row in space.neighbours(code).tolist()]
        assert better in near
        assert lower < error
        if move == "best":
            assert better == min(near, key=table.get)


def test_walk_on_a_single_slope_reaches_the_optimum(line, search, rng):
    space, error_of = line
    codes = search(LocalSearch(space, rng=rng), error_of, 80)
    assert (2, 2, 2, 2) in codes


@pytest.mark.parametrize("workers", [1, 3, 20])
@pytest.mark.parametrize("move", ["first", "best"])
def test_no_architecture_is_paid_twice_and_the_space_ends(search, rng, workers, move):
    space = toy_space()
    table = table_of(space, 5)
    codes = search(LocalSearch(space, rng=rng, move=move), table.get, 100, workers)
    assert Counter(codes) == Counter(table.keys())


def test_revisit_pays_again_and_goes_on(search, rng):
    space = toy_space()
    codes = search(LocalSearch(space, rng=rng, revisit=True), table_of(space, 5).get, 100)
    assert len(codes) == 100
    assert max(Counter(codes).values()) > 1


def test_first_improvement_moves_at_once(line, answer, rng):
    space, _ = line
    strategy = LocalSearch(space, rng=rng)
    (start,) = strategy.ask(1)
    strategy.tell([answer(start, 0, 0.5)])
    (neighbour,) = strategy.ask(1)
    strategy.tell([answer(neighbour, 1, 0.4)])
    (following,) = strategy.ask(1)
    assert following.code in {tuple(row) for row in space.neighbours(neighbour.code).tolist()}
    assert sum(a != b for a, b in zip(following.code, start.code, strict=True)) in (1, 2)
    assert strategy._current == neighbour.code


def test_best_improvement_hears_the_whole_neighbourhood(line, search, rng):
    space, error_of = line
    codes = search(LocalSearch(space, rng=rng, move="best"), error_of, 17)
    assert set(codes[1:]) == {tuple(row) for row in space.neighbours(codes[0]).tolist()}


def test_late_better_neighbour_moves_the_walk(line, answer, rng):
    space, _ = line
    strategy = LocalSearch(space, rng=rng)
    (start,) = strategy.ask(1)
    assert strategy.ask(4) == []  # nothing can be asked while the start is running
    strategy.tell([answer(start, 0, 0.5)])
    batch = strategy.ask(16)
    assert len(batch) == 16
    strategy.tell([answer(p, i + 1, 0.9) for i, p in enumerate(batch[:-1])])
    assert strategy.ask(1) == []  # the last neighbour may still be better
    strategy.tell([answer(batch[-1], 16, 0.1)])
    (following,) = strategy.ask(1)
    assert following.code in {tuple(row) for row in space.neighbours(batch[-1].code).tolist()}


def test_failed_start_is_replaced_by_another(line, answer, rng):
    space, _ = line
    strategy = LocalSearch(space, rng=rng)
    (start,) = strategy.ask(1)
    strategy.tell([answer(start, 0, None)])
    (other,) = strategy.ask(1)
    assert other.code != start.code
    strategy.tell([answer(other, 1, 0.9)])
    assert len(strategy.ask(3)) == 3


def test_neighbours_come_in_an_order_that_the_seed_decides(line, search):
    space, _ = line
    one, other = (
        search(LocalSearch(space, rng=np.random.default_rng(s)), lambda code: 0.5, 17) for s in (1, 2)
    )
    by_moves = [tuple(row) for row in space.neighbours(one[0]).tolist()]
    assert sorted(one[1:]) == sorted(by_moves)
    assert one[1:] != by_moves
    assert one != other


def test_unknown_move_is_refused(rng):
    with pytest.raises(BadOption, match="move: expected 'first' or 'best', got 'any'"):
        LocalSearch(toy_space(), rng=rng, move="any")


def test_revisit_that_is_no_truth_value_is_refused(rng):
    with pytest.raises(BadOption, match="revisit: expected true or false, got 'yes'"):
        LocalSearch(toy_space(), rng=rng, revisit="yes")
