"""DEHB's operators, its first iteration of successive halving, and its slots that never get worse."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.seeds import generator
from nasbench.spaces import get_space
from nasbench.strategies.dehb import DEHB, Population, crossed, decode, inside, mutant
from nasbench.strategies.hyperband import Hyperband
from nasbench.strategies.strategy import Setting
from nasbench.testing import ToyChain, check_strategy, toy_setting
from nasbench.testing.simulation import drive

FIRST = 27 + 9 + 3 + 1 + 9 + 3 + 1 + 6 + 2 + 4  # trials of one iteration with HpBandSter's brackets


def dehb(space, seed=0, **options):
    return DEHB(space, rng=generator(seed, "strategy"), setting=toy_setting(), **options)


def driven(strategy, space, error_of, n_trials, workers=1):
    return drive(
        strategy,
        space,
        answer=lambda code, number: error_of(code),
        setting=toy_setting(),
        n_trials=n_trials,
        workers=workers,
    )


# Operators ---------------------------------------------------------------------------------------


def test_child_without_a_difference_taken_whole_is_the_first_parent(rng):
    parents = rng.random((5, 8))
    target = rng.random(8)
    child = crossed(target, mutant(parents, 0.0, rng=rng), 1.0, rng=rng)
    assert any((child == parent).all() for parent in parents)


def test_mutant_is_a_parent_plus_the_scaled_difference_of_two_others(rng):
    parents = np.array([[0.0], [1.0], [10.0]])
    sums = {
        0.5 * (b - c) + a
        for a, b, c in [(0, 1, 10), (0, 10, 1), (1, 0, 10), (1, 10, 0), (10, 0, 1), (10, 1, 0)]
    }
    assert {float(mutant(parents, 0.5, rng=rng)[0]) for _ in range(200)} == sums


def test_crossover_takes_at_least_one_component_of_the_mutant(rng):
    target, mutated = np.zeros(6), np.ones(6)
    taken = [crossed(target, mutated, 0.0, rng=rng).sum() for _ in range(50)]
    assert set(taken) == {1.0}
    mean = np.mean([crossed(target, mutated, 0.5, rng=rng).mean() for _ in range(4_000)])
    assert mean == pytest.approx(0.5 + 0.5 / 6, abs=0.02)


def test_components_outside_are_drawn_anew_and_the_others_stay(rng):
    vector = np.array([-0.1, 0.0, 0.3, 1.0, 1.1])
    fixed = inside(vector, rng=rng)
    assert fixed[1:4].tolist() == [0.0, 0.3, 1.0]
    assert 0 <= fixed[0] < 1
    assert 0 <= fixed[4] < 1


def test_decoding_cuts_the_interval_into_equal_bins(toy_space):
    assert decode(toy_space, np.array([0.0, 0.34, 0.99999])) == (0, 1, 2)
    assert decode(toy_space, np.array([0.33, 1.0, 0.67])) == (0, 2, 2)


def test_decoding_bins_over_the_legal_choices(rng):
    space = ToyChain()
    assert decode(space, np.array([0.4, 0.99, 0.2, 0.9])) == (1, 2, 0, 0)
    codes = {decode(space, rng.random(4)) for _ in range(2_000)}
    assert codes == {tuple(code) for block in space.enumerate() for code in block.tolist()}


def test_selection_never_worsens_a_slot(rng):
    population = Population(4, 2, rng=rng)
    for _ in range(200):
        before, vectors = population.errors.copy(), population.vectors.copy()
        slot, vector, error = population.next_slot(), rng.random(2), rng.random()
        population.select(slot, vector, error)
        assert (population.errors <= before).all()
        if error > before[slot]:
            assert (population.vectors == vectors).all()
        else:
            assert (population.vectors[slot] == vector).all()


# The strategy ------------------------------------------------------------------------------------


def test_populations_have_the_size_of_the_largest_rung(line):
    strategy = dehb(line[0])
    assert {e: len(p.errors) for e, p in strategy._populations.items()} == {1: 27, 3: 9, 9: 6, 27: 4}


def test_first_iteration_promotes_the_best_of_each_rung(line):
    space, error_of = line
    proposals = driven(dehb(space), space, error_of, FIRST).proposals
    lengths = [p.epochs for p in proposals]
    rival = driven(
        Hyperband(space, rng=generator(0, "strategy"), setting=toy_setting(), formula="hpbandster"),
        space,
        error_of,
        FIRST,
    )
    assert lengths == [p.epochs for p in rival.proposals]
    best = sorted(range(27), key=lambda number: (error_of(proposals[number].code), number))[:9]
    assert [p.continues for p in proposals[27:36]] == best
    assert [p.continues is not None for p in proposals] == [p.continues is not None for p in rival.proposals]


def test_later_iterations_have_the_same_rungs_and_continue_nothing(line):
    space, error_of = line
    proposals = driven(dehb(space), space, error_of, 3 * FIRST).proposals
    assert all(p.continues is None for p in proposals[FIRST:])
    counts = [Counter(p.epochs for p in proposals[i : i + FIRST]) for i in (0, FIRST, 2 * FIRST)]
    assert counts[0] == counts[1] == counts[2]


def test_slots_never_get_worse_and_hold_what_was_told(line):
    space, error_of = line
    strategy = dehb(space)
    before = {e: p.errors.copy() for e, p in strategy._populations.items()}
    hear = strategy.tell

    def tell(trials):
        hear(trials)
        for epochs, population in strategy._populations.items():
            assert (population.errors <= before[epochs]).all()
            before[epochs] = population.errors.copy()
            for vector, error in zip(population.vectors, population.errors, strict=True):
                if error < np.inf:
                    final = error_of(decode(space, vector))
                    assert error == pytest.approx(final + 0.5 * (1 - final) * (1 - epochs / 27))

    strategy.tell = tell
    driven(strategy, space, error_of, 2 * FIRST, workers=3)
    assert all((errors < np.inf).all() for errors in before.values())


def test_failed_trainings_never_take_a_slot(line):
    space, _ = line
    strategy = dehb(space)
    driven(strategy, space, lambda code: None if code[0] < 3 else 0.5, 200)
    for population in strategy._populations.values():
        trained = population.vectors[population.errors < np.inf]
        assert all(decode(space, vector)[0] >= 3 for vector in trained)


@pytest.mark.parametrize("workers", [6, 50])
def test_no_worker_is_idle(line, workers):
    space, error_of = line
    transcript = driven(dehb(space), space, error_of, 250, workers)
    assert all(len(event[2]) == event[1] for event in transcript.events if event[0] == "ask")


def test_beats_hyperband_under_the_same_seeds(line):
    space, error_of = line
    gains = []
    for seed in range(20):
        rival = Hyperband(space, rng=generator(seed, "strategy"), setting=toy_setting(), formula="hpbandster")
        ours, theirs = (
            [error_of(p.code) for p in driven(s, space, error_of, 4 * FIRST).proposals if p.epochs == 27]
            for s in (dehb(space, seed), rival)
        )
        gains.append(np.mean(theirs[-12:]) - np.mean(ours[-12:]))
    gains = np.array(gains)
    assert gains.mean() / (gains.std(ddof=1) / np.sqrt(len(gains))) > 3


def test_contract_is_kept():
    assert check_strategy(DEHB, n_trials=100)
    assert check_strategy(DEHB, get_space("nb201"), n_trials=100, formula="paper", eta=4)


def test_source_with_one_training_length_is_refused(toy_space, rng):
    with pytest.raises(BadOption, match="expected a source with two or more training lengths"):
        DEHB(toy_space, rng=rng, setting=Setting((200,)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mutation_factor": 2.1}, r"mutation_factor: expected a number in \[0, 2\], got 2.1"),
        ({"crossover_rate": -0.1}, r"crossover_rate: expected a number in \[0, 1\], got -0.1"),
        ({"crossover_rate": "0.5"}, "crossover_rate: "),
        ({"eta": 0}, "eta: "),
    ],
)
def test_option_out_of_range_is_refused(toy_space, options, message):
    with pytest.raises(BadOption, match=message):
        dehb(toy_space, **options)
