from __future__ import annotations

import csv
import importlib.util
import io

import numpy as np
import pytest

from nasbench.errors import BadOption, MissingExtra
from nasbench.store.export import export_csv, export_parquet


def test_long_csv_has_a_row_for_each_recorded_training_and_reads_back_equal(table, tmp_path):
    export_csv(table, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == int((~np.isnan(table.column("train_seconds"))).sum())
    for row in rows:
        place = table.row(table.space.parse(row["architecture"])), int(row["replicate"])
        place = (*place, table.epochs.index(int(row["epochs"])))
        for metric in table.metrics:
            cell = table.column(metric)[place]
            assert (row[metric] == "") == np.isnan(cell)
            assert row[metric] == "" or np.float32(row[metric]) == cell


def test_wide_csv_has_a_row_an_architecture_and_reads_back_equal(table):
    stream = io.StringIO()
    export_csv(table, stream, layout="wide")
    rows = list(csv.DictReader(io.StringIO(stream.getvalue())))
    assert [table.row(table.space.parse(row["architecture"])) for row in rows] == list(range(20))
    for i, row in enumerate(rows):
        assert int(row["parameters"]) == table.scalar("parameters")[i]
        for e, epochs in enumerate(table.epochs):
            for replicate in range(3):
                cell = table.column("valid_error")[i, replicate, e]
                text = row[f"valid_error@{epochs}/{replicate}"]
                assert (text == "") == np.isnan(cell)
                assert text == "" or np.float32(text) == cell


def test_tables_of_many_blocks_are_exported_whole(make_data, tmp_path):
    from nasbench.store.table import open_table
    from nasbench.store.writer import write_tables

    write_tables(tmp_path / "t.h5", [make_data(n=5000, epochs=(9,), replicates=1)])
    export_csv(open_table(tmp_path / "t.h5"), tmp_path / "t.csv")
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 5001


def test_unknown_layouts_are_refused(table, tmp_path):
    with pytest.raises(BadOption, match="layout: expected 'long' or 'wide', got 'tall'"):
        export_csv(table, tmp_path / "t.csv", layout="tall")


def test_a_failed_export_leaves_the_old_file(table, tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_text("old")
    monkeypatch.setattr(type(table), "column", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export_csv(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "old"
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.skipif(importlib.util.find_spec("pyarrow") is not None, reason="pyarrow is installed")
def test_parquet_without_pyarrow_names_the_command(table, tmp_path):
    with pytest.raises(MissingExtra, match=r"needs pyarrow. Install it with: pip install pyarrow"):
        export_parquet(table, tmp_path / "t.parquet")


def test_parquet_reads_back_equal(table, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    export_parquet(table, tmp_path / "t.parquet")
    read = parquet.read_table(tmp_path / "t.parquet").to_pydict()
    recorded = ~np.isnan(table.column("train_seconds"))
    np.testing.assert_array_equal(np.float32(read["train_seconds"]), table.column("train_seconds")[recorded])
    assert sum(value is None for value in read["test_error"]) == int(
        np.isnan(table.column("test_error"))[recorded].sum()
    )
