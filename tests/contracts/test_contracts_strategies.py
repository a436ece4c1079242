"""Every registered strategy keeps the contract on every space; a broken one is caught by its rule."""

from __future__ import annotations

import functools
import random
import re
from typing import ClassVar

import numpy as np
import pytest
from thinking_less import quick_options

from nasbench.errors import BadOption
from nasbench.records import Proposal
from nasbench.spaces import SPACES, Decision, ProductSpace, get_space
from nasbench.strategies import STRATEGIES, Card
from nasbench.strategies.loading import load_strategy
from nasbench.strategies.random_search import RandomSearch
from nasbench.strategies.strategy import make
from nasbench.surrogates.multilinear import can_be_relaxed
from nasbench.testing import (
    SPACE_RULES,
    ContractViolation,
    ToyChain,
    check_strategy,
    toy_relaxed_setting,
    toy_setting,
    toy_space,
)
from nasbench.testing.strategy import RULES

TOYS = {
    "toy": toy_space,
    "toy-chain": ToyChain,  # with masks, and of variable length
    "wide": lambda: ProductSpace("wide", [Decision(f"d{i}", tuple("abcdefghij")) for i in range(40)]),
}
FULLY_CHECKED = ("toy", "toy-chain", "nb201")
FURTHER = [name for name in ("wide", *SPACES) if name not in FULLY_CHECKED]

# One strategy for each thing that strategies ask of a space. On the further spaces these run with the fast
# tests, all others with the slow ones.
ASKING = {
    "genetic-algorithm",  # crossover_one
    "gp",  # encode
    "grid",  # enumerate, rank
    "local-search",  # neighbours
    "random-search",  # sample_one
    "regularized-evolution",  # mutate_one
    "reinforce",  # allowed
    "tpe",  # decisions
}

# Fewer trials of strategies that think long; more than their random start.
LONG_THINKING = {"baker-stop": 30, "bananas": 16, "domhan-stop": 24, "gp": 16, "nasbot": 14, "smac": 20}
# Their rules look at a training of 27 epochs once or twice.
WATCHING = {"baker-stop": {"every": 9}, "domhan-stop": {"every": 20}}
# On a further space; more than the random start, or the first population, of every strategy.
FEW = 26


@functools.cache
def space_of(name):
    return TOYS[name]() if name in TOYS else get_space(name)


def shares_weights(name):
    return load_strategy(name).card.family in {"differentiable", "one-shot"}


def options_for(name, space):
    """Give the options of a check, or skip it where the strategy needs what is not installed."""
    for need in load_strategy(name).card.needs:
        pytest.importorskip({"surrogate": "sklearn"}.get(need, need))
    if name == "fixed":
        code = space.sample(1, rng=np.random.default_rng(0))[0]
        return {"architectures": [space.format(tuple(code.tolist()))], "repeats": 3}
    if name == "pc-darts" and not all("skip_connect" in decision.choices for decision in space.decisions):
        return quick_options(name) | {"part": 1}  # nothing stands for the channels that pass by
    if name in WATCHING:
        return quick_options(name) | WATCHING[name]
    return quick_options(name)


def setting_for(name, space):
    """Offer what the strategy needs: one that shares weights needs a relaxation."""
    if not shares_weights(name):
        return toy_setting()
    pytest.importorskip("torch")
    return toy_relaxed_setting(space)


@pytest.mark.parametrize("space_name", FULLY_CHECKED)
@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_registered_strategy_keeps_the_contract(name, space_name):
    space = space_of(space_name)
    if shares_weights(name) and not can_be_relaxed(space):
        refused_without_relaxation(name, space)
        return
    setting, options = setting_for(name, space), options_for(name, space)
    n_trials = LONG_THINKING.get(name, 60)
    kept = check_strategy(load_strategy(name), space, n_trials=n_trials, setting=setting, **options)
    assert kept == list(RULES)


@pytest.mark.parametrize("space_name", FURTHER)
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in ASKING else pytest.mark.slow) for n in sorted(STRATEGIES)]
)
def test_registered_strategy_keeps_on_a_further_space_what_a_space_can_break(name, space_name):
    space = space_of(space_name)
    if shares_weights(name) and not can_be_relaxed(space):
        refused_without_relaxation(name, space)
        return
    setting, options = setting_for(name, space), options_for(name, space)
    n_trials = min(LONG_THINKING.get(name, FEW), FEW)
    kept = check_strategy(
        load_strategy(name), space, rules=SPACE_RULES, n_trials=n_trials, setting=setting, **options
    )
    assert kept == list(SPACE_RULES)


