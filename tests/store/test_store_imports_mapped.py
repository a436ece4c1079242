"""Files read under a mapping: what is taken over equals the source, what cannot be is refused by its line."""

from __future__ import annotations

import copy
import hashlib
import json
import re
import tracemalloc

import numpy as np
import pytest

from nasbench.errors import BadOption, FormatError, MissingExtra
from nasbench.store.export import export_csv
from nasbench.store.imports.mapped import read_mapped, require_new
from nasbench.store.imports.mapping import parse_mapping
from nasbench.store.merge import merge_tables
from nasbench.store.table import open_table
from nasbench.store.writer import write_tables

SPACE = {
    "name": "two-layers",
    "separator": "-",
    "decisions": [{"name": "one", "choices": ["conv", "pool"]}, {"name": "two", "choices": ["16", "32"]}],
}
MAPPING = {
    "name": "mine",
    "space": SPACE,
    "columns": {"architecture": "net", "replicate": "seed", "epoch": "epoch"},
    "curves": {
        "valid_error": {"column": "acc", "unit": "accuracy percent"},
        "train_seconds": {"column": "minutes", "unit": "minutes"},
    },
    "scalars": {"parameters": {"column": "params", "unit": "million parameters"}},
    "about": {"dataset": "d", "device": "a desk", "device_kind": "cpu", "licence": "CC0", "source": "s"},
}
HEADER = "net,seed,epoch,acc,minutes,params"
ROWS = (
    "conv-16,7,1,50,1,0.5",
    "conv-16,7,2,75,2,0.5",
    "conv-16,9,1,25,1.5,0.5",
    "conv-16,9,2,87.5,3,",
    "pool-32,7,2,62.5,4,0.25",
)


def mapping(**changes):
    about = copy.deepcopy(MAPPING)
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(about.get(key), dict) and key != "space":
            about[key].update(value)
            about[key] = {name: given for name, given in about[key].items() if given is not None}
        else:
            about[key] = value
    return parse_mapping(about)


def read(tmp_path, lines, kind="csv", meaning=None, header=HEADER, **options):
    path = tmp_path / f"file.{kind}"
    text = "\n".join([*([header] if kind == "csv" else []), *lines])
    path.write_text(text + "\n", encoding="utf-8")
    return read_mapped(path, kind, meaning or mapping(), **options)


def only(imported):
    (table,) = imported.tables
    return table


def test_long_rows_become_ragged_curves(tmp_path):
    imported = read(tmp_path, ROWS)
    table = only(imported)
    assert table.codes.tolist() == [[0, 0], [1, 1]]
    assert table.epochs == (1, 2)
    nan = np.nan
    np.testing.assert_array_equal(
        table.curves["valid_error"], [[[0.5, 0.25], [0.75, 0.125]], [[nan, 0.375], [nan, nan]]]
    )
    np.testing.assert_array_equal(
        table.curves["train_seconds"], [[[60, 120], [90, 180]], [[nan, 240], [nan, nan]]]
    )
    assert table.scalars["parameters"].values.tolist() == [500_000, 250_000]
    assert table.scalars["parameters"].unit == "parameters"
    assert (imported.rows, imported.doubled, imported.damaged) == (5, 0, ())
    assert imported.example == ("conv-16", "conv-16")


def test_the_file_is_known_by_its_checksum(tmp_path):
    imported = read(tmp_path, ROWS)
    digest = hashlib.sha256((tmp_path / "file.csv").read_bytes()).hexdigest()
    assert imported.sha256 == digest
    assert (
        f"Imported from file.csv (SHA-256 {digest}): train_seconds = 'minutes' (minutes)"
        in only(imported).info.notes
    )


def test_seeds_of_the_file_stay_known(tmp_path):
    table = only(read(tmp_path, ROWS))
    assert table.provenance.rows == ('{"seed":7}', '{"seed":9}')
    assert table.provenance.of.tolist() == [[0, 1], [0, -1]]


