"""The space of NAS-Bench-Graph: its counts, its canonical form, its notation, its moves at the border."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import NotInSpace
from nasbench.spaces import get_space
from nasbench.spaces.cards import CARDS
from nasbench.spaces.nas_bench_graph import (
    LINKS,
    OPERATIONS,
    OPERATIONS_OF_PROTEINS,
    NASBenchGraphSpace,
    code_of_key,
    key_of,
)

SKIP = OPERATIONS.index("skip")
BOTH = pytest.mark.parametrize(
    ("name", "operations"),
    [("nas-bench-graph", OPERATIONS), ("nas-bench-graph-proteins", OPERATIONS_OF_PROTEINS)],
)


@pytest.fixture(scope="module")
def space():
    return NASBenchGraphSpace()


def every_code(name):
    return np.concatenate(list(get_space(name).enumerate()))


@pytest.mark.parametrize(
    ("name", "codes", "networks"),
    [("nas-bench-graph", 59_040, 26_206), ("nas-bench-graph-proteins", 5_616, 2_021)],
)
def test_counts_are_those_of_the_card(name, codes, networks):
    every = every_code(name)
    assert len(every) == get_space(name).size == codes
    assert len(np.unique(get_space(name).canonical(every), axis=0)) == networks
    assert f"{codes:,} codes" in CARDS[name].counts[0]
    assert CARDS[name].counts[1] == f"{networks:,} networks."


@BOTH
def test_canonical_form_equals_the_key_that_the_package_computes(name, operations):
    package = pytest.importorskip("nas_bench_graph.architecture", reason="nas-bench-graph is not installed")
    codes = every_code(name)
    for code, canonical in zip(codes.tolist(), get_space(name).canonical(codes).tolist(), strict=True):
        links = [int(digit) for digit in LINKS[code[0]]]
        ours = key_of(canonical, operations)
        assert ours == package.Arch(links, [operations[value] for value in code[1:]]).valid_hash()


@BOTH
def test_keys_and_codes_turn_into_each_other(name, operations):
    for code in map(tuple, every_code(name)[::997].tolist()):
        assert code_of_key(key_of(code, operations), operations) == code


def test_key_writes_tree_and_operations_as_digits(space):
    assert key_of(space.parse("0012|gcn|gin|fc|cheb")) == 31273
    assert code_of_key(88_887) == (8, SKIP, SKIP, SKIP, OPERATIONS.index("fc"))


@pytest.mark.parametrize("key", [99_999, 123_456, 9])
def test_numbers_that_are_no_keys_are_refused(key):
    with pytest.raises(NotInSpace, match="key: expected five digits 0 to 8"):
        code_of_key(key)


def test_key_with_a_foreign_operation_is_refused():
    with pytest.raises(NotInSpace, match="expected operations among gcn, sage, arma, fc, skip, got gat"):
        code_of_key(11_110, OPERATIONS_OF_PROTEINS)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("0012|gcn|gin|fc|cheb", "0012|gin|gcn|cheb|fc"),  # the two branches change places
        ("0123|skip|gcn|gin|fc", "0123|gcn|skip|gin|fc"),  # a skip connection inside a chain
        ("0123|skip|gcn|gin|fc", "0123|gcn|gin|fc|skip"),  # or at its end
        ("0000|skip|gcn|gin|fc", "0111|skip|gcn|gin|fc"),  # or from the features to the output
        ("0121|gcn|gin|fc|cheb", "0112|gcn|gin|cheb|fc"),  # another order of the nodes
    ],
)
def test_equal_networks_have_one_canonical_code(space, first, second):
    codes = np.array([space.parse(first), space.parse(second)])
    one, other = space.canonical(codes).tolist()
    assert one == other


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("0011|gcn|gin|skip|fc", "0011|gcn|gin|fc|fc"),
        ("0011|gcn|gin|skip|fc", "0123|skip|gcn|gin|fc"),  # beside another taker it leads to the output
        ("0012|gcn|gin|fc|cheb", "0012|gcn|gin|cheb|fc"),
    ],
)
def test_different_networks_have_different_canonical_codes(space, first, second):
    one, other = space.canonical(np.array([space.parse(first), space.parse(second)])).tolist()
    assert one != other


def test_any_order_of_the_nodes_reads_as_one_listed_tree(space):
    assert space.format(space.parse("0120|gcn|gin|fc|cheb")) == "0013|gcn|cheb|gin|fc"
    assert space.format(space.parse(" 0012 | gcn | gin | fc | cheb ")) == "0012|gcn|gin|fc|cheb"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("0012|gcn|gin|fc", "expected the inputs of 4 nodes and 4 operations"),
        ("0032|gcn|gin|fc|cheb", "an earlier one as its input"),
        ("001|gcn|gin|fc|cheb", "an earlier one as its input"),
        ("00a2|gcn|gin|fc|cheb", "an earlier one as its input"),
        ("0012|gcn|gin|fc|conv", "the operations of space nas-bench-graph are gat, .*, got 'conv'"),
        ("0012|skip|skip|skip|skip", "expected at least one operation besides skip"),
    ],
)
def test_notation_names_the_rule_it_breaks(space, text, rule):
    with pytest.raises(NotInSpace, match=rule):
        space.parse(text)


def test_networks_of_skip_connections_only_are_outside(space):
    only_skips = np.array([[tree, SKIP, SKIP, SKIP, SKIP] for tree in range(len(LINKS))])
    assert not space.contains(only_skips).any()
    assert not space.allowed((0, SKIP, SKIP, SKIP))[SKIP]
    assert space.allowed((0, SKIP, SKIP))[SKIP]


def test_parents_that_would_leave_skips_only_give_the_first_parent(space):
    a, b = (0, SKIP, SKIP, SKIP, 1), (0, 1, SKIP, SKIP, SKIP)
    draws = iter([0.0, 0.0, 0.0, 0.0, 0.9])
    assert space.crossover_one(a, b, lambda: next(draws)) == a
    rng = np.random.default_rng(1)
    children = space.crossover(np.array([a] * 200), np.array([b] * 200), rng=rng)
    assert space.contains(children).all()
    assert {tuple(child) for child in children.tolist()} == {a, b, (0, 1, SKIP, SKIP, 1)}


def test_mutants_of_nearly_all_skips_stay_inside_and_reach_every_neighbour(space):
    code = (0, SKIP, SKIP, SKIP, 1)
    rng = np.random.default_rng(2)
    mutants = space.mutate(np.array([code] * 5_000), rng=rng)
    near = {tuple(row) for row in space.neighbours(code).tolist()}
    assert {tuple(row) for row in mutants.tolist()} == near
    assert {space.mutate_one(code, rng.random) for _ in range(2_000)} == near
