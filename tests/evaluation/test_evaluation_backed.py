import json
from dataclasses import replace

import numpy as np
import pytest

from nasbench.errors import BadOption, NotInSpace, NotMeasured
from nasbench.evaluation.backed import BackedSource
from nasbench.evaluation.live import LiveSource
from nasbench.evaluation.opening import open_source
from nasbench.evaluation.recording import RecordingSource
from nasbench.evaluation.retraining import RetrainingSource, open_live_of, recipe_of
from nasbench.evaluation.source import Source
from nasbench.records import Verdict
from nasbench.runs.execute import RunSpec, execute
from nasbench.runs.packing import (
    PackedEntry,
    PackedPanel,
    PackedRecords,
    equal_runs,
    read_records,
    write_records,
)
from nasbench.runs.reading import lines_of, read_run
from nasbench.store.data import Scalar
from nasbench.store.table import open_table
from nasbench.store.training_log import merge_log
from nasbench.store.writer import write_tables
from nasbench.training.recipes import RECIPES

ALL_SKIP, ALL_1X1, ALL_3X3, MISSING = (1,) * 6, (2,) * 6, (3,) * 6, (4,) * 6


@pytest.fixture(scope="module")
def table_file(tmp_path_factory):
    """Three cells: two of seed 0 only, one of seeds 0 and 2."""
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    tiny = replace(RECIPES["digits-small"], epochs=2, channels=4, cells_per_stage=1, batch_size=256)
    path = tmp_path_factory.mktemp("backed") / "made.h5"
    recording = RecordingSource(LiveSource("digits", tiny), path)
    for code, seeds in ((ALL_SKIP, (0,)), (ALL_1X1, (0, 2)), (ALL_3X3, (0,))):
        for seed in seeds:
            recording.answer(code, epochs=2, replicate=seed)
    merge_log(path)
    return path


@pytest.fixture
def table(table_file):
    return open_table(table_file)


@pytest.fixture
def backed(table_file):
    return open_source(f"{table_file}+live")


@pytest.fixture
def retraining(table):
    return RetrainingSource(table, open_live_of(table))


def altered(table, path, **info):
    """Write the table again with other attributes."""
    data = table.data()
    write_tables(path, [replace(data, info=replace(data.info, **info))])
    return open_table(path)


def test_it_is_a_live_source(backed):
    assert isinstance(backed, BackedSource)
    assert isinstance(backed, Source)
    assert backed.is_live
    assert backed.info.kind == "trainer"
    assert backed.scored_by == "trial"
    assert np.isnan(backed.score([ALL_SKIP], epochs=2)).all()


@pytest.mark.parametrize("code", [ALL_SKIP, MISSING], ids=["from the table", "trained now"])
def test_both_kinds_can_be_followed_and_stopped(backed, retraining, code):
    shown = []

    def stop(epoch, error, seconds):
        shown.append((epoch, error))
        return Verdict.STOP

    found, reached = backed.follow(code, epochs=2, replicate=0, on_epoch=stop)
    assert (found.status, reached) == ("stopped", 1)
    assert shown == [(1, found.valid_error)]
    assert found.origin == ("live" if code == MISSING else "table")
    again, _ = retraining.follow(code, epochs=2, replicate=0, on_epoch=lambda *_: Verdict.STOP)
    assert (again.valid_error, again.test_error) == (found.valid_error, found.test_error)


def test_costs_come_from_the_table_or_are_counted(backed, retraining, table):
    row = table.row(ALL_SKIP)
    assert backed.costs["macs"](ALL_SKIP) == float(table.scalar("macs")[row])
    assert retraining.costs["macs"](ALL_SKIP) == backed.costs["macs"](ALL_SKIP)
    assert backed.costs["parameters"](MISSING) > 0
    with pytest.raises(NotMeasured):
        retraining.costs["parameters"](MISSING)


@pytest.mark.parametrize("verdict", [Verdict.STOP, Verdict.PAUSE])
def test_a_recorded_training_that_ends_early_is_a_short_row(tmp_path, verdict):
    pytest.importorskip("sklearn")
    tiny = replace(RECIPES["digits-small"], epochs=2, channels=4, cells_per_stage=1, batch_size=256)
    path = tmp_path / "short.h5"
    recording = RecordingSource(LiveSource("digits", tiny), path)
    found, reached = recording.follow(ALL_SKIP, epochs=2, replicate=0, on_epoch=lambda *_: verdict)
    assert (found.status, reached) == ("stopped" if verdict is Verdict.STOP else "ok", 1)
    merge_log(path)
    made = open_table(path)
    assert made.query(ALL_SKIP, epochs=1, replicate=0).valid_error == np.float32(found.valid_error)
    with pytest.raises(NotMeasured):
        made.query(ALL_SKIP, epochs=2, replicate=0)


