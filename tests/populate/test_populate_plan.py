from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption, NotInSpace
from nasbench.populate.job import Task
from nasbench.populate.plan import Isomorphs, listed, shard, shuffled, tasks_of
from nasbench.records import Code
from nasbench.spaces import get_space

SPACE = get_space("nb201")


def test_distinct_lists_one_code_of_each_class(codes: list[Code]) -> None:
    assert len(codes) == len(set(codes)) == 6_466
    assert (SPACE.canonical(np.array(codes)) == np.array(codes)).all()


def test_separate_lists_every_code() -> None:
    everything = shuffled(SPACE, isomorphs="separate", seed=0)
    assert len(everything) == len(set(everything)) == 15_625


def test_the_order_is_one_of_the_seed(codes: list[Code]) -> None:
    assert shuffled(SPACE, isomorphs="once", seed=0) == codes
    other = shuffled(SPACE, isomorphs="distinct", seed=1)
    assert other != codes
    assert sorted(other) == sorted(codes)


def test_a_prefix_is_a_fair_sample(codes: list[Code]) -> None:
    whole, sample = np.array(codes), np.array(codes[:500])
    for edge in range(6):
        share = [np.bincount(part[:, edge], minlength=5) / len(part) for part in (whole, sample)]
        assert np.abs(share[0] - share[1]).max() < 4 * 0.5 / np.sqrt(500)


def test_a_list_is_read_in_both_notations_and_each_code_once() -> None:
    lines = ["# chosen", "", "421211", SPACE.format((4, 2, 1, 2, 1, 1)), "000000"]
    assert listed(SPACE, lines, isomorphs="separate") == [(4, 2, 1, 2, 1, 1), (0,) * 6]


def test_a_list_of_equal_networks_is_one_training_where_they_are_trained_once() -> None:
    twins = [(0, 0, 0, 0, 0, 0), (0, 1, 0, 0, 0, 0)]
    assert len({tuple(c) for c in SPACE.canonical(np.array(twins)).tolist()}) == 1
    assert len(listed(SPACE, ["000000", "010000"], isomorphs="distinct")) == 1


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(BadOption, match="list: expected one architecture a line, got none"):
        listed(SPACE, ["# nothing"], isomorphs="separate")


def test_a_line_that_is_no_architecture_is_refused() -> None:
    with pytest.raises(NotInSpace, match="takes 0 to 4"):
        listed(SPACE, ["999999"], isomorphs="separate")


def test_an_unknown_treatment_of_isomorphs_is_refused() -> None:
    with pytest.raises(BadOption, match="isomorphs: expected distinct or once or separate, got 'twice'"):
        shuffled(SPACE, isomorphs="twice", seed=0)  # type: ignore[arg-type]


def test_shards_part_the_plan_by_architecture(codes: list[Code]) -> None:
    parts = [shard(codes, number, 7) for number in range(1, 8)]
    assert sorted(code for part in parts for code in part) == sorted(codes)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize(("number", "count"), [(0, 2), (3, 2)])
def test_a_shard_outside_its_count_is_refused(number: int, count: int) -> None:
    with pytest.raises(BadOption, match=f"shard: expected i/n with i from 1 to n, got {number}/{count}"):
        shard([(0,) * 6], number, count)


def test_first_repeats_come_before_second_ones() -> None:
    a, b = (0,) * 6, (1,) * 6
    assert tasks_of([a, b], replicates=2) == [Task(a, 0), Task(b, 0), Task(a, 1), Task(b, 1)]


def test_no_repeats_are_refused() -> None:
    with pytest.raises(BadOption, match="replicates: expected a whole number >= 1, got 0"):
        tasks_of([(0,) * 6], replicates=0)


DARTS = get_space("darts")


@pytest.mark.parametrize("isomorphs", ["distinct", "separate"])
def test_a_space_too_large_to_be_listed_is_drawn_from(isomorphs: Isomorphs) -> None:
    many = shuffled(DARTS, isomorphs=isomorphs, seed=0, n=1_500)
    assert len(set(many)) == 1_500
    assert shuffled(DARTS, isomorphs=isomorphs, seed=0, n=20) == many[:20]
    assert shuffled(DARTS, isomorphs=isomorphs, seed=1, n=20) != many[:20]
    stand_for_their_class = (DARTS.canonical(np.array(many)) == np.array(many)).all(axis=1)
    assert stand_for_their_class.all() == (isomorphs == "distinct")


def test_the_first_of_a_listed_space_are_the_first_of_all(codes: list[Code]) -> None:
    assert shuffled(SPACE, isomorphs="distinct", seed=0, n=7) == codes[:7]


def test_all_of_a_space_too_large_to_be_listed_is_refused() -> None:
    with pytest.raises(BadOption, match=r"space: darts is too large to be trained whole. Train a sample"):
        shuffled(DARTS, isomorphs="distinct", seed=0)