def test_the_longest_trainings_fill_the_first_places(tmp_path):
    rows = ["conv-16,0,1,50,1,", "conv-16,1,1,50,1,", "conv-16,1,2,75,2,"]
    table = only(read(tmp_path, rows))
    np.testing.assert_array_equal(table.curves["valid_error"], [[[0.5, 0.25], [0.5, np.nan]]])
    assert table.provenance.rows == ('{"seed":0}', '{"seed":1}')


def test_the_order_of_the_rows_changes_nothing(tmp_path):
    first, second = (only(read(tmp_path, rows)) for rows in (ROWS, ROWS[::-1]))
    np.testing.assert_array_equal(first.curves["valid_error"], second.curves["valid_error"])
    assert first.scalars["parameters"].values.tolist() == second.scalars["parameters"].values.tolist()


def test_wide_columns_equal_the_long_rows(tmp_path):
    header = "net,acc@1/7,acc@2/7,acc@1/9,acc@2/9,m@1/7,m@2/7,m@1/9,m@2/9,params"
    rows = ["conv-16,50,75,25,87.5,1,2,1.5,3,0.5", "pool-32,,62.5,,,,4,,,0.25"]
    meaning = mapping(
        columns={"replicate": None, "epoch": None},
        curves={
            "valid_error": {"column": "acc@{epoch}/{replicate}", "unit": "accuracy percent"},
            "train_seconds": {"column": "m@{epoch}/{replicate}", "unit": "minutes"},
        },
    )
    wide, long = only(read(tmp_path, rows, header=header, meaning=meaning)), only(read(tmp_path, ROWS))
    for metric in long.curves:
        np.testing.assert_array_equal(wide.curves[metric], long.curves[metric])
    assert wide.provenance.rows == long.provenance.rows


def test_json_lists_are_curves_and_repeats(tmp_path):
    rows = [
        {"net": "conv-16", "runs": [{"acc": [50, 75], "m": [1, 2]}, {"acc": [25, None], "m": [1.5, 3]}]},
        {"net": "pool-32", "runs": [{"acc": [62.5], "m": [4]}], "params": 0.25, "remark": "short"},
    ]
    meaning = mapping(
        columns={"replicate": None, "epoch": None},
        curves={
            "valid_error": {"column": "runs[{replicate}].acc[{epoch-1}]", "unit": "accuracy percent"},
            "train_seconds": {"column": "runs[{replicate}].m[{epoch-1}]", "unit": "minutes"},
        },
    )
    imported = read(tmp_path, map(json.dumps, rows), kind="jsonl", meaning=meaning)
    nan = np.nan
    np.testing.assert_array_equal(
        only(imported).curves["valid_error"], [[[0.5, 0.25], [0.75, nan]], [[0.375, nan], [nan, nan]]]
    )
    assert imported.unused == ("remark",)


@pytest.mark.parametrize("layout", ["long", "wide"])
def test_an_exported_table_comes_back_equal(table, tmp_path, layout):
    export_csv(table, tmp_path / "t.csv", layout=layout)
    place = "" if layout == "long" else "@{epoch}/{replicate}"
    roles = {"replicate": "replicate", "epoch": "epochs"} if layout == "long" else {}
    units = {"valid_error": "error", "test_error": "error", "train_seconds": "seconds"}
    meaning = parse_mapping(
        {
            **MAPPING,
            "space": "nb201",
            "columns": {"architecture": "architecture", **roles},
            "curves": {name: {"column": f"{name}{place}", "unit": unit} for name, unit in units.items()},
            "scalars": {},
        }
    )
    found = only(read_mapped(tmp_path / "t.csv", "csv", meaning))
    np.testing.assert_array_equal(found.codes, table.codes)
    assert found.epochs == table.epochs
    for metric in table.metrics:
        np.testing.assert_array_equal(found.curves[metric], table.column(metric))


def test_a_declared_space_opens_anywhere(tmp_path):
    write_tables(tmp_path / "t.h5", read(tmp_path, ROWS).tables)
    opened = open_table(tmp_path / "t.h5")
    assert opened.space.name == "two-layers"
    assert opened.query(opened.space.parse("pool-32"), epochs=2, replicate=0).valid_error == 0.375