def test_what_the_table_holds_comes_from_the_table(backed, table):
    found = backed.answer(ALL_SKIP, epochs=2, replicate=0)
    assert found.origin == "table"
    assert replace(found, origin="") == table.query(ALL_SKIP, epochs=2, replicate=0)


def test_what_the_table_misses_is_trained(backed):
    found = backed.answer(MISSING, epochs=1, replicate=0)
    assert found.origin == "live"
    assert found.status == "ok"
    assert found.train_seconds > 0


def test_what_was_trained_is_not_trained_again(backed):
    assert backed.answer(MISSING, epochs=1, replicate=1) is backed.answer(MISSING, epochs=1, replicate=1)


def test_repeats_are_those_of_the_table_and_of_others_the_most(backed):
    assert [backed.replicates_of(code) for code in (ALL_SKIP, ALL_1X1, MISSING)] == [1, 2, 2]
    with pytest.raises(NotInSpace):
        backed.replicates_of((9,) * 6)


def test_an_epoch_that_cannot_be_trained_is_refused(backed):
    with pytest.raises(NotMeasured, match="epochs"):
        backed.answer(MISSING, epochs=3, replicate=0)


def test_batches_are_answers_in_order(backed):
    out = backed.measure([ALL_3X3, ALL_SKIP], epochs=2, replicate=0)
    alone = [backed.answer(code, epochs=2, replicate=0).valid_error for code in (ALL_3X3, ALL_SKIP)]
    assert out.valid_error.tolist() == alone


def test_training_a_cell_again_gives_the_recorded_bits(retraining, table):
    for code, replicate in ((ALL_SKIP, 0), (ALL_1X1, 0), (ALL_1X1, 1)):
        again = retraining.answer(code, epochs=2, replicate=replicate)
        stored = table.query(code, epochs=2, replicate=replicate)
        assert (again.valid_error, again.test_error) == (stored.valid_error, stored.test_error)


def test_the_seed_of_a_place_is_what_provenance_says(retraining):
    assert [retraining.seed_of(ALL_1X1, place) for place in (0, 1)] == [0, 2]
    assert retraining.seed_of(MISSING, 1) == 1


def test_training_again_has_the_lengths_and_repeats_of_the_table(retraining, table):
    assert isinstance(retraining, Source)
    assert (retraining.epochs, retraining.replicates) == (table.epochs, 2)
    assert [retraining.replicates_of(code) for code in (ALL_SKIP, ALL_1X1, MISSING)] == [1, 2, 2]
    assert retraining.scored_by == "trial"
    assert np.isnan(retraining.score([ALL_SKIP], epochs=2)).all()
    assert retraining.measure([ALL_SKIP], epochs=1, replicate=0).valid_error.shape == (1,)


def test_a_copied_row_is_trained_as_the_row_it_copies(table, tmp_path):
    data = table.data()
    rows = np.array([0, 0, 2], dtype=np.int32)
    copied = replace(data, scalars={**data.scalars, "trained_row": Scalar(rows, "row")})
    write_tables(tmp_path / "copied.h5", [copied])
    opened = open_table(tmp_path / "copied.h5")
    source = RetrainingSource(opened, open_live_of(opened))
    assert source.trained_as(ALL_1X1) == ALL_SKIP
    assert source.trained_as(ALL_3X3) == ALL_3X3
    assert source.trained_as(MISSING) == MISSING


def test_a_cell_of_a_class_is_trained_as_the_one_that_stands_for_it(table, tmp_path):
    data = table.data()
    wanted = {tuple(code) for code in table.space.canonical(data.codes).tolist()}
    assert wanted == {tuple(code) for code in data.codes.tolist()}  # its rows stand for their classes
    info = replace(data.info, rows_answer_for="class")
    write_tables(tmp_path / "classes.h5", [replace(data, info=info)])
    opened = open_table(tmp_path / "classes.h5")
    source = RetrainingSource(opened, open_live_of(opened))
    everything = np.concatenate(list(opened.space.enumerate()))
    classes = opened.space.rank(opened.space.canonical(everything))
    members = everything[classes == opened.space.rank([ALL_1X1])]
    assert {source.trained_as(tuple(code)) for code in members.tolist()} == {ALL_1X1}
    missing = (4, 2, 1, 2, 1, 1)
    assert source.trained_as(missing) == tuple(opened.space.canonical([missing])[0].tolist())


