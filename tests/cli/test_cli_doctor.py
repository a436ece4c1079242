from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cli_calls import Nasbench


def test_doctor_finds_a_healthy_machine(nasbench: Nasbench) -> None:
    ended = nasbench("doctor", "--json")
    assert (ended.status, ended.err) == (0, "")
    rows = {row["check"]: row for row in ended.data["checks"]}
    assert ended.data["ok"] is True
    assert rows["numpy"]["found"] != "not installed"
    assert "nb201-cifar10" in rows["tables"]["found"]


def test_doctor_prints_a_table(nasbench: Nasbench) -> None:
    ended = nasbench("doctor")
    assert ended.status == 0
    assert "temporary folder" in ended.out


def test_doctor_without_torch_names_the_command_that_brings_it(
    nasbench: Nasbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name == "torch" or name.startswith("torch.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    ended = nasbench("doctor")
    assert ended.status == 0
    assert "no torch: tables only" in ended.out
    assert "pip install 'nasbench[torch]'" in ended.out


def test_doctor_says_what_a_supernet_takes(nasbench: Nasbench) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    ended = nasbench("doctor", "--supernet", "live:digits", "--json")
    assert ended.status == 0
    (row,) = [row for row in ended.data["checks"] if row["check"] == "supernet of live:digits"]
    assert row["memory_bytes"]["weights"] == 4 * row["parameters"] > 0
    assert row["memory_bytes"]["activations"] > row["memory_bytes"]["weights"]
    assert row["memory_bytes"]["peak"] is None
    assert row["loss_seconds"] > 0
    assert "one loss of all operations keeps" in row["found"]


def test_doctor_refuses_a_source_without_a_supernet(nasbench: Nasbench) -> None:
    ended = nasbench("doctor", "--supernet", "nb201-cifar10")
    assert ended.status == 2
    assert "expected a source with a supernet (nb201-cifar10), got one without. The spaces nb201" in ended.err


def test_doctor_fails_where_a_table_file_is_broken(
    nasbench: Nasbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("nasbench.store.bundled.data_folders", lambda: (tmp_path,))
    ended = nasbench("doctor", "--json")
    assert ended.status == 1
    assert ended.data["ok"] is False
    (row,) = [row for row in ended.data["checks"] if row["check"] == "tables"]
    assert row["ok"] is False
