"""Tables whose training lengths are trainings of their own, and tables too large for lists."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from nb101_file import SPACE, cells, records_of, write_file

from nasbench.errors import BadOption, FormatError, NotInSpace, NotMeasured
from nasbench.evaluation.charging import Charging
from nasbench.evaluation.evaluator import Evaluator
from nasbench.evaluation.table_source import TableSource
from nasbench.records import Proposal
from nasbench.runs.execute import RunSpec, build_strategy
from nasbench.store import table as tables
from nasbench.store.imports.nb101 import import_nb101
from nasbench.store.quality import table_quality
from nasbench.store.table import open_table
from nasbench.store.verify import verify_table
from nasbench.store.writer import write_tables

CODE = (1, 1, 1)


@pytest.fixture
def own(toy_path, tmp_path):
    """The toy table with lengths that are trainings of their own, some faster than a shorter one."""
    data = open_table(toy_path).data()
    seconds = data.curves["train_seconds"].copy()
    seconds[:, 0, 1] = seconds[:, 0, 0] / 2
    info = replace(data.info, lengths="own-trainings")
    path = tmp_path / "own.h5"
    write_tables(path, [replace(data, info=info, curves={**data.curves, "train_seconds": seconds})])
    return open_table(path)


def test_seconds_may_fall_from_one_training_to_another(own, toy_path, tmp_path):
    assert own.info.lengths == "own-trainings"
    assert verify_table(own.path) == []
    assert table_quality(own).falling_seconds == 0
    plain = replace(own.data(), info=replace(own.info, lengths="one-training"))
    with pytest.raises(FormatError, match="seconds that never fall along a training"):
        write_tables(tmp_path / "plain.h5", [plain])
    assert open_table(toy_path).info.lengths == "one-training"


def test_only_two_words_say_what_lengths_are(own, tmp_path):
    data = replace(own.data(), info=replace(own.info, lengths="whatever"))
    with pytest.raises(
        FormatError, match="lengths: expected 'one-training' or 'own-trainings', got 'whatever'"
    ):
        write_tables(tmp_path / "wrong.h5", [data])


@pytest.mark.parametrize("promotion", ["continue", "restart"])
def test_a_promotion_pays_for_the_whole_longer_training(own, promotion):
    source = TableSource(own)
    evaluator = Evaluator(source, seed=0, charging=Charging(promotion=promotion))
    first = evaluator.answer(Proposal(CODE, epochs=3, replicate=1))
    second = evaluator.answer(Proposal(CODE, epochs=9, continues=0))
    row = own.row(CODE)
    assert first[3] == own.column("train_seconds")[row, 1, 0]
    assert second[1:] == (9, 1, own.column("train_seconds")[row, 1, 1])


def test_where_lengths_lie_on_one_training_only_the_rest_is_paid(toy_source):
    evaluator = Evaluator(toy_source, seed=0)
    first = evaluator.answer(Proposal(CODE, epochs=3, replicate=1))
    second = evaluator.answer(Proposal(CODE, epochs=9, continues=0))
    whole = toy_source.answer(CODE, epochs=9, replicate=1).train_seconds
    assert second[3] == whole - first[3] > 0


def test_there_is_no_curve_to_watch(own, toy_source):
    assert list(TableSource(own).curve(CODE, epochs=9, replicate=0)) == []
    assert [epoch for epoch, _ in toy_source.curve(CODE, epochs=9, replicate=0)] == [3]
    assert TableSource(own).info.extra["lengths"] == "own-trainings"
    assert "lengths" not in toy_source.info.extra


def test_strategies_that_watch_are_refused_and_those_that_promote_are_not(own):
    source = TableSource(own)
    for options in ({"mode": "stopping"}, {"mode": "promotion"}):
        spec = RunSpec("s", "e", "asha", {**options, "eta": 3}, "10evals")
        if options["mode"] == "promotion":
            assert build_strategy(spec, source, 0) is not None
            continue
        with pytest.raises(
            BadOption, match="strategy: asha watches trainings while they run, but each training"
        ):
            build_strategy(spec, source, 0)


# Large tables -------------------------------------------------------------------------------------


def test_a_large_table_answers_as_a_small_one(toy_path, monkeypatch):
    small = open_table(toy_path)
    monkeypatch.setattr(tables, "_LISTED", 10)
    large = open_table(toy_path)
    for code in map(tuple, small.codes.tolist()):
        for epochs in small.epochs:
            for replicate in range(small.replicates_of(small.row(code))):
                asked = {"epochs": epochs, "replicate": replicate}
                assert large.query(code, **asked) == small.query(code, **asked)
    for wrong, error in (
        ({"epochs": 4, "replicate": 0}, "epochs: table toy holds 3 and 9, got 4"),
        ({"epochs": 3, "replicate": 3}, "replicate: table toy holds 0, 1 and 2, got 3"),
        ({"epochs": 3, "replicate": -1}, "replicate: table toy holds 0, 1 and 2, got -1"),
    ):
        with pytest.raises(NotMeasured, match=error):
            large.query(CODE, **wrong)
    with pytest.raises(NotMeasured, match="at 3 epochs for 0 and 1, got 2"):
        large.query((0, 0, 0), epochs=3, replicate=2)
    with pytest.raises(NotInSpace):
        large.query((0, 0), epochs=3, replicate=0)


def test_a_failed_training_of_a_large_table_has_its_seconds_and_no_error(failing_source, monkeypatch):
    monkeypatch.setattr(tables, "_LISTED", 10)
    large = open_table(failing_source.table.path)
    found = large.query((0, 0, 0), epochs=9, replicate=1)
    assert (found.status, found.valid_error, found.test_error) == ("failed", None, None)
    assert found.train_seconds > 0


def test_a_space_too_large_for_an_array_is_searched_by_rank(tmp_path):
    """Every code finds the row of its cell, one by one and many at once, and others find none."""
    write_file(tmp_path / "a.tfrecord", records_of(cells(60), epochs=(4,), repeats=1))
    import_nb101(tmp_path / "a.tfrecord", tmp_path / "a.h5")
    table = open_table(tmp_path / "a.h5")
    codes = SPACE.sample(3_000, rng=np.random.default_rng(0))
    row_of_key = {key: row for row, key in enumerate(SPACE.keys(table.codes).tolist())}
    expected = np.array([row_of_key.get(key, -1) for key in SPACE.keys(codes).tolist()])
    held = codes[expected >= 0]
    assert len(held) > 60
    assert np.array_equal(table.rows(held), expected[expected >= 0])
    assert [table.row(tuple(code)) for code in held[:50].tolist()] == expected[expected >= 0][:50].tolist()
    with pytest.raises(NotMeasured, match="holds 60 of the 423,624 architectures of space nb101"):
        table.rows(codes)
    missing = tuple(codes[int(np.argmin(expected))].tolist())
    with pytest.raises(NotMeasured, match="which is not one of them"):
        table.row(missing)