def test_the_recipe_comes_from_the_table(table):
    assert recipe_of(table.info, name="t").channels == 4


def test_a_table_of_an_unknown_recipe_is_refused(table, tmp_path):
    other = altered(table, tmp_path / "other.h5", recipe={"epochs": 2, "made": "by hand"})
    with pytest.raises(BadOption, match=r"recipe: expected a table trained by a recipe of this program"):
        open_live_of(other)


def test_a_table_of_unknown_data_is_refused(table, tmp_path):
    other = altered(table, tmp_path / "other.h5", dataset="no such images")
    with pytest.raises(BadOption, match=r"data: expected a table of a data set that is known here"):
        open_live_of(other)


def test_a_table_of_gpu_seconds_is_not_continued_on_a_cpu(table, tmp_path):
    other = altered(table, tmp_path / "other.h5", device_kind="gpu")
    with pytest.raises(BadOption, match=r"device: table made counts gpu seconds, got device 'cpu'"):
        open_live_of(other)


def test_the_published_tables_cannot_be_continued():
    with pytest.raises(BadOption, match="nothing can be trained for it"):
        open_source("nb201-cifar10+live")


def test_the_label_is_pinned_to_content_or_to_the_recipe_where_the_table_grows(table_file, backed, table):
    assert backed.info.label == f"backed:made+live@{table.content_hash[:12]}"
    growing = open_source(f"{table_file}+live", into=table_file)
    assert growing.info.label == f"backed:made+live@{table.info.recipe_hash[:12]}"
    assert "content_hash" not in growing.info.extra


def test_into_needs_a_source_that_trains(table_file, tmp_path):
    with pytest.raises(BadOption, match="into: only live sources make trainings"):
        open_source(str(table_file), into=tmp_path / "x.h5")


def test_live_training_can_be_opened_with_into(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    opened = open_source("live:digits", into=tmp_path / "x.h5")
    assert isinstance(opened, RecordingSource)


def test_a_table_that_grows_answers_what_it_missed(table_file, tmp_path):
    path = tmp_path / "grows.h5"
    path.write_bytes(table_file.read_bytes())
    growing = open_source(f"{path}+live", into=path)
    made = growing.answer(MISSING, epochs=2, replicate=0)
    merge_log(path)
    again = open_source(f"{path}+live").answer(MISSING, epochs=2, replicate=0)
    assert (made.origin, again.origin) == ("live", "table")
    assert (made.valid_error, made.test_error) == (again.valid_error, again.test_error)


SPEC = RunSpec("s", "e", "random-search", {}, "4evals", epochs=1)


@pytest.fixture
def run_file(backed, tmp_path):
    path = tmp_path / "run.jsonl"
    execute(SPEC, 0, backed, path=path)
    return path


def test_records_of_a_mixed_run_name_the_origin_of_each_answer(run_file, backed):
    lines = [json.loads(line) for line in run_file.read_bytes().splitlines()[1:-1]]
    assert {line["origin"] for line in lines} <= {"live", "table"}
    run = read_run(run_file)
    assert len(run.origins) == 4


def test_a_mixed_run_is_written_out_again_byte_for_byte(run_file):
    assert b"".join(lines_of(read_run(run_file))) == run_file.read_bytes()


def test_a_mixed_run_survives_packing(run_file, tmp_path):
    run = read_run(run_file)
    codes = np.unique(run.codes, axis=0)
    panel = PackedPanel({}, "trial", {}, codes, np.full(len(codes), np.nan), [PackedEntry("e", [run])])
    write_records(PackedRecords({}, "0", [panel]), tmp_path / "records.h5")
    back = read_records(tmp_path / "records.h5").panels[0].entries[0].runs[0]
    assert back.origins == run.origins
    assert equal_runs(back, run) == ""


def test_a_killed_mixed_run_goes_on_with_what_it_has(run_file, backed):
    whole = read_run(run_file)
    lines = run_file.read_bytes().splitlines(keepends=True)
    run_file.write_bytes(b"".join(lines[:3]))
    execute(SPEC, 0, backed, path=run_file)
    again = read_run(run_file)
    assert again.valid_error.tolist() == whole.valid_error.tolist()
    assert again.origins == whole.origins


def test_records_of_other_sources_name_no_origin(table, tmp_path):
    path = tmp_path / "plain.jsonl"
    execute(SPEC, 0, LiveSource("digits", recipe_of(table.info, name="t")), path=path)
    assert b"origin" not in path.read_bytes()
