"""Every registered space keeps the contract; a broken one is caught by its rule."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench.errors import NotInSpace
from nasbench.spaces import SPACES, Decision, ProductSpace, get_space
from nasbench.testing import ContractViolation, ToyChain, check_space, toy_space
from nasbench.testing.space import RULES

WIDE = ProductSpace("wide", [Decision(f"d{i}", tuple("abcdefghij")) for i in range(40)])
UNEVEN = ProductSpace(
    "uneven", [Decision("one", ("only",)), Decision("two", ("a", "b")), Decision("three", tuple("abc"))]
)
ALL_SPACES = [toy_space(), ToyChain(), UNEVEN, WIDE, *(get_space(name) for name in SPACES)]

every_space = pytest.mark.parametrize("space", ALL_SPACES, ids=lambda space: space.name)
draws = st.lists(st.floats(0, 1, exclude_max=True, width=32), min_size=48, max_size=48)
few = settings(max_examples=25, derandomize=True, deadline=None, database=None)


def endless(values):
    """Draw the given uniforms, then others for ever: a space may draw until a code is one of its own."""
    others = np.random.default_rng(0).random
    return iter(itertools.chain(values, iter(others, None))).__next__


@every_space
@pytest.mark.parametrize("seed", [0, 1])
def test_space_keeps_the_contract(space, seed):
    assert check_space(space, seed=seed) == list(RULES)


@every_space
@few
@given(values=draws)
def test_any_draws_give_a_code_that_reads_back(space, values):
    code = space.sample_one(endless(values))
    assert space.parse(space.format(code)) == code


@every_space
@few
@given(values=draws)
def test_any_draws_mutate_to_another_code_a_neighbour_unless_the_space_says(space, values):
    draw = endless(values)
    code = space.sample_one(draw)
    child = space.mutate_one(code, draw)
    assert child != code
    assert space.contains(np.array([child])).tolist() == [True]
    if getattr(space, "mutates_by_neighbours", True):
        assert child in {tuple(row) for row in space.neighbours(code).tolist()}


@every_space
@few
@given(values=draws)
def test_any_draws_cross_to_a_code_of_the_space(space, values):
    draw = endless(values)
    a, b = space.sample_one(draw), space.sample_one(draw)
    child = space.crossover_one(a, b, draw)
    assert space.contains(np.array([child])).tolist() == [True]


@every_space
@few
@given(values=draws)
def test_canonical_of_canonical_is_canonical(space, values):
    once = space.canonical(np.array([space.sample_one(endless(values))]))
    assert np.array_equal(space.canonical(once), once)


class OutsideSample(ProductSpace):
    def sample(self, n, *, rng):
        return super().sample(n, rng=rng) + np.int8(2)


class OwnGenerator(ProductSpace):
    fresh = np.random.default_rng(0)

    def sample(self, n, *, rng):
        return super().sample(n, rng=self.fresh)


class LazyMutation(ProductSpace):
    def mutate(self, codes, *, rng):
        return self._array(codes).astype(np.int8)


class LazyMutationOne(ProductSpace):
    def mutate_one(self, code, draw):
        return code


class WildMutation(ProductSpace):
    def mutate_one(self, code, draw):
        return tuple((value + 1) % 3 for value in code)


class OneWayNeighbours(ProductSpace):
    """Nobody's neighbours include (0, 0, 0), which has neighbours itself."""

    def neighbours(self, code):
        near = super().neighbours(code)
        return near[near.any(axis=1)]

    def mutate(self, codes, *, rng):
        return np.array([self.mutate_one(tuple(code), rng.random) for code in codes.tolist()], dtype=np.int8)

    def mutate_one(self, code, draw):
        child = super().mutate_one(code, draw)
        return child if any(child) else self.mutate_one(code, draw)


class SelfNeighbour(ProductSpace):
    def neighbours(self, code):
        return np.concatenate([super().neighbours(code), np.array([code], dtype=np.int8)])


class RepeatedNeighbour(ProductSpace):
    def neighbours(self, code):
        return np.concatenate([super().neighbours(code)] * 2)


class BlindCheck(ProductSpace):
    def check(self, code):
        return tuple(code)


class BlindContains(ProductSpace):
    def contains(self, codes):
        return np.ones(len(self._array(codes)), dtype=bool)


class BadNotation(ProductSpace):
    def parse(self, text):
        return super().parse(text)[::-1]


