from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nasbench.store.writer as writer_module
from nasbench.errors import FormatError
from nasbench.spaces import get_space
from nasbench.spaces.declared import declare
from nasbench.store.data import Scalar, TableData
from nasbench.store.table import open_table
from nasbench.store.verify import verify_table
from nasbench.store.writer import checked_table, content_hash, write_tables


def refused(data, match):
    with pytest.raises(FormatError, match=match):
        write_tables(Path("never.h5"), [data])
    assert not Path("never.h5").exists()


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_two_builds_are_equal_byte_for_byte(data, make_data, tmp_path):
    for name in ("a.h5", "b.h5"):
        write_tables(tmp_path / name, [data, make_data("other", n=400)])
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_order_of_rows_and_of_tables_given_does_not_change_the_file(data, make_data, tmp_path):
    other = make_data("other")
    back = np.arange(len(data.codes))[::-1]
    turned = replace(
        data,
        codes=data.codes[back],
        curves={metric: curve[back] for metric, curve in reversed(data.curves.items())},
        scalars={name: replace(scalar, values=scalar.values[back]) for name, scalar in data.scalars.items()},
        provenance=replace(data.provenance, of=data.provenance.of[back]),
    )
    write_tables(tmp_path / "a.h5", [data, other])
    write_tables(tmp_path / "b.h5", [other, turned])
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_codes_are_stored_sorted_and_values_follow_them(data, table):
    ranks = get_space("nb201").rank(table.codes)
    assert (np.diff(ranks) > 0).all()
    for row, code in enumerate(data.codes):
        np.testing.assert_array_equal(
            table.column("valid_error")[table.row(code)], data.curves["valid_error"][row]
        )
        assert table.scalar("parameters")[table.row(code)] == row


def test_data_read_back_writes_the_same_file(file, table, tmp_path):
    write_tables(tmp_path / "again.h5", [table.data()])
    assert (tmp_path / "again.h5").read_bytes() == file.read_bytes()


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    n=st.integers(1, 30),
    replicates=st.integers(1, 4),
    epochs=st.lists(st.integers(1, 300), min_size=1, max_size=5, unique=True).map(sorted),
    seed=st.integers(0, 1000),
)
def test_any_numbers_survive_writing_and_reading_bit_for_bit(
    tmp_path_factory, make_data, n, replicates, epochs, seed
):
    rng = np.random.default_rng(seed)
    shape = (n, replicates, len(epochs))
    codes = get_space("nb201").unrank(np.sort(rng.permutation(15_625)[:n]))
    valid = rng.random(shape).astype(np.float32)
    seconds = np.cumsum(rng.exponential(size=shape) + 1e-6, axis=2).astype(np.float32)
    path = tmp_path_factory.mktemp("round") / "t.h5"
    curves = {"valid_error": valid, "train_seconds": seconds}
    write_tables(path, [TableData("t", make_data().info, codes, tuple(epochs), curves)])
    table = open_table(path)
    assert table.epochs == tuple(epochs)
    assert table.codes.tobytes() == codes.tobytes()
    assert table.column("valid_error").tobytes() == valid.tobytes()
    assert table.column("train_seconds").tobytes() == seconds.tobytes()


def test_numbers_are_contiguous_uncompressed_and_aligned(make_data, tmp_path):
    write_tables(tmp_path / "t.h5", [make_data(n=1000)])
    with h5py.File(tmp_path / "t.h5") as file:
        for metric in ("valid_error", "test_error", "train_seconds"):
            dataset = file[f"toy/curves/{metric}"]
            assert dataset.chunks is None
            assert dataset.compression is None
            assert dataset.id.get_offset() % 64 == 0


def test_curves_and_scalars_carry_their_units(file):
    with h5py.File(file) as handle:
        assert handle["toy/curves/valid_error"].attrs["unit"] == "fraction"
        assert handle["toy/curves/valid_error"].attrs["direction"] == "minimize"
        assert handle["toy/curves/train_seconds"].attrs["unit"] == "seconds"
        assert handle["toy/scalars/latency_seconds"].attrs["device"] == "one core"