def test_columns_of_single_decisions_make_an_architecture(tmp_path):
    meaning = mapping(columns={"architecture": ["first", "second"]})
    table = only(
        read(
            tmp_path,
            ["conv,32,0,1,50,1,"],
            header="first,second,seed,epoch,acc,minutes,params",
            meaning=meaning,
        )
    )
    assert table.codes.tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("columns", "row", "why"),
    [
        (
            ["first", "second"],
            "conv,64,0,1,50,1,",
            "decision 'two' of space two-layers takes 16, 32, got '64'",
        ),
        (["first"], "conv-64,64,0,1,50,1,", "decision 'two' of space two-layers takes 16, 32, got '64'"),
        (["first", "second", "seed"], "conv,16,0,1,50,1,", "expected 2 columns, one a decision of space two"),
    ],
)
def test_architectures_outside_the_space_are_refused_by_their_line(tmp_path, columns, row, why):
    header = "first,second,seed,epoch,acc,minutes,params"
    with pytest.raises(FormatError, match=rf"file.csv: line 2: architecture: {why}"):
        read(tmp_path, [row], header=header, meaning=mapping(columns={"architecture": columns}))


def test_each_data_set_of_a_column_becomes_a_table(tmp_path):
    meaning = mapping(columns={"dataset": "on", "replicate": None})
    rows = ["conv-16,CIFAR-10,1,50,1,", "conv-16,ImageNet 16,1,25,1,", "pool-16,CIFAR-10,1,50,1,"]
    imported = read(tmp_path, rows, header="net,on,epoch,acc,minutes,params", meaning=meaning)
    assert [(t.name, t.info.dataset, len(t.codes)) for t in imported.tables] == [
        ("mine-cifar-10", "CIFAR-10", 2),
        ("mine-imagenet-16", "ImageNet 16", 1),
    ]


def test_data_sets_that_would_be_one_table_are_refused(tmp_path):
    meaning = mapping(columns={"dataset": "on", "replicate": None})
    rows = ["conv-16,CIFAR 10,1,50,1,", "conv-16,cifar-10,1,25,1,"]
    with pytest.raises(FormatError, match="expected data sets whose names differ in letters and digits"):
        read(tmp_path, rows, header="net,on,epoch,acc,minutes,params", meaning=meaning)


def test_one_value_may_stand_for_every_training_of_its_row(tmp_path):
    seconds = {"column": "s", "unit": "seconds", "shared": True}
    valid = {"column": "acc[{replicate}]", "unit": "accuracy percent"}
    meaning = mapping(
        columns={"replicate": None, "epoch": None},
        epochs=9,
        curves={"valid_error": valid, "train_seconds": seconds},
    )
    table = only(read(tmp_path, ["conv-16,50,75,5,"], header="net,acc[0],acc[1],s,params", meaning=meaning))
    assert table.curves["train_seconds"].tolist() == [[[5.0], [5.0]]]
    assert "One value of train_seconds a row stands for all its trainings." in table.info.notes


def test_seconds_of_an_epoch_are_multiplied_by_the_epochs(tmp_path):
    meaning = mapping(curves={"train_seconds": {"column": "minutes", "unit": "minutes an epoch"}})
    table = only(read(tmp_path, ["conv-16,0,1,50,0.5,", "conv-16,0,4,60,0.5,"], meaning=meaning))
    assert table.curves["train_seconds"].tolist() == [[[30.0, 120.0]]]


def test_without_time_epochs_are_counted_and_said(tmp_path):
    meaning = mapping(curves={"train_seconds": None}, about={"device_kind": "none"})
    table = only(read(tmp_path, ROWS, meaning=meaning))
    np.testing.assert_array_equal(
        table.curves["train_seconds"], [[[1, 2], [1, 2]], [[np.nan, 2], [np.nan, np.nan]]]
    )
    assert "No training time was recorded" in table.info.notes


