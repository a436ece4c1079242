"""Random search: uniform, independent, and as good as order statistics say."""

from __future__ import annotations

from collections import Counter

import numpy as np
from scipy.stats import chisquare

from nasbench.seeds import generator
from nasbench.strategies.random_search import RandomSearch


def draws(space, n, seed=0):
    return [p.code for p in RandomSearch(space, rng=generator(seed, "strategy")).ask(n)]


def test_draws_are_uniform_over_the_codes(toy_space):
    drawn = Counter(draws(toy_space, 27_000))
    assert len(drawn) == 27
    assert chisquare(list(drawn.values())).pvalue > 1e-3


def test_successive_draws_are_independent(toy_space):
    codes = toy_space.rank(np.array(draws(toy_space, 40_000)))
    pairs = np.bincount(codes[:-1] * 27 + codes[1:], minlength=729)
    assert chisquare(pairs).pvalue > 1e-3


def test_what_is_told_changes_nothing(toy_space, search):
    one = search(RandomSearch(toy_space, rng=generator(5, "strategy")), sum, 50)
    other = search(RandomSearch(toy_space, rng=generator(5, "strategy")), lambda c: None, 50)
    assert one == other == draws(toy_space, 50, seed=5)


def test_number_asked_at_once_changes_nothing(toy_space):
    strategy = RandomSearch(toy_space, rng=generator(5, "strategy"))
    assert [p.code for n in (1, 7, 2) for p in strategy.ask(n)] == draws(toy_space, 10, seed=5)


def test_best_of_n_equals_the_order_statistic_of_the_table(toy_source):
    space, n, repeats = toy_source.space, 5, 4_000
    codes = next(space.enumerate())
    errors = toy_source.measure(codes, epochs=9, replicate=0).valid_error
    ordered = np.sort(errors)
    # P(best of n is the k-th smallest of m or worse) = ((m - k) / m)^n, for draws with replacement.
    m = len(ordered)
    tail = ((m - np.arange(m + 1)) / m) ** n
    chance = tail[:-1] - tail[1:]
    expected = float(chance @ ordered)
    spread = float(np.sqrt(chance @ ordered**2 - expected**2))
    picked = errors[space.rank(np.array(draws(space, n * repeats, seed=9)))].reshape(repeats, n)
    z = (picked.min(axis=1).mean() - expected) / (spread / np.sqrt(repeats))
    assert abs(z) < 3.3
