"""NASBOT searches with its distance on every space, and keeps the contract."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.strategies.nasbot import NASBOT, OTMANNKernel
from nasbench.testing import check_strategy, toy_space
from nasbench.testing.strategy import RULES


@pytest.mark.parametrize(("space", "n"), [(None, 12), (get_space("nb201"), 10)], ids=["toys", "nb201"])
def test_contract_is_kept(space, n):
    assert check_strategy(NASBOT, space, n_trials=n, startup=n - 3, rounds=1) == list(RULES)


def test_kernel_is_one_for_equal_networks_and_falls_with_the_distance(rng):
    space = get_space("nb201")
    kernel = OTMANNKernel(space)
    codes = [tuple(row) for row in space.sample(20, rng=rng).tolist()]
    compared = kernel.compare(codes, codes)
    for shape in kernel.shapes:
        gram = kernel.similarity(compared, shape)
        assert np.diag(gram) == pytest.approx(1.0)
        assert gram == pytest.approx(gram.T)
        assert 0.0 <= gram.min() < 1.0


def test_distance_a_unit_of_mass_is_at_most_one(rng):
    space = get_space("nb201")
    codes = [tuple(row) for row in space.sample(40, rng=rng).tolist()]
    compared = OTMANNKernel(space).compare(codes, codes)
    assert compared[1].max() <= 4.0 + 1e-9  # squares of four weights


@pytest.mark.slow
def test_good_cells_are_found_sooner_than_by_draws(search):
    def error_of(code):  # 3 x 3 convolutions are good
        return 1 - sum(value == 3 for value in code) / 6

    found = []
    for seed in range(2):
        strategy = NASBOT(get_space("nb201"), rng=np.random.default_rng(seed), rounds=2)
        found.append(min(map(error_of, search(strategy, error_of, 45))))
    assert np.mean(found) < 0.3  # best of 45 draws: 0.5 on average


def test_space_without_a_graph_is_searched_as_a_chain(line, search, rng):
    space, error_of = line
    assert min(map(error_of, search(NASBOT(space, rng=rng), error_of, 45))) <= 1 / 8  # 9 of 625


def test_parents_are_drawn_by_their_standardised_rating(rng):
    strategy = NASBOT(toy_space(), rng=rng)
    rated = {(0, 0, 0): 0.0, (0, 0, 1): 0.1, (0, 0, 2): 1.0}
    parents = [code for _ in range(200) for code in strategy._parents(rated)]
    ratings = np.array(list(rated.values()))
    weights = np.exp((ratings - ratings.mean()) / (2 * ratings.std()))
    shares = [parents.count(code) / len(parents) for code in rated]
    assert shares == pytest.approx(weights / weights.sum(), abs=0.02)


def test_no_architecture_is_proposed_twice_and_the_space_ends(search, rng):
    codes = search(NASBOT(toy_space(), rng=rng), lambda code: sum(code) / 6, 60, workers=3)
    assert len(codes) == len(set(codes)) == 27


@pytest.mark.parametrize("name", ["startup", "rounds"])
@pytest.mark.parametrize("value", [0, 2.5, True])
def test_wrong_whole_numbers_are_refused(rng, name, value):
    with pytest.raises(BadOption, match=f"{name}: expected a whole number >= 1, got {value}"):
        NASBOT(toy_space(), rng=rng, **{name: value})
