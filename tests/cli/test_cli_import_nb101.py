from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cli_calls import Nasbench, spawn
from nb101_file import SPACE, cells, made_up, records_of, write_file

from nasbench.spaces import get_space
from nasbench.store.table import open_table

WATCHING = "asha[mode=stopping,eta=3]"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "nasbench_full.tfrecord"
    write_file(path, records_of(cells(5)))
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "nb101.h5"


def test_formats_are_listed(nasbench: Nasbench) -> None:
    ended = nasbench("import", "--help")
    assert ended.status == 0
    assert "nb101" in ended.out
    assert "Did you mean nb101" in nasbench("import", "nb10", "x").err


def test_a_file_becomes_a_table_that_can_be_asked(nasbench: Nasbench, source: Path, out: Path) -> None:
    ended = nasbench("import", "nb101", source, "--table", out)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == (f"{out}: nb101-cifar10, 5 architectures, 60 trainings of 4, 12, 36, 108 epochs\n")
    key, matrix, operations = cells(5)[2]
    text = SPACE.format(SPACE.of_cell(matrix, operations))
    data = nasbench("query", out, text, "--epochs", 12, "--replicate", 1, "--json").data
    assert 1.0 - data["trainings"][0]["valid_error"] == made_up(key, 12, 1)[2][3]
    assert nasbench("table", "verify", out).out == f"{out}: holds\n"
    assert "4, 12, 36 and 108" in nasbench("table", "info", out).out


def test_json_says_what_was_made(nasbench: Nasbench, source: Path, out: Path) -> None:
    data = nasbench("import", "nb101", source, "--table", out, "--name", "mine", "--json").data
    assert (data["table"], data["architectures"], data["trainings"], data["damaged"]) == ("mine", 5, 60, [])
    assert data["sha256"] in open_table(out, "mine").info.source


def test_damaged_records_end_it_or_are_counted(nasbench: Nasbench, source: Path, out: Path) -> None:
    raw = bytearray(source.read_bytes())
    raw[200] ^= 1
    source.write_bytes(raw)
    ended = nasbench("import", "nb101", source, "--table", out)
    assert ended.status == 1
    assert "record at byte 0: expected a whole record, but the check sum of its payload" in ended.err
    ended = nasbench("import", "nb101", source, "--table", out, "--skip-damaged")
    assert ended.status == 0
    assert ended.err == "left out: 1 damaged records, at byte 0\n"
    assert "59 trainings" in ended.out


def test_what_is_missing_or_in_the_way_is_said(nasbench: Nasbench, source: Path, out: Path) -> None:
    ended = nasbench("import", "nb101", "nowhere.tfrecord", "--table", out)
    assert ended.status == 4
    assert "path: expected nasbench_full.tfrecord" in ended.err
    out.write_bytes(b"mine")
    assert nasbench("import", "nb101", source, "--table", out).status == 2


def test_a_process_of_its_own_prints_no_bar_into_a_pipe(source: Path, out: Path) -> None:
    ended = spawn("import", "nb101", source, "--table", out)
    assert (ended.status, ended.err) == (0, "")


@pytest.fixture(scope="module")
def one_shot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that holds all cells of the first space of NAS-Bench-1Shot1, which a search cannot leave."""
    space = get_space("nb1shot1-1")
    codes = space.unrank(np.unique(space.classes))
    keys = SPACE.keys(space.to_nb101(codes))
    canonical = SPACE.of_keys(keys).tolist()
    every = [(key, *SPACE.cell(tuple(code))) for key, code in zip(keys.tolist(), canonical, strict=True)]
    path = tmp_path_factory.mktemp("one-shot") / "all.tfrecord"
    write_file(path, records_of(every, epochs=(4, 108), repeats=1))
    return path


@pytest.mark.slow
def test_strategies_are_compared_on_an_imported_space(nasbench: Nasbench, one_shot: Path, out: Path) -> None:
    ended = nasbench("import", "nb101", one_shot, "--table", out, "--one-shot")
    assert f"{out}:nb1shot1-1-cifar10\n" in ended.out
    assert len(open_table(out, "nb1shot1-1-cifar10")) == 2_685
    ended = nasbench(
        "compare", "--source", f"{out}:nb1shot1-1-cifar10", "--seeds", 2, "--budget", "0.2gpu-days", "--out",
        out.parent / "board", "--strategies", "random-search,regularized-evolution,bananas,hyperband",
    )  # fmt: skip
    assert ended.status == 0, ended.err
    page = (out.parent / "board" / "README.md").read_text(encoding="utf-8")
    assert "promotion: restart" in page
    assert nasbench("leaderboard", "verify", out.parent / "board").status == 0
    ended = nasbench(
        "compare", "--source", f"{out}:nb1shot1-1-cifar10", "--seeds", 1, "--budget", "5evals", "--out",
        out.parent / "none", "--strategies", WATCHING,
    )  # fmt: skip
    assert ended.status == 2
    assert "watches trainings while they run" in ended.err
