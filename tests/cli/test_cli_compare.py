from __future__ import annotations

import fcntl
import json
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_calls import FINISHED, QUICK, Ended, Nasbench

from nasbench.cli.compare import parse_strategy, show
from nasbench.errors import BadOption
from nasbench.reports.leaderboard import Leaderboard

FUNCTION = """
def five(space, evaluate, rng):
    while True:
        evaluate(space.sample(1, rng=rng)[0])


def boom(space, evaluate, rng):
    raise RuntimeError("no idea left")


class Refuses:
    def __init__(self, space, *, rng):
        raise ValueError("not in the mood")

    def ask(self, n):
        return []

    def tell(self, trials):
        pass


class Fickle:
    def __init__(self, space, *, rng):
        if rng.random() > 0.7:
            raise ValueError("not with this seed")

    def ask(self, n):
        return []

    def tell(self, trials):
        pass
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(FUNCTION)
    return path


def _compare(nasbench: Nasbench, out: Path, *options: object, strategies: object = "random-search") -> Ended:
    return nasbench("compare", *QUICK, "--strategies", strategies, "--seeds", "2", "--out", out, *options)


@pytest.mark.parametrize(
    ("text", "name", "label", "options"),
    [
        ("random-search", "random-search", "", {}),
        ("tpe[gamma=0.25]", "tpe", "", {"gamma": 0.25}),
        ("RE big=regularized-evolution[population=100,sample=10]", "regularized-evolution", "RE big",
         {"population": 100, "sample": 10}),
        ("f.py:A[fast=true,mode=x]", "f.py:A", "", {"fast": True, "mode": "x"}),
        ("Mine=f.py:A", "f.py:A", "Mine", {}),
    ],
)  # fmt: skip
def test_a_strategy_is_read_with_its_label_and_options(
    text: str, name: str, label: str, options: dict[str, object]
) -> None:
    assert parse_strategy(text) == {"name": name, "label": label, "options": options}


@pytest.mark.parametrize("text", ["tpe[gamma=0.25", "[x=1]", "tpe]", ""])
def test_a_misshapen_strategy_is_refused(text: str) -> None:
    with pytest.raises(BadOption, match=r"strategies: expected NAME, NAME\[option=value"):
        parse_strategy(text)


def test_an_option_without_a_value_is_refused() -> None:
    with pytest.raises(BadOption, match=r"expected option=value inside \[...\], got 'gamma'"):
        parse_strategy("tpe[gamma]")


def test_everything_of_a_comparison_lands_in_its_folder(nasbench: Nasbench, tmp_path: Path) -> None:
    ended = _compare(nasbench, tmp_path / "x", strategies="random-search,tpe")
    assert ended.status == 0
    assert {path.name for path in (tmp_path / "x").iterdir()} == {
        ".lock", "suite.toml", "records.h5", "leaderboard.json", "index.html", "README.md", "curves.svg",
        "curves.csv", "leaderboard.csv", "table.tex", "environment.json",
    }  # fmt: skip
    assert "CIFAR-10 · table:nb201-cifar10@" in ended.out
    assert "oracle (best in table)" in ended.out
    assert "tpe is not separated from random-search" in ended.out
    assert ended.err == f"page: {tmp_path / 'x' / 'index.html'}\n"


def test_json_is_the_leaderboard_and_nothing_else(nasbench: Nasbench, tmp_path: Path) -> None:
    ended = _compare(nasbench, tmp_path / "x", "--json")
    assert ended.status == 0
    assert ended.data == json.loads((tmp_path / "x" / "leaderboard.json").read_text())


def test_two_sources_make_two_panels_and_options_are_stated(nasbench: Nasbench, tmp_path: Path) -> None:
    ended = nasbench(
        "compare", "--source", "nb201-cifar10, nb201-cifar100", "--budget", "10evals", "--seeds", "2",
        "--strategies", "random-search,Big=regularized-evolution[population=8,sample=3]", "--workers", "8",
        "--charging", "repeat=cached", "--charging", "failed=free", "--title", "Two panels",
        "--out", tmp_path / "x", "--json",
    )  # fmt: skip
    assert ended.status == 0
    assert [panel["dataset"] for panel in ended.data["panels"]] == ["CIFAR-10", "CIFAR-100"]
    panel = ended.data["panels"][0]
    assert panel["workers"] == 8
    assert (panel["charging"]["repeat"], panel["charging"]["failed"]) == ("cached", "free")
    assert [entry["label"] for entry in panel["entries"]] == ["random-search", "Big"]
    assert panel["entries"][1]["options"] == {"population": 8, "sample": 3}
    assert ended.data["title"] == "Two panels"


def test_simulated_cluster_is_stated_and_kept(nasbench: Nasbench, tmp_path: Path) -> None:
    ended = nasbench(
        "compare", "--source", "nb201-cifar10", "--budget", "1gpu-days", "--seeds", "2", "--strategies",
        "random-search", "--workers", "3", "--cluster", "speeds=1:0.5", "--cluster", "failures_per_day=5",
        "--cluster", "startup_seconds=30", "--out", tmp_path / "x", "--json",
    )  # fmt: skip
    assert ended.status == 0
    panel = ended.data["panels"][0]
    assert panel["cluster"] == {"failures_per_day": 5, "speeds": [1, 0.5], "startup_seconds": 30}
    assert panel["entries"][0]["failed_trials"] > 0
    assert "<dt>Simulated cluster</dt>" in (tmp_path / "x" / "index.html").read_text()
    assert "Simulated cluster" in (tmp_path / "x" / "README.md").read_text()
    verified = nasbench("leaderboard", "verify", tmp_path / "x")
    assert verified.status == 0


def test_the_number_of_processes_changes_nothing(nasbench: Nasbench, tmp_path: Path) -> None:
    strategies = "random-search,regularized-evolution"
    assert _compare(nasbench, tmp_path / "a" / "x", strategies=strategies).status == 0
    assert _compare(nasbench, tmp_path / "b" / "x", "--jobs", "2", strategies=strategies).status == 0
    for name in ("records.h5", "leaderboard.json", "index.html"):
        assert (tmp_path / "a" / "x" / name).read_bytes() == (tmp_path / "b" / "x" / name).read_bytes()


def test_a_function_from_a_file_is_a_strategy(nasbench: Nasbench, tmp_path: Path, mine: Path) -> None:
    ended = _compare(nasbench, tmp_path / "x", "--json", strategies=f"Five={mine}:five")
    assert ended.status == 0
    (entry,) = ended.data["panels"][0]["entries"]
    assert (entry["label"], entry["evaluations"], entry["failures"]) == ("Five", 10.0, [])


def test_runs_that_fail_are_shown_and_exit_5(nasbench: Nasbench, tmp_path: Path, mine: Path) -> None:
    ended = _compare(nasbench, tmp_path / "x", strategies=f"random-search,Boom={mine}:boom")
    assert ended.status == 5
    assert "error: 2 run(s) failed; the page shows which and why." in ended.err
    assert "no idea left" in (tmp_path / "x" / "index.html").read_text()
    assert nasbench("leaderboard", "reproduce", tmp_path / "x").status == 0


def test_a_page_is_made_where_every_run_failed(nasbench: Nasbench, tmp_path: Path, mine: Path) -> None:
    ended = _compare(nasbench, tmp_path / "x", strategies=f"Boom={mine}:boom")
    assert ended.status == 5
    assert "2 of 2 runs failed" in ended.out
    assert "no idea left" in (tmp_path / "x" / "index.html").read_text()


def test_a_strategy_that_cannot_be_made_says_so_before_work_starts(
    nasbench: Nasbench, tmp_path: Path, mine: Path
) -> None:
    ended = _compare(nasbench, tmp_path / "x", strategies=f"{mine}:Refuses")
    assert ended.status == 2
    assert "ValueError: not in the mood" in ended.err
    assert not (tmp_path / "x").exists()


def test_a_strategy_that_cannot_be_made_with_some_seeds_fails_those_runs(
    nasbench: Nasbench, tmp_path: Path, mine: Path
) -> None:
    fickle = f"Fickle={mine}:Fickle"
    ended = _compare(nasbench, tmp_path / "x", "--seeds", "6", "--json", strategies=fickle)
    assert ended.status == 5
    failures = ended.data["panels"][0]["entries"][0]["failures"]
    assert 0 < len(failures) < 6
    assert all("not with this seed" in failure["reason"] for failure in failures)
    assert nasbench("leaderboard", "reproduce", tmp_path / "x").status == 0


def test_a_budget_below_one_evaluation_still_makes_a_page_with_a_warning(
    nasbench: Nasbench, tmp_path: Path
) -> None:
    ended = nasbench(
        "compare", "--source", "nb201-cifar10", "--budget", "10s", "--strategies", "random-search",
        "--seeds", "2", "--out", tmp_path / "x",
    )  # fmt: skip
    assert ended.status == 0
    assert "the budget is smaller than one evaluation" in ended.out
    assert "the budget is smaller than one evaluation" in (tmp_path / "x" / "index.html").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seeds", "0"), "'--seeds': 0 is not in the range x>=1"),
        (("--seeds", "two"), "'two' is not a valid integer"),
        (("--workers", "0"), "'--workers': 0 is not in the range x>=1"),
        (("--jobs", "0"), "'--jobs': 0 is not in the range x>=1"),
        (("--epochs", "12"), "source nb201-cifar10 answers for 200, got 12"),
        (("--budget", "10evalss"), "budget: unknown unit 'evalss'"),
        (("--budget", "1cpu-days"), "Type it as gpu-days"),
        (("--charging", "repeat"), "charging: expected name=value, got 'repeat'"),
        (("--health", "looks=none"), "health.looks: expected a whole number >= 1, got 'none'"),
        (("--cluster", "speeds"), "cluster: expected name=value, got 'speeds'"),
        (("--cluster", "speeds=1:fast"), "cluster.speeds: expected one or more numbers > 0, got [1, 'fast']"),
        (("--cluster", "failures=2"), "cluster: expected settings among speeds, startup_seconds"),
        (("--charging", "repeat=cach"), "expected one of full, cached, got 'cach'"),
        (("--charging", "repeats=full"), "expected policies among repeat, "),
        (("--source", "nb201-cifar1"), "Did you mean 'nb201-cifar10'"),
        (("--strategies", "random-serch"), "Did you mean 'random-search'"),
        (("--strategies", "tpe,tpe"), "tpe given more than once"),
        (("--strategies", ""), "strategies: "),
        (("--strategies", "regularized-evolution[populaton=3]"), "'populaton'"),
        (("--strategies", "regularized-evolution[population=0]"), "expected whole numbers >= 1, got 0"),
        (("--strategies", "absent.py:A"), "absent.py'. Give FILE.py:Name"),
        (("--device", "cuda"), "device: "),
    ],
)
def test_what_cannot_run_exits_2_before_anything_is_written(
    nasbench: Nasbench, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    ended = _compare(nasbench, tmp_path / "x", *options)
    assert (ended.status, ended.out) == (2, "")
    assert message in ended.err
    assert "Value error" not in ended.err
    assert not (tmp_path / "x").exists()


def test_an_absent_name_in_a_file_lists_the_near_one(nasbench: Nasbench, tmp_path: Path, mine: Path) -> None:
    ended = _compare(nasbench, tmp_path / "x", strategies=f"{mine}:fiv")
    assert ended.status == 2
    assert "Did you mean 'five'" in ended.err


def test_a_table_file_that_is_not_there_exits_4(nasbench: Nasbench, tmp_path: Path) -> None:
    ended = _compare(nasbench, tmp_path / "x", "--source", "absent.h5")
    assert ended.status == 4
    assert "'absent.h5', which does not exist" in ended.err


def test_more_seeds_go_on_from_those_that_are_there(nasbench: Nasbench, tmp_path: Path) -> None:
    assert _compare(nasbench, tmp_path / "a" / "x").status == 0
    assert _compare(nasbench, tmp_path / "a" / "x", "--seeds", "5").status == 0
    about = json.loads((tmp_path / "a" / "x" / "environment.json").read_text())
    assert about["runs_already_finished"] == 2
    assert _compare(nasbench, tmp_path / "b" / "x", "--seeds", "5").status == 0
    for name in ("records.h5", "suite.toml", "leaderboard.json"):
        assert (tmp_path / "a" / "x" / name).read_bytes() == (tmp_path / "b" / "x" / name).read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--budget", "11evals"), 'budget: "10evals" there, "11evals" here'),
        (("--strategies", "tpe"), 'strategies[0]: '),
        (("--source", "nb201-cifar100"), 'sources[0]: "nb201-cifar10" there, "nb201-cifar100" here'),
        (("--charging", "repeat=cached"), "charging: "),
        (("--seeds", "1"), "finished runs are not dropped. Give 4 seeds or more"),
    ],
)  # fmt: skip
def test_another_suite_in_the_folder_is_refused(
    nasbench: Nasbench, folder: Path, options: tuple[str, ...], message: str
) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    ended = _compare(nasbench, folder, "--seeds", "4", *options, strategies=FINISHED)
    assert ended.status == 2
    assert message in ended.err
    assert "another --out" in ended.err
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_second_process_on_one_folder_is_refused(nasbench: Nasbench, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with (tmp_path / "x" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ended = _compare(nasbench, tmp_path / "x")
    assert ended.status == 2
    assert f"another process is writing to {tmp_path / 'x'}" in ended.err
    assert [path.name for path in (tmp_path / "x").iterdir()] == [".lock"]


def test_a_folder_that_cannot_be_made_is_a_plain_failure(nasbench: Nasbench) -> None:
    ended = _compare(nasbench, Path("/proc/no-such-place"))
    assert ended.status == 1
    assert ended.err.startswith("error: /proc/no-such-place: ")
    assert "Traceback" not in ended.err


def test_a_file_in_the_place_of_the_folder_is_refused(nasbench: Nasbench, mine: Path) -> None:
    ended = _compare(nasbench, mine)
    assert ended.status == 2
    assert "is a file" in ended.err


@pytest.fixture
def small_files() -> Iterator[int]:
    """Let no file grow past 64 KiB: what a full disk or a quota does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, hard))
    yield soft
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_takes_no_more_loses_nothing(
    nasbench: Nasbench, tmp_path: Path, small_files: int
) -> None:
    arguments = ("--budget", "500evals")
    ended = _compare(nasbench, tmp_path / "a" / "x", *arguments)
    assert ended.status == 1
    assert "File too large" in ended.err
    assert "the same command goes on from there" in ended.err
    assert "Traceback" not in ended.err
    resource.setrlimit(resource.RLIMIT_FSIZE, (small_files, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    assert _compare(nasbench, tmp_path / "a" / "x", *arguments).status == 0
    assert _compare(nasbench, tmp_path / "b" / "x", *arguments).status == 0
    name = "records.h5"
    assert (tmp_path / "a" / "x" / name).read_bytes() == (tmp_path / "b" / "x" / name).read_bytes()


@pytest.mark.parametrize(("columns", "lost"), [(140, ""), (80, "regret"), (40, "GPU-days")])
def test_the_final_table_fits_the_terminal(
    finished: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    columns: int,
    lost: str,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    board = Leaderboard.model_validate_json((finished / "leaderboard.json").read_text())
    assert show(board, finished, as_json=False) == 0
    printed = capsys.readouterr()
    start = printed.out.index("strategy")
    table = printed.out[start : printed.out.index("regularized-evolution (population=5, sample=2) is")]
    assert max(map(len, table.splitlines())) <= columns
    assert lost in printed.err
    assert ("too narrow for" in printed.err) is bool(lost)
