from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nasbench.errors import BadOption, FormatError
from nasbench.evaluation.opening import open_source
from nasbench.reports.continuation import continued, require_same_sources
from nasbench.reports.publish import LEADERBOARD, RECORDS, SUITE, pack, publish, rebuild
from nasbench.runs.campaign import locked, run_suite
from nasbench.runs.packing import read_records, write_records
from nasbench.runs.suite import Suite, parse_suite, read_suite, write_suite


def _suite(**other: Any) -> Suite:
    data = {
        "name": "small",
        "sources": ["nb201-cifar10"],
        "strategies": [{"name": "random-search"}, {"name": "grid"}],
        "seeds": 2,
        "budget": "6evals",
    }
    return parse_suite({**data, **other}, where="test")


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published folder that nobody alters."""
    folder = tmp_path_factory.mktemp("published") / "board"
    publish(_suite(), folder)
    return folder


def _join(suite: Suite, folder: Path) -> tuple[Suite, Any]:
    return continued(suite, folder, suite_name=SUITE, records_name=RECORDS)


def test_publish_returns_what_it_wrote(tmp_path: Path) -> None:
    made = publish(_suite(), tmp_path / "x")
    assert made.canonical_json() == (tmp_path / "x" / LEADERBOARD).read_text()
    assert read_suite(tmp_path / "x" / SUITE) == _suite()


def test_records_of_single_runs_give_way_to_the_packed_ones(board: Path) -> None:
    assert not (board / "runs").exists()
    runs = read_records(board / RECORDS).panels[0].entries[0].runs
    assert [run.header["seed"] for run in runs] == [0, 1]


def test_progress_is_told_up_to_the_last_run(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    publish(_suite(), tmp_path / "x", progress=lambda *what: told.append(what))
    assert told == [(2, 4, "random-search"), (4, 4, "grid")]


def test_what_is_true_of_one_machine_stays_out_of_the_reproducible_files(board: Path) -> None:
    about = json.loads((board / "environment.json").read_text())
    assert about["runs_already_finished"] == 0
    assert set(about["thinking_seconds"]) == {"nb201-cifar10 · random-search", "nb201-cifar10 · grid"}
    assert about["platform"] not in (board / LEADERBOARD).read_text()


def test_a_run_of_no_trials_reads_back_as_it_was_published(tmp_path: Path) -> None:
    made = publish(_suite(budget="1s"), tmp_path / "x")
    assert rebuild(tmp_path / "x").id == made.id


def test_rebuild_gives_the_same_leaderboard(board: Path) -> None:
    stated = json.loads((board / LEADERBOARD).read_text())["id"]
    assert rebuild(board).id == stated


def test_rebuild_without_records_says_how_to_build_them(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"records.h5: no such file. Build it with: nasbench leaderboard"):
        rebuild(tmp_path)


def test_a_locked_folder_is_refused(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(BadOption, match="out: another process is writing to"):
        publish(_suite(), tmp_path)


def test_an_empty_folder_continues_nothing(tmp_path: Path) -> None:
    assert _join(_suite(), tmp_path) == (_suite(), None)


@pytest.mark.parametrize(
    "grown",
    [
        {"seeds": 5},
        {"title": "A better headline"},
        {"strategies": [{"name": "random-search"}, {"name": "grid"}, {"name": "tpe"}]},
        {"sources": ["nb201-cifar10", "nb201-cifar100"]},
    ],
    ids=lambda grown: next(iter(grown)),
)
def test_a_suite_may_grow(board: Path, grown: dict[str, Any]) -> None:
    suite, records = _join(_suite(**grown), board)
    assert suite == _suite(**grown)
    assert records is not None


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"budget": "7evals"}, r'suite.toml: budget: "6evals" there, "7evals" here'),
        ({"workers": 2}, "workers: 1 there, 2 here"),
        ({"first_seed": 3}, "first_seed: 0 there, 3 here"),
        ({"strategies": [{"name": "grid"}, {"name": "random-search"}]}, r"strategies\[0\]: "),
        ({"strategies": [{"name": "random-search"}]}, r"strategies\[1\]: .* there, nothing here"),
        ({"sources": ["nb201-cifar100"]}, r"sources\[0\]: "),
    ],
)
def test_another_suite_is_refused_by_field(board: Path, other: dict[str, Any], message: str) -> None:
    with pytest.raises(BadOption, match=f"holds another suite .*{message}"):
        _join(_suite(**other), board)


def test_fewer_seeds_are_refused_for_runs_are_not_dropped(board: Path) -> None:
    with pytest.raises(BadOption, match=r"seeds: .* holds a suite of 2 seeds, got 1"):
        _join(_suite(seeds=1), board)


def test_records_under_an_edited_suite_file_are_refused(tmp_path: Path) -> None:
    publish(_suite(), tmp_path / "x")
    write_suite(_suite(budget="9evals"), tmp_path / "x" / SUITE)
    with pytest.raises(BadOption, match=r'records.h5: budget: "6evals" there, "9evals" here'):
        _join(_suite(budget="9evals"), tmp_path / "x")


def test_the_name_that_the_records_carry_stays(board: Path) -> None:
    suite, _ = _join(_suite(name="moved", seeds=3), board)
    assert suite.name == "small"


def test_records_made_on_another_source_are_not_continued(board: Path) -> None:
    records = read_records(board / RECORDS)
    other = [open_source("nb201-cifar100")]
    with pytest.raises(
        BadOption, match=r"source: table:nb201-cifar10@.* there, table:nb201-cifar100@.* here"
    ):
        require_same_sources(records, other, board / RECORDS)


def test_records_of_another_version_are_not_continued(board: Path) -> None:
    records = replace(read_records(board / RECORDS), nasbench="0.0.1")
    with pytest.raises(BadOption, match=r"was made with nasbench 0.0.1, this is .* are not mixed"):
        require_same_sources(records, [open_source("nb201-cifar10")], board / RECORDS)


def test_a_suite_file_with_comments_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    path = tmp_path / "x" / SUITE
    write_suite(_suite(), path)
    text = "# why these two\n" + path.read_text()
    path.write_text(text)
    publish(read_suite(path), tmp_path / "x")
    assert path.read_text() == text


def test_packing_states_source_scores_cards_and_reported_rows() -> None:
    suite = _suite()
    records = pack(suite, [open_source("nb201-cifar10")], run_suite(suite, None))
    (panel,) = records.panels
    assert panel.source["cards"]["random-search"]["family"] == "random"
    assert all(set(row) >= {"method", "error_percent"} for row in panel.source["published"])
    assert len(panel.codes) == len(panel.scores) > 6
    assert records.suite == suite.content()


def test_a_write_that_fails_leaves_the_old_records(
    board: Path, tmp_path: Path, copy_of: Callable[[Path, Path], Path]
) -> None:
    folder = copy_of(board, tmp_path / "x")
    before = (folder / RECORDS).read_bytes()
    (folder / (RECORDS + ".part")).mkdir()  # nothing can be written there
    with pytest.raises(OSError, match=r"records.h5.part"):
        write_records(read_records(folder / RECORDS), folder / RECORDS)
    assert (folder / RECORDS).read_bytes() == before


@pytest.fixture
def copy_of() -> Callable[[Path, Path], Path]:
    import shutil

    return lambda origin, place: Path(shutil.copytree(origin, place))
