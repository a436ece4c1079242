from __future__ import annotations

import re
import shutil
from pathlib import Path

import h5py
import pytest
from cli_calls import Nasbench

from nasbench.store.bundled import find_table

HEADER = "architecture,replicate,epochs,train_seconds,valid_error"


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    """A copy of the bundled file in which one training was made better."""
    path = Path(shutil.copy(find_table("nb201-cifar10").path, tmp_path / "edited.h5"))
    with h5py.File(path, "r+") as file:
        file["nb201-cifar10/curves/valid_error"][7, 0, 0] = 0.001
    return path


def test_info_says_what_the_table_holds(nasbench: Nasbench) -> None:
    ended = nasbench("table", "info", "nb201-cifar10")
    assert ended.status == 0
    assert re.search(r"^architectures +15,625$", ended.out, re.MULTILINE)
    assert re.search(r"^GPU-days +330.6 for one training of each", ended.out, re.MULTILINE)


def test_info_as_json(nasbench: Nasbench) -> None:
    data = nasbench("table", "info", "nb201-cifar10", "--json").data
    assert data["architectures"] == 15_625
    assert data["failed_trainings"] == 0


def test_info_fits_a_narrow_terminal(nasbench: Nasbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, nasbench("table", "info", "nb201-cifar10").out.splitlines())) <= 80


@pytest.mark.parametrize("name", ["nb201-cifar10", "file"])
def test_the_bundled_tables_verify(nasbench: Nasbench, name: str) -> None:
    table = name if name != "file" else str(find_table("nb201-cifar10").path)
    ended = nasbench("table", "verify", table)
    assert (ended.status, ended.out) == (0, f"{table}: holds\n")


def test_an_edited_table_exits_3_and_names_file_and_field(nasbench: Nasbench, edited: Path) -> None:
    ended = nasbench("table", "verify", edited)
    assert ended.status == 3
    assert f"error: {edited}: " in ended.err
    assert "curves/valid_error" in ended.err


def test_an_edited_table_says_so_as_json_too(nasbench: Nasbench, edited: Path) -> None:
    ended = nasbench("table", "verify", edited, "--json")
    assert ended.status == 3
    assert ended.data["holds"] is False
    assert any("curves/valid_error" in finding for finding in ended.data["findings"])


def test_a_truncated_table_is_refused_by_name(nasbench: Nasbench, tmp_path: Path) -> None:
    path = tmp_path / "torn.h5"
    path.write_bytes(find_table("nb201-cifar10").path.read_bytes()[:100_000])
    ended = nasbench("table", "verify", path)
    assert ended.status == 1
    assert str(path) in ended.err


def test_equal_tables_have_no_difference(nasbench: Nasbench) -> None:
    ended = nasbench("table", "diff", "nb201-cifar10", "nb201-cifar10")
    assert (ended.status, ended.out) == (0, "equal\n")


def test_a_difference_names_the_column_and_counts_its_cells(nasbench: Nasbench, edited: Path) -> None:
    ended = nasbench("table", "diff", "nb201-cifar10", f"{edited}:nb201-cifar10")
    assert ended.status == 1
    assert "curves/valid_error: 1 cells changed" in ended.out


def test_a_difference_as_json(nasbench: Nasbench, edited: Path) -> None:
    ended = nasbench("table", "diff", "nb201-cifar10", f"{edited}:nb201-cifar10", "--json")
    assert ended.status == 1
    assert ended.data["equal"] is False
    assert ended.data["cells"]["curves/valid_error"]["changed"] == 1


def test_export_writes_csv_on_standard_output(nasbench: Nasbench) -> None:
    lines = nasbench("table", "export", "nb201-cifar10").out.splitlines()
    assert lines[0] == HEADER
    assert len(lines) == 1 + 39_419  # trainings that the table holds


def test_export_writes_a_file(nasbench: Nasbench, tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    ended = nasbench("table", "export", "nb201-cifar10", "--layout", "wide", "--out", path)
    assert (ended.status, ended.out, ended.err) == (0, "", f"wrote {path}\n")
    assert len(path.read_text().splitlines()) == 1 + 15_625


def test_export_refuses_a_file_of_another_kind(nasbench: Nasbench, tmp_path: Path) -> None:
    ended = nasbench("table", "export", "nb201-cifar10", "--out", tmp_path / "x.xlsx")
    assert ended.status == 2
    assert "out: expected FILE.csv, FILE.parquet or -" in ended.err
    assert list(tmp_path.iterdir()) == []


def test_export_into_a_folder_that_is_not_there_names_it(nasbench: Nasbench, tmp_path: Path) -> None:
    ended = nasbench("table", "export", "nb201-cifar10", "--out", tmp_path / "no" / "x.csv")
    assert ended.status == 2
    assert f"there is no folder {str(tmp_path / 'no')!r}" in ended.err


def test_export_refuses_wide_parquet(nasbench: Nasbench, tmp_path: Path) -> None:
    ended = nasbench("table", "export", "nb201-cifar10", "--layout", "wide", "--out", tmp_path / "x.parquet")
    assert ended.status == 2
    assert "Parquet is written in the long layout only" in ended.err


def test_parquet_without_pyarrow_names_the_install_command(
    nasbench: Nasbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    for name in [name for name in sys.modules if name.split(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    ended = nasbench("table", "export", "nb201-cifar10", "--out", tmp_path / "x.parquet")
    assert ended.status == 4
    assert "pip install pyarrow" in ended.err
