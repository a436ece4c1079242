"""CGP: forced mutation changes the network, neutral mutation never does, ties keep the parent."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.records import Proposal
from nasbench.seeds import generator
from nasbench.spaces import Decision, ProductSpace, get_space
from nasbench.strategies.cgp import CGP
from nasbench.strategies.random_search import RandomSearch
from nasbench.testing import ToyChain, check_strategy

NB201 = get_space("nb201")


def cgp(space, seed=0, **options):
    return CGP(space, rng=generator(seed, "strategy"), **options)


def with_parent(space, answer, seed=0, **options):
    """Make a strategy whose first parent is told with error 0.5."""
    strategy = cgp(space, seed, **options)
    (parent,) = strategy.ask(1)
    strategy.tell([answer(parent, 0, 0.5)])
    return strategy, parent.code


def network(space, code):
    return tuple(space.canonical([code])[0].tolist())


@pytest.mark.parametrize("space", [None, NB201], ids=["toys", "nb201"])
def test_contract_is_kept(space):
    assert check_strategy(CGP, space)


@pytest.mark.parametrize("rate", [0.001, 0.2, 1.0])
@pytest.mark.parametrize("seed", range(10))
def test_forced_mutation_always_changes_the_network(answer, seed, rate):
    strategy, parent = with_parent(NB201, answer, seed, offspring=20, mutation_rate=rate)
    children = [proposal.code for proposal in strategy.ask(20)]
    assert len(children) == 20
    assert network(NB201, parent) not in {network(NB201, child) for child in children}


def test_forced_mutation_changes_the_share_of_genes_that_the_rate_says(answer):
    wide = ProductSpace("wide", [Decision(f"d{i}", tuple("abcdefghij")) for i in range(40)])
    strategy, parent = with_parent(wide, answer, offspring=300, mutation_rate=0.3)
    changed = [sum(a != b for a, b in zip(p.code, parent, strict=True)) for p in strategy.ask(300)]
    assert np.mean(changed) == pytest.approx(0.3 * 40, abs=4 * np.sqrt(40 * 0.3 * 0.7 / 300))


def test_neutral_mutation_leaves_the_network_and_drifts_through_its_codes(answer):
    # Node 1 gets nothing, so what leaves it is zero: the operations of edges 1->2 and 1->3 do not matter.
    strategy = cgp(NB201)
    strategy.ask(1)
    inactive = (0, 3, 2, 1, 2, 3)
    strategy.tell([answer(Proposal(inactive), 0, 0.5)])
    seen = set()
    for number in range(1, 1_001):
        strategy.tell([answer(p, 2 * number, 0.9) for p in strategy.ask(2)])
        seen.add(strategy._parent)
        assert network(NB201, strategy._parent) == network(NB201, inactive)
    assert seen >= {(0, 3, a, 1, b, 3) for a in range(5) for b in range(5)}
    assert strategy._error == 0.5


def test_space_that_merges_nothing_has_no_neutral_mutation(line, answer):
    strategy, parent = with_parent(line[0], answer)
    for number in range(1, 50):
        strategy.tell([answer(p, 2 * number, 0.9) for p in strategy.ask(2)])
        assert strategy._parent == parent


def test_tie_keeps_the_parent(line, answer):
    strategy, parent = with_parent(line[0], answer)
    strategy.tell([answer(p, 1 + i, 0.5) for i, p in enumerate(strategy.ask(2))])
    assert strategy._parent == parent


def test_better_child_becomes_the_parent_when_all_are_told(line, answer):
    strategy, parent = with_parent(line[0], answer, offspring=3)
    children = strategy.ask(5)
    assert len(children) == 3
    strategy.tell([answer(children[1], 2, 0.3)])
    assert strategy._parent == parent
    assert strategy.ask(5) == []  # the generation is not over
    strategy.tell([answer(children[0], 1, None), answer(children[2], 3, 0.4)])
    assert (strategy._error, strategy._parent) == (0.3, children[1].code)
    assert len(strategy.ask(5)) == 3


def test_failed_first_parent_is_replaced(line, answer):
    strategy = cgp(line[0])
    (first,) = strategy.ask(4)
    strategy.tell([answer(first, 0, None)])
    (second,) = strategy.ask(4)
    strategy.tell([answer(second, 1, 0.9)])
    assert strategy._parent == second.code


@pytest.mark.parametrize("seed", range(5))
def test_children_stay_in_a_space_with_masks(search, seed):
    space = ToyChain()
    codes = search(cgp(space, seed, mutation_rate=0.9), lambda code: sum(code) / 8, 60, workers=2)
    assert space.contains(codes).all()
    assert len(set(codes)) > 10


def test_default_rate_changes_about_one_gene_of_a_short_code(line, answer):
    strategy, parent = with_parent(line[0], answer, offspring=200)
    changed = [sum(a != b for a, b in zip(p.code, parent, strict=True)) for p in strategy.ask(200)]
    expected = 1 / (1 - 0.75**4)  # 4 genes at 1/4, given that one changes at least
    assert np.mean(changed) == pytest.approx(expected, abs=0.25)


def test_beats_random_search_under_the_same_seeds(line, search):
    space, error_of = line
    gains = []
    for seed in range(30):
        ours = search(cgp(space, seed), error_of, 80)
        rival = search(RandomSearch(space, rng=generator(seed, "strategy")), error_of, 80)
        gains.append(min(map(error_of, rival)) - min(map(error_of, ours)))
    assert np.mean(gains) / (np.std(gains, ddof=1) / np.sqrt(len(gains))) > 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"offspring": 0}, "offspring: expected a whole number >= 1, got 0"),
        ({"offspring": 2.0}, "offspring: expected a whole number >= 1, got 2.0"),
        ({"mutation_rate": 0}, r"mutation_rate: expected a number in \(0, 1\], got 0"),
        ({"mutation_rate": "high"}, r"mutation_rate: expected a number in \(0, 1\], got 'high'"),
    ],
)
def test_option_out_of_range_is_refused(toy_space, options, message):
    with pytest.raises(BadOption, match=message):
        cgp(toy_space, **options)
