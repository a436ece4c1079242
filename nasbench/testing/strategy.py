"""The contract of a strategy, as a check that runs it on toy spaces."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Callable, Sequence
from typing import Any

from nasbench.errors import BadOption, NasbenchError
from nasbench.records import Code
from nasbench.seeds import generator
from nasbench.spaces import Space
from nasbench.strategies.strategy import Card, Setting, Strategy, StrategyFactory, make
from nasbench.testing.contract import ContractViolation, require
from nasbench.testing.simulation import (
    Transcript,
    drive,
    first_difference,
    global_random_state,
    replay,
)
from nasbench.testing.toys import ToyChain, toy_setting, toy_space

_TRIALS = 60  # of each simulated run: past the random start-up of the strategies that have one
_CONSTANT = 0.25

_States = list[tuple[str, Any]]


def check_strategy(
    factory: StrategyFactory,
    space: Space | None = None,
    *,
    rules: Sequence[str] | None = None,
    n_trials: int = _TRIALS,
    setting: Setting | None = None,
    **options: Any,
) -> list[str]:
    """Check that a strategy keeps the contract.

    A strategy that keeps every rule on the toy spaces needs only ``SPACE_RULES`` on one more space.

    Args:
        factory: The class, or anything called as ``factory(space, rng=rng, **options)``.
        space: Space to search; None checks on the two toy spaces (a product, and one with masks).
        rules: Names of the rules to check, of ``RULES``; None checks all.
        n_trials: Trials of each simulated run; fewer check a strategy that thinks long, but let it be more
            than its random start.
        setting: What the run offers; None offers 27 epochs and two costs. A strategy that shares weights
            needs ``toy_relaxed_setting(space)``.
        **options: Options of the strategy.

    Returns:
        The names of the rules, all kept, in the order in which they were checked.

    Raises:
        ContractViolation: A rule is broken; the message starts with its name.
        BadOption: There is no rule of a given name.
        NasbenchError: The strategy itself refuses the options or the space.
    """
    wanted = RULES.keys() if rules is None else set(rules)
    unknown = sorted(wanted - RULES.keys())
    if unknown:
        raise BadOption(
            f"rules: expected names among {', '.join(RULES)}, got {', '.join(unknown)}. "
            "Leave rules out to check all."
        )
    checks = {rule: check for rule, check in RULES.items() if rule in wanted}
    spaces: list[Space] = [toy_space(), ToyChain()] if space is None else [space]
    for each in spaces:
        subject = _Subject(factory, each, options, n_trials, setting or toy_setting())
        for rule, check in checks.items():
            try:
                check(subject)
            except ContractViolation as violation:
                if violation.rule in RULES:
                    raise
                raise ContractViolation(rule, str(violation)) from violation
    return list(checks)


class _Subject:
    """One strategy with its options on one space; makes fresh instances and runs them."""

    def __init__(
        self,
        factory: StrategyFactory,
        space: Space,
        options: dict[str, Any],
        n_trials: int,
        setting: Setting,
    ) -> None:
        self.factory, self.space, self.options, self.n_trials = factory, space, options, n_trials
        self.setting = setting

    def make(self, seed: int) -> Strategy:
        try:
            return make(
                self.factory,
                self.space,
                rng=generator(seed, "strategy"),
                setting=self.setting,
                **copy.deepcopy(self.options),
            )
        except NasbenchError:
            raise
        except Exception as error:
            raise ContractViolation(
                "constructor",
                f"expected factory(space, rng=rng, **options) to work, got {type(error).__name__}: {error}",
            ) from error

    def run(
        self,
        seed: int = 1,
        *,
        answer: Callable[[Code, int], float | None] | None = None,
        workers: int = 1,
    ) -> Transcript:
        return drive(
            self.make(seed),
            self.space,
            answer=answer or rough_error,
            setting=self.setting,
            n_trials=self.n_trials,
            workers=workers,
        )

    @functools.cached_property
    def plain(self) -> Transcript:
        """The run of seed 1 with one worker."""
        return self.run(1)

    @functools.cached_property
    def again(self) -> tuple[Transcript, _States, _States]:
        """The same run once more, and the global random states before and after it."""
        before = global_random_state()
        return self.run(1), before, global_random_state()

    @functools.cached_property
    def late(self) -> Transcript:
        """The run of seed 1 with five workers."""
        return self.run(1, workers=5)


def rough_error(code: Code, number: int) -> float:  # noqa: ARG001 - the face of an answer
    """Give each code an error in [0, 1) that looks random and is the same for ever."""
    mixed = 0
    for value in code:
        mixed = (mixed * 31 + value + 1) * 2_654_435_761 % 2**32
    return mixed / 2**32


def _constructor(subject: _Subject) -> None:
    strategy = subject.make(1)
    card = getattr(strategy, "card", None)
    require(isinstance(card, Card), "constructor", f"card: expected a class attribute Card, got {card!r}.")
    for method in ("ask", "tell"):
        require(
            callable(getattr(strategy, method, None)),
            "constructor",
            f"{method}: expected a method, got none.",
        )


def _proposals(subject: _Subject) -> None:
    for n in (1, 2, 7):
        drive(
            subject.make(1),
            subject.space,
            answer=rough_error,
            setting=subject.setting,
            n_trials=n,
            workers=n,
        )
    require(bool(subject.plain.proposals), "proposals", "expected at least one proposal, got none.")


def _same_seed(subject: _Subject) -> None:
    first, second = subject.plain.proposals, subject.again[0].proposals
    require(
        first == second,
        "same seed equal",
        f"expected one seed to give one run; {first_difference(first, second)}. Draw from rng alone.",
    )


def _other_seed(subject: _Subject) -> None:
    if subject.make(1).card.deterministic:
        return
    first = subject.plain.proposals
    require(
        any(subject.run(seed).proposals != first for seed in (2, 3, 4)),
        "other seed different",
        "expected other seeds to give other runs, got the same four times. Draw from rng, or say "
        "card.deterministic.",
    )


def _global_state(subject: _Subject) -> None:
    _, before, after = subject.again
    for (name, old), (_, new) in zip(before, after, strict=False):  # torch may come in between
        require(
            old == new,
            "global random state untouched",
            f"expected the global state of {name} unchanged, got a draw from it. Use rng.",
        )


def _failures(subject: _Subject) -> None:
    subject.run(1, answer=lambda code, number: None if number % 3 == 0 else rough_error(code, number))
    first = min(25, subject.n_trials // 2)
    subject.run(1, answer=lambda code, number: None if number < first else rough_error(code, number))
    subject.run(1, answer=lambda code, number: None, workers=3)  # noqa: ARG005


def _late(subject: _Subject) -> None:
    crowd = subject.n_trials
    for workers, once in ((5, subject.late), (crowd, subject.run(1, workers=crowd))):
        first, second = once.proposals, subject.run(1, workers=workers).proposals
        require(
            first == second,
            "late answers",
            f"expected one run from one seed with {workers} workers; {first_difference(first, second)}.",
        )


def _done(subject: _Subject) -> None:
    transcript = subject.late
    require(
        transcript.is_done or len(transcript.proposals) == subject.n_trials,
        "done",
        f"expected {subject.n_trials} proposals or the end, got {len(transcript.proposals)}.",
    )


def _options(subject: _Subject) -> None:
    if not subject.options:
        return  # nothing is written down, and the run once more was compared as "same seed equal"
    try:
        text = json.dumps(subject.options)
    except TypeError as error:
        raise ContractViolation(
            "options survive", f"expected options that JSON can write, got {subject.options!r}."
        ) from error
    given = json.loads(text)
    strategy = make(
        subject.factory, subject.space, rng=generator(1, "strategy"), setting=subject.setting, **given
    )
    proposals = drive(
        strategy,
        subject.space,
        answer=rough_error,
        setting=subject.setting,
        n_trials=subject.n_trials,
    ).proposals
    require(
        given == json.loads(text),
        "options survive",
        f"expected the options left as they were given, got {given!r} for {text}.",
    )
    require(
        proposals == subject.plain.proposals,
        "options survive",
        "expected the options read back from a record to give the same run; "
        f"{first_difference(subject.plain.proposals, proposals)}.",
    )


def _constant(subject: _Subject) -> None:
    trials = subject.run(1, answer=lambda code, number: _CONSTANT, workers=2).trials  # noqa: ARG005
    best = min((t.valid_error for t in trials if t.valid_error is not None), default=_CONSTANT)
    require(
        best >= _CONSTANT,
        "constant table",
        f"expected no error below {_CONSTANT} where all architectures are equal, got {best}.",
    )


def _replay(subject: _Subject) -> None:
    transcript = subject.run(1, workers=3)
    again = replay(subject.make(1), transcript)
    require(
        again == transcript.proposals,
        "replay reproduces",
        "expected the recorded answers, told again, to bring the recorded proposals; "
        f"{first_difference(transcript.proposals, again)}. Keep clocks and outside state out.",
    )


RULES: dict[str, Callable[[_Subject], None]] = {
    "constructor": _constructor,
    "proposals": _proposals,
    "same seed equal": _same_seed,
    "other seed different": _other_seed,
    "global random state untouched": _global_state,
    "survives failed trials": _failures,
    "late answers": _late,
    "done": _done,
    "options survive": _options,
    "constant table": _constant,
    "replay reproduces": _replay,
}
"""Rule -> what checks it, in the order in which they run."""

SPACE_RULES = ("constructor", "proposals", "same seed equal", "survives failed trials")
"""The rules that a space can make a strategy break which keeps all rules on another space."""
