"""BOHB is Hyperband but for its new architectures, which a model of the good ones proposes."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.records import Trial
from nasbench.seeds import generator
from nasbench.spaces import get_space
from nasbench.strategies.bohb import BOHB
from nasbench.strategies.hyperband import Hyperband
from nasbench.strategies.strategy import Setting
from nasbench.testing import ToyChain, check_strategy, toy_setting
from nasbench.testing.simulation import drive


def made(factory, space, seed=0, **options):
    return factory(space, rng=generator(seed, "strategy"), setting=toy_setting(), **options)


def driven(strategy, space, error_of, n_trials, workers=1):
    return drive(
        strategy,
        space,
        answer=lambda code, number: error_of(code),
        setting=toy_setting(),
        n_trials=n_trials,
        workers=workers,
    )


@pytest.mark.parametrize("formula", ["paper", "hpbandster"])
@pytest.mark.parametrize("workers", [1, 5])
def test_without_its_model_it_is_hyperband_draw_for_draw(line, formula, workers):
    space, error_of = line
    ours = made(BOHB, space, random_fraction=1, formula=formula)
    theirs = made(Hyperband, space, formula=formula)
    proposals = driven(ours, space, error_of, 250, workers).proposals
    assert proposals == driven(theirs, space, error_of, 250, workers).proposals


def test_brackets_are_hyperbands(line):
    space, error_of = line
    ours = driven(made(BOHB, space), space, error_of, 200).proposals
    theirs = driven(made(Hyperband, space, formula="hpbandster"), space, error_of, 200).proposals
    assert [p.epochs for p in ours] == [p.epochs for p in theirs]


def filled(space, errors_at, **options):
    """Tell a strategy errors of its first proposals: {epochs: [errors]}, in that order of rungs."""
    strategy, codes, number = made(BOHB, space, **options), {}, 0
    for epochs, errors in errors_at.items():
        codes[epochs] = []
        for error in errors:
            (proposal,) = strategy.ask(1)
            assert proposal.epochs == epochs
            status = "failed" if error is None else "ok"
            strategy.tell([Trial(number, proposal.code, epochs, 0, status, error, 1.0)])
            codes[epochs].append(proposal.code)
            number += 1
    return strategy, codes


def test_model_is_that_of_the_longest_training_with_enough_trials(line):
    space, _ = line
    at_one = np.linspace(0.1, 0.9, 27).tolist()
    strategy, codes = filled(space, {1: at_one, 3: [0.5] * 9}, min_points=5)
    good, bad = strategy._densities()
    assert sorted(map(tuple, good.codes.tolist())) == sorted(codes[1][:5])
    assert sorted(map(tuple, bad.codes.tolist())) == sorted(codes[1][5:])
    strategy, codes = filled(space, {1: at_one, 3: np.linspace(0.9, 0.1, 9).tolist()}, min_points=4)
    good, bad = strategy._densities()
    assert sorted(map(tuple, good.codes.tolist())) == sorted(codes[3][5:])
    assert sorted(map(tuple, bad.codes.tolist())) == sorted(codes[3][:5])


def test_good_ones_are_the_top_part_where_that_is_more_than_the_least(line):
    space, _ = line
    strategy, codes = filled(space, {1: np.linspace(0.1, 0.9, 20).tolist()}, min_points=2, top=0.25)
    good, bad = strategy._densities()
    assert sorted(map(tuple, good.codes.tolist())) == sorted(codes[1][:5])
    assert len(bad.codes) == 15


def test_no_model_before_both_densities_have_their_points(line):
    space, _ = line
    errors = np.linspace(0.1, 0.9, 10).tolist()
    assert filled(space, {1: errors[:9]})[0]._densities() is None
    assert filled(space, {1: errors})[0]._densities() is not None  # 2 x (4 decisions + 1)


def test_failed_trainings_are_bad_and_never_good(line):
    space, _ = line
    strategy, codes = filled(space, {1: [None] * 5 + [0.9] * 5})
    good, bad = strategy._densities()
    assert sorted(map(tuple, good.codes.tolist())) == sorted(codes[1][5:])
    assert sorted(map(tuple, bad.codes.tolist())) == sorted(codes[1][:5])
    assert filled(space, {1: [None] * 8 + [0.9] * 4})[0]._densities() is None


def test_model_never_proposes_what_was_proposed_as_new_before(line):
    space, _ = line
    strategy, codes = filled(space, {1: np.linspace(0.1, 0.9, 20).tolist()}, random_fraction=0)
    seen = set(codes[1])
    while (code := strategy._modelled()) is not None:
        assert code not in seen
        seen.add(code)
        strategy._seen.add(code)
    assert len(seen) > 100


def test_tiny_space_is_searched_on_when_all_was_proposed(toy_space):
    transcript = driven(made(BOHB, toy_space), toy_space, lambda code: sum(code) / 9, 300)
    assert len(transcript.proposals) == 300


def test_samples_keep_to_the_masks_of_a_space():
    space = ToyChain()
    strategy, _ = filled(space, {1: np.linspace(0.1, 0.9, 20).tolist()}, min_points=3)
    good, _ = strategy._densities()
    samples = {strategy._near(good) for _ in range(500)}
    assert space.contains(np.array(list(samples))).all()
    assert len(samples) > 10


def test_beats_hyperband_under_the_same_seeds(line):
    space, error_of = line
    gains = []
    for seed in range(20):
        ours, rival = (
            [
                p.code
                for p in driven(made(f, space, seed, formula="hpbandster"), space, error_of, 150).proposals
            ]
            for f in (BOHB, Hyperband)
        )
        gains.append(np.mean([error_of(c) for c in rival[-60:]]) - np.mean([error_of(c) for c in ours[-60:]]))
    gains = np.array(gains)
    assert gains.mean() / (gains.std(ddof=1) / np.sqrt(len(gains))) > 3


def test_contract_is_kept():
    assert check_strategy(BOHB, min_points=2)
    assert check_strategy(BOHB, get_space("nb201"), samples=8)


def test_source_with_one_training_length_is_refused(toy_space, rng):
    with pytest.raises(BadOption, match="expected a source with two or more training lengths"):
        BOHB(toy_space, rng=rng, setting=Setting((200,)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"random_fraction": 1.5}, r"random_fraction: expected a number in \[0, 1\], got 1.5"),
        ({"random_fraction": "half"}, "random_fraction: "),
        ({"min_points": 0}, "min_points: expected a whole number >= 1, got 0"),
        ({"samples": 2.0}, "samples: "),
        ({"top": 1.0}, r"top: expected a number in \(0, 1\), got 1.0"),
        ({"top": 0}, "top: "),
        ({"min_bandwidth": 0.0}, r"min_bandwidth: expected a number in \(0, 1\], got 0.0"),
        ({"min_bandwidth": None}, "min_bandwidth: "),
        ({"formula": "floor"}, "formula: "),
    ],
)
def test_option_out_of_range_is_refused(toy_space, options, message):
    with pytest.raises(BadOption, match=message):
        made(BOHB, toy_space, **options)
