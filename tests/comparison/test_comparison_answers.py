import dataclasses

import numpy as np
import pytest

from nasbench.comparison.answers import final_answers
from nasbench.errors import BadOption, UnknownName
from nasbench.evaluation.evaluator import Evaluator
from nasbench.records import Proposal
from nasbench.runs.columns import RunColumns
from nasbench.runs.loop import run
from nasbench.runs.reading import columns_of
from nasbench.runs.record import MemoryRecord
from nasbench.units import parse_budget

GOOD, BAD = (0, 0, 1), (2, 2, 2)


@pytest.fixture
def ran(toy_source):
    """Run a script of proposals as a row of a suite."""

    class Scripted:
        def __init__(self, proposals):
            self.left = list(proposals)

        def ask(self, n):
            return [self.left.pop(0)] if self.left else []

        def tell(self, trials):
            pass

    def made(*proposals, entry="row", strategy="scripted", seed=0) -> RunColumns:
        record = MemoryRecord()
        run(
            Scripted(proposals),
            Evaluator(toy_source, seed=seed),
            budget=parse_budget("1000000s"),
            record=record,
        )
        header = {"entry": entry, "strategy": strategy, "seed": seed, "source": "toy", "space": "toy"}
        return columns_of({**header, "epochs": toy_source.epochs[-1]}, record)

    return made


def report(code):
    return Proposal(code, purpose="report", search_seconds=1.0)


def test_search_hands_over_its_best(ran):
    run = ran(Proposal(BAD), Proposal(GOOD), Proposal(BAD))
    (answer,) = final_answers([run], space="toy")
    assert (answer.code, answer.valid_error) == (GOOD, run.valid_error[1])
    assert (answer.entry, answer.strategy, answer.source, answer.seed) == ("row", "scripted", "toy", 0)


def test_weight_sharing_hands_over_its_last_report(ran):
    (answer,) = final_answers([ran(report(GOOD), report(BAD))], space="toy")
    assert answer.code == BAD


@pytest.mark.parametrize("name", ["one", "gdas"])
def test_rows_are_taken_by_label_or_strategy(ran, name):
    runs = [ran(Proposal(GOOD), entry="one", strategy="gdas"), ran(Proposal(BAD), entry="two")]
    assert [answer.code for answer in final_answers(runs, space="toy", strategies=[name])] == [GOOD]


def test_unknown_row_names_the_near_ones(ran):
    with pytest.raises(UnknownName, match=r"no strategy of these runs is named 'gdsa'. Did you mean 'gdas'"):
        final_answers([ran(Proposal(GOOD), strategy="gdas")], space="toy", strategies=["gdsa"])


def test_other_space_is_refused(ran):
    with pytest.raises(BadOption, match="space: expected that of the runs, toy, got nb201"):
        final_answers([ran(Proposal(GOOD))], space="nb201")


def test_failed_run_has_no_answer_and_says_why(ran):
    empty = dataclasses.replace(ran(), end="failed", reason="ask raised Diverged")
    nothing, answer = final_answers([empty, ran(Proposal(GOOD), seed=1)], space="toy")
    assert (nothing.code, nothing.valid_error, nothing.reason) == (None, None, "ask raised Diverged")
    assert answer.code == GOOD
    with pytest.raises(
        BadOption, match=r"expected runs with an answer, got none in 1. The first: row, seed 0"
    ):
        final_answers([empty], space="toy")


def test_trials_of_other_lengths_are_no_answers(ran):
    (answer,) = final_answers([ran(Proposal(GOOD, epochs=3), Proposal(BAD))], space="toy")
    assert answer.code == BAD
    assert np.isfinite(answer.valid_error)
