"""A table as a source keeps the contract and scores what a report asks for."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import NotMeasured
from nasbench.evaluation.source import Source
from nasbench.evaluation.table_source import TableSource
from nasbench.spaces import get_space
from nasbench.store.data import TableData
from nasbench.store.info import TableInfo
from nasbench.store.table import open_table
from nasbench.store.writer import write_tables
from nasbench.testing import check_source

A = (1, 0, 0)


def test_table_source_keeps_the_contract(toy_source):
    check_source(toy_source)
    assert isinstance(toy_source, Source)


def test_table_source_with_failures_keeps_the_contract(failing_source):
    check_source(failing_source)


def test_source_says_where_its_numbers_come_from(toy_source, toy_table):
    assert toy_source.info.label == f"table:toy@{toy_table.content_hash[:12]}"
    assert (toy_source.info.kind, toy_source.info.dataset) == ("table", "toy-data")
    assert (toy_source.info.device, toy_source.info.device_kind) == ("a desk", "cpu")
    assert toy_source.info.extra["licence"] == "CC0-1.0"
    assert not toy_source.is_live


def test_answer_is_the_recorded_training_each_time(toy_source):
    first, again = (toy_source.answer(A, epochs=3, replicate=1) for _ in range(2))
    assert first == again
    assert (first.valid_error, first.train_seconds) == ((100 + 9 + 30 + 20) / 1024, 58.0)


def test_failed_training_is_an_answer(failing_source):
    answer = failing_source.answer((1, 1, 1), epochs=9, replicate=0)
    assert (answer.valid_error, answer.test_error, answer.status) == (None, None, "failed")
    assert answer.train_seconds == 207.0


def test_failed_trainings_count_as_repeats(failing_source):
    assert failing_source.replicates_of((1, 1, 1)) == 3
    assert failing_source.replicates_of((0, 0, 0)) == 2


def test_repeats_are_those_recorded(toy_source):
    assert [toy_source.replicates_of(code) for code in ((0, 2, 2), A)] == [2, 3]


@pytest.mark.parametrize(
    ("epochs", "replicate", "wanted"),
    [(5, 0, r"epochs: table toy holds 3 and 9, got 5"), (9, 2, r"replicate: .* for 0 and 1, got 2")],
)
def test_what_was_not_recorded_is_refused(toy_source, epochs, replicate, wanted):
    with pytest.raises(NotMeasured, match=wanted):
        toy_source.answer((0, 0, 0), epochs=epochs, replicate=replicate)


def test_many_are_measured_as_one_by_one(toy_source):
    codes = next(toy_source.space.enumerate())[9:]
    columns = toy_source.measure(codes, epochs=9, replicate=2)
    ones = [toy_source.answer(tuple(c), epochs=9, replicate=2) for c in codes.tolist()]
    assert columns.valid_error.tolist() == [m.valid_error for m in ones]
    assert columns.test_error.tolist() == [m.test_error for m in ones]
    assert columns.train_seconds.tolist() == [m.train_seconds for m in ones]


def test_score_is_the_mean_test_error_over_the_recorded_repeats(toy_source):
    assert toy_source.scored_by == "mean test error"
    two, three = toy_source.score([(0, 0, 1), A], epochs=9)
    assert two == (1 + 100 + 15) / 1024 + 1 / 2048
    assert three == pytest.approx((100 + 9 + 30) / 1024 + 1 / 2048, abs=1e-12)


def test_score_leaves_failed_repeats_out(failing_source):
    survivor, none = failing_source.score([(0, 0, 0), (1, 1, 1)], epochs=9)
    assert survivor == 1 / 2048
    assert np.isnan(none)


def test_score_is_the_validation_error_where_no_test_error_is_recorded(toy_table, tmp_path):
    from dataclasses import replace

    from nasbench.store.data import TableData

    curves = {m: np.array(toy_table.column(m)) for m in ("valid_error", "train_seconds")}
    info = replace(toy_table.info, content_hash="", recipe_hash="")
    write_tables(
        tmp_path / "v.h5", [TableData("toy", info, np.array(toy_table.codes), toy_table.epochs, curves)]
    )
    source = TableSource(open_table(tmp_path / "v.h5"))
    assert source.scored_by == "mean validation error"
    assert source.score([(0, 0, 0)], epochs=9)[0] == 15 / 1024
    assert source.answer((0, 0, 0), epochs=9, replicate=0).test_error is None


def test_a_table_without_validation_errors_is_refused_with_the_reason(tmp_path):
    size = get_space("nats-size")
    test = np.full((3, 1, 1), 0.25, dtype=np.float32)
    info = TableInfo(
        space="nats-size",
        dataset="images",
        reference_device="one core",
        device_kind="cpu",
        licence="CC0",
        source="made up for a test",
        splits={"train": "all training images", "test": "the test images"},
    )
    write_tables(
        tmp_path / "t.h5",
        [
            TableData(
                "whole",
                info,
                size.sample(3, rng=np.random.default_rng(0)),
                (1,),
                {"valid_error": np.full_like(test, np.nan), "test_error": test, "train_seconds": test},
            )
        ],
    )
    table = open_table(tmp_path / "t.h5")
    assert table.column("test_error").tolist() == test.tolist()
    with pytest.raises(
        NotMeasured, match=r"table whole records none \(test: .* train: all training images\)"
    ):
        TableSource(table)
