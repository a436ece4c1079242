"""Strategies made for one behaviour each, and short ways to run them."""

from __future__ import annotations

from typing import ClassVar

import pytest

from nasbench.evaluation.charging import Charging
from nasbench.evaluation.evaluator import Evaluator
from nasbench.records import Measurement, Proposal
from nasbench.runs.execute import RunSpec
from nasbench.runs.loop import run
from nasbench.runs.record import MemoryRecord
from nasbench.seeds import generator
from nasbench.strategies.random_search import RandomSearch
from nasbench.strategies.strategy import Card
from nasbench.units import parse_budget


class Scripted:
    """Proposes what it was given, in order, then is done; keeps what it was told."""

    card: ClassVar[Card] = Card(family="test", paper="")

    def __init__(self, *proposals):
        self.left = [p if isinstance(p, Proposal) else Proposal(tuple(p)) for p in proposals]
        self.told = []
        self.asked = []

    def ask(self, n):
        self.asked.append(n)
        out, self.left = self.left[:n], self.left[n:]
        return out

    def tell(self, trials):
        self.told.extend(trials)


@pytest.fixture
def scripted():
    return Scripted


@pytest.fixture
def go():
    """Run a strategy in memory; returns the outcome and the record."""

    def run_it(strategy, source, budget="1000000s", *, seed=0, workers=1, epochs=None, **charging):
        evaluator = Evaluator(source, seed=seed, charging=Charging.of(charging), epochs=epochs)
        record = MemoryRecord()
        outcome = run(strategy, evaluator, budget=parse_budget(budget), workers=workers, record=record)
        return outcome, record

    return run_it


@pytest.fixture
def random_search(toy_source):
    return lambda seed=0: RandomSearch(toy_source.space, rng=generator(seed, "strategy"))


@pytest.fixture
def spec():
    """Describe a run; regularized evolution of a small population unless told otherwise."""

    def describe(**changes):
        about = {
            "suite": "test",
            "entry": "row",
            "strategy": "regularized-evolution",
            "options": {"population": 3, "sample": 2},
            "budget": "8evals",
        }
        return RunSpec(**{**about, **changes})

    return describe


class Curved:
    """The toy table with an error after each of nine epochs, 0.02 lower each time."""

    is_live = False
    epochs = tuple(range(1, 10))

    def __init__(self, source):
        self.source, self.info, self.space, self.replicates = (
            source,
            source.info,
            source.space,
            source.replicates,
        )

    def replicates_of(self, code):
        return self.source.replicates_of(code)

    def answer(self, code, *, epochs, replicate):
        last = self.source.answer(code, epochs=9, replicate=replicate)
        rise = 0.02 * (9 - epochs)
        return Measurement(last.valid_error + rise, last.test_error + rise, last.train_seconds * epochs / 9)

    def curve(self, code, *, epochs, replicate):
        return [(e, self.answer(code, epochs=e, replicate=replicate)) for e in self.epochs if e < epochs]


@pytest.fixture
def curved_source(toy_source):
    return Curved(toy_source)
