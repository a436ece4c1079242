from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import h5py
import numpy as np
import pytest

from nasbench.errors import BadOption, FormatError, MissingExtra, NotInSpace, NotMeasured, UnknownName
from nasbench.store.table import open_table
from nasbench.store.writer import write_tables


def code_of(table, row):
    return tuple(table.codes[row].tolist())


def row_with(table, repeats):
    return int(np.flatnonzero(table.replicate_counts() == repeats)[0])


def test_info_holds_the_attributes_as_written(data, table):
    written = replace(table.info, content_hash="", recipe_hash="", created_by="")
    assert written == data.info
    assert table.info.created_by.startswith("nasbench ")


def test_table_tells_what_it_holds(table):
    assert len(table) == 20
    assert table.epochs == (4, 12, 36)
    assert table.replicates == 3
    assert table.metrics == ("test_error", "train_seconds", "valid_error")
    assert table.scalars == ("latency_seconds", "parameters")
    assert table.scalar_unit("latency_seconds") == ("seconds", "one core")
    assert table.has("test_error")
    assert not table.has("train_error")
    assert table.space.name == "nb201"
    assert "20 architectures" in repr(table)


def test_arrays_cannot_be_written_to(make_data, tmp_path):
    for n in (5, 2000):  # read whole, and mapped
        write_tables(tmp_path / "t.h5", [make_data(n=n)])
        with pytest.raises(ValueError, match="read-only"):
            open_table(tmp_path / "t.h5").column("valid_error")[0, 0, 0] = 0.5


def test_large_curves_are_mapped_and_not_read(make_data, tmp_path):
    write_tables(tmp_path / "t.h5", [make_data(n=2000)])
    base = open_table(tmp_path / "t.h5").column("valid_error")
    while base.base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)


def test_a_table_stored_chunked_and_compressed_is_read_all_the_same(file, table):
    values = table.column("valid_error").copy()
    with h5py.File(file, "a") as handle:
        del handle["toy/curves/valid_error"]
        handle.create_dataset("toy/curves/valid_error", data=values, chunks=True, compression="gzip")
    np.testing.assert_array_equal(open_table(file).column("valid_error"), values)


def test_query_returns_validation_test_and_seconds_of_one_training(table):
    row = row_with(table, 3)
    for replicate in range(3):
        answer = table.query(code_of(table, row), epochs=36, replicate=replicate)
        assert answer.valid_error == float(table.column("valid_error")[row, replicate, 2])
        assert answer.test_error == float(table.column("test_error")[row, replicate, 2])
        assert answer.train_seconds == float(table.column("train_seconds")[row, replicate, 2])
        assert answer.status == "ok"


def test_query_leaves_out_a_test_error_that_was_not_measured(table):
    assert table.query(code_of(table, 0), epochs=4, replicate=0).test_error is None


def test_query_answers_plain_floats(table):
    answer = table.query(code_of(table, 0), epochs=36, replicate=0)
    assert type(answer.valid_error) is type(answer.test_error) is type(answer.train_seconds) is float


def test_query_takes_lists_and_arrays_too(table):
    wanted = table.query(code_of(table, 2), epochs=36, replicate=0)
    assert table.query(list(code_of(table, 2)), epochs=36, replicate=0) == wanted
    assert table.query(table.codes[2], epochs=36, replicate=0) == wanted


def test_query_names_the_epochs_it_has(table):
    with pytest.raises(NotMeasured) as caught:
        table.query(code_of(table, 0), epochs=100, replicate=0)
    assert str(caught.value) == ("epochs: table toy holds 4, 12 and 36, got 100. Use one of these.")


def test_query_names_the_repeats_it_has(table):
    row = row_with(table, 1)
    text = table.space.format(code_of(table, row))
    with pytest.raises(NotMeasured) as caught:
        table.query(code_of(table, row), epochs=36, replicate=1)
    assert str(caught.value) == (
        f"replicate: table toy holds valid_error of {text} at 36 epochs for 0, got 1. Use one that is there."
    )


@pytest.mark.parametrize("replicate", [3, -1])
def test_query_refuses_repeats_beyond_the_table(table, replicate):
    with pytest.raises(NotMeasured, match=rf"replicate: table toy holds 0, 1 and 2, got {replicate}"):
        table.query(code_of(table, 0), epochs=36, replicate=replicate)