def test_a_failed_write_leaves_the_old_file(file, data, monkeypatch):
    before = file.read_bytes()

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr(writer_module, "entry_hash", broken)
    with pytest.raises(OSError, match="disk full"):
        write_tables(file, [data])
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_content_hash_is_the_one_in_the_file(data, table):
    assert content_hash(data) == table.content_hash


def test_content_hash_ignores_name_and_author_but_not_a_number(data, change):
    same = replace(data, name="renamed", info=replace(data.info, created_by="someone else"))
    assert content_hash(same) == content_hash(data)
    assert content_hash(change("valid_error", (0, 0, 0), 0.123)) != content_hash(data)
    assert content_hash(replace(data, info=replace(data.info, dataset="others"))) != content_hash(data)


def test_refuses_no_tables_and_two_of_one_name(data):
    with pytest.raises(FormatError, match="each of another name, got none"):
        write_tables("never.h5", [])
    with pytest.raises(FormatError, match="each of another name, got toy, toy"):
        write_tables("never.h5", [data, data])


def test_refuses_duplicate_codes(data):
    codes = data.codes.copy()
    codes[3] = codes[4]
    refused(
        replace(data, codes=codes), r"toy/codes: expected each architecture once, got \|.* more than once"
    )


def test_refuses_codes_outside_the_space(data):
    codes = data.codes.copy()
    codes[0, 0] = 5
    refused(replace(data, codes=codes), r"toy/codes: expected codes of space nb201, got \[5")


def test_refuses_codes_of_another_length(data):
    refused(replace(data, codes=data.codes[:, :5]), r"toy/codes: expected shape \(n, L\) \(= \(n, 6\)\)")


def test_refuses_codes_that_are_no_whole_numbers_or_too_large(data):
    refused(replace(data, codes=data.codes.astype(float)), "toy/codes: expected whole numbers of shape")
    refused(replace(data, codes=data.codes[:0]), "toy/codes: expected whole numbers of shape .* n >= 1")
    refused(replace(data, codes=data.codes.astype(int) + 300), "toy/codes: expected values of int8")


@pytest.mark.parametrize("value", [-0.01, 1.01, np.inf])
def test_refuses_errors_outside_zero_to_one(change, value):
    wrong = change("test_error", (1, 0, 2), value)
    refused(wrong, r"toy/curves/test_error: expected errors in \[0, 1\], got .* epochs 36 \(1 such")


@pytest.mark.parametrize(
    ("value", "wanted"), [(0.0, "seconds > 0"), (-1.0, "seconds > 0"), (np.inf, "finite")]
)
def test_refuses_seconds_that_are_not_positive_and_finite(change, value, wanted):
    refused(change("train_seconds", (1, 0, 0), value), f"toy/curves/train_seconds: expected {wanted}")


def test_refuses_seconds_missing_where_an_error_is_recorded(change):
    refused(change("train_seconds", (1, 0, 1), np.nan), "expected seconds wherever valid_error is recorded")


def test_refuses_seconds_that_fall_even_across_a_gap(change):
    wrong = change("train_seconds", (1, 0, 0), 1e6)
    wrong = change("train_seconds", (1, 0, 1), np.nan, wrong)
    wrong = change("valid_error", (1, 0, 1), np.nan, wrong)
    refused(wrong, "expected seconds that never fall along a training, got .* epochs 36")


def test_refuses_a_repeat_missing_before_a_recorded_one(change):
    refused(change("valid_error", (1, 0, 2), np.nan), "expected recorded repeats in the first places")