def test_failed_trainings_keep_their_seconds_and_have_no_error(tmp_path):
    header = "net,seed,epoch,acc,minutes,params,crashed"
    rows = [
        "conv-16,0,1,50,1,,0",
        "conv-16,0,2,75,2,,no",
        "pool-16,0,1,,3,,yes",
        "pool-32,0,1,50,1,,ok",
        "pool-32,0,2,60,2,,",
    ]
    table = only(read(tmp_path, rows, header=header, meaning=mapping(columns={"failed": "crashed"})))
    assert table.failed.tolist() == [[0], [1], [0]]
    np.testing.assert_array_equal(table.curves["valid_error"][1], [[np.nan, np.nan]])
    assert table.curves["train_seconds"][1].tolist() == [[180.0, 180.0]]


def test_failed_trainings_without_any_number_are_recorded_where_no_time_is(tmp_path):
    meaning = mapping(
        columns={"failed": "crashed"}, curves={"train_seconds": None}, about={"device_kind": "none"}
    )
    header = "net,seed,epoch,acc,minutes,params,crashed"
    table = only(read(tmp_path, ["conv-16,0,4,,,,1", "pool-16,0,4,50,,,0"], header=header, meaning=meaning))
    assert table.failed.tolist() == [[1], [0]]
    assert table.curves["train_seconds"].tolist() == [[[4.0]], [[4.0]]]


def test_repeats_in_order_of_rows_are_numbered(tmp_path):
    meaning = mapping(columns={"replicate": None}, replicates="in order")
    rows = ["conv-16,x,2,50,2,", "pool-16,x,2,25,2,", "conv-16,x,2,75,2,"]
    table = only(read(tmp_path, rows, meaning=meaning))
    np.testing.assert_array_equal(table.curves["valid_error"][:, :, 0], [[0.5, 0.25], [0.75, np.nan]])


@pytest.mark.parametrize("cell", ["", "nan", "NaN", " null ", "N/A", "-1"])
def test_what_means_missing_stays_missing(tmp_path, cell):
    header = f"{HEADER},test"
    rows = [f"conv-16,0,1,50,1,,{cell}", "conv-16,0,2,75,2,,80"]
    meaning = mapping(curves={"test_error": {"column": "test", "unit": "accuracy percent"}}, missing=["-1"])
    table = only(read(tmp_path, rows, header=header, meaning=meaning))
    np.testing.assert_allclose(table.curves["test_error"], [[[np.nan, 0.2]]], rtol=1e-6)


def test_a_sentinel_that_nobody_declared_is_an_impossible_accuracy(tmp_path):
    with pytest.raises(FormatError, match="line 2: acc: expected accuracy percent from 0 to 100, got -1"):
        read(tmp_path, ["conv-16,0,1,-1,1,"])


# Damage ------------------------------------------------------------------------------------------

DAMAGED = [
    ("conv-16,0,1,50,1", "expected 6 cells as in the header, got 5"),
    ("conv-16,0,1,fifty,1,", "acc: expected a number, got 'fifty'"),
    ("conv-16,0,1,5_0,1,", "acc: expected a number, got '5_0'"),
    ("conv-16,0,1,inf,1,", "acc: expected a finite number, got 'inf'"),
    ("conv-16,0,1,101,1,", "acc: expected accuracy percent from 0 to 100, got 101"),
    ("conv-16,0,1,50,0,", "minutes: expected minutes > 0, got 0"),
    ("conv-16,0,0,50,1,", "epoch: expected a whole number >= 1, got '0'"),
    ("conv-16,0,1.5,50,1,", "epoch: expected a whole number >= 1, got '1.5'"),
    ("conv-16,-2,1,50,1,", "seed: expected a whole number >= 0, got '-2'"),
    ("conv-16,,1,50,1,", "seed: expected a text, got an empty cell"),
    (",0,1,50,1,", "net: expected a text, got an empty cell"),
    ("conv-17,0,1,50,1,", "architecture: decision 'two' of space two-layers takes 16, 32, got '17'"),
    ("conv,0,1,50,1,", "architecture: expected 2 choices for space two-layers, got 1 in 'conv'"),
    ('conv-16,0,1,50,"1"x,', "expected CSV, got"),
]


