import numpy as np
import pytest
from watched_relaxation import BEST, planted_error, planted_space, reports, watched

from nasbench.errors import BadOption
from nasbench.seeds import generator
from nasbench.spaces import get_space
from nasbench.strategies import Setting
from nasbench.strategies.enas import ENAS
from nasbench.testing import check_strategy, toy_relaxed_setting, toy_space
from nasbench.testing.strategy import RULES

pytest.importorskip("torch")

QUICK = {"epochs": 4, "controller_steps": 1, "batch": 3, "candidates": 3}


@pytest.fixture
def make():
    """Make a search of the planted space; return it and its relaxation."""

    def made(seed=0, **options):
        setting, relaxations = watched()
        strategy = ENAS(planted_space(), rng=generator(seed), setting=setting, **options)
        return strategy, relaxations[0]

    return made


@pytest.mark.parametrize("space", [toy_space(), get_space("nb201")], ids=lambda space: space.name)
def test_it_keeps_the_contract(space):
    setting = toy_relaxed_setting(space)
    assert check_strategy(
        ENAS,
        space,
        setting=setting,
        n_trials=8,
        **QUICK,
    ) == list(RULES)


def test_it_refuses_a_source_without_shared_weights():
    with pytest.raises(BadOption, match="setting: expected a source with shared weights, got one without"):
        ENAS(planted_space(), rng=generator(0), setting=Setting(epochs=(10,)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs: expected a whole number >= 1, got 0"),
        ({"controller_steps": 0}, "controller_steps: expected a whole number >= 1"),
        ({"batch": 1.5}, "batch: expected a whole number >= 1"),
        ({"candidates": 0}, "candidates: expected a whole number >= 1"),
        ({"learning_rate": 0}, "learning_rate: expected a number > 0, got 0"),
        ({"entropy": -1.0}, "entropy: expected a number >= 0, got -1.0"),
        ({"momentum": 1.0}, r"momentum: expected a number in \[0, 1\), got 1.0"),
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


def test_weights_are_trained_on_paths_that_the_controller_draws(make):
    strategy, relaxation = make(epochs=1, controller_steps=1, batch=2, candidates=2)
    drawn = []
    sample = strategy._controller.sample
    strategy._controller.sample = lambda n, draw: drawn.append(sample(n, draw)) or drawn[-1]
    strategy.ask(1)
    assert [len(codes) for codes in drawn] == [relaxation.epoch_steps, 2, 2]
    steps = [tuple(step.argmax(axis=1).tolist()) for step in relaxation.steps]
    assert steps == [code for code, _ in drawn[0]]
    assert relaxation.scored == [code for codes in drawn[1:] for code, _ in codes]


def test_report_is_the_candidate_of_the_best_score(make):
    strategy, relaxation = make(epochs=1, controller_steps=1, batch=2, candidates=12)
    code = strategy.ask(1)[0].code
    assert code == min(relaxation.scored[-12:], key=planted_error)


def test_controller_learns_to_draw_good_architectures(make):
    strategy, _ = make(epochs=100, controller_steps=3, batch=10, candidates=5, learning_rate=0.02)
    before = np.mean([planted_error(code) for code in strategy._drawn(300)])
    last = reports(strategy)[-1].code
    after = np.mean([planted_error(code) for code in strategy._drawn(300)])
    assert after < 0.3 * before
    assert sum(a != b for a, b in zip(last, BEST, strict=True)) <= 1


def test_entropy_keeps_the_controller_wide(make):
    def chosen(entropy):
        strategy, _ = make(
            epochs=60, controller_steps=2, batch=8, candidates=1, learning_rate=0.02, entropy=entropy
        )
        reports(strategy)
        return len(set(strategy._drawn(300)))

    assert chosen(1.0) > 2 * chosen(0.0)


def test_baseline_is_the_weighted_mean_of_all_rewards(make):
    strategy, _ = make(momentum=0.5)
    assert strategy._advantage(0.4) == pytest.approx(0.0)
    assert strategy._advantage(1.0) == pytest.approx(1.0 - (0.25 * 0.4 + 0.5 * 1.0) / 0.75)
