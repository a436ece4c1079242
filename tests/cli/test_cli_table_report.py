import json

import numpy as np
from cli_calls import Nasbench

from nasbench.store.bundled import find_table
from nasbench.store.writer import write_tables


def test_the_report_of_a_bundled_table_is_printed_and_written(nasbench: Nasbench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = nasbench("table", "report", "nb201-cifar10")
    assert ended.status == 0
    assert "coverage: 15,625 architectures" in ended.out
    assert "page: " in ended.err
    folder = tmp_path / "nasbench-table-nb201-cifar10"
    assert (folder / "table.html").is_file()
    assert json.loads((folder / "table.json").read_text())["table"] == "nb201-cifar10"


def small(path, **changes):
    """Write a hundred rows of a bundled table."""
    from dataclasses import replace

    data = find_table("nb201-cifar10").data()
    curves = {name: curve[:100] for name, curve in data.curves.items()}
    provenance = None
    failed = None if data.failed is None else data.failed[:100]
    table = replace(
        data,
        name="small",
        codes=data.codes[:100],
        curves={**curves, **{k: change(curves) for k, change in changes.items()}},
        scalars={name: replace(s, values=s.values[:100]) for name, s in data.scalars.items()},
        failed=failed,
        provenance=provenance,
    )
    write_tables(path, [table])
    return path


def test_json_goes_to_standard_output_and_no_page_is_made(nasbench: Nasbench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = nasbench("table", "report", small(tmp_path / "t.h5"), "--json")
    assert ended.status == 0
    assert ended.data["coverage"]["architectures"] == 100
    assert [path.name for path in tmp_path.iterdir()] == ["t.h5"]


def test_json_and_a_page_go_together(nasbench: Nasbench, tmp_path):
    ended = nasbench("table", "report", small(tmp_path / "t.h5"), "--json", "--out", tmp_path / "page")
    assert ended.data["table"] == "small"
    assert (tmp_path / "page" / "table.html").is_file()


def test_what_cannot_be_right_exits_3(nasbench: Nasbench, tmp_path):
    path = small(tmp_path / "t.h5", test_error=lambda curves: np.array(curves["valid_error"]))
    ended = nasbench("table", "report", path, "--out", tmp_path / "page")
    assert ended.status == 3
    assert "expected a split of its own" in ended.err
    assert (tmp_path / "page" / "table.html").is_file()


def test_an_unknown_table_exits_2(nasbench: Nasbench):
    assert nasbench("table", "report", "nb201-cifar11").status == 2
