import numpy as np
import pytest
from scipy.stats import chisquare
from watched_relaxation import planted_error, planted_space, reports, watched

from nasbench.errors import BadOption
from nasbench.seeds import generator
from nasbench.spaces import get_space
from nasbench.strategies import Setting
from nasbench.strategies.random_search_ws import RandomSearchWS
from nasbench.testing import check_strategy, toy_relaxed_setting, toy_space
from nasbench.testing.strategy import RULES

pytest.importorskip("torch")

QUICK = {"epochs": 6, "samples": 4, "last_samples": 9}


@pytest.fixture
def make():
    """Make a search of the planted space; return it and its relaxation."""

    def made(seed=0, **options):
        setting, relaxations = watched()
        strategy = RandomSearchWS(planted_space(), rng=generator(seed), setting=setting, **options)
        return strategy, relaxations[0]

    return made


@pytest.mark.parametrize("space", [toy_space(), get_space("nb201")], ids=lambda space: space.name)
def test_it_keeps_the_contract(space):
    setting = toy_relaxed_setting(space)
    assert check_strategy(RandomSearchWS, space, setting=setting, n_trials=8, **QUICK) == list(RULES)


def test_it_refuses_a_source_without_shared_weights():
    with pytest.raises(BadOption, match="setting: expected a source with shared weights, got one without"):
        RandomSearchWS(planted_space(), rng=generator(0), setting=Setting(epochs=(10,)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs: expected a whole number >= 1, got 0"),
        ({"samples": 2.0}, "samples: expected a whole number >= 1, got 2.0"),
        ({"last_samples": True}, "last_samples: expected a whole number >= 1, got True"),
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


def test_every_minibatch_trains_one_path_drawn_uniformly(make):
    strategy, relaxation = make(epochs=400, samples=1, last_samples=1)
    reports(strategy)
    steps = np.array(relaxation.steps)  # (steps, E, O)
    assert len(steps) == 400 * relaxation.epoch_steps
    assert set(np.unique(steps)) == {0.0, 1.0}
    assert (steps.sum(axis=2) == 1.0).all()
    for edge in range(relaxation.edges):
        assert chisquare(steps[:, edge].sum(axis=0)).pvalue > 1e-4
    pairs = np.einsum("sa,sb->ab", steps[:, 0], steps[:, 1])  # edges are drawn independently
    assert chisquare(pairs.ravel()).pvalue > 1e-4


def test_each_epoch_reports_the_best_of_its_samples(make):
    strategy, relaxation = make(epochs=5, samples=4, last_samples=30)
    codes = [proposal.code for proposal in reports(strategy)]
    rounds = [relaxation.scored[4 * k : 4 * k + 4] for k in range(4)] + [relaxation.scored[16:]]
    assert [len(drawn) for drawn in rounds] == [4, 4, 4, 4, 30]
    assert codes == [min(drawn, key=planted_error) for drawn in rounds]
