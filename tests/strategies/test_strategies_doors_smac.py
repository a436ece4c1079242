"""SMAC proposes nothing twice, ends on small spaces, writes no file, and learns from what it is told."""

from __future__ import annotations

import tempfile

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.seeds import generator
from nasbench.spaces import Decision, ProductSpace
from nasbench.strategies.doors.smac_door import SMAC3
from nasbench.strategies.random_search import RandomSearch
from nasbench.testing import ToyChain, check_strategy
from nasbench.testing.strategy import RULES

pytest.importorskip("smac")


def strategy(space, seed=0, **options):
    return SMAC3(space, rng=generator(seed, "strategy"), **options)


@pytest.mark.slow
def test_random_facade_keeps_the_contract():
    assert check_strategy(SMAC3, n_trials=12, facade="random", initial=4) == list(RULES)


@pytest.mark.slow
@pytest.mark.parametrize("facade", ["hpo", "blackbox"])
def test_facade_with_a_model_keeps_the_contract(facade):
    assert check_strategy(SMAC3, ToyChain(), n_trials=5, facade=facade, initial=3) == list(RULES)


@pytest.mark.slow
def test_random_forest_ends_nearer_to_the_good_values_than_random_search(line, search):
    space, error_of = line
    ends, chance = [], []
    for seed in range(3):
        codes = search(strategy(space, seed, initial=10), error_of, 30)
        errors = [error_of(code) for code in codes]
        assert np.mean(errors[10:]) < np.mean(errors[:10])  # proposals of the model against the first design
        ends.append(min(errors))
        chance.append(min(map(error_of, search(RandomSearch(space, rng=generator(seed, "s")), error_of, 30))))
    assert np.mean(ends) < 0.6 * np.mean(chance)


def test_model_is_fitted_for_every_proposal_that_follows_an_answer(toy_space, search):
    tried = strategy(toy_space, initial=3)
    model, fitted = tried._facade._model, []
    train = model.train
    model.train = lambda x, y: fitted.append(len(y)) or train(x, y)
    search(tried, lambda code: sum(code) / 6, 7)
    assert fitted == [3, 4, 5, 6]


def test_local_search_that_ends_where_it_has_been_gives_the_best_draw_that_is_new(answer):
    space = ProductSpace("pair", [Decision("a", tuple("abc")), Decision("b", tuple("abc"))])
    tried = strategy(space, initial=3)
    for number, proposal in enumerate(tried.ask(3)):
        tried.tell([answer(proposal, number, 0.1 + number / 10)])
    tried.ask(1)
    maximizer, known = tried._facade._acquisition_maximizer, tried._facade.runhistory.get_configs()
    maximizer._local_search._maximize = lambda **given: [(1.0, config) for config in known]
    found = maximizer._maximize(known, 50)
    assert len(found) > 0
    assert not {config for _, config in found} & set(known)
    ratings = [float(rating) for rating, _ in found]
    assert ratings == sorted(ratings, reverse=True)


def test_values_that_masks_forbid_are_repaired(search):
    space = ToyChain()
    codes = search(strategy(space, facade="random"), lambda code: 0.5, 20)
    assert space.contains(np.array(codes)).all()


def test_nothing_is_proposed_twice_and_a_small_space_ends(toy_space, search):
    codes = search(strategy(toy_space, facade="random"), lambda code: 0.5, 100)
    assert 20 <= len(codes) == len(set(codes)) <= 27


def test_until_the_first_answer_only_the_initial_design_is_proposed(toy_space, answer):
    tried = strategy(toy_space, facade="random", initial=6)
    initial = tried.ask(100)
    assert 1 <= len(initial) <= 6
    assert tried.ask(1) == []
    tried.tell([answer(initial[0], 0, 0.5)])
    assert len(tried.ask(1)) == 1


def test_default_initial_design_is_ten_a_decision_and_at_most_25(toy_space, line):
    assert strategy(toy_space)._initial <= 25
    assert strategy(line[0])._initial == 25


def test_answers_reach_smac(toy_space, answer):
    tried = strategy(toy_space, initial=4)
    first, second, *_ = tried.ask(3)
    tried.tell([answer(second, 1, 0.25), answer(first, 0, None)])
    told = [(value.status.name, value.cost) for value in tried._facade.runhistory.values()]
    assert told[:2] == [("CRASHED", 1.0), ("SUCCESS", 0.25)]


def test_smac_writes_no_file_and_is_quiet(toy_space, search, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    search(strategy(toy_space, facade="random"), lambda code: 0.5, 100)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"facade": "best"}, "facade: expected one of hpo, blackbox, random, got 'best'"),
        ({"initial": 0}, "initial: expected a whole number >= 1 or none, got 0"),
        ({"initial": 2.5}, "initial: expected a whole number >= 1 or none, got 2.5"),
    ],
)
def test_option_out_of_range_is_refused(toy_space, options, message):
    with pytest.raises(BadOption, match=message):
        strategy(toy_space, **options)
