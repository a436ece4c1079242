"""TPE counts as hyperopt does and concentrates on what is good."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.strategies.tpe import TPE, forgetting_weights
from nasbench.testing import ToyChain, toy_space


def test_proposals_concentrate_on_the_good_values(line, search, rng):
    space, error_of = line
    codes = np.array(search(TPE(space, rng=rng), error_of, 200))
    assert (codes[:20] == 2).mean() < 0.4
    assert (codes[-60:] == 2).mean() > 0.5  # by chance 0.2


def test_best_of_tpe_beats_the_best_of_random_on_average(line, search):
    space, error_of = line
    modelled, drawn = [], []
    for seed in range(20):
        modelled.append(min(map(error_of, search(TPE(space, rng=np.random.default_rng(seed)), error_of, 60))))
        codes = space.sample(60, rng=np.random.default_rng(seed)).tolist()
        drawn.append(min(map(error_of, codes)))
    assert np.mean(modelled) < np.mean(drawn) / 2


def test_first_proposals_are_uniform_draws(line, answer):
    space, _ = line
    strategy = TPE(space, rng=np.random.default_rng(3), startup=500)
    codes = np.array([p.code for p in strategy.ask(500)])
    counts = np.array([np.bincount(column, minlength=5) for column in codes.T])
    assert (((counts - 100) ** 2 / 100).sum(axis=1) < 23.5).all()  # chi-square, 4 degrees, p = 1e-4


def test_densities_are_those_counted_by_hand(answer, rng):
    strategy = TPE(toy_space(), rng=rng, startup=4)
    batch = strategy.ask(4)
    errors = [0.4, 0.1, 0.3, None]
    strategy.tell([answer(p, i, e) for i, (p, e) in enumerate(zip(batch, errors, strict=True))])
    good, other = strategy._densities()
    # n = 4: min(ceil(0.25 * 2), 25) = 1 good trial, the second; the three others include the failed one.
    for i in range(3):
        wanted_good, wanted_other = np.ones(3), np.ones(3)
        wanted_good[batch[1].code[i]] += 1
        for k in (0, 2, 3):
            wanted_other[batch[k].code[i]] += 1
        assert good[i] == pytest.approx(wanted_good / 4)
        assert other[i] == pytest.approx(wanted_other / 6)


def test_running_trials_count_among_the_others(answer, rng):
    strategy = TPE(toy_space(), rng=rng, startup=2)
    first, second = strategy.ask(2)
    strategy.tell([answer(first, 0, 0.5)])
    _, other = strategy._densities()
    assert other[0, second.code[0]] == pytest.approx(2 / 4)


def test_at_most_twenty_five_trials_are_good(answer, rng):
    strategy = TPE(toy_space(), rng=rng, startup=1, gamma=100.0)
    for number in range(40):
        (proposal,) = strategy.ask(1)
        strategy.tell([answer(proposal, number, 0.5 + number / 1000)])
    good, _ = strategy._densities()
    first = [cells[0] for cells in strategy._cells[:25].tolist()]  # the first decision's value
    assert good[0] == pytest.approx((np.bincount(first, minlength=3) + 1) / 28)


@pytest.mark.parametrize("n", [0, 1, 24, 25])
def test_few_trials_are_not_forgotten(n):
    assert forgetting_weights(n).tolist() == [1.0] * n


def test_old_trials_fade_on_a_line():
    weights = forgetting_weights(28)
    assert weights[:3] == pytest.approx([1 / 28, (1 / 28 + 1) / 2, 1.0])
    assert weights[3:].tolist() == [1.0] * 25


def test_masked_values_are_never_proposed(search, rng):
    space = ToyChain()
    codes = search(TPE(space, rng=rng), lambda code: sum(value == 2 for value in code) / 4, 150)
    assert space.contains(np.array(codes)).all()


def test_masked_space_is_searched_as_well(search, rng):
    codes = search(TPE(ToyChain(), rng=rng), lambda code: 1 - sum(value == 2 for value in code) / 4, 150)
    assert codes[-20:].count((2, 2, 2, 2)) >= 5  # by chance 0.7


def test_without_any_success_it_goes_on_drawing(search, rng):
    codes = search(TPE(toy_space(), rng=rng, startup=5), lambda code: None, 60)
    assert len(set(codes)) > 15


def test_repeated_proposals_are_matched_in_order(answer):
    space = toy_space()
    strategy = TPE(space, rng=np.random.default_rng(0), startup=200)
    batch = strategy.ask(200)  # 27 codes: many repeats
    strategy.tell([answer(p, i, 0.5) for i, p in enumerate(batch)])
    assert strategy._unanswered == {}
    assert [order for _, order in strategy._ranked] == list(range(200))


@pytest.mark.parametrize("name", ["startup", "candidates"])
@pytest.mark.parametrize("value", [0, 2.5, True])
def test_wrong_whole_numbers_are_refused(rng, name, value):
    with pytest.raises(BadOption, match=f"{name}: expected a whole number >= 1, got {value}"):
        TPE(toy_space(), rng=rng, **{name: value})


@pytest.mark.parametrize("name", ["gamma", "prior_weight"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("inf"), float("nan")])
def test_wrong_numbers_are_refused(rng, name, value):
    with pytest.raises(BadOption, match=f"{name}: expected a number > 0, got {value}"):
        TPE(toy_space(), rng=rng, **{name: value})
