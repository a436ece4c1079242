from __future__ import annotations

from pathlib import Path

import pytest
from cli_calls import Nasbench

SUITE = """
name = "small"
sources = ["nb201-cifar10"]
seeds = 2
budget = "10evals"

[charging]
repeat = "cached"

[[strategies]]
name = "random-search"

[[strategies]]
name = "regularized-evolution"
label = "RE"
options = { population = 5, sample = 2 }
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SUITE)
    return path


def test_a_suite_file_is_run_and_published(nasbench: Nasbench, suite: Path, tmp_path: Path) -> None:
    ended = nasbench("run", suite, "--out", tmp_path / "x", "--json")
    assert ended.status == 0
    assert ended.data["suite"]["name"] == "small"
    assert [entry["label"] for entry in ended.data["panels"][0]["entries"]] == ["random-search", "RE"]
    assert (tmp_path / "x" / "index.html").is_file()


def test_the_suite_in_the_folder_makes_the_same_leaderboard(
    nasbench: Nasbench, suite: Path, tmp_path: Path
) -> None:
    assert nasbench("run", suite, "--out", tmp_path / "x").status == 0
    assert nasbench("run", tmp_path / "x" / "suite.toml", "--out", tmp_path / "y").status == 0
    for name in ("suite.toml", "records.h5", "leaderboard.json"):
        assert (tmp_path / "x" / name).read_bytes() == (tmp_path / "y" / name).read_bytes()


def test_resume_refuses_a_folder_that_holds_nothing(nasbench: Nasbench, suite: Path, tmp_path: Path) -> None:
    ended = nasbench("run", suite, "--out", tmp_path / "x", "--resume")
    assert ended.status == 2
    assert "holds no suite to continue" in ended.err
    assert not (tmp_path / "x").exists()


def test_resume_goes_on_with_a_folder_that_does(nasbench: Nasbench, suite: Path, tmp_path: Path) -> None:
    assert nasbench("run", suite, "--out", tmp_path / "x").status == 0
    assert nasbench("run", suite, "--out", tmp_path / "x", "--resume").status == 0


@pytest.mark.parametrize(
    ("old", "new", "status", "message"),
    [
        ("seeds = 2", "seeds = 0", 2, "seeds"),
        ("seeds = 2", "seeds = 2\nsedes = 2", 2, "sedes"),
        ('budget = "10evals"', 'budget = "ten"', 2, "budget"),
        ('name = "random-search"', 'name = "random-serch"', 2, "Did you mean 'random-search'"),
        ("[charging]", "[charging", 1, "not TOML"),
    ],
)
def test_a_mistake_in_the_suite_names_file_and_field(
    nasbench: Nasbench, suite: Path, tmp_path: Path, old: str, new: str, status: int, message: str
) -> None:
    suite.write_text(SUITE.replace(old, new, 1))
    ended = nasbench("run", suite, "--out", tmp_path / "x")
    assert ended.status == status
    assert message in ended.err
    assert str(suite) in ended.err or "strategy" in ended.err
    assert not (tmp_path / "x").exists()


def test_a_suite_file_that_is_not_there_is_a_usage_error(nasbench: Nasbench, tmp_path: Path) -> None:
    ended = nasbench("run", tmp_path / "no.toml", "--out", tmp_path / "x")
    assert ended.status == 2
    assert "does not exist" in ended.err
