"""A toy source keeps the contract of sources; a broken one is caught by its rule."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from nasbench.errors import NotMeasured
from nasbench.evaluation.opening import open_source
from nasbench.records import Measurement, Measurements, SourceInfo
from nasbench.store.bundled import list_tables
from nasbench.testing import ContractViolation, check_source, toy_space
from nasbench.testing.source import _NOT_LIVE, RULES


class ToySource:
    """27 codes, two lengths, up to three repeats; code (0, 0, 0) failed, (2, 2, 2) is not measured."""

    info = SourceInfo("table:toy@0", "table", "toy", "none", "a desk", "cpu")
    epochs: tuple[int, ...] = (3, 12)
    replicates = 3
    is_live = False
    scored_by = "mean test error"

    def __init__(self):
        self.space = toy_space()

    def replicates_of(self, code):
        if code == (2, 2, 2):
            raise NotMeasured(f"code: {code} is not measured.")
        return 3 if code[0] else 2

    def answer(self, code, *, epochs, replicate):
        if epochs not in self.epochs or not 0 <= replicate < self.replicates_of(code):
            raise NotMeasured(f"epochs, replicate: no {epochs} and {replicate} for {code}.")
        if code == (0, 0, 0):
            return Measurement(None, None, 2.0, status="failed", reason="diverged")
        error = (1 + code[0] * 9 + code[1] * 3 + code[2] + replicate / 10) / 40
        return Measurement(error, error / 2, float(epochs + code[1]))

    def measure(self, codes, *, epochs, replicate):
        answers = [
            self.answer(tuple(c), epochs=epochs, replicate=replicate) for c in np.asarray(codes).tolist()
        ]
        columns = [
            [math.nan if v is None else v for v in column]
            for column in zip(*[(a.valid_error, a.test_error, a.train_seconds) for a in answers], strict=True)
        ]
        return Measurements(*(np.array(column) for column in columns))

    def score(self, codes, *, epochs):
        return np.array([sum(c) / 10 for c in np.asarray(codes).tolist()])


def test_toy_source_keeps_the_contract():
    assert check_source(ToySource()) == list(RULES)


@pytest.mark.parametrize("name", list_tables())
def test_bundled_table_keeps_the_contract(name):
    source = open_source(name)
    # Of a space too large to be met by chance, what the table holds.
    codes = source.table.codes[:40].tolist() if source.space.size > 10**9 else None
    assert check_source(source, codes=codes) == list(RULES)


def test_codes_may_be_named():
    assert check_source(ToySource(), codes=[[1, 1, 1], [0, 0, 0]]) == list(RULES)


def test_live_source_is_not_asked_twice():
    class Live(ToySource):
        is_live = True
        scored_by = "trial"
        asked = 0

        def answer(self, code, *, epochs, replicate):
            self.asked += 1
            return replace(
                super().answer(code, epochs=epochs, replicate=replicate), train_seconds=float(self.asked)
            )

    source = Live()
    assert set(check_source(source)) == set(RULES) - _NOT_LIVE
    assert source.asked == 2


class Shuffled(ToySource):
    def measure(self, codes, *, epochs, replicate):
        ordered = np.array(sorted(np.asarray(codes).tolist()))
        return super().measure(ordered, epochs=epochs, replicate=replicate)


class OtherBatch(ToySource):
    def measure(self, codes, *, epochs, replicate):
        return super().measure(codes, epochs=epochs, replicate=0)


class Deduplicated(ToySource):
    def measure(self, codes, *, epochs, replicate):
        unique = list(dict.fromkeys(map(tuple, np.asarray(codes).tolist())))
        return super().measure(np.array(unique), epochs=epochs, replicate=replicate)


class PercentErrors(ToySource):
    def answer(self, code, *, epochs, replicate):
        got = super().answer(code, epochs=epochs, replicate=replicate)
        return got if got.valid_error is None else replace(got, valid_error=got.valid_error * 90)


class WorstForFailed(ToySource):
    def answer(self, code, *, epochs, replicate):
        got = super().answer(code, epochs=epochs, replicate=replicate)
        return replace(got, valid_error=1.0) if got.status == "failed" else got


class FreeTraining(ToySource):
    def answer(self, code, *, epochs, replicate):
        return replace(super().answer(code, epochs=epochs, replicate=replicate), train_seconds=0.0)


class Drifting(ToySource):
    count = 0

    def answer(self, code, *, epochs, replicate):
        got = super().answer(code, epochs=epochs, replicate=replicate)
        self.count += 1
        return replace(got, train_seconds=got.train_seconds + self.count)


class DriftingAnswersOnly(ToySource):
    """Its batches repeat what each first answer was."""

    def __init__(self):
        super().__init__()
        self.first = {}

    def answer(self, code, *, epochs, replicate):
        key = (code, epochs, replicate)
        got = super().answer(code, epochs=epochs, replicate=replicate)
        if key in self.first:
            return replace(got, reason="again")
        self.first[key] = got
        return got


class Imputed(ToySource):
    def answer(self, code, *, epochs, replicate):
        known = min(epochs, 12)
        return super().answer(code, epochs=known, replicate=replicate)


class WrappedReplicate(ToySource):
    def answer(self, code, *, epochs, replicate):
        return super().answer(code, epochs=epochs, replicate=replicate % self.replicates_of(code))


class TooManyReplicates(ToySource):
    replicates = 2


class EpochsBackwards(ToySource):
    epochs = (12, 3)


class PercentScore(ToySource):
    def score(self, codes, *, epochs):
        return super().score(codes, epochs=epochs) + 50


class OddScore(ToySource):
    scored_by = "luck"


class FlatScore(ToySource):
    def score(self, codes, *, epochs):
        return np.array(0.5)


class Empty(ToySource):
    def replicates_of(self, code):
        raise NotMeasured("nothing")


class KnownButEmpty(ToySource):
    def answer(self, code, *, epochs, replicate):
        raise NotMeasured("nothing")


class CrashingMeasure(ToySource):
    def measure(self, codes, *, epochs, replicate):
        raise OSError("gone")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Shuffled, "batch equals one by one: valid_error: expected what answer gives"),
        (OtherBatch, "batch equals one by one: valid_error: expected what answer gives"),
        (Deduplicated, "order kept: valid_error: expected what answer gives"),
        (PercentErrors, "errors are fractions: valid_error: expected [0, 1]"),
        (WorstForFailed, "errors are fractions: expected a valid_error exactly where not failed"),
        (FreeTraining, "seconds are positive: train_seconds: expected a finite number > 0, got 0.0"),
        (Drifting, "batch equals one by one: train_seconds: expected what answer gives"),
        (DriftingAnswersOnly, "same answer twice: expected"),
        (Imputed, "missing raises NotMeasured: answer: expected NotMeasured at 13 epochs"),
        (
            WrappedReplicate,
            "missing raises NotMeasured: answer: expected NotMeasured at 3 epochs, replicate 3",
        ),
        (TooManyReplicates, "replicates within: expected 1 to 2 replicates"),
        (EpochsBackwards, "epochs increasing: expected whole numbers > 0 that increase"),
        (PercentScore, "score: expected nan or a fraction in [0, 1]"),
        (OddScore, "score: scored_by: expected one of"),
        (FlatScore, "score: expected one score a code, got shape ()"),
        (Empty, "knows architectures: expected some of 256 codes measured, got none"),
        (KnownButEmpty, "knows architectures: expected some answer for known architectures, got none"),
        (CrashingMeasure, "batch equals one by one: expected no exception, got OSError: gone"),
    ],
)
def test_broken_source_is_caught_by_its_rule(broken, message):
    with pytest.raises(ContractViolation, match=re.escape(message)):
        check_source(broken())
