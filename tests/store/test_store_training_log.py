import contextlib
import json
import multiprocessing
import os
import signal
from dataclasses import replace

import numpy as np
import pytest

from nasbench.errors import FormatError
from nasbench.store.info import TableInfo
from nasbench.store.table import open_table
from nasbench.store.training_log import LogHeader, append, log_path, merge_log, merged_into, require_fits
from nasbench.store.trainings import RecordedTraining, training_seeds, with_trainings
from nasbench.store.verify import verify_table
from nasbench.store.writer import write_tables

EPOCHS = (1, 2, 3)
INFO = TableInfo(
    space="nb201",
    dataset="toy images",
    reference_device="one core",
    device_kind="cpu",
    licence="CC0",
    source="made up for a test",
    recipe={"epochs": 3},
)
HEADER = LogHeader("toy", EPOCHS, INFO)
CODE, OTHER = (0, 1, 2, 3, 4, 0), (1, 1, 1, 1, 1, 1)


def training(code=CODE, seed=0, *, epochs=3, error=0.5, failed=False):
    """Make up a training of so many epochs; a failed one stops in the epoch after them."""
    return RecordedTraining(
        code=code,
        seed=seed,
        status="failed" if failed else "ok",
        reason="diverged" if failed else "",
        curves={
            "valid_error": tuple(error / (e + 1) for e in range(epochs)),
            "train_seconds": tuple(1.0 + e for e in range(epochs)),
        },
        total_seconds=10.0 if failed else float(epochs),
        scalars={"parameters": 1000 + sum(code)},
        provenance={"device": "one core"},
    )


@pytest.fixture
def file(tmp_path):
    return tmp_path / "t.h5"


def append_all(file, trainings):
    for one in trainings:
        append(file, HEADER, one)


def test_a_merged_log_is_a_verified_table(file):
    append_all(file, [training(), training(seed=1), training(OTHER)])
    merged = merge_log(file)
    assert (merged.trainings, merged.torn, merged.architectures) == (3, 0, 2)
    assert not log_path(file).exists()
    assert verify_table(file) == []
    table = open_table(file)
    assert table.query(CODE, epochs=2, replicate=1).valid_error == np.float32(0.25)
    assert table.scalar("parameters").tolist() == [1010, 1006]


def test_no_log_is_nothing_to_merge(file):
    assert merge_log(file) is None
    assert not file.exists()


def test_a_later_merge_adds_to_the_table(file):
    append_all(file, [training()])
    merge_log(file)
    append_all(file, [training(seed=1), training(OTHER)])
    merge_log(file)
    table = open_table(file)
    assert len(table) == 2
    assert table.replicates_of(table.row(CODE)) == 2


def test_merging_at_once_and_in_two_steps_gives_the_same_content(file, tmp_path):
    trainings = [training(seed=2), training(), training(OTHER, epochs=1), training(OTHER, seed=3)]
    append_all(file, trainings)
    merge_log(file)
    other = tmp_path / "t2.h5"
    for half in (trainings[:2], trainings[2:]):
        append_all(other, half)
        merge_log(other)
    assert open_table(file).content_hash == open_table(other).content_hash


def test_seeds_met_in_any_order_are_told_apart_by_provenance(file):
    append_all(file, [training(seed=5, error=0.6), training(seed=2, error=0.4)])
    merge_log(file)
    table = open_table(file)
    assert training_seeds(table.data()).tolist() == [[2, 5]]
    assert table.query(CODE, epochs=1, replicate=1).valid_error == np.float32(0.6)


def test_short_trainings_stand_after_long_ones(file):
    append_all(file, [training(seed=0, epochs=1), training(seed=1, epochs=3)])
    merge_log(file)
    table = open_table(file)
    assert verify_table(file) == []
    assert training_seeds(table.data()).tolist() == [[1, 0]]
    assert table.replicate_counts().tolist() == [1]
    assert table.replicate_counts(epochs=1).tolist() == [2]


def test_a_longer_training_of_one_seed_replaces_a_shorter_one(file):
    append_all(file, [training(epochs=1), training(epochs=3), training(epochs=2)])
    merge_log(file)
    assert open_table(file).replicate_counts(epochs=3).tolist() == [1]


def test_of_equal_trainings_the_first_stays(file):
    append_all(file, [training(error=0.5), training(error=0.7)])
    merge_log(file)
    assert open_table(file).query(CODE, epochs=1, replicate=0).valid_error == 0.5


def test_a_failed_training_has_its_seconds_at_every_length(file):
    append_all(file, [training(epochs=1, failed=True)])
    merge_log(file)
    assert verify_table(file) == []
    answers = [open_table(file).query(CODE, epochs=e, replicate=0) for e in EPOCHS[1:]]
    assert [(a.status, a.train_seconds) for a in answers] == [("failed", 10.0)] * 2


def test_a_torn_last_line_loses_that_training_only(file):
    append_all(file, [training(), training(OTHER)])
    path = log_path(file)
    path.write_bytes(path.read_bytes()[:-20])
    append_all(file, [training(seed=1)])
    merged = merge_log(file)
    assert (merged.trainings, merged.torn, merged.architectures) == (2, 1, 1)


