"""A surrogate grows by new trainings, goes on where it stopped, and ends when it knows enough."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from populate_fakes import FACTS, JOB, InProcess

from nasbench.errors import BadOption
from nasbench.populate.filling import fill, missing
from nasbench.populate.growing import BEGIN, REPEATED, begin, check_choice, choose_next, look
from nasbench.populate.job import Outcome, Task
from nasbench.populate.target import Target
from nasbench.spaces import get_space
from nasbench.store.table import open_table

SPACE = get_space("nb201")
NOISE = 0.03


def trained(task):
    """Additive in the operations, with noise that the task decides."""
    words = hashlib.sha256(repr(task).encode()).digest()
    noise = NOISE * np.random.default_rng(list(words[:8])).standard_normal()
    error = 0.3 + 0.05 * sum(v == 0 for v in task.code) - 0.03 * sum(v == 3 for v in task.code) + noise
    curve = tuple(float(np.clip(error + fall, 0, 1)) for fall in (0.1, 0.06, 0.02, 0.0))
    return Outcome(
        code=task.code,
        replicate=task.replicate,
        status="ok",
        seconds=4.0,
        curves={
            "valid_error": curve,
            "test_error": tuple(float(np.clip(v + 0.01, 0, 1)) for v in curve),
            "train_seconds": tuple(float(e + 1) for e in range(4)),
        },
        provenance={"device": "one core", "seed": task.replicate},
    )


class Curves:
    facts = FACTS

    def train(self, task):
        return trained(task)


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """The path of a table that has begun, a surrogate of it and where it stands."""
    path = tmp_path_factory.mktemp("grow") / "t.h5"
    pool = InProcess(Curves())
    with Target(path, JOB) as target:
        begin(target, pool, seed=3)
        made, now = look(target, model="linear", seed=3, batch=20)
    return path, made, now, pool


def test_it_begins_at_random_with_some_trained_twice(begun):
    path, _, now, pool = begun
    table = open_table(path)
    assert (now.architectures, now.trainings) == (BEGIN, BEGIN + REPEATED)
    assert sum(table.replicates_of(row) == 2 for row in range(len(table))) == REPEATED
    assert len(pool.done) == BEGIN + REPEATED
    assert now.seconds == pytest.approx(4.0 * (BEGIN + REPEATED))


def test_it_says_how_good_it_is_and_what_more_should_bring(begun):
    _, made, now, _ = begun
    assert now.error == made.card.quality["valid_error"]["mae"]
    assert now.noise == pytest.approx(NOISE, rel=0.5)
    assert now.unknown > 0
    assert now.expected is None  # half of 80 is too few to fit on


def test_beginning_again_trains_nothing_twice(begun):
    path = begun[0]
    pool = InProcess(Curves())
    with Target(path, JOB) as target:
        begin(target, pool, seed=3)
    assert pool.done == []


def test_it_ends_when_it_knows_enough(begun, tmp_path):
    path = begun[0]
    own = tmp_path / "t.h5"
    own.write_bytes(path.read_bytes())
    with Target(own, JOB) as target:
        for _ in range(12):
            made, now = look(target, model="linear", seed=3, batch=40)
            if now.is_enough:
                break
            codes = [tuple(code) for code in open_table(own).codes.tolist()]
            more = choose_next(made, "x", codes, choice="random", batch=40, seed=3)
            fill(target, missing(target, [Task(code, 0) for code in more]), InProcess(Curves()))
    assert now.is_enough
    assert now.unknown <= now.noise
    assert now.expected is None or now.expected <= now.error


@pytest.mark.parametrize("choice", ["random", "disagreement", "strategies"])
def test_what_is_chosen_was_not_trained_and_is_the_same_again(begun, choice):
    path, made, _, _ = begun
    codes = [tuple(code) for code in open_table(path).codes.tolist()]
    chosen = choose_next(made, "x", codes, choice=choice, batch=12, seed=3)
    assert len(chosen) == 12
    assert len(set(chosen) | set(codes)) == 12 + len(codes)
    assert SPACE.canonical(np.array(chosen)).tolist() == [list(code) for code in chosen]
    assert choose_next(made, "x", codes, choice=choice, batch=12, seed=3) == chosen
    if choice == "random":
        assert choose_next(made, "x", codes, choice=choice, batch=12, seed=4) != chosen


def test_disagreement_takes_what_is_least_known(begun):
    path, made, _, _ = begun
    codes = [tuple(code) for code in open_table(path).codes.tolist()]

    def unknown(chosen):
        return made.predict(np.array(chosen)).errors["valid_error"].unknown.mean()

    least_known = choose_next(made, "x", codes, choice="disagreement", batch=12, seed=3)
    assert unknown(least_known) >= unknown(choose_next(made, "x", codes, choice="random", batch=12, seed=3))


def test_strategies_hand_over_what_they_find_good(begun):
    path, made, _, _ = begun
    codes = [tuple(code) for code in open_table(path).codes.tolist()]

    def error(chosen):
        return made.predict(np.array(chosen)).errors["valid_error"].mean.mean()

    found = choose_next(made, "x", codes, choice="strategies", batch=12, seed=3)
    assert error(found) < error(choose_next(made, "x", codes, choice="random", batch=12, seed=3))


def test_an_unknown_way_of_choosing_is_refused():
    assert check_choice("random") == "random"
    with pytest.raises(BadOption, match="choose: expected random or disagreement or strategies, got 'best'"):
        check_choice("best")