def test_query_names_the_architecture_it_does_not_hold(table):
    known = {code_of(table, row) for row in range(len(table))}
    absent = next(
        code for code in map(tuple, table.space.unrank(np.arange(100)).tolist()) if code not in known
    )
    message = r"architecture: table toy holds 20 of the 15,625 .* nb201, got \|none~0\|.* or train it"
    with pytest.raises(NotMeasured, match=message):
        table.query(absent, epochs=36, replicate=0)
    with pytest.raises(NotMeasured, match=message):
        table.rows([code_of(table, 0), absent])


def test_query_refuses_what_is_not_in_the_space(table):
    with pytest.raises(NotInSpace, match="takes 0 to 4"):
        table.query((9, 0, 0, 0, 0, 0), epochs=36, replicate=0)


def test_lookup_equals_query_one_by_one(table):
    order = np.array([5, 0, 19, 5])
    found = table.lookup(table.codes[order], epochs=36, replicate=0)
    for i, row in enumerate(order):
        answer = table.query(code_of(table, row), epochs=36, replicate=0)
        assert (found.valid_error[i], found.test_error[i], found.train_seconds[i]) == (
            answer.valid_error,
            answer.test_error,
            answer.train_seconds,
        )


def test_lookup_of_no_architectures_is_empty(table):
    assert len(table.lookup(table.codes[:0], epochs=36, replicate=0).valid_error) == 0


def test_lookup_has_nan_for_a_test_error_that_was_not_measured(table):
    assert np.isnan(table.lookup(table.codes, epochs=4, replicate=0).test_error).all()


def test_lookup_refuses_a_repeat_that_one_of_them_lacks(table):
    with pytest.raises(NotMeasured, match="replicate: table toy holds valid_error of"):
        table.lookup(table.codes, epochs=36, replicate=2)


def test_lookup_works_without_a_test_curve(data, tmp_path):
    curves = {name: curve for name, curve in data.curves.items() if name != "test_error"}
    write_tables(tmp_path / "t.h5", [replace(data, curves=curves)])
    table = open_table(tmp_path / "t.h5")
    assert np.isnan(table.lookup(table.codes, epochs=36, replicate=0).test_error).all()
    assert table.query(code_of(table, 0), epochs=36, replicate=0).test_error is None


def test_values_take_codes_or_rows(table):
    by_code = table.values(table.codes[[3, 1]], "valid_error", epochs=12, replicate=0)
    by_row = table.values(table.rows(table.codes[[3, 1]]), "valid_error", epochs=12, replicate=0)
    np.testing.assert_array_equal(by_code, table.column("valid_error")[[3, 1], 0, 1].astype(np.float64))
    np.testing.assert_array_equal(by_row, by_code)


def test_values_refuse_what_is_neither_codes_nor_rows(table):
    with pytest.raises(
        BadOption, match=r"expected \(n, L\) codes or \(n,\) rows, got float64 of shape \(2,\)"
    ):
        table.values([0.5, 0.5], "valid_error", epochs=12, replicate=0)
    with pytest.raises(BadOption, match="expected rows 0 to 19 of table toy, got -1 to 3"):
        table.values([-1, 3], "valid_error", epochs=12, replicate=0)


def test_values_refuse_a_missing_cell(table):
    with pytest.raises(NotMeasured, match=r"holds test_error of \|.* at 4 epochs for none, got 0"):
        table.values(table.codes, "test_error", epochs=4, replicate=0)


def test_unknown_curves_and_scalars_are_refused_by_name(table):
    with pytest.raises(
        NotMeasured, match="metric: table toy holds test_error, train_seconds, valid_error, got 'x'"
    ):
        table.column("x")
    with pytest.raises(UnknownName, match=r"no scalar is named 'parameter'. Did you mean 'parameters'"):
        table.scalar("parameter")


def test_mean_is_over_recorded_repeats_only(table):
    mean = table.mean("valid_error", 36)
    for row in range(len(table)):
        cells = table.column("valid_error")[row, :, 2].astype(np.float64)
        assert mean[row] == pytest.approx(cells[~np.isnan(cells)].mean(), rel=1e-15)


def test_mean_of_nothing_is_nan_without_a_warning(table):
    assert np.isnan(table.mean("test_error", 4)).all()


def test_replicate_counts_count_recorded_repeats(table):
    counts = table.replicate_counts("valid_error", 12)
    np.testing.assert_array_equal(counts, (~np.isnan(table.column("valid_error")[:, :, 1])).sum(axis=1))
    assert [table.replicates_of(row) for row in range(len(table))] == table.replicate_counts().tolist()
    assert table.replicate_counts("test_error", 4).sum() == 0


