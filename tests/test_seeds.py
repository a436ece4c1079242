"""Randomness: streams apart, blocks that change nothing, draws by address."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from scipy.stats import chisquare

from nasbench.seeds import Addressed, generator, uniforms
from nasbench.testing.simulation import global_random_state


def test_same_seed_and_path_give_the_same_stream():
    a, b = (generator(7, "strategy", "inner").random(100) for _ in range(2))
    assert a.tolist() == b.tolist()


def test_stream_is_fixed_for_ever():
    # Records are compared across machines and versions: these numbers must never change.
    assert generator(0, "strategy").integers(0, 1000, 5).tolist() == FIRST_INTEGERS
    assert [
        Addressed(generator(0, "replicates")).below(3, r, v) for r in range(3) for v in range(3)
    ] == FIRST_BELOW


FIRST_INTEGERS = [880, 464, 805, 719, 460]
FIRST_BELOW = [0, 2, 1, 1, 1, 1, 0, 0, 2]


@pytest.mark.parametrize(
    "other", [(8, "strategy"), (7, "replicates"), (7,), (7, "strategy", "inner"), (7, "strategy", "")]
)
def test_other_seed_or_path_gives_another_stream(other):
    seed, *path = other
    assert generator(7, "strategy").random() != generator(seed, *path).random()


def test_streams_of_neighbouring_seeds_are_independent():
    draws = np.array([generator(seed, "strategy").random(200) for seed in range(200)])
    correlations = np.corrcoef(draws)[np.triu_indices(200, 1)]
    # Independent uniforms: mean 0, standard deviation 1 / sqrt(200) = 0.0707.
    assert abs(correlations.mean()) < 4 * 0.0707 / np.sqrt(len(correlations))
    assert correlations.std() == pytest.approx(0.0707, rel=0.05)


def test_streams_of_two_purposes_are_independent():
    a, b = (generator(3, name).random(20_000) for name in ("strategy", "replicates"))
    assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(20_000)


def test_negative_seed_is_refused():
    with pytest.raises(ValueError, match="non-negative"):
        generator(-1, "strategy")


def test_buffered_uniforms_are_the_draws_of_the_generator():
    draw, plain = uniforms(generator(5)), generator(5).random(1_000)
    assert [draw() for _ in range(1_000)] == plain.tolist()


def test_buffered_uniforms_are_python_floats_in_the_unit_interval():
    values = list(itertools.islice(iter(uniforms(generator(1)), None), 10_000))
    assert {type(value) for value in values} == {float}
    assert min(values) >= 0.0
    assert max(values) < 1.0


def test_addressed_draw_does_not_depend_on_the_order_of_asking():
    addresses = [(rank, visit) for rank in range(50) for visit in range(20)]
    forward, backward = Addressed(generator(2)), Addressed(generator(2))
    first = {address: forward.below(3, *address) for address in addresses}
    assert first == {address: backward.below(3, *address) for address in reversed(addresses)}


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_addressed_draws_are_uniform_over_ranks_visits_and_keys(n):
    key = Addressed(generator(4))
    for draws in (
        [key.below(n, rank, 0) for rank in range(20_000)],
        [key.below(n, 17, visit) for visit in range(20_000)],
        [Addressed(generator(seed)).below(n, 17, 0) for seed in range(3_000)],
    ):
        counts = np.bincount(draws, minlength=n)
        assert len(counts) == n
        assert n == 1 or chisquare(counts).pvalue > 1e-3


def test_addressed_draws_of_successive_visits_and_ranks_are_independent():
    key = Addressed(generator(6))
    grid = np.array([[key.below(3, rank, visit) for visit in range(60)] for rank in range(400)])
    for a, b in ((grid[:, :-1], grid[:, 1:]), (grid[:-1], grid[1:])):
        pairs = np.bincount((a * 3 + b).ravel(), minlength=9)
        assert chisquare(pairs).pvalue > 1e-3


def test_addressed_draws_hold_for_ranks_of_large_spaces():
    key = Addressed(generator(6))
    draws = [key.below(3, 10**30 + rank, 0) for rank in range(9_000)]
    assert chisquare(np.bincount(draws, minlength=3)).pvalue > 1e-3


def test_global_random_state_is_left_alone():
    random.seed(3)
    before = global_random_state()
    draw = uniforms(generator(1, "strategy"))
    [draw() for _ in range(600)]
    Addressed(generator(1)).below(3, 4, 5)
    assert global_random_state() == before
