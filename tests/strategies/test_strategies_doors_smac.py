"""SMAC proposes nothing twice, ends on small spaces, writes no file, and learns from what it is told."""

from __future__ import annotations

import tempfile

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.seeds import generator
from nasbench.spaces import get_space
from nasbench.strategies.doors.smac_door import SMAC3
from nasbench.testing import ToyChain, check_strategy
from nasbench.testing.strategy import RULES

pytest.importorskip("smac")


def strategy(space, seed=0, **options):
    return SMAC3(space, rng=generator(seed, "strategy"), **options)


@pytest.mark.slow
def test_random_facade_keeps_the_contract():
    assert check_strategy(SMAC3, n_trials=12, facade="random", initial=4) == list(RULES)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("facade", ["hpo", "blackbox"])
@pytest.mark.parametrize("space", [ToyChain(), get_space("nb201")], ids=lambda space: space.name)
def test_facade_with_a_model_keeps_the_contract(facade, space):
    assert check_strategy(SMAC3, space, n_trials=6, facade=facade, initial=3) == list(RULES)


@pytest.mark.slow
def test_random_forest_finds_the_good_values(line, search):
    space, error_of = line
    codes = np.array(search(strategy(space, initial=15), error_of, 60))
    assert (codes[:15] == 2).mean() < 0.5
    assert (codes[15:] == 2).mean() > 0.35  # by chance 0.2, with a fifth drawn at random
    assert min(map(error_of, codes.tolist())) == 0


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