def test_refuses_shapes_that_do_not_fit(data):
    short = {**data.curves, "test_error": data.curves["test_error"][:, :2]}
    refused(
        replace(data, curves=short),
        r"toy/curves/test_error: expected shape .* \(= \(20, 3, 3\)\), got \(20, 2, 3\)",
    )
    refused(replace(data, scalars={"x": Scalar(np.zeros(3), "m")}), r"toy/scalars/x: expected shape \(n,\)")


def test_refuses_a_table_without_its_required_curves(data):
    for metric in ("valid_error", "train_seconds"):
        rest = {name: curve for name, curve in data.curves.items() if name != metric}
        refused(replace(data, curves=rest), r"toy/curves/")


def test_refuses_epochs_that_do_not_increase(data):
    refused(replace(data, epochs=(12, 4, 36)), "toy/epochs: expected increasing numbers >= 1")
    refused(replace(data, epochs=(0, 4, 36)), "toy/epochs: expected increasing numbers >= 1")


def test_refuses_unknown_spaces_devices_and_empty_texts(data):
    refused(replace(data, info=replace(data.info, space="nb202")), "toy/space: .*no space is named 'nb202'")
    refused(
        replace(data, info=replace(data.info, device_kind="tpu")),
        "toy/device_kind: expected 'gpu', 'cpu' or 'none'",
    )
    refused(replace(data, info=replace(data.info, licence="")), "toy/licence: expected a text")
    refused(replace(data, name="a/b"), "name: expected text without '/'")


def test_without_recorded_time_seconds_are_the_epochs_and_nothing_else(data):
    counted = np.where(
        np.isnan(data.curves["train_seconds"]), np.nan, np.array(data.epochs, dtype=np.float32)
    )
    info = replace(data.info, device_kind="none")
    good = replace(data, info=info, curves={**data.curves, "train_seconds": counted})
    assert checked_table(good).info.device_kind == "none"
    refused(
        replace(data, info=info),
        "toy/curves/train_seconds: expected the number of epochs where no time was recorded",
    )


def test_a_file_states_the_oldest_version_that_holds_it(file, data, tmp_path):
    with h5py.File(file) as handle:
        assert handle.attrs["schema_version"] == "1.0"
    counted = np.where(
        np.isnan(data.curves["train_seconds"]), np.nan, np.array(data.epochs, dtype=np.float32)
    )
    curves = {**data.curves, "train_seconds": counted}
    write_tables(
        tmp_path / "none.h5", [replace(data, info=replace(data.info, device_kind="none"), curves=curves)]
    )
    with h5py.File(tmp_path / "none.h5") as handle:
        assert handle.attrs["schema_version"] == "1.1"


def test_a_declared_space_is_carried_and_checked(data, tmp_path):
    space = declare(
        {"name": "own", "decisions": [{"name": f"d{i}", "choices": list("abcde")} for i in range(6)]}
    )
    info = replace(data.info, space="own", space_definition=space.definition)
    write_tables(tmp_path / "own.h5", [replace(data, info=info)])
    opened = open_table(tmp_path / "own.h5")
    assert opened.space.decisions == space.decisions
    with h5py.File(tmp_path / "own.h5") as handle:
        assert handle.attrs["schema_version"] == "1.1"
    assert verify_table(tmp_path / "own.h5") == []
    refused(replace(data, info=replace(info, space="other")), "toy/space: .*expected one of space 'other'")
    refused(
        replace(data, info=replace(info, space_definition="{")), "toy/space: space_definition: expected JSON"
    )


def test_refuses_curves_whose_name_tells_no_unit(data):
    curves = {**data.curves, "accuracy": data.curves["valid_error"]}
    refused(
        replace(data, curves=curves), "curves/accuracy: expected a name ending in _error, _loss, _seconds"
    )


def test_refuses_provenance_and_failures_out_of_range(data):
    of = data.provenance.of + 5
    refused(replace(data, provenance=replace(data.provenance, of=of)), "toy/provenance/of: expected -1 to 1")
    failed = np.full((20, 3), 2, dtype=np.int8)
    refused(replace(data, failed=failed), "toy/failed: expected 0 or 1")


