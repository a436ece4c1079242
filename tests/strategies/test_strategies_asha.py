"""ASHA promotes, or stops, exactly as its pseudo-code says, and never waits."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.records import Proposal, Verdict
from nasbench.seeds import generator
from nasbench.spaces import get_space
from nasbench.strategies.asha import ASHA, PromotionRung
from nasbench.strategies.random_search import RandomSearch
from nasbench.strategies.strategy import ReportingStrategy, Setting
from nasbench.testing import check_strategy, toy_setting
from nasbench.testing.simulation import drive


def asha(space, seed=0, **options):
    return ASHA(space, rng=generator(seed, "strategy"), setting=toy_setting(), **options)


def driven(strategy, space, error_of, n_trials, workers=1):
    return drive(
        strategy,
        space,
        answer=lambda code, number: error_of(code),
        setting=toy_setting(),
        n_trials=n_trials,
        workers=workers,
    )


def next_job(told, promoted, lengths, eta):
    """Say by plain sorting which trial goes on and to which length; None where a new one begins."""
    for shorter, longer in list(pairwise(lengths))[::-1]:
        here = [trial for trial in told if trial.epochs == shorter]
        here.sort(key=lambda t: (2.0 if t.valid_error is None else t.valid_error, t.number))
        for trial in here[: len(here) // eta]:
            if trial.valid_error is not None and trial.number not in promoted:
                return trial.number, longer
    return None


@pytest.mark.parametrize("workers", [1, 7])
@pytest.mark.parametrize(("eta", "lengths"), [(3, (1, 3, 9, 27)), (5, (1, 5, 27))])
def test_every_job_is_the_one_of_the_papers_algorithm(line, workers, eta, lengths):
    space, error_of = line

    def sometimes(code):
        return None if code[0] == 4 else error_of(code)

    told, promoted = [], set()
    for event in driven(asha(space, eta=eta), space, sometimes, 300, workers).events:
        if event[0] == "tell":
            told += event[1]
            continue
        for proposal in event[2]:
            job = next_job(told, promoted, lengths, eta)
            if job is None:
                assert (proposal.continues, proposal.epochs) == (None, lengths[0])
            else:
                assert (proposal.continues, proposal.epochs) == job
                promoted.add(proposal.continues)
    assert len(promoted) > 50


@pytest.mark.parametrize("workers", [1, 5, 40])
@pytest.mark.parametrize("mode", ["promotion", "stopping"])
def test_no_worker_is_ever_idle(line, workers, mode):
    space, error_of = line
    transcript = driven(asha(space, mode=mode), space, error_of, 200, workers)
    assert all(len(event[2]) == event[1] for event in transcript.events if event[0] == "ask")


def test_new_architectures_are_uniform_draws(line):
    space, error_of = line
    new = [p.code for p in driven(asha(space), space, error_of, 100).proposals if p.continues is None]
    assert new == [p.code for p in RandomSearch(space, rng=generator(0, "strategy")).ask(len(new))]


def promotions(answer, errors, eta=3):
    """Count who is promoted out of one rung, asking after each answer."""
    rung, counts = PromotionRung(), []
    for number, error in enumerate(errors):
        rung.add(answer(Proposal((number,)), number, error))
        while rung.promote(eta) is not None:
            counts.append(number)
    return counts


@pytest.mark.parametrize("eta", [2, 3, 4])
def test_no_more_than_a_part_is_promoted_where_the_best_came_first(answer, eta):
    for n in range(1, 40):
        assert len(promotions(answer, np.linspace(0.1, 0.9, n), eta)) == n // eta


def test_early_promotions_are_not_taken_back_where_each_is_better_than_the_last(answer):
    # Each answer is the best so far, and so is promoted at once from the third on: 28 of 30, not 10.
    assert promotions(answer, np.linspace(0.9, 0.1, 30)) == list(range(2, 30))


def test_failed_trainings_are_never_promoted_but_count_in_their_rung(answer):
    assert promotions(answer, [None, None, 0.9, None, None, None]) == [2]
    assert promotions(answer, [None] * 9) == []


def test_equal_errors_are_promoted_in_order_of_proposal(answer):
    rung = PromotionRung()
    for number in (2, 0, 1):
        rung.add(answer(Proposal((number,)), number, 0.5))
    assert rung.promote(3) == ((0,), 0)


def test_stopping_stops_exactly_those_outside_the_best_part_at_the_time(answer, toy_space, rng):
    strategy = asha(toy_space, mode="stopping")
    seen = {epochs: [] for epochs in (1, 3, 9)}
    for number, proposal in enumerate(strategy.ask(200)):
        assert proposal.epochs == 27
        for epoch in range(1, 27):
            error = float(rng.integers(20)) / 20
            verdict = strategy.report(answer(proposal, number, error), epoch, error)
            if epoch not in seen:
                assert verdict is Verdict.CONTINUE
                continue
            seen[epoch].append(error)
            n_better = sum(other < error for other in seen[epoch])
            goes_on = n_better < max(1, len(seen[epoch]) // 3)
            assert verdict is (Verdict.CONTINUE if goes_on else Verdict.STOP)
            if not goes_on:
                break
    assert 5 < len(seen[9]) < len(seen[3]) < len(seen[1]) == 200


def test_stopped_trials_are_not_trained_on(line):
    space, error_of = line
    trials = driven(asha(space, mode="stopping"), space, error_of, 200, workers=4).trials
    assert {t.epochs for t in trials if t.status == "stopped"} == {1, 3, 9}
    assert {t.epochs for t in trials if t.status == "ok"} == {27}
    assert sum(t.epochs for t in trials) < 200 * 27 / 3


def test_only_the_stopping_mode_looks_at_running_trials(toy_space):
    assert isinstance(asha(toy_space, mode="stopping"), ReportingStrategy)
    assert not isinstance(asha(toy_space), ReportingStrategy)


@pytest.mark.parametrize("mode", ["promotion", "stopping"])
def test_contract_is_kept(mode):
    assert check_strategy(ASHA, mode=mode)
    assert check_strategy(ASHA, get_space("nb201"), mode=mode, eta=4, min_epochs=2)


def test_source_with_one_training_length_is_refused(toy_space, rng):
    with pytest.raises(BadOption, match="expected a source with two or more training lengths"):
        ASHA(toy_space, rng=rng, setting=Setting((200,)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "pausing"}, "mode: expected 'promotion' or 'stopping', got 'pausing'"),
        ({"eta": 1.5}, "eta: "),
        ({"min_epochs": -1}, "min_epochs: "),
    ],
)
def test_option_out_of_range_is_refused(toy_space, options, message):
    with pytest.raises(BadOption, match=message):
        asha(toy_space, **options)