@pytest.mark.parametrize(("row", "why"), DAMAGED, ids=[why for _, why in DAMAGED])
def test_a_damaged_row_stops_the_import_at_its_line(tmp_path, row, why):
    with pytest.raises(FormatError, match=re.escape(f"file.csv: line 7: {why}")) as caught:
        read(tmp_path, [*ROWS, row])
    assert str(caught.value).endswith("or leave such rows out and count them: --skip-damaged.")


def test_damaged_rows_are_left_out_and_counted_where_asked(tmp_path):
    imported = read(tmp_path, [ROWS[0], *(row for row, _ in DAMAGED), *ROWS[1:]], skip_damaged=True)
    assert [line for line, _ in imported.damaged] == list(range(3, 3 + len(DAMAGED)))
    table = only(imported)
    np.testing.assert_array_equal(
        table.curves["valid_error"], only(read(tmp_path, ROWS)).curves["valid_error"]
    )
    assert f"{len(DAMAGED)} damaged rows were left out." in table.info.notes


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "expected a JSON object, got JSONDecodeError"),
        ("[1]", "expected a JSON object, got list"),
        ('{"net": "conv-16"}', "seed: expected this column, got none"),
        (
            '{"net": "conv-16", "seed": 0, "epoch": 1, "acc": true, "minutes": 1}',
            "acc: expected a number, got True",
        ),
        (
            '{"net": "conv-16", "seed": 0, "epoch": 1, "acc": Infinity}',
            "acc: expected a finite number, got inf",
        ),
        ("[" * 100_000, "expected a JSON object, got RecursionError"),
    ],
)
def test_a_damaged_json_line_stops_the_import(tmp_path, line, why):
    with pytest.raises(FormatError, match=re.escape(f"file.jsonl: line 1: {why}")):
        read(tmp_path, [line], kind="jsonl")


def test_json_nan_is_missing_and_blank_lines_are_passed_over(tmp_path):
    rows = [
        '{"net": "conv-16", "seed": 0.0, "epoch": 1, "acc": NaN, "minutes": 1, "params": 1}',
        "",
        '{"net": "conv-16", "seed": 0, "epoch": 2, "acc": 50, "minutes": 2}',
    ]
    table = only(read(tmp_path, rows, kind="jsonl"))
    np.testing.assert_array_equal(table.curves["valid_error"], [[[np.nan, 0.5]]])


def test_a_failed_column_takes_known_words_only(tmp_path):
    meaning = mapping(columns={"failed": "params"}, scalars={"parameters": None})
    with pytest.raises(
        FormatError, match="line 2: params: expected one of true, false, failed, ok, 1, 0, got"
    ):
        read(tmp_path, ["conv-16,0,1,50,1,perhaps"], meaning=meaning)
    with pytest.raises(FormatError, match="line 1: params: expected this column, got none"):
        read(tmp_path, ['{"net": "conv-16", "seed": 0, "epoch": 1}'], kind="jsonl", meaning=meaning)


