from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cli_calls import Ended, Nasbench

from nasbench.store.bundled import find_table
from nasbench.store.table import open_table
from nasbench.store.verify import verify_table
from nasbench.store.writer import write_tables

FAKES = Path(__file__).parent.parent / "populate"
ARGUMENTS = ("populate", "nb201", "--data", "digits", "--recipe", "digits-small", "--epochs", "2")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deterministic numbers in place of training; workers find the fake by its name."""
    monkeypatch.syspath_prepend(FAKES)
    monkeypatch.setattr(
        "nasbench.populate.live.open_live_trainer", importlib.import_module("populate_fakes").Fake
    )


@pytest.mark.slow
def test_real_trainings_fill_a_table_that_a_clone_continues(nasbench: Nasbench, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    table = tmp_path / "mine.h5"
    ended = nasbench(*ARGUMENTS, "--table", table, "--sample", 3, "--jobs", 2, "--json")
    assert ended.status == 0
    assert (ended.data["done"], ended.data["failed"], ended.data["name"]) == (3, 0, "mine")
    assert "plan: 3 trainings (3 architectures x 1), 0 are there, 3 to do" in ended.err
    assert "estimate: 3 trainings of" in ended.err
    for ledger in tmp_path.glob("*.sqlite*"):
        ledger.unlink()
    ended = nasbench(*ARGUMENTS, "--table", table, "--sample", 4, "--json")
    assert (ended.data["to_do"], ended.data["done"]) == (1, 1)
    assert verify_table(table) == []
    opened = open_table(table)
    assert opened.epochs == (1, 2)
    assert {"train_loss", "valid_error", "test_error", "eval_seconds"} <= set(opened.metrics)
    provenance = opened.data().provenance
    assert provenance is not None
    assert all("code_hash" in row and str(tmp_path) not in row for row in provenance.rows)


@pytest.mark.usefixtures("fake")
def test_a_second_start_has_nothing_to_do(nasbench: Nasbench, tmp_path: Path) -> None:
    call = (*ARGUMENTS, "--table", tmp_path / "t.h5", "--sample", 4, "--replicates", 2)
    assert nasbench(*call).status == 0
    before = (tmp_path / "t.h5").read_bytes()
    ended = nasbench(*call)
    assert ended.status == 0
    assert "nothing to do: the table holds all of it" in ended.err
    assert (tmp_path / "t.h5").read_bytes() == before


@pytest.mark.usefixtures("fake")
def test_a_dry_run_estimates_and_keeps_nothing(nasbench: Nasbench, tmp_path: Path) -> None:
    ended = nasbench(*ARGUMENTS, "--table", tmp_path / "t.h5", "--all", "--dry-run", "--jobs", 2, "--json")
    assert ended.status == 0
    assert ended.data["estimate"]["trainings"] == 6_466
    assert ended.data["estimate"]["sample"] == 3
    assert ended.data["done"] == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("fake")
def test_shards_are_merged_into_the_table_of_one_machine(nasbench: Nasbench, tmp_path: Path) -> None:
    table, alone = tmp_path / "t.h5", tmp_path / "alone.h5"
    for shard in ("1/2", "2/2"):
        call = (*ARGUMENTS, "--table", table, "--sample", 9, "--replicates", 2, "--shard", shard)
        assert nasbench(*call).status == 0
    parts = [tmp_path / f"t.part-{i}-of-2.h5" for i in (1, 2)]
    assert [len(open_table(part)) for part in parts] == [5, 4]
    ended = nasbench("table", "merge", table, *parts)
    assert ended.out == f"{table}: t, 9 architectures, 18 trainings\n"
    assert nasbench(*ARGUMENTS, "--table", alone, "--name", "t", "--sample", 9, "--replicates", 2).status == 0
    assert table.read_bytes() == alone.read_bytes()


@pytest.mark.usefixtures("fake")
def test_a_damaged_part_is_named_and_written_again_by_its_shard(nasbench: Nasbench, tmp_path: Path) -> None:
    call = (*ARGUMENTS, "--table", tmp_path / "t.h5", "--sample", 4, "--shard", "1/1")
    part = tmp_path / "t.part-1-of-1.h5"
    nasbench(*call)
    whole = part.read_bytes()
    part.write_bytes(whole[:5_000])
    ended = nasbench("table", "merge", tmp_path / "out.h5", part)
    assert ended.status == 1
    assert "t.part-1-of-1.h5" in ended.err
    assert nasbench(*call).status == 1
    part.unlink()
    assert nasbench(*call).status == 0
    assert part.read_bytes() == whole


@pytest.mark.usefixtures("fake")
def test_equal_networks_are_trained_once_and_given_to_all(nasbench: Nasbench, tmp_path: Path) -> None:
    table = tmp_path / "t.h5"
    ended = nasbench(*ARGUMENTS, "--table", table, "--sample", 20, "--isomorphs", "once", "--json")
    assert ended.data["done"] == 20
    opened = open_table(table)
    assert len(opened) > 20
    assert "trained_row" in opened.scalars
    assert nasbench(*ARGUMENTS, "--table", table, "--export-only", "--isomorphs", "distinct").status == 0
    assert len(open_table(table)) == 20


@pytest.mark.usefixtures("fake")
def test_a_list_trains_exactly_its_architectures(nasbench: Nasbench, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("000000\n010000\n", encoding="utf-8")
    nasbench(*ARGUMENTS, "--table", tmp_path / "t.h5", "--list", tmp_path / "list.txt")
    assert open_table(tmp_path / "t.h5").codes.tolist() == [[0] * 6, [0, 1, 0, 0, 0, 0]]


@pytest.mark.usefixtures("fake")
def test_trainings_that_are_given_up_end_with_status_5(
    nasbench: Nasbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned = importlib.import_module("populate_fakes").Poisoned
    monkeypatch.setattr("nasbench.populate.live.open_live_trainer", poisoned)
    (tmp_path / "list.txt").write_text("000000\n200000\n", encoding="utf-8")
    call = (*ARGUMENTS, "--table", tmp_path / "t.h5", "--list", tmp_path / "list.txt", "--tries", 2)
    ended = nasbench(*call, "--json")
    assert ended.status == 5
    assert "crash 2 of 2: 200000 replicate 0: worker died of signal 9 (SIGKILL)" in ended.err
    assert "1 trainings were given up" in ended.err
    assert ended.data["quarantined"][0]["reason"].startswith("quarantined after 2 tries")
    assert nasbench(*call).status == 0
    assert nasbench(*call, "--retry-quarantined").status == 5


@pytest.mark.usefixtures("fake")
def test_nothing_to_export_is_said(nasbench: Nasbench, tmp_path: Path) -> None:
    ended = nasbench(*ARGUMENTS, "--table", tmp_path / "t.h5", "--export-only")
    assert ended.status == 0
    assert "nothing is finished: nothing written" in ended.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "expected one of --all, --sample N, --list FILE and --from-run DIR"),
        (("--all", "--sample", 3), "expected one of --all, --sample N, --list FILE and --from-run DIR"),
        (("--all", "--epochs", 13), "epochs: expected 1 to 12, the recipe's length, got 13"),
        (("--all", "--shard", "3/2"), "shard: expected I/N with I from 1 to N, got '3/2'"),
        (("--all", "--shard", "half"), "shard: expected I/N with I from 1 to N, got 'half'"),
        (("--all", "--device", "cpu,cuda:0"), "device: expected cpu, cuda, or GPUs such as cuda:0,cuda:1"),
        (("--all", "--jobs", 2, "--per-device", 2), "jobs: expected --jobs or --per-device, got both"),
    ],
)
def test_what_cannot_be_asked_ends_with_status_2(
    nasbench: Nasbench, tmp_path: Path, options: tuple[object, ...], message: str
) -> None:
    ended = nasbench(*ARGUMENTS, "--table", tmp_path / "t.h5", *options)
    assert ended.status == 2
    assert message in ended.err


def test_an_unknown_recipe_names_the_near_ones(nasbench: Nasbench, tmp_path: Path) -> None:
    ended = nasbench(
        "populate",
        "nb201",
        "--data",
        "digits",
        "--recipe",
        "digit-small",
        "--table",
        tmp_path / "t.h5",
        "--all",
    )
    assert ended.status == 2
    assert "Did you mean 'digits-small'" in ended.err


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="batch systems send SIGTERM on POSIX systems")
def test_a_polite_end_is_an_interruption_that_keeps_what_was_finished(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    table = tmp_path / "t.h5"
    call = [
        sys.executable,
        "-m",
        "nasbench",
        *ARGUMENTS,
        "--table",
        str(table),
        "--all",
        "--export-every",
        "0",
    ]
    with subprocess.Popen(call, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 100
        while not table.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted: what was finished is kept. To go on: nasbench populate nb201" in errors
    assert verify_table(table) == []


def test_a_recipe_of_another_space_is_refused(nasbench: Nasbench, tmp_path: Path) -> None:
    ended = nasbench(
        "populate", "nb201", "--data", "digits", "--recipe", "digits-darts",
        "--table", tmp_path / "t.h5", "--sample", 1,
    )  # fmt: skip
    assert ended.status == 2
    assert "recipe: expected one of space nb201, got 'digits-darts', which trains darts" in ended.err


@pytest.mark.usefixtures("fake")
def test_a_space_too_large_to_be_listed_is_sampled(nasbench: Nasbench, tmp_path: Path) -> None:
    call = ("populate", "darts", "--data", "digits", "--recipe", "digits-darts", "--table", tmp_path / "t.h5")
    assert nasbench(*call, "--sample", 3).status == 0
    assert open_table(tmp_path / "t.h5").space.name == "darts"
    ended = nasbench(*call, "--all")
    assert ended.status == 2
    assert "darts is too large to be trained whole" in ended.err


@pytest.fixture
def board(nasbench: Nasbench, tmp_path: Path) -> Path:
    """A leaderboard of two rows and two seeds."""
    out = tmp_path / "board"
    strategies = "random-search,evolution=regularized-evolution[population=3,sample=2]"
    call = ("compare", "--source", "nb201-cifar10", "--strategies", strategies, "--seeds", 2)
    assert nasbench(*call, "--budget", "6evals", "--out", out).status == 0
    return out


@pytest.mark.usefixtures("fake")
def test_what_runs_handed_over_is_trained_and_said(nasbench: Nasbench, tmp_path: Path, board: Path) -> None:
    table = tmp_path / "t.h5"
    ended = nasbench(*ARGUMENTS, "--table", table, "--from-run", board, "--replicates", 3, "--json")
    assert ended.status == 0
    rows = ended.data["derived"]
    assert [(row["entry"], row["seed"]) for row in rows] == [
        ("random-search", 0),
        ("random-search", 1),
        ("evolution", 0),
        ("evolution", 1),
    ]
    opened = open_table(table)
    for row in rows:
        assert f"derived: {row['entry']}, seed {row['seed']}, table:nb201-cifar10@" in ended.err
        assert row["architecture"] in ended.err
        code = opened.space.parse(row["architecture"])
        errors = [opened.query(code, epochs=2, replicate=r).valid_error for r in range(3)]
        assert row["valid_error"] == errors
        assert f"recorded: {row['entry']}, seed {row['seed']}: 3 trainings; validation error " in ended.err
    assert len(opened.codes) == len({row["architecture"] for row in rows})
    again = nasbench(*ARGUMENTS, "--table", table, "--from-run", board, "--replicates", 3, "--json")
    assert again.data["derived"] == rows
    assert again.data["done"] == 0


@pytest.mark.usefixtures("fake")
def test_one_row_of_runs_is_trained(nasbench: Nasbench, tmp_path: Path, board: Path) -> None:
    call = (*ARGUMENTS, "--table", tmp_path / "t.h5", "--from-run", board, "--json")
    ended = nasbench(*call, "--strategy", "evolution")
    assert {row["entry"] for row in ended.data["derived"]} == {"evolution"}
    ended = nasbench(*call, "--strategy", "evolutoin")
    assert ended.status == 2
    assert "no strategy of these runs is named 'evolutoin'. Did you mean 'evolution'" in ended.err


def test_runs_of_another_space_are_refused(nasbench: Nasbench, tmp_path: Path, board: Path) -> None:
    ended = nasbench(
        "populate", "darts", "--data", "digits", "--recipe", "digits-darts",
        "--table", tmp_path / "t.h5", "--from-run", board,
    )  # fmt: skip
    assert ended.status == 2
    assert "space: expected that of the runs, nb201, got darts" in ended.err


def test_row_without_runs_is_refused(nasbench: Nasbench, tmp_path: Path) -> None:
    ended = nasbench(*ARGUMENTS, "--table", tmp_path / "t.h5", "--sample", 2, "--strategy", "darts")
    assert ended.status == 2
    assert "strategy: expected --from-run DIR with it" in ended.err


def squeezed(ended: Ended) -> str:
    """Join wrapped lines of output."""
    return " ".join(ended.out.split())


ONESHOT = ("populate", "nb201", "--data", "digits", "--recipe", "digits-nb201", "--oneshot")


def test_one_shot_errors_are_written_into_a_filled_table(nasbench: Nasbench, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    data = find_table("digits-nb201-oneshot").data()
    few = replace(
        data,
        codes=data.codes[::700],
        curves={name: curve[::700] for name, curve in data.curves.items()},
        scalars={},
        provenance=None,
    )
    path = tmp_path / "few.h5"
    write_tables(path, [replace(few, name="few")])
    ended = nasbench(
        *ONESHOT, "--table", path, "--oneshot-epochs", 2, "--seed", 1, "--mixed-devices", "--json"
    )
    assert ended.status == 0
    assert ended.data["column"] == "oneshot_error_seed_1"
    assert ended.data["content_hash"] == open_table(path).content_hash
    assert "oneshot_error_seed_1 of 10 architectures; Kendall tau with their own errors" in ended.err
    assert nasbench("table", "verify", path).status == 0
    assert "by the shared weights of a supernet, 2 epochs, seed 1" in squeezed(
        nasbench("table", "info", path)
    )
    (about,) = nasbench("table", "info", path, "--json").data["one_shot"]
    assert (about["name"], about["epochs"], about["architectures"]) == ("oneshot_error_seed_1", 2, 10)
    assert (
        "one-shot: oneshot_error_seed_1 ranks 10" in nasbench("table", "report", path, "--out", tmp_path).out
    )
    assert "oneshot_error_seed_1: error by the shared weights" in (tmp_path / "table.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--sample", 3), "oneshot: expected a table that is filled, and none of --all, --sample"),
        (("--export-only",), "oneshot: expected a table that is filled"),
        (("--shard", "1/2"), "oneshot: expected a table that is filled"),
        ((), "table: expected one to score, got no file"),
    ],
)
def test_one_shot_errors_need_a_filled_table(
    nasbench: Nasbench, tmp_path: Path, arguments: tuple[object, ...], message: str
) -> None:
    ended = nasbench(*ONESHOT, "--table", tmp_path / "t.h5", *arguments)
    assert ended.status == 2
    assert message in ended.err


def test_one_shot_errors_are_trained_as_the_table_was(nasbench: Nasbench) -> None:
    path = find_table("digits-nb201-oneshot").path
    call = ("populate", "nb201", "--data", "digits", "--recipe", "digits-small", "--oneshot")
    ended = nasbench(*call, "--table", path)
    assert ended.status == 2
    assert "A supernet is trained as the table was." in ended.err


@pytest.mark.usefixtures("fake")
def test_trainings_are_taken_over_and_nothing_is_trained(nasbench: Nasbench, tmp_path: Path) -> None:
    theirs, mine = tmp_path / "theirs.h5", tmp_path / "mine.h5"
    assert nasbench(*ARGUMENTS, "--table", theirs, "--sample", 3).status == 0
    ended = nasbench(*ARGUMENTS, "--table", mine, "--take", theirs)
    assert ended.status == 0
    assert f"took 3 trainings over from {theirs}" in ended.err
    assert open_table(mine).codes.tolist() == open_table(theirs).codes.tolist()
    for more in (["--dry-run"], ["--oneshot"], ["--export-only"], ["--shard", "1/2"]):
        ended = nasbench(*ARGUMENTS, "--table", tmp_path / "other.h5", "--take", theirs, *more)
        assert ended.status == 2, more
        assert "take: expected none of --oneshot, --export-only, --dry-run and --shard" in ended.err
    assert not (tmp_path / "other.h5").exists()