class RestlessCanonical(ProductSpace):
    def canonical(self, codes):
        return ((self._array(codes) + 1) % 3).astype(np.int8)


class ForeignCrossover(ProductSpace):
    def crossover(self, a, b, *, rng):
        return self.sample(len(a), rng=rng)


class ForeignCrossoverOne(ProductSpace):
    def crossover_one(self, a, b, draw):
        return self.sample_one(draw)


class HalfEnumerated(ProductSpace):
    def enumerate(self, block=65_536):
        for rows in super().enumerate(block):
            yield rows[::2]


class Backwards(ProductSpace):
    def enumerate(self, block=65_536):
        yield np.concatenate(list(super().enumerate()))[::-1][:block]


class OtherRank(ProductSpace):
    def rank(self, codes):
        return super().rank(codes) + 1


class TooStrict(ProductSpace):
    def allowed(self, prefix):
        mask = super().allowed(prefix)
        mask[0] = False
        return mask


class TooLoose(ToyChain):
    def allowed(self, prefix):
        super().allowed(prefix)
        return np.ones(3, dtype=bool)


class NoiseEncoding(ProductSpace):
    noise = np.random.default_rng(0)

    def encode(self, codes, kind):
        return super().encode(codes, kind) + self.noise.random(dtype=np.float32)


class BlurredEncoding(ProductSpace):
    def encode(self, codes, kind):
        return super().encode(codes, kind) * np.float32(0)


class AnyEncoding(ProductSpace):
    def encode(self, codes, kind):
        return super().encode(codes, "onehot")


class CrashingMutation(ProductSpace):
    def mutate(self, codes, *, rng):
        raise ZeroDivisionError("oh")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (OutsideSample, "sample within: sample: expected codes of the space"),
        (OwnGenerator, "sample within: sample: expected one seed to give one draw"),
        (LazyMutation, "mutate: mutate: expected another code"),
        (LazyMutationOne, "mutate: mutate_one: expected another code"),
        (WildMutation, "mutate: mutate_one: expected a neighbour"),
        (OneWayNeighbours, "neighbours symmetric and never self: expected (0, 0, 0) among the neighbours"),
        (SelfNeighbour, "neighbours symmetric and never self: expected"),
        (RepeatedNeighbour, "neighbours symmetric and never self: expected each neighbour of"),
        (BlindCheck, "membership: check: expected"),
        (BlindContains, "membership: contains: expected False"),
        (BadNotation, "parse(format) is the code: expected"),
        (RestlessCanonical, "canonical idempotent: expected canonical codes to stay"),
        (ForeignCrossover, "crossover: crossover: expected the parent itself"),
        (ForeignCrossoverOne, "crossover: crossover_one: expected"),
        (HalfEnumerated, "rank and enumerate agree: expected size (= 27) codes, got"),
        (Backwards, "rank and enumerate agree: enumerate: expected each code once, in lexicographic order"),
        (OtherRank, "rank and enumerate agree: rank: expected what rank_one gives"),
        (TooStrict, "allowed agrees with contains: expected 0 permitted after"),
        (NoiseEncoding, "encode: onehot: expected the same rows twice"),
        (BlurredEncoding, "encode: onehot: expected 27 distinct rows, got 1"),
        (AnyEncoding, "encode: expected BadOption for an unknown encoding"),
        (CrashingMutation, "mutate: expected no exception, got ZeroDivisionError: oh"),
    ],
)
def test_broken_space_is_caught_by_its_rule(broken, message):
    with pytest.raises(ContractViolation, match=re.escape(message)):
        check_space(broken("toy", toy_space().decisions))


def test_masks_that_permit_too_much_are_caught():
    with pytest.raises(
        ContractViolation, match=r"allowed agrees with contains: expected .* in the space, got outside"
    ):
        check_space(TooLoose())


def test_decisions_of_one_name_are_caught():
    with pytest.raises(ContractViolation, match="decisions: expected names that differ"):
        check_space(ProductSpace("twice", [Decision("same", ("a", "b"))] * 2))


def test_chain_counts_thirty_codes():
    assert ToyChain().size == 2 + 4 + 8 + 16


def test_chain_names_its_rule():
    with pytest.raises(NotInSpace, match="expected a first layer, and nothing after an absent one"):
        ToyChain().check((1, 0, 2, 0))