def test_text_that_is_no_utf8_damages_its_row_only(tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(f"{HEADER}\nconv-\xff16,0,1,50,1,\nconv-16,0,1,50,1,0.5\n".encode("latin1"))
    imported = read_mapped(path, "csv", mapping(), skip_damaged=True)
    assert [line for line, _ in imported.damaged] == [2]
    assert imported.rows == 1


# Rows against each other ---------------------------------------------------------------------------


def test_rows_that_say_the_same_again_are_one(tmp_path):
    imported = read(tmp_path, [*ROWS, ROWS[0], ROWS[4]])
    assert imported.doubled == 2
    np.testing.assert_array_equal(
        only(imported).curves["valid_error"], only(read(tmp_path, ROWS)).curves["valid_error"]
    )


def test_rows_of_one_training_may_hold_a_metric_each(tmp_path):
    imported = read(tmp_path, ["conv-16,0,1,50,,", "conv-16,0,1,,1,"])
    assert only(imported).curves["train_seconds"].tolist() == [[[60.0]]]


@pytest.mark.parametrize(
    ("row", "metric"),
    [
        ("conv-16,7,2,74,2,0.5", "valid_error of one training, got 0.25 and 0.26"),
        ("conv-16,7,2,75,3,0.5", "train_seconds of one training, got 120 and 180"),
    ],
)
def test_rows_that_contradict_each_other_are_refused_by_both_lines(tmp_path, row, metric):
    for skip in (False, True):
        with pytest.raises(FormatError, match=f"lines 3 and 7: expected one {metric}"):
            read(tmp_path, [*ROWS, row], skip_damaged=skip)


def test_scalars_that_contradict_each_other_are_refused_by_both_lines(tmp_path):
    with pytest.raises(FormatError, match="lines 2 and 7: expected one parameters of one training, got"):
        read(tmp_path, [*ROWS, "conv-16,7,3,80,9,0.75"])


def test_a_training_is_not_both_failed_and_whole(tmp_path):
    rows = ["conv-16,0,1,50,1,,0", "conv-16,0,1,,1,,1"]
    header = "net,seed,epoch,acc,minutes,params,crashed"
    with pytest.raises(FormatError, match="lines 2 and 3: expected one failed of one training, got 0 and 1"):
        read(tmp_path, rows, header=header, meaning=mapping(columns={"failed": "crashed"}))


# Files and mappings that do not fit ------------------------------------------------------------------


def test_a_mapped_column_that_is_nowhere_is_refused_with_what_there_is(tmp_path):
    meaning = mapping(curves={"test_error": {"column": "test", "unit": "error"}})
    with pytest.raises(
        FormatError, match="expected a column 'test' for test_error, got acc, minutes, params"
    ):
        read(tmp_path, ROWS, meaning=meaning)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected the names of the columns, got nothing"),
        ("net,net\n", "line 1: expected each column once, got 'net' again"),
        (f"{HEADER}\n", "expected at least one whole row, got none. Check file and mapping."),
        (f"{HEADER}\nconv-16,7,1,,1,0.5\n", "expected a validation error in some row, got none"),
        (
            f"{HEADER}\nconv-16,7,1,50,,\n",
            "f.csv: line 2: expected train_seconds of each training, got none (1 such",
        ),
        (f"{HEADER}\nconv-16,7,1,50,3,\nconv-16,7,2,50,2,\n", "seconds that never fall along a training"),
    ],
)
def test_files_without_a_table_are_refused(tmp_path, text, message):
    (tmp_path / "f.csv").write_text(text)
    with pytest.raises(FormatError, match=re.escape(message)):
        read_mapped(tmp_path / "f.csv", "csv", mapping())


def test_files_of_damaged_rows_only_name_the_first(tmp_path):
    with pytest.raises(FormatError, match="got none; the first is line 2: expected 6 cells"):
        read(tmp_path, ["x"], skip_damaged=True)


def test_a_file_is_never_held_in_memory(tmp_path):
    line = {"net": "conv-16", "epoch": 1, "acc": 50, "minutes": 1, "params": 1, "log": "x" * 50_000}
    path = tmp_path / "file.jsonl"
    with path.open("w") as stream:
        for seed in range(200):
            stream.write(json.dumps({**line, "seed": seed, "acc": 50 + seed / 8}) + "\n")
    tracemalloc.start()
    try:
        read_mapped(path, "jsonl", mapping())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 10_000_000
    assert peak < 3_000_000


def test_tables_of_declared_spaces_are_joined_where_the_declarations_are_equal(tmp_path):
    parts = []
    for i, rows in enumerate((ROWS[:4], ROWS[4:])):
        write_tables(tmp_path / f"{i}.h5", read(tmp_path, rows).tables)
        parts.append(str(tmp_path / f"{i}.h5"))
    merge_tables(tmp_path / "all.h5", parts)
    assert len(open_table(tmp_path / "all.h5")) == 2
    other = {**SPACE, "separator": "/"}
    write_tables(
        tmp_path / "2.h5", read(tmp_path, ["pool/16,7,2,50,2,"], meaning=mapping(space=other)).tables
    )
    with pytest.raises(BadOption, match=r"space_definition: .* cannot be one table"):
        merge_tables(tmp_path / "none.h5", [*parts, str(tmp_path / "2.h5")])


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingExtra, match=r"path: expected a file of results, got .*nowhere.csv'"):
        read_mapped(tmp_path / "nowhere.csv", "csv", mapping())


