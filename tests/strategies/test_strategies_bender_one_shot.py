import numpy as np
import pytest
from watched_relaxation import NONE, planted_error, planted_space, reports, watched

from nasbench.errors import BadOption
from nasbench.seeds import generator
from nasbench.spaces import get_space
from nasbench.strategies import Setting
from nasbench.strategies.bender_one_shot import BenderOneShot
from nasbench.testing import check_strategy, toy_relaxed_setting, toy_space
from nasbench.testing.strategy import RULES

pytest.importorskip("torch")

QUICK = {"epochs": 6, "samples": 10, "rounds": 5}


@pytest.fixture
def make():
    """Make a search of the planted space; return it and its relaxation."""

    def made(seed=0, **options):
        setting, relaxations = watched()
        strategy = BenderOneShot(planted_space(), rng=generator(seed), setting=setting, **options)
        return strategy, relaxations[0]

    return made


@pytest.mark.parametrize("space", [toy_space(), get_space("nb201")], ids=lambda space: space.name)
def test_it_keeps_the_contract(space):
    setting = toy_relaxed_setting(space)
    assert check_strategy(BenderOneShot, space, setting=setting, n_trials=8, **QUICK) == list(RULES)


def test_it_refuses_a_source_without_shared_weights():
    with pytest.raises(BadOption, match="setting: expected a source with shared weights, got one without"):
        BenderOneShot(planted_space(), rng=generator(0), setting=Setting(epochs=(10,)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs: expected a whole number >= 1, got 0"),
        ({"dropped": 1}, r"dropped: expected a number in \[0, 1\), got 1"),
        ({"samples": 0}, "samples: expected a whole number >= 1"),
        ({"samples": 5, "rounds": 6}, "rounds: expected at most the 5 samples, got 6"),
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


def test_first_epoch_runs_all_operations_summed(make):
    strategy, relaxation = make(epochs=3, samples=1, rounds=1)
    reports(strategy)
    assert (np.array(relaxation.steps[: relaxation.epoch_steps]) == 1.0).all()


def test_path_dropout_rises_linearly_to_its_rate(make):
    strategy, relaxation = make(epochs=401, dropped=0.2, samples=1, rounds=1)
    reports(strategy)
    gone = 1.0 - np.array(relaxation.steps)[:, :, NONE + 1 :]
    last = 0.2 ** (1 / 3)  # three operations that are paths
    for epoch in (100, 200, 300):
        near = gone[(epoch - 25) * 5 : (epoch + 25) * 5]
        assert near.mean() == pytest.approx(last * epoch / 400, abs=0.03)
    assert float(strategy._dropout(400)[0, 0]) == pytest.approx(last)


def test_none_is_never_dropped(make):
    strategy, relaxation = make(epochs=20, dropped=0.9, samples=1, rounds=1)
    reports(strategy)
    steps = np.array(relaxation.steps)
    assert (steps[:, :, NONE] == 1.0).all()
    assert (steps[:, :, NONE + 1 :] == 0.0).any()


def test_rounds_share_the_samples_and_report_the_best_so_far(make):
    strategy, relaxation = make(epochs=1, samples=22, rounds=4)
    codes = [proposal.code for proposal in reports(strategy)]
    assert len(relaxation.scored) == 22
    ends = np.cumsum([6, 6, 5, 5])
    assert codes == [min(relaxation.scored[:end], key=planted_error) for end in ends]