def test_a_failed_training_answers_with_its_cost_and_without_an_error(data, change, tmp_path):
    failed = np.zeros((20, 3), dtype=np.int8)
    failed[0, 0] = 1  # the one repeat of this architecture lost its last two training lengths
    lost = change("valid_error", (0, 0, slice(1, None)), np.nan)
    lost = replace(change("test_error", (0, 0, slice(None)), np.nan, lost), failed=failed)
    write_tables(tmp_path / "t.h5", [lost])
    table = open_table(tmp_path / "t.h5")
    code = tuple(data.codes[0].tolist())
    answer = table.query(code, epochs=36, replicate=0)
    assert (answer.status, answer.valid_error, answer.test_error) == ("failed", None, None)
    assert answer.train_seconds == float(data.curves["train_seconds"][0, 0, 2])
    assert table.query(code, epochs=4, replicate=0).status == "ok"
    batch = table.lookup([code], epochs=36, replicate=0)
    assert np.isnan(batch.valid_error).all()
    assert batch.train_seconds[0] == answer.train_seconds
    assert table.replicates_of(table.row(code)) == 1


def test_a_file_of_several_tables_needs_a_name(data, make_data, tmp_path):
    write_tables(tmp_path / "t.h5", [data, make_data("other-one", n=3)])
    with pytest.raises(UnknownName, match=r"holds 2 tables, got no name. Use one of these: other-one, toy."):
        open_table(tmp_path / "t.h5")
    assert len(open_table(tmp_path / "t.h5", "Other_One")) == 3
    with pytest.raises(UnknownName, match=r"no table is named 'tox'. Did you mean 'toy'\?"):
        open_table(tmp_path / "t.h5", "tox")


def test_a_missing_file_is_missing_data(tmp_path):
    with pytest.raises(MissingExtra, match=r"expected a table file, got .* which does not exist"):
        open_table(tmp_path / "none.h5")


def test_a_truncated_file_is_refused_by_name(file):
    file.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(
        FormatError, match=r"toy\.h5: expected a whole HDF5 file, got a truncated or foreign one"
    ):
        open_table(file)


def test_a_foreign_file_is_refused_by_name(tmp_path):
    (tmp_path / "text.h5").write_text("not HDF5")
    with pytest.raises(FormatError, match=r"text\.h5: expected a whole HDF5 file"):
        open_table(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as handle:
        handle["x"] = [1.0]
    with pytest.raises(FormatError, match=r"other\.h5: format: expected 'nasbench-table', got None"):
        open_table(tmp_path / "other.h5")


def test_a_newer_schema_is_refused(file):
    with h5py.File(file, "a") as handle:
        handle.attrs["schema_version"] = "2.0"
    with pytest.raises(FormatError, match=r"schema_version: expected 1.x, got '2.0'"):
        open_table(file)


def test_a_later_minor_schema_is_read(file):
    with h5py.File(file, "a") as handle:
        handle.attrs["schema_version"] = "1.7"
    assert len(open_table(file)) == 20


def test_a_missing_or_mistyped_field_is_named(file):
    with h5py.File(file, "a") as handle:
        del handle["toy"].attrs["dataset"]
    with pytest.raises(FormatError, match=r"toy/dataset: expected a text attribute, got None"):
        open_table(file)
    with h5py.File(file, "a") as handle:
        handle["toy"].attrs["dataset"] = "back"
        del handle["toy/curves/train_seconds"]
    with pytest.raises(FormatError, match=r"toy/curves/train_seconds: expected float32 .* got none"):
        open_table(file)
    with h5py.File(file, "a") as handle:
        handle["toy/curves/train_seconds"] = np.ones((20, 3, 3), dtype=np.int64)
    with pytest.raises(
        FormatError, match=r"toy/curves/train_seconds: expected float32 with 3 axes, got int64"
    ):
        open_table(file)


def test_curves_that_do_not_fit_the_codes_are_refused(file):
    with h5py.File(file, "a") as handle:
        del handle["toy/curves/valid_error"]
        handle["toy/curves/valid_error"] = np.ones((19, 3, 3), dtype=np.float32)
    with pytest.raises(
        FormatError, match=r"toy/curves/valid_error: expected shape \(n, r, e\) \(= \(20, r, 3\)\)"
    ):
        open_table(file)


def test_opening_a_table_loads_no_heavy_library():
    program = (
        "import sys, nasbench.store.bundled, nasbench.store.writer, nasbench.store.verify, "
        "nasbench.store.export\n"
        "heavy = {'torch', 'sklearn', 'pandas', 'matplotlib', 'scipy', 'xgboost', 'pydantic'} & "
        "set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
