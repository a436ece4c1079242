from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.store.data import Scalar, TableData
from nasbench.store.diff import diff_tables
from nasbench.store.table import open_table
from nasbench.store.writer import write_tables


@pytest.fixture
def written(tmp_path):
    def write(data: TableData, name: str):
        write_tables(tmp_path / name, [data])
        return open_table(tmp_path / name)

    return write


def test_a_table_does_not_differ_from_itself(table):
    difference = diff_tables(table, table)
    assert difference.is_equal
    assert difference.cells == {}


def test_changed_cells_are_counted_with_their_largest_gap(table, data, change, written):
    changed = change("valid_error", (1, 0, 2), data.curves["valid_error"][1, 0, 2] / 2)
    difference = diff_tables(table, written(changed, "b.h5"))
    cells = difference.cells["curves/valid_error"]
    assert set(difference.cells) == {"curves/valid_error"}
    assert (cells.changed, cells.only_a, cells.only_b) == (1, 0, 0)
    assert cells.max_abs == pytest.approx(data.curves["valid_error"][1, 0, 2] / 2)
    assert not difference.is_equal


def test_cells_that_one_table_lacks_are_counted_apart(table, change, written):
    difference = diff_tables(table, written(change("test_error", (1, 0, 2), np.nan), "b.h5"))
    assert difference.cells["curves/test_error"].only_a == 1
    assert difference.cells["curves/test_error"].changed == 0


def test_architectures_of_one_table_only_are_named(table, data, written):
    fewer = replace(
        data,
        codes=data.codes[1:],
        curves={name: curve[1:] for name, curve in data.curves.items()},
        scalars={},
        provenance=None,
    )
    difference = diff_tables(table, written(fewer, "b.h5"))
    assert difference.only_a == (table.space.format(data.codes[0].tolist()),)
    assert difference.only_b == ()
    assert difference.cells["scalars/parameters"].only_a == 19


def test_attributes_scalars_epochs_and_failures_are_compared(table, data, written):
    other = replace(
        data,
        info=replace(data.info, dataset="others"),
        epochs=(4, 12, 40),
        scalars={**data.scalars, "parameters": Scalar(np.arange(20) * 2, "parameters")},
    )
    failed = np.zeros((20, 3), dtype=np.int8)
    failed[1, 0] = 1
    difference = diff_tables(table, written(replace(other, failed=failed), "b.h5"))
    assert difference.attributes == {"dataset": ("toy images", "others")}
    assert (difference.epochs_only_a, difference.epochs_only_b) == ((36,), (40,))
    assert difference.cells["scalars/parameters"].max_abs == 19
    assert difference.cells["failed"].changed == 1


def test_tables_of_different_spaces_are_not_compared(table):
    class Other:
        name = "other"
        space = type("Space", (), {"name": "elsewhere"})()

    with pytest.raises(BadOption, match="expected two of one space, got toy of nb201 and other of elsewhere"):
        diff_tables(table, Other())