def refused_without_relaxation(name, space):
    """A strategy that shares weights says so where the source of a space has none to share."""
    pytest.importorskip("torch")
    with pytest.raises(BadOption, match=r"setting: expected a source with (a relaxation|shared weights)"):
        make(load_strategy(name), space, rng=np.random.default_rng(0), setting=toy_setting())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("grid", {"order": "random"}),
        ("local-search", {"move": "best"}),
        ("local-search", {"revisit": True}),
        ("local-search", {"move": "best", "revisit": True}),
        ("reinforce", {"learning_rate": 0.5, "momentum": 0.0}),
        ("tpe", {"startup": 1, "gamma": 2.0, "candidates": 1, "prior_weight": 0.1}),
    ],
)
def test_strategy_keeps_the_contract_with_other_options(name, options):
    assert check_strategy(load_strategy(name), **options) == list(RULES)


def test_function_strategy_keeps_the_contract(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "import numpy as np\n"
        "def climb(space, evaluate, rng):\n"
        "    best = space.sample(1, rng=rng)\n"
        "    error = evaluate(best[0])\n"
        "    while True:\n"
        "        child = space.mutate(best, rng=rng)\n"
        "        new = evaluate(child[0])\n"
        "        if not new > error:\n"
        "            best, error = child, new\n"
    )
    assert check_strategy(load_strategy(f"{file}:climb")) == list(RULES)


class SeedIgnored(RandomSearch):
    def __init__(self, space, *, rng):
        super().__init__(space, rng=np.random.default_rng(0))


class SeedPlusClock(RandomSearch):
    made = 0

    def __init__(self, space, *, rng):
        type(self).made += 1
        super().__init__(space, rng=np.random.default_rng(self.made))


class NumpyGlobal(RandomSearch):
    def ask(self, n):
        np.random.rand()  # noqa: NPY002
        return super().ask(n)


class PythonGlobal(RandomSearch):
    def ask(self, n):
        random.random()
        return super().ask(n)


class Outside(RandomSearch):
    def ask(self, n):
        return [Proposal((99, *p.code[1:])) for p in super().ask(n)]


class MaskIgnored(RandomSearch):
    def ask(self, n):
        return [Proposal((0, *p.code[1:])) for p in super().ask(n)]


class ArrayCodes(RandomSearch):
    def ask(self, n):
        return [Proposal(tuple(np.array(p.code))) for p in super().ask(n)]


class TooMany(RandomSearch):
    def ask(self, n):
        return super().ask(n + 1)


class TupleOfProposals(RandomSearch):
    def ask(self, n):
        return tuple(super().ask(n))


class BadEpochs(RandomSearch):
    def ask(self, n):
        return [Proposal(p.code, epochs=0) for p in super().ask(n)]


class FailureUnexpected(RandomSearch):
    def tell(self, trials):
        self.total = sum(1.0 - trial.valid_error for trial in trials)


class InOrderOnly(RandomSearch):
    def __init__(self, space, *, rng):
        super().__init__(space, rng=rng)
        self.expected = 0

    def tell(self, trials):
        for trial in trials:
            if trial.number != self.expected:
                raise RuntimeError("out of order")
            self.expected += 1


class Cheat(RandomSearch):
    def tell(self, trials):
        for trial in trials:
            trial.valid_error = 0.0


class DividesBySpread(RandomSearch):
    def __init__(self, space, *, rng):
        super().__init__(space, rng=rng)
        self.errors = []

    def tell(self, trials):
        self.errors += [t.valid_error for t in trials if t.valid_error is not None]
        if len(self.errors) > 20:
            self.scaled = 1.0 / (max(self.errors) - min(self.errors))


class NotDone(RandomSearch):
    def __init__(self, space, *, rng):
        super().__init__(space, rng=rng)
        self.turn = 0

    def ask(self, n):
        self.turn += 1
        return super().ask(n) if self.turn % 5 else []


class NeverStarts(RandomSearch):
    def ask(self, n):
        return []


class NoCard(RandomSearch):
    card: ClassVar = None


class OptionEater(RandomSearch):
    def __init__(self, space, *, rng, names=("a",)):
        super().__init__(space, rng=rng)
        self.names = names

    def ask(self, n):
        if isinstance(self.names, list) and self.names:
            self.names.pop()
        return super().ask(n)


