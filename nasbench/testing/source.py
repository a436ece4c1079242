"""The contract of a source, as a check: one answer by every way of asking, and no answer made up."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nasbench.errors import NotMeasured
from nasbench.evaluation.source import Source
from nasbench.records import Code, Measurement
from nasbench.seeds import generator
from nasbench.testing.contract import ContractViolation, require

_DRAWN = 256
_KEPT = 24
_KEPT_LIVE = 2  # a live answer is a training


@dataclass(frozen=True, slots=True)
class _Asked:
    """One address of a source and what ``answer`` gave for it."""

    code: Code
    epochs: int
    replicate: int
    answer: Measurement


@dataclass(frozen=True, slots=True)
class _Subject:
    source: Source
    codes: list[Code]
    asked: list[_Asked]


def check_source(source: Source, *, seed: int = 0, codes: npt.ArrayLike | None = None) -> list[str]:
    """Check that a source keeps the contract.

    Of a live source only the shortest training of two architectures is asked for, and what needs one answer
    twice (batch, order, repetition, absence) is left out: a training never takes the same seconds twice.

    Args:
        source: The source.
        seed: Of the codes that are drawn, >= 0.
        codes: (n, L) architectures that it holds; None draws 256 from its space and keeps the known.

    Returns:
        The names of the rules kept.

    Raises:
        ContractViolation: A rule is broken; the message starts with its name.
    """
    subject = _subject(source, seed, codes)
    rules = {name: check for name, check in RULES.items() if not (source.is_live and name in _NOT_LIVE)}
    for rule, check in rules.items():
        try:
            check(subject)
        except ContractViolation:
            raise
        except Exception as error:
            raise ContractViolation(
                rule, f"expected no exception, got {type(error).__name__}: {error}"
            ) from error
    return list(rules)


def _subject(source: Source, seed: int, codes: npt.ArrayLike | None) -> _Subject:
    """Find architectures that the source knows, and ask for all that it has of them."""
    rng = generator(seed, "check source")
    drawn = source.space.sample(_DRAWN, rng=rng) if codes is None else np.asarray(codes)
    known: list[Code] = []
    for code in dict.fromkeys(tuple(row) for row in drawn.tolist()):
        try:
            source.replicates_of(code)
        except NotMeasured:
            continue
        known.append(code)
        if len(known) == (_KEPT_LIVE if source.is_live else _KEPT):
            break
    require(
        bool(known),
        "knows architectures",
        f"expected some of {len(drawn)} codes measured, got none. Name some with codes=.",
    )
    asked = []
    for code in known:
        for epochs in source.epochs[:1] if source.is_live else source.epochs:
            for replicate in range(1 if source.is_live else source.replicates):
                try:
                    answer = source.answer(code, epochs=epochs, replicate=replicate)
                except NotMeasured:
                    continue
                asked.append(_Asked(code, epochs, replicate, answer))
    require(bool(asked), "knows architectures", "expected some answer for known architectures, got none.")
    return _Subject(source, known, asked)


def _epochs(subject: _Subject) -> None:
    epochs = subject.source.epochs
    require(
        len(epochs) > 0 and epochs[0] > 0 and all(a < b for a, b in itertools.pairwise(epochs)),
        "epochs increasing",
        f"expected whole numbers > 0 that increase, got {epochs}.",
    )


def _replicates(subject: _Subject) -> None:
    most = subject.source.replicates
    for code in subject.codes:
        n = subject.source.replicates_of(code)
        require(1 <= n <= most, "replicates within", f"expected 1 to {most} replicates of {code}, got {n}.")


def _values(subject: _Subject) -> None:
    for asked in subject.asked:
        answer, where = asked.answer, f"{asked.code}, {asked.epochs} epochs, replicate {asked.replicate}"
        rule = "errors are fractions"
        failed = answer.status == "failed"
        require(
            (answer.valid_error is None) == failed,
            rule,
            f"expected a valid_error exactly where not failed, got {answer} for {where}.",
        )
        for name, error in (("valid_error", answer.valid_error), ("test_error", answer.test_error)):
            require(
                error is None or 0.0 <= error <= 1.0,
                rule,
                f"{name}: expected [0, 1], got {error} for {where}.",
            )


def _seconds(subject: _Subject) -> None:
    for asked in subject.asked:
        seconds = asked.answer.train_seconds
        require(
            math.isfinite(seconds) and seconds > 0,
            "seconds are positive",
            f"train_seconds: expected a finite number > 0, got {seconds} for {asked.code}.",
        )


def _score(subject: _Subject) -> None:
    rule, source = "score", subject.source
    words = ("mean test error", "mean validation error", "trial")
    require(source.scored_by in words, rule, f"scored_by: expected one of {words}, got {source.scored_by!r}.")
    scores = source.score(np.array(subject.codes, dtype=np.int8), epochs=source.epochs[-1])
    require(
        scores.shape == (len(subject.codes),), rule, f"expected one score a code, got shape {scores.shape}."
    )
    for score in scores.tolist():
        require(
            math.isnan(score) or 0.0 <= score <= 1.0,
            rule,
            f"expected nan or a fraction in [0, 1], got {score}.",
        )


def _batches(subject: _Subject) -> dict[tuple[int, int], list[_Asked]]:
    """Group what was answered by (epochs, replicate)."""
    groups: dict[tuple[int, int], list[_Asked]] = {}
    for asked in subject.asked:
        groups.setdefault((asked.epochs, asked.replicate), []).append(asked)
    return groups


def _batch(subject: _Subject) -> None:
    for (epochs, replicate), group in _batches(subject).items():
        _require_batch(subject.source, group, epochs, replicate, "batch equals one by one")


def _order(subject: _Subject) -> None:
    for (epochs, replicate), group in _batches(subject).items():
        _require_batch(subject.source, [*group[::-1], group[0]], epochs, replicate, "order kept")


def _require_batch(source: Source, group: list[_Asked], epochs: int, replicate: int, rule: str) -> None:
    """Require of ``measure`` what ``answer`` gave, row for row."""
    codes = np.array([asked.code for asked in group], dtype=np.int8)
    columns = source.measure(codes, epochs=epochs, replicate=replicate)
    for name in ("valid_error", "test_error", "train_seconds"):
        got = getattr(columns, name)
        singles = [getattr(asked.answer, name) for asked in group]
        wanted = np.array([math.nan if value is None else value for value in singles])
        require(
            got.shape == wanted.shape and np.array_equal(got, wanted, equal_nan=True),
            rule,
            f"{name}: expected what answer gives at {epochs} epochs, replicate {replicate} "
            f"({wanted[:3].tolist()} ...), got {np.ravel(got)[:3].tolist()} ...",
        )


def _again(subject: _Subject) -> None:
    for asked in subject.asked[:_KEPT]:
        again = subject.source.answer(asked.code, epochs=asked.epochs, replicate=asked.replicate)
        require(again == asked.answer, "same answer twice", f"expected {asked.answer} again, got {again}.")


def _missing(subject: _Subject) -> None:
    source, asked = subject.source, subject.asked[0]
    beyond = source.epochs[-1] + 1
    for epochs, replicate in ((beyond, asked.replicate), (asked.epochs, source.replicates)):
        calls: dict[str, Callable[[], object]] = {
            "answer": lambda e=epochs, r=replicate: source.answer(asked.code, epochs=e, replicate=r),  # type: ignore[misc]
            "measure": lambda e=epochs, r=replicate: source.measure([asked.code], epochs=e, replicate=r),  # type: ignore[misc]
        }
        for name, call in calls.items():
            try:
                got = call()
            except NotMeasured:
                continue
            raise ContractViolation(
                "missing raises NotMeasured",
                f"{name}: expected NotMeasured at {epochs} epochs, replicate {replicate} (it has epochs up "
                f"to {source.epochs[-1]} and {source.replicates} replicates), got {got}.",
            )


RULES: dict[str, Callable[[_Subject], None]] = {
    "epochs increasing": _epochs,
    "replicates within": _replicates,
    "errors are fractions": _values,
    "seconds are positive": _seconds,
    "score": _score,
    "batch equals one by one": _batch,
    "order kept": _order,
    "same answer twice": _again,
    "missing raises NotMeasured": _missing,
}
"""Rule -> what checks it, in the order in which they run."""

_NOT_LIVE = frozenset(
    {"score", "batch equals one by one", "order kept", "same answer twice", "missing raises NotMeasured"}
)
