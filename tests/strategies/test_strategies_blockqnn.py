"""BlockQNN shares its reward out over the decisions, corrects it, and finishes what looks best early."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import kendalltau

from nasbench.errors import BadOption
from nasbench.records import Trial
from nasbench.spaces import get_space
from nasbench.strategies.blockqnn import BlockQNN, density
from nasbench.strategies.strategy import Setting
from nasbench.testing import check_strategy, toy_setting, toy_space
from nasbench.testing.strategy import RULES

FULL = Setting(epochs=(200,))


def told(proposal, number, error):
    return Trial(number, proposal.code, proposal.epochs, 0, "failed" if error is None else "ok", error, 1.0)


@pytest.mark.parametrize("options", [{}, {"early_epochs": 9, "mu": 0.1, "agents": 3, "finalists": 2}])
def test_contract_is_kept(options):
    assert check_strategy(BlockQNN, n_trials=30, replay=8, scale=0.1, **options) == list(RULES)


def test_contract_is_kept_on_nb201():
    options = {"replay": 8, "scale": 0.1, "rho": 0.1, "early_epochs": 9}
    assert check_strategy(BlockQNN, get_space("nb201"), n_trials=30, **options) == list(RULES)


def test_epsilon_follows_the_published_schedule_in_iterations(rng):
    strategy = BlockQNN(get_space("nb201"), rng=rng, setting=FULL, agents=2)
    lengths = [(1.0, 95), (0.9, 7), (0.8, 7), (0.7, 7)] + [(e, 10) for e in (0.6, 0.5, 0.4, 0.3, 0.2)]
    for epsilon, length in [*lengths, (0.1, 12)]:
        for _ in range(2 * length):
            assert strategy.epsilon == epsilon
            strategy.ask(1)
    assert strategy.epsilon == 0.1


def test_shaped_rewards_sum_to_the_reward(rng):
    strategy = BlockQNN(toy_space(), rng=rng, setting=FULL, learning_rate=1.0, replay=1, state="prefix")
    (proposal,) = strategy.ask(1)
    strategy.tell([told(proposal, 0, 0.1)])
    a, b, c = proposal.code
    utilities = [strategy._table.row(())[a], strategy._table.row((a,))[b], strategy._table.row((a, b))[c]]
    # At rate 1 a utility is what is still to come: all of r, two thirds, one third.
    assert utilities == pytest.approx([0.9, 0.6, 0.3])


def test_learns_only_at_the_end_of_an_iteration(rng):
    strategy = BlockQNN(toy_space(), rng=rng, setting=FULL, agents=3)
    batch = strategy.ask(3)
    strategy.tell([told(p, i, 0.5) for i, p in enumerate(batch[:2])])
    assert strategy._table.row(()) == [0.0, 0.0, 0.0]
    strategy.tell([told(batch[2], 2, 0.5)])
    assert max(strategy._table.row(())) > 0.0


@pytest.mark.parametrize("workers", [1, 3])
def test_later_proposals_are_better_than_random(line, search, rng, workers):
    space, error_of = line
    strategy = BlockQNN(space, rng=rng, setting=FULL)
    errors = [error_of(code) for code in search(strategy, error_of, 200, workers)]
    assert np.mean(errors[-30:]) < np.mean(errors[:90]) - 0.1


@pytest.mark.parametrize(
    ("cell", "nodes", "links"),
    [
        ("000200", 3, 2),  # one operation: a chain of 1
        ("020020", 4, 2),  # two that do not meet: 0->2 and 1->3
        ("302003", 5, 4),  # 0->1->2->3: a chain of 3
        ("222222", 8, 10),
        ("000000", 2, 1),  # none at all counts as one link
    ],
)
def test_density_of_cells_counted_by_hand(cell, nodes, links):
    space = get_space("nb201")
    assert density(space, space.parse(cell)) == pytest.approx(links / nodes)


def test_reward_is_the_published_formula(rng):
    space = get_space("nb201")
    setting = Setting(epochs=(12, 200), costs={"macs": lambda code: 5e6})
    strategy = BlockQNN(space, rng=rng, setting=setting, mu=0.2, rho=0.3)
    assert strategy.reward((2,) * 6, 0.25) == pytest.approx(
        0.75 - 0.2 * math.log(5.0) - 0.3 * math.log(10 / 8)
    )


def test_corrected_reward_ranks_better_than_early_accuracy(rng):
    # Final accuracy is early accuracy - 0.1 log(MACs); early accuracy alone misleads.
    space = toy_space()
    codes = [tuple(row) for row in next(space.enumerate()).tolist()]
    macs = dict(zip(codes, 1e6 * np.exp(rng.normal(size=27)), strict=True))
    early = rng.uniform(0.5, 0.7, size=27)
    final = early - 0.1 * np.log([macs[code] for code in codes])
    setting = Setting(epochs=(12, 200), costs={"macs": macs.__getitem__})
    strategy = BlockQNN(space, rng=rng, setting=setting, mu=0.1, early_epochs=12)
    corrected = [strategy.reward(code, 1 - accuracy) for code, accuracy in zip(codes, early, strict=True)]
    assert kendalltau(corrected, final).statistic == pytest.approx(1.0)
    assert kendalltau(early, final).statistic < 0.6


def test_new_finalist_is_trained_to_the_end_and_not_learnt_from_again(rng):
    setting = Setting(epochs=(12, 200))
    strategy = BlockQNN(toy_space(), rng=rng, setting=setting, early_epochs=12, finalists=1)
    (first,) = strategy.ask(1)
    assert first.epochs == 12
    strategy.tell([told(first, 0, 0.5)])
    second, third = strategy.ask(2)
    assert (second.code, second.epochs, second.continues) == (first.code, 200, 0)
    assert (third.epochs, third.continues) == (12, None)
    strategy.tell([told(second, 1, 0.1), told(third, 2, 0.6)])
    assert len(strategy._memory) == 2
    (fourth,) = strategy.ask(1)  # 0.6 was worse: nothing to finish
    assert fourth.continues is None
    strategy.tell([told(fourth, 3, 0.4)])
    (fifth,) = strategy.ask(1)
    assert fifth.continues == 3


def test_failed_early_training_is_not_finished(rng):
    strategy = BlockQNN(toy_space(), rng=rng, setting=Setting(epochs=(12, 200)), early_epochs=12)
    (first,) = strategy.ask(1)
    strategy.tell([told(first, 0, None)])
    assert [p.continues for p in strategy.ask(3)] == [None] * 3


def test_full_trainings_are_asked_for_by_default(rng):
    strategy = BlockQNN(toy_space(), rng=rng, setting=toy_setting())
    (first,) = strategy.ask(1)
    strategy.tell([told(first, 0, 0.5)])
    assert [(p.epochs, p.continues) for p in [first, *strategy.ask(2)]] == [(27, None)] * 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"agents": 0}, "agents: expected a whole number >= 1, got 0"),
        ({"replay": 1.0}, "replay: expected a whole number >= 1, got 1.0"),
        ({"finalists": 0}, "finalists: expected a whole number >= 1, got 0"),
        ({"scale": -1}, "scale: expected a number > 0, got -1"),
        ({"learning_rate": 0}, r"learning_rate: expected a number in \(0, 1\], got 0"),
        ({"mu": -0.1}, "mu: expected a number >= 0, got -0.1"),
        ({"rho": "x"}, "rho: expected a number >= 0, got 'x'"),
        ({"mu": 0.1}, "mu: expected 0 where the source does not know the cost macs, got 0.1"),
        ({"rho": 0.1}, "rho: expected 0 in space toy, which has no graph"),
        ({"early_epochs": 13}, "early_epochs: expected one of 12, 200, got 13"),
        ({"early_epochs": True}, "early_epochs: expected one of 12, 200, got True"),
        ({"state": "last"}, "state: expected 'layer' or 'prefix', got 'last'"),
    ],
)
def test_wrong_options_are_refused(rng, options, message):
    with pytest.raises(BadOption, match=message):
        BlockQNN(toy_space(), rng=rng, setting=Setting(epochs=(12, 200)), **options)