class LooksAtObjects(RandomSearch):
    """Depends on what no record holds: whether a told code is the very object that it proposed."""

    def __init__(self, space, *, rng):
        super().__init__(space, rng=rng)
        self.mine = []

    def ask(self, n):
        proposals = super().ask(n)
        self.mine += [p.code for p in proposals]
        return proposals

    def tell(self, trials):
        for trial in trials:
            if any(trial.code is code for code in self.mine):
                self._draw()


class Broken(RandomSearch):
    def __init__(self, space, *, rng):
        raise KeyError("nothing")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (SeedIgnored, "other seed different: expected other seeds to give other runs"),
        (SeedPlusClock, "same seed equal: expected one seed to give one run"),
        (NumpyGlobal, "global random state untouched: expected the global state of numpy.random"),
        (PythonGlobal, "global random state untouched: expected the global state of random"),
        (Outside, "proposals: expected architectures of the space; code: decision 'layer 0'"),
        (MaskIgnored, "proposals: expected architectures of the space; code: expected a first layer"),
        (ArrayCodes, "proposals: code: expected a tuple of Python ints"),
        (TooMany, "proposals: ask(n) <= n: expected at most 1 proposals, got 2"),
        (TupleOfProposals, "proposals: expected a list, got tuple"),
        (BadEpochs, "proposals: epochs: expected None or a length of setting.epochs, got 0"),
        (FailureUnexpected, "survives failed trials: no exception: tell: expected an answer, got TypeError"),
        (InOrderOnly, "no exception: tell: expected an answer, got RuntimeError: out of order"),
        (Cheat, "trials unaltered: expected told trials to be left as they are"),
        (DividesBySpread, "constant table: no exception: tell: expected an answer, got ZeroDivisionError"),
        (NotDone, "done: expected [] to mean done when nothing is running"),
        (NeverStarts, "done: expected at least one proposal before the end, got none"),
        (NoCard, "constructor: card: expected a class attribute Card, got None"),
        (Broken, "constructor: expected factory(space, rng=rng, **options) to work, got KeyError"),
    ],
)
def test_broken_strategy_is_caught_by_its_rule(broken, message):
    with pytest.raises(ContractViolation, match=re.escape(message)):
        check_strategy(broken)


def test_strategy_that_alters_its_options_is_caught():
    with pytest.raises(ContractViolation, match="options survive: expected the options left"):
        check_strategy(OptionEater, names=["a", "b"])


def test_options_that_a_record_cannot_hold_are_caught():
    with pytest.raises(ContractViolation, match="options survive: expected options that JSON can write"):
        check_strategy(OptionEater, names={"a", "b"})


def test_strategy_that_a_record_cannot_replay_is_caught():
    with pytest.raises(ContractViolation, match="replay reproduces: expected the recorded answers"):
        check_strategy(LooksAtObjects)


def test_violation_names_its_rule():
    with pytest.raises(ContractViolation) as caught:
        check_strategy(SeedIgnored)
    assert caught.value.rule == "other seed different"


def test_refused_options_are_not_a_violation():
    with pytest.raises(BadOption, match="order: expected"):
        check_strategy(load_strategy("grid"), order="sideways")


def test_rules_are_checked_by_name_and_in_their_order():
    assert check_strategy(SeedIgnored, rules=["same seed equal", "constructor"]) == [
        "constructor",
        "same seed equal",
    ]


def test_unknown_rule_is_refused_with_the_names():
    with pytest.raises(BadOption, match=r"rules: expected names among constructor, proposals, .*, got speed"):
        check_strategy(RandomSearch, rules=["constructor", "speed"])


@pytest.mark.parametrize("broken", [Outside, SeedPlusClock, FailureUnexpected, Broken])
def test_what_a_space_can_break_is_among_the_rules_of_a_further_space(broken):
    with pytest.raises(ContractViolation):
        check_strategy(broken, space_of("wide"), rules=SPACE_RULES, n_trials=FEW)


def test_deterministic_card_excuses_from_other_seeds():
    class Honest(SeedIgnored):
        card: ClassVar[Card] = Card(family="baseline", paper="", deterministic=True)

    assert check_strategy(Honest) == list(RULES)


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_answers_beyond_the_asked_number_never_come(name):
    space = toy_space()
    options = options_for(name, space)
    setting = setting_for(name, space)
    strategy = make(load_strategy(name), space, rng=np.random.default_rng(0), setting=setting, **options)
    assert strategy.ask(0) == []