def test_a_wrong_replicate_column_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("nasbench.store.imports.assembling._MOST_CELLS", 7)
    with pytest.raises(
        FormatError, match="expected at most 7 cells a curve, got 2 architectures x 2 repeats x 2"
    ):
        read(tmp_path, ROWS)


def test_nothing_is_overwritten_unasked(tmp_path):
    (tmp_path / "t.h5").write_text("old")
    with pytest.raises(BadOption, match=r"table: .*t.h5 is there already. Give another name, or --replace"):
        require_new(tmp_path / "t.h5", replace_it=False)
    require_new(tmp_path / "t.h5", replace_it=True)
    with pytest.raises(BadOption, match="table: there is no folder"):
        require_new(tmp_path / "no" / "t.h5", replace_it=False)


# What other importers got wrong ----------------------------------------------------------------------


def test_one_split_is_not_sold_under_two_names(tmp_path):
    """NASLib, HPOBench and Syne Tune have tables whose validation numbers are those of the test split."""
    meaning = mapping(curves={"test_error": {"column": "acc2", "unit": "accuracy percent"}})
    rows = [f"{row},{row.split(',')[3]}" for row in ROWS]
    with pytest.raises(
        FormatError, match="test_error: expected a split of its own, got numbers equal to valid"
    ):
        read(tmp_path, rows, header=f"{HEADER},acc2", meaning=meaning)


def test_repeats_that_look_copied_are_pointed_at(tmp_path):
    """HPOBench copies one seed into another, Syne Tune fills a missing one with the mean of the others."""
    rows = [
        f"{net},{seed},1,{acc},1," for net, acc in (("conv-16", 50), ("pool-16", 25)) for seed in (888, 999)
    ]
    (caution,) = read(tmp_path, rows).cautions
    assert caution.startswith("mine: the first two repeats of 2 of 2 architectures are equal.")
    assert read(tmp_path, ROWS).cautions == ()


@pytest.mark.parametrize(("unit", "better"), [("accuracy percent", "accuracy"), ("error percent", "error")])
def test_fractions_taken_for_percent_are_pointed_at(tmp_path, unit, better):
    meaning = mapping(curves={"valid_error": {"column": "acc", "unit": unit}})
    (caution,) = read(tmp_path, ["conv-16,0,1,0.9,1,", "pool-16,0,1,0.8,1,"], meaning=meaning).cautions
    if unit == "error percent":
        assert caution == f"acc: no value above 1 %. Are these fractions? Then the unit is '{better}'."
    else:
        assert f"Then the unit is '{better}'." in caution


def test_percent_taken_for_fractions_is_refused(tmp_path):
    meaning = mapping(curves={"valid_error": {"column": "acc", "unit": "accuracy"}})
    with pytest.raises(FormatError, match="line 2: acc: expected accuracy from 0 to 1, got 50"):
        read(tmp_path, ROWS, meaning=meaning)


def test_an_import_is_byte_for_byte_repeatable(tmp_path):
    for name in ("a.h5", "b.h5"):
        write_tables(tmp_path / name, read(tmp_path, ROWS).tables)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_progress_is_told_in_bytes(tmp_path):
    told = []
    read(tmp_path, ROWS, progress=lambda *what: told.append(what))
    size = (tmp_path / "file.csv").stat().st_size
    assert told == [(size, size, "putting together")]
    told.clear()
    read(
        tmp_path,
        [f"conv-16,{seed},1,50,1,0.5" for seed in range(2_500)],
        progress=lambda *what: told.append(what),
    )
    size = (tmp_path / "file.csv").stat().st_size
    assert [label for _, _, label in told] == ["reading", "reading", "putting together"]
    assert [total for _, total, _ in told] == [size] * 3
    assert 0 < told[0][0] < told[1][0] < told[2][0] == size
