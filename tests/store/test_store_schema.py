from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import h5py
import pytest

from nasbench.errors import FormatError
from nasbench.store.info import TableInfo
from nasbench.store.schema import DATASETS, FILE_ATTRIBUTES, TABLE_ATTRIBUTES, check_version, page, unit_of

ROOT = Path(__file__).parents[2]


def test_the_manual_page_is_current():
    assert (ROOT / "docs" / "table-schema.md").read_text(encoding="utf-8") == page(), (
        "run: python -m nasbench.store.schema > docs/table-schema.md"
    )


def test_the_schema_lists_every_attribute_of_a_table():
    assert {field.name for field in TABLE_ATTRIBUTES} == {field.name for field in fields(TableInfo)}


def test_the_writer_writes_what_the_schema_lists(file):
    with h5py.File(file) as handle:
        assert set(handle.attrs) == {field.name for field in FILE_ATTRIBUTES}
        assert set(handle["toy"].attrs) == {field.name for field in TABLE_ATTRIBUTES if field.required}
        for field in DATASETS:
            assert not field.required or field.name in handle["toy"]
        for metric in handle["toy/curves"]:
            listed = next(field for field in DATASETS if field.name == f"curves/{metric}")
            assert listed.unit == handle[f"toy/curves/{metric}"].attrs["unit"] == unit_of(metric)[0]


def test_another_major_version_is_refused():
    check_version("1.9", where="f")
    for text in ("2.0", "0.9", "None", ""):
        with pytest.raises(FormatError, match=r"f: schema_version: expected 1.x"):
            check_version(text, where="f")


def test_a_metric_without_a_known_ending_is_refused():
    with pytest.raises(FormatError, match="curves/top1: expected a name ending in"):
        unit_of("top1")