def test_refuses_scalars_that_are_no_numbers(data):
    texts = Scalar(np.array(["a"] * 20), "words")
    refused(replace(data, scalars={"word": texts}), "toy/scalars/word: expected numbers")


def test_an_iterator_of_tables_gives_the_same_file(data, tmp_path):
    tables = [data, replace(data, name="another")]
    write_tables(tmp_path / "list.h5", tables)
    write_tables(tmp_path / "iterator.h5", iter(sorted(tables, key=lambda table: table.name)))
    assert (tmp_path / "iterator.h5").read_bytes() == (tmp_path / "list.h5").read_bytes()


def test_an_iterator_out_of_order_leaves_an_earlier_file_alone(data, tmp_path):
    path = tmp_path / "t.h5"
    write_tables(path, [data])
    before = path.read_bytes()
    with pytest.raises(FormatError, match=r"each of another name, got toy, another\. An iterator"):
        write_tables(path, iter([data, replace(data, name="another")]))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def wide(data):
    """Give a table curves of float64: seconds, and what the source says in percent."""
    accuracy = 100.0 - 100.0 * data.curves["valid_error"].astype(np.float64) + 1e-12
    seconds = data.curves["train_seconds"].astype(np.float64) * (1 + 1e-12)
    return replace(data, curves={**data.curves, "train_seconds": seconds, "valid_accuracy_percent": accuracy})


def test_curves_of_float64_come_back_to_the_last_bit(data, tmp_path):
    path = tmp_path / "t.h5"
    write_tables(path, [wide(data)])
    table = open_table(path)
    rows = table.rows(data.codes)
    for metric, curve in wide(data).curves.items():
        assert table.column(metric).dtype == curve.dtype
        np.testing.assert_array_equal(table.column(metric)[rows], curve)
    assert verify_table(path) == []


def test_a_file_states_the_lowest_version_that_can_read_it(data, tmp_path):
    for name, table, version in (("narrow", data, "1.0"), ("wide", wide(data), "1.1")):
        write_tables(tmp_path / f"{name}.h5", [table])
        with h5py.File(tmp_path / f"{name}.h5") as file:
            assert file.attrs["schema_version"] == version


def test_errors_are_float32_whatever_comes(data, tmp_path):
    errors = data.curves["valid_error"].astype(np.float64)
    write_tables(tmp_path / "t.h5", [replace(data, curves={**data.curves, "valid_error": errors})])
    assert open_table(tmp_path / "t.h5").column("valid_error").dtype == np.float32


def test_a_curve_of_nothing_takes_no_room_and_reads_as_nothing(data, tmp_path):
    codes = np.resize(get_space("nb201").unrank(np.arange(2_000)), (2_000, 6))
    curves = {metric: np.resize(curve, (2_000, 3, 3)) for metric, curve in data.curves.items()}
    curves = {**curves, "train_seconds": np.ones((2_000, 3, 3)), "valid_error": np.ones((2_000, 3, 3))}
    many = replace(data, codes=codes, curves=curves, scalars={}, provenance=None)
    nothing = np.full((2_000, 3, 3), np.nan, dtype=np.float32)
    info = replace(many.info, splits={"train": "all", "test": "some"})
    write_tables(
        tmp_path / "t.h5", [replace(many, info=info, curves={**many.curves, "valid_error": nothing})]
    )
    table = open_table(tmp_path / "t.h5")
    assert table.column("valid_error").shape == nothing.shape
    assert np.isnan(table.column("valid_error")).all()
    assert not table.records_validation
    assert verify_table(tmp_path / "t.h5") == []
    write_tables(tmp_path / "full.h5", [many])
    saved = (tmp_path / "full.h5").stat().st_size - (tmp_path / "t.h5").stat().st_size
    assert saved >= nothing.nbytes - 4_096
