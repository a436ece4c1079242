"""pymoo's algorithms breed legal children generation by generation and count failures as the worst."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.seeds import generator
from nasbench.spaces import get_space
from nasbench.strategies.doors.pymoo_door import Pymoo
from nasbench.strategies.random_search import RandomSearch
from nasbench.strategies.strategy import Setting
from nasbench.testing import check_strategy, toy_setting
from nasbench.testing.strategy import RULES

pytest.importorskip("pymoo")

ALGORITHMS = [
    {},
    {"algorithm": "nsga2", "costs": ["parameters", "macs"]},
    {"algorithm": "sms-emoa", "costs": "parameters"},
]


def strategy(space, seed=0, setting=None, **options):
    return Pymoo(space, rng=generator(seed, "strategy"), setting=setting or toy_setting(), **options)


@pytest.mark.slow
@pytest.mark.parametrize("options", ALGORITHMS, ids=str)
def test_algorithm_keeps_the_contract(options):
    assert check_strategy(Pymoo, n_trials=30, population=6, **options) == list(RULES)


@pytest.mark.parametrize("options", ALGORITHMS, ids=str)
def test_algorithm_keeps_the_contract_on_nb201(options):
    assert check_strategy(Pymoo, get_space("nb201"), **options) == list(RULES)


def test_genetic_algorithm_beats_random_search(line, search):
    space, error_of = line
    gains = []
    for seed in range(20):
        ours = search(strategy(space, seed, population=10), error_of, 80)
        rival = search(RandomSearch(space, rng=generator(seed, "strategy")), error_of, 80)
        gains.append(min(map(error_of, rival)) - min(map(error_of, ours)))
    assert np.mean(gains) / (np.std(gains, ddof=1) / np.sqrt(len(gains))) > 3


@pytest.mark.parametrize("algorithm", ["nsga2", "sms-emoa"])
def test_algorithms_of_two_objectives_spread_along_the_front(line, search, algorithm):
    # A 1 costs 1 and takes off a quarter of the error: the front is the 16 codes of 0 and 1.
    space, _ = line
    setting = Setting(epochs=(1,), costs={"macs": lambda code: float(sum(code))})
    tried = strategy(space, setting=setting, algorithm=algorithm, costs="macs")
    codes = search(tried, lambda code: 1 - sum(value == 1 for value in code) / 4, 300)
    assert len({code for code in codes if set(code) <= {0, 1}}) >= 14  # of 300 draws by chance 6


def test_children_wait_for_the_whole_generation(line, answer):
    space, _ = line
    tried = strategy(space, population=4)
    first = tried.ask(3)
    first += tried.ask(3)
    assert (len(first), tried.ask(3)) == (4, [])
    for number in (2, 0, 3):
        tried.tell([answer(first[number], number, 0.5)])
    assert tried.ask(3) == []
    tried.tell([answer(first[1], 1, 0.5)])
    assert len(tried.ask(3)) == 3


def test_failed_trainings_leave_the_population_first(line, answer):
    space, _ = line
    tried = strategy(space, population=4)
    for number in range(4):
        tried.tell([answer(tried.ask(1)[0], number, 0.5 if number % 2 else None)])
    tried.tell([answer(tried.ask(1)[0], 4, 1.0)])
    for number in range(5, 8):
        tried.tell([answer(tried.ask(1)[0], number, None if number > 5 else 0.9)])
    tried.ask(1)
    survivors = tried._algorithm.pop
    assert sorted(survivors.get("F")[survivors.get("feas")].ravel().tolist()) == [0.5, 0.5, 0.9, 1.0]


def test_equal_errors_give_one_run_from_one_seed(line, search):
    space, _ = line
    runs = [search(strategy(space, algorithm="nsga2", costs="macs"), lambda code: 0.5, 100) for _ in range(2)]
    assert runs[0] == runs[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"algorithm": "best"}, "algorithm: expected one of ga, nsga2, sms-emoa, got 'best'"),
        ({"population": 1}, "population: expected a whole number >= 2, got 1"),
        ({"population": 2.5}, "population: expected a whole number >= 2, got 2.5"),
        ({"costs": "macs"}, "costs: expected none for algorithm ga, got 'macs'"),
        ({"algorithm": "nsga2"}, r"costs: expected at least one for algorithm nsga2, got \(\)"),
        ({"algorithm": "nsga2", "costs": "euros"}, "does not know euros. Known: macs, parameters"),
        ({"algorithm": "nsga2", "costs": "macs+macs"}, "costs: expected different names of costs"),
        ({"algorithm": "nsga2", "costs": 3}, "costs: expected different names of costs, got 3"),
        ({"algorithm": "nsga2", "costs": ""}, "costs: expected different names of costs, got"),
    ],
)
def test_option_out_of_range_is_refused(toy_space, options, message):
    with pytest.raises(BadOption, match=message):
        strategy(toy_space, **options)
