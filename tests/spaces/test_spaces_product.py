"""Product spaces: membership, the laws of the moves, order, notation."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from nasbench.errors import BadOption, NotInSpace, UnknownName
from nasbench.seeds import uniforms
from nasbench.spaces import SPACES, Decision, ProductSpace, Space, get_space

# Chi-square thresholds at p = 1e-5 (degrees of freedom -> value), from the usual tables.
CHI_SQUARE = {2: 23.03, 3: 25.90, 5: 30.86, 23: 66.6}
N = 24_000


@pytest.fixture
def space():
    return ProductSpace(
        "mixed", [Decision("width", ("1", "2", "3")), Decision("on", ("no", "yes")), Decision("k", ("3",))]
    )


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def chi_square(counts, expected):
    return float(((np.asarray(counts) - expected) ** 2 / expected).sum())


def moves(parent, children):
    """Count (position, value) of each one-edge change."""
    out = Counter()
    for child in children:
        ((where, value),) = [(i, b) for i, (a, b) in enumerate(zip(parent, child, strict=True)) if a != b]
        out[where, value] += 1
    return out


@pytest.mark.parametrize("way", ["array", "one"])
def test_mutation_is_uniform_over_edges_and_other_operations(rng, way):
    nb201 = get_space("nb201")
    parent = (0, 1, 2, 3, 4, 2)
    if way == "array":
        children = nb201.mutate(np.tile(np.array(parent), (N, 1)), rng=rng).tolist()
    else:
        draw = uniforms(rng)
        children = [nb201.mutate_one(parent, draw) for _ in range(N)]
    counts = moves(parent, children)
    assert len(counts) == 24
    assert chi_square(list(counts.values()), N / 24) < CHI_SQUARE[23]
    by_edge = [sum(n for (where, _), n in counts.items() if where == edge) for edge in range(6)]
    assert chi_square(by_edge, N / 6) < CHI_SQUARE[5]


@pytest.mark.parametrize("way", ["array", "one"])
def test_mutation_chooses_the_decision_first_and_never_one_without_choice(space, rng, way):
    parent = (0, 0, 0)
    if way == "array":
        children = space.mutate(np.tile(np.array(parent), (N, 1)), rng=rng).tolist()
    else:
        draw = uniforms(rng)
        children = [space.mutate_one(parent, draw) for _ in range(N)]
    counts = moves(parent, children)
    # width and on are drawn with chance 1/2 each; width then has two other values
    expected = np.array([N / 4, N / 4, N / 2])
    assert set(counts) == {(0, 1), (0, 2), (1, 1)}
    assert chi_square([counts[0, 1], counts[0, 2], counts[1, 1]], expected) < CHI_SQUARE[2]


@pytest.mark.parametrize("way", ["array", "one"])
def test_crossover_takes_each_decision_from_either_parent_with_equal_chance(rng, way):
    nb201 = get_space("nb201")
    a, b = (0,) * 6, (1,) * 6
    if way == "array":
        children = nb201.crossover(np.zeros((N, 6), int), np.ones((N, 6), int), rng=rng)
    else:
        draw = uniforms(rng)
        children = np.array([nb201.crossover_one(a, b, draw) for _ in range(N)])
    patterns = np.bincount(children @ (1 << np.arange(6)), minlength=64)
    assert chi_square(patterns, N / 64) < 127.0  # 63 degrees of freedom, p = 1e-5 is about 126


@pytest.mark.parametrize("way", ["array", "one"])
def test_samples_are_uniform_over_codes(space, rng, way):
    draw = uniforms(rng)
    codes = (
        space.sample(N, rng=rng).tolist() if way == "array" else [space.sample_one(draw) for _ in range(N)]
    )
    counts = Counter(map(tuple, codes))
    assert len(counts) == 6
    assert chi_square(list(counts.values()), N / 6) < CHI_SQUARE[5]


def test_neighbours_are_all_single_changes_in_order(space):
    assert space.neighbours((1, 0, 0)).tolist() == [[0, 0, 0], [2, 0, 0], [1, 1, 0]]


def test_space_without_choice_has_no_neighbours():
    assert ProductSpace("point", [Decision("only", ("this",))]).neighbours((0,)).shape == (0, 1)


def test_every_code_comes_once_in_order_whatever_the_block(space):
    whole = np.concatenate(list(space.enumerate()))
    assert whole.tolist() == sorted(whole.tolist())
    assert len(whole) == space.size == 6
    assert np.array_equal(np.concatenate(list(space.enumerate(4))), whole)
    assert [len(block) for block in space.enumerate(4)] == [4, 2]


def test_rank_and_unrank_are_inverse(space):
    assert np.array_equal(space.rank(space.unrank(np.arange(6))), np.arange(6))


def test_rank_of_too_large_a_space_is_refused():
    wide = ProductSpace("wide", [Decision(f"d{i}", tuple("abcdefghij")) for i in range(40)])
    with pytest.raises(BadOption, match="rank: space wide has more than"):
        wide.rank(np.zeros((1, 40), dtype=np.int8))
    assert wide.rank_one((0,) * 39 + (7,)) == 7


def test_membership_of_each_row(space):
    codes = [[0, 0, 0], [3, 0, 0], [0, 2, 0], [0, 0, 1], [-1, 0, 0], [2, 1, 0]]
    assert space.contains(codes).tolist() == [True, False, False, False, False, True]


@pytest.mark.parametrize("codes", [[0, 0, 0], [[0, 0]], [[0.0, 0.0, 0.0]], [["a", "b", "c"]]])
def test_codes_of_another_shape_or_kind_are_refused(space, codes):
    with pytest.raises(NotInSpace, match=r"codes: expected whole numbers of shape \(n, L\) \(= \(n, 3\)\)"):
        space.contains(codes)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ((0, 0), "code: expected 3 decisions for space mixed, got 2"),
        ((0, 2, 0), "code: decision 'on' of space mixed takes 0 to 1 (no, yes), got 2"),
        ((-1, 0, 0), "code: decision 'width' of space mixed takes 0 to 2 (1, 2, 3), got -1"),
    ],
)
def test_wrong_code_is_refused_by_its_rule(space, code, message):
    with pytest.raises(NotInSpace, match=re.escape(message)):
        space.check(code)


def test_checked_code_is_of_python_ints(space):
    code = space.check(np.array([2, 1, 0], dtype=np.int8))
    assert code == (2, 1, 0)
    assert all(type(value) is int for value in code)


def test_notation_takes_names_and_reads_a_name_before_an_index(space):
    assert space.format((2, 1, 0)) == "3:yes:3"
    assert space.parse("3 : yes : 3") == (2, 1, 0)
    assert space.parse("1:1:3") == (0, 1, 0)  # width "1" is a name, on 1 an index


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1:yes", "architecture: expected 3 values separated by ':' for space mixed, got 2"),
        ("1:maybe:3", "architecture: decision 'on' of space mixed takes no, yes, got 'maybe'"),
        ("1:2:3", "code: decision 'on' of space mixed takes 0 to 1"),
    ],
)
def test_wrong_notation_is_refused(space, text, message):
    with pytest.raises(NotInSpace, match=re.escape(message)):
        space.parse(text)


def test_onehot_puts_each_decision_in_its_own_block(space):
    assert space.encode([[2, 1, 0]], "onehot").tolist() == [[0, 0, 1, 0, 1, 1]]


def test_unknown_encoding_is_refused(space):
    with pytest.raises(BadOption, match="kind: space mixed encodes as onehot, got 'path'"):
        space.encode([[0, 0, 0]], "path")


def test_everything_is_allowed_in_a_product(space):
    assert space.allowed((1,)).tolist() == [True, True]


def test_nothing_follows_a_whole_code(space):
    with pytest.raises(BadOption, match="prefix: expected fewer than 3 decisions, got 3"):
        space.allowed((0, 0, 0))


def test_canonical_is_the_code_itself(space):
    codes = space.sample(5, rng=np.random.default_rng(0))
    assert np.array_equal(space.canonical(codes), codes)


@pytest.mark.parametrize("name", sorted(SPACES))
def test_registered_space_has_its_name_and_the_protocol(name):
    made = get_space(name)
    assert made.name == name
    assert isinstance(made, Space)


def test_name_of_a_space_is_forgiving():
    assert get_space(" NB201 ") is get_space("nb201")


def test_unknown_space_lists_the_near_ones():
    with pytest.raises(UnknownName, match=r"space: no space is named 'nb210'\. Did you mean 'nb201'"):
        get_space("nb210")


def test_check_refuses_what_is_not_a_whole_number():
    space = ProductSpace("p", [Decision("a", ("x", "y"))])
    with pytest.raises(TypeError, match="float"):
        space.check([1.0])
