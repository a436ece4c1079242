import numpy as np
import pytest
from watched_relaxation import BEST, planted_error, planted_space, reports, watched

from nasbench.errors import BadOption
from nasbench.seeds import generator
from nasbench.spaces import get_space
from nasbench.strategies import Setting
from nasbench.strategies.spos import SPOS
from nasbench.testing import check_strategy, toy_relaxed_setting, toy_space
from nasbench.testing.strategy import RULES

pytest.importorskip("torch")

QUICK = {"epochs": 6, "population": 4, "select": 2, "generations": 5}


@pytest.fixture
def make():
    """Make a search of the planted space; return it and its relaxation."""

    def made(seed=0, **options):
        setting, relaxations = watched()
        strategy = SPOS(planted_space(), rng=generator(seed), setting=setting, **options)
        return strategy, relaxations[0]

    return made


@pytest.mark.parametrize("space", [toy_space(), get_space("nb201")], ids=lambda space: space.name)
def test_it_keeps_the_contract(space):
    setting = toy_relaxed_setting(space)
    assert check_strategy(
        SPOS,
        space,
        setting=setting,
        n_trials=8,
        **QUICK,
    ) == list(RULES)


def test_it_refuses_a_source_without_shared_weights():
    with pytest.raises(BadOption, match="setting: expected a source with shared weights, got one without"):
        SPOS(planted_space(), rng=generator(0), setting=Setting(epochs=(10,)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs: expected a whole number >= 1, got 0"),
        ({"population": 0}, "population: expected a whole number >= 1"),
        ({"select": 1.5}, "select: expected a whole number >= 1"),
        ({"generations": 0}, "generations: expected a whole number >= 1"),
        ({"mutation_rate": 1.0}, r"mutation_rate: expected a number in \[0, 1\), got 1.0"),
    ],
)
def test_it_refuses_options_out_of_range(make, options, message):
    with pytest.raises(BadOption, match=message):
        make(**options)


def test_reports_pay_for_all_seconds_of_the_relaxation(make):
    strategy, relaxation = make(**QUICK)
    proposals = reports(strategy)
    assert {proposal.purpose for proposal in proposals} == {"report"}
    assert sum(proposal.search_seconds for proposal in proposals) == pytest.approx(relaxation.seconds)
    assert min(proposal.search_seconds for proposal in proposals) > 0
    assert relaxation.planned == QUICK["epochs"]


def test_search_asked_for_nothing_does_nothing(make):
    strategy, relaxation = make(**QUICK)
    assert strategy.ask(0) == []
    assert relaxation.steps == relaxation.scored == []


def test_search_of_one_seed_repeats_itself_and_of_another_does_not(make):
    first, again, other = ([p.code for p in reports(make(seed, **QUICK)[0])] for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_weights_are_trained_on_single_paths_before_anything_is_scored(make):
    strategy, relaxation = make(epochs=7, population=10, generations=2)
    first = strategy.ask(1)[0]
    steps = np.array(relaxation.steps)
    assert len(steps) == 7 * relaxation.epoch_steps
    assert (steps.sum(axis=2) == 1.0).all()
    assert len(relaxation.scored) == 10
    second = strategy.ask(1)[0]
    assert len(relaxation.steps) == len(steps)
    assert first.search_seconds > second.search_seconds


def test_no_architecture_is_scored_twice(make):
    strategy, relaxation = make(epochs=1, population=20, generations=10)
    reports(strategy)
    assert len(relaxation.scored) == len(set(relaxation.scored)) == 200


def test_reports_never_get_worse_by_score(make):
    errors = [planted_error(p.code) for p in reports(make(epochs=1, population=10, generations=10)[0])]
    assert errors == sorted(errors, reverse=True)


def test_evolution_finds_the_best_sooner_than_random_draws(make):
    found = 0
    for seed in range(10):
        strategy, relaxation = make(seed, epochs=1, population=16, select=5, generations=6)
        found += reports(strategy)[-1].code == BEST
        assert len(relaxation.scored) <= 96  # of 256: random draws find it in 3 to 4 of 10
    assert found >= 8


def test_mutants_redraw_their_decisions_at_the_rate_and_children_take_from_two_parents(make):
    strategy, _ = make(mutation_rate=0.5)
    parent = (0, 0, 0, 0)
    changed = np.mean([[v != 0 for v in strategy._mutant(parent)] for _ in range(2000)])
    assert changed == pytest.approx(0.5 * 3 / 4, abs=0.03)
    strategy._scored = {(0, 0, 0, 0): 0.1, (1, 1, 1, 1): 0.2}
    strategy._mutation_rate = 0.0  # mutants repeat their parents, which are scored, and so are none
    strategy._population = 2
    assert set(strategy._next_population([(0, 0, 0, 0), (1, 1, 1, 1)])[0]) == {0, 1}


def test_space_smaller_than_the_search_ends_it(make):
    strategy, relaxation = make(epochs=1, population=200, generations=4)
    assert len(reports(strategy)) == 4
    assert len(set(relaxation.scored)) == len(relaxation.scored) <= 256