@pytest.mark.parametrize("kept", [0, 1, 10, 40])
def test_a_log_torn_in_its_first_line_starts_anew(file, kept):
    append_all(file, [training()])
    path = log_path(file)
    path.write_bytes(path.read_bytes()[:kept])
    append_all(file, [training(OTHER)])
    assert merge_log(file).trainings == 1


def test_an_edited_line_is_not_believed(file):
    append_all(file, [training(), training(OTHER)])
    path = log_path(file)
    path.write_bytes(path.read_bytes().replace(b'"seed":0', b'"seed":1', 1))
    assert merge_log(file).torn == 1


def test_a_log_of_another_recipe_is_refused(file):
    append_all(file, [training()])
    other = replace(HEADER, info=replace(INFO, recipe={"epochs": 4}))
    with pytest.raises(FormatError, match=r"recipe_hash: expected .* the log holds other trainings"):
        append(file, other, training())


def test_a_foreign_log_is_refused(file):
    log_path(file).write_text('{"format":"other","schema":1}\n')
    with pytest.raises(FormatError, match=r"line 1: expected a header of nasbench-trainings schema 1"):
        append(file, HEADER, training())


def test_a_table_of_other_data_is_refused_before_training(file):
    append_all(file, [training()])
    merge_log(file)
    require_fits(file, INFO)
    with pytest.raises(FormatError, match=r"expected a table of space nb201, data mnist.*got toy \(nb201"):
        require_fits(file, replace(INFO, dataset="mnist"))


def test_a_waiting_log_of_other_data_is_refused_before_training(file):
    append_all(file, [training()])
    with pytest.raises(FormatError, match=r"dataset: expected 'mnist', got 'toy images'"):
        require_fits(file, replace(INFO, dataset="mnist"))


def test_a_table_with_copied_rows_is_refused(file):
    append_all(file, [training()])
    merge_log(file)
    data = open_table(file).data()
    copied = replace(data.scalars["parameters"], values=np.zeros(1, dtype=np.int32))
    write_tables(file, [replace(data, scalars={**data.scalars, "trained_row": copied})])
    with pytest.raises(FormatError, match=r"expected a table whose rows were each trained"):
        require_fits(file, INFO)


def test_a_table_whose_rows_answer_for_classes_is_refused(file):
    append_all(file, [training()])
    merge_log(file)
    data = open_table(file).data()
    write_tables(file, [replace(data, info=replace(data.info, rows_answer_for="class"))])
    with pytest.raises(FormatError, match=r"expected a table whose rows were each trained"):
        require_fits(file, INFO)


def test_other_tables_of_the_file_stay(file):
    append_all(file, [training()])
    merge_log(file)
    first = open_table(file).data()
    write_tables(file, [first, replace(first, name="second", info=replace(INFO, dataset="mnist"))])
    append_all(file, [training(OTHER)])
    merge_log(file)
    assert (len(open_table(file, "toy")), len(open_table(file, "second"))) == (2, 1)


def test_what_was_trained_is_kept_when_the_body_ends_in_an_error(file):
    with contextlib.suppress(KeyboardInterrupt), merged_into(file):
        append_all(file, [training()])
        raise KeyboardInterrupt
    assert len(open_table(file)) == 1


def test_nothing_happens_without_a_file():
    with merged_into(None):
        pass


def test_trainings_that_finished_no_epoch_make_no_table():
    with pytest.raises(FormatError, match=r"expected at least one that finished an epoch"):
        with_trainings(None, [training(epochs=0)], name="t", info=INFO, epochs=EPOCHS)


def test_a_new_table_must_be_described():
    with pytest.raises(FormatError, match=r"info: expected name, attributes and epochs"):
        with_trainings(None, [training()])


def test_a_training_read_back_is_the_same():
    one = training(failed=True)
    assert RecordedTraining.from_json(json.loads(json.dumps(one.as_json()))) == one


def test_a_training_with_a_field_missing_is_refused():
    data = training().as_json()
    del data["seed"]
    with pytest.raises(FormatError, match=r"expected the fields of a recorded training.*seed"):
        RecordedTraining.from_json(data)


def _append_many(file, start, n):
    for i in range(n):
        append(file, HEADER, training(seed=start + i))


def _append_until_killed(file, start):
    i = start
    while True:
        append(file, HEADER, training(seed=i))
        i += 1


def test_processes_append_side_by_side(file):
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_append_many, args=(file, k * 20, 20)) for k in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert merge_log(file).trainings == 60


def test_a_killed_writer_loses_at_most_what_it_was_writing(file):
    context = multiprocessing.get_context("fork")
    for kill in range(5):
        worker = context.Process(target=_append_until_killed, args=(file, kill * 100_000))
        worker.start()
        while not log_path(file).exists() or log_path(file).stat().st_size < 5_000 * (kill + 1):
            pass
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
    whole = log_path(file).read_bytes().count(b"\n") - 1
    merged = merge_log(file)
    assert merged.trainings >= whole - 5
    assert merged.torn <= 5
    seeds = np.sort(training_seeds(open_table(file).data())[0])
    for kill in range(5):
        own = seeds[seeds // 100_000 == kill] - kill * 100_000
        assert own.tolist() == list(range(len(own)))
