from __future__ import annotations

from dataclasses import replace

import h5py
import numpy as np
import pytest

from nasbench.errors import FormatError, Mismatch, MissingExtra, UnknownName
from nasbench.store.verify import require_verified, verify_table
from nasbench.store.writer import write_tables


def edit(path, place, value):
    with h5py.File(path, "a") as handle:
        handle[place[0]][place[1]] = value


def texts(path, name=None):
    return [str(finding) for finding in verify_table(path, name)]


def test_a_file_as_written_has_nothing_wrong(file, data, make_data, tmp_path):
    assert verify_table(file) == []
    write_tables(tmp_path / "two.h5", [data, make_data("other")])
    assert verify_table(tmp_path / "two.h5") == []
    require_verified(tmp_path / "two.h5")


@pytest.mark.parametrize(
    "place",
    [
        ("toy/curves/valid_error", (0, 0, 0)),
        ("toy/scalars/parameters", 3),
        ("toy/provenance/of", (0, 0)),
        ("toy/epochs", 2),
    ],
)
def test_an_edited_number_is_found_and_its_field_named(file, place):
    edit(file, place, 0)
    field = place[0].removeprefix("toy/")
    found = texts(file)
    assert any(text.startswith(f"toy/{field}: content_hash: expected") for text in found)
    assert any(text.startswith("toy/content_hash: expected") for text in found)


def test_an_edited_attribute_is_found(file):
    with h5py.File(file, "a") as handle:
        handle["toy"].attrs["licence"] = "mine"
    assert [text.split(":")[0] for text in texts(file)] == ["toy/content_hash"]


def test_an_edited_recipe_is_found_twice(file):
    with h5py.File(file, "a") as handle:
        handle["toy"].attrs["recipe"] = '{"epochs":1}'
    assert [text.split(":")[0] for text in texts(file)] == ["toy/content_hash", "toy/recipe_hash"]


def test_a_changed_unit_is_found(file):
    with h5py.File(file, "a") as handle:
        handle["toy/curves/valid_error"].attrs["unit"] = "percent"
        del handle["toy/scalars/parameters"].attrs["unit"]
    found = texts(file)
    assert any(
        "toy/curves/valid_error: expected unit and direction ('fraction', 'minimize')" in text
        for text in found
    )
    assert any("toy/scalars/parameters: expected a unit, got none" in text for text in found)


def test_a_table_taken_out_of_the_file_is_found(data, make_data, tmp_path):
    path = tmp_path / "two.h5"
    write_tables(path, [data, make_data("other")])
    with h5py.File(path, "a") as handle:
        del handle["other"]
    assert [text.split(":")[0] for text in texts(path)] == ["two.h5/content_hash"]
    assert verify_table(path, "toy") == []


def test_an_added_dataset_is_found(file):
    with h5py.File(file, "a") as handle:
        handle["toy/curves/test_loss"] = np.zeros((20, 3, 3), dtype=np.float32)
    assert any(text.startswith("toy/curves/test_loss: content_hash") for text in texts(file))


def test_numbers_out_of_range_are_found(file):
    edit(file, ("toy/curves/valid_error", (0, 0, 0)), 1.5)
    edit(file, ("toy/curves/train_seconds", (0, 0, 0)), 1e9)
    found = texts(file)
    assert any(
        "toy/curves/valid_error: expected errors in [0, 1], got 1.5 in row 0" in text for text in found
    )
    assert any("expected seconds that never fall along a training" in text for text in found)


def test_codes_out_of_order_are_found(file):
    with h5py.File(file, "a") as handle:
        codes = handle["toy/codes"][()]
        handle["toy/codes"][...] = codes[::-1]
    assert any("toy/codes: expected lexicographic order" in text for text in texts(file))


def test_arrays_that_do_not_fit_are_found(file):
    with h5py.File(file, "a") as handle:
        del handle["toy/scalars/parameters"]
        handle["toy/scalars/parameters"] = np.arange(7)
    assert any("toy/scalars/parameters: expected shape (20,), got (7,)" in text for text in texts(file))


def test_a_table_whose_test_error_is_its_validation_error_is_found(data, tmp_path):
    sold_twice = replace(data, curves={**data.curves, "test_error": data.curves["valid_error"]})
    write_tables(tmp_path / "t.h5", [sold_twice])
    assert len(texts(tmp_path / "t.h5")) == 1
    assert (
        "toy/curves/test_error: expected a split of its own, got numbers equal" in texts(tmp_path / "t.h5")[0]
    )


def test_require_verified_raises_naming_file_table_and_field(file):
    edit(file, ("toy/curves/valid_error", (0, 0, 0)), 0.25)
    with pytest.raises(Mismatch, match=r"toy\.h5: toy/curves/valid_error: content_hash: expected"):
        require_verified(file)


def test_files_that_are_no_tables_are_refused(file, tmp_path):
    with pytest.raises(MissingExtra, match="does not exist"):
        verify_table(tmp_path / "none.h5")
    with pytest.raises(UnknownName, match="no table is named 'tax'"):
        verify_table(file, "tax")
    with h5py.File(file, "a") as handle:
        del handle["toy"]
    with pytest.raises(FormatError, match="expected at least one table, got none"):
        verify_table(file)
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(FormatError, match="truncated or foreign"):
        verify_table(file)
