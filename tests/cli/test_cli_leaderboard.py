from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import h5py
import pytest
from cli_calls import QUICK, Nasbench, spawn

from nasbench.store.bundled import find_table


def test_a_whole_leaderboard_holds(nasbench: Nasbench, finished: Path) -> None:
    ended = nasbench("leaderboard", "verify", finished)
    assert (ended.status, ended.out) == (0, f"{finished}: holds\n")
    assert "records.h5: content hash holds" in ended.err
    assert "80 recorded answers are those of the source" in ended.err
    assert "6 of 8 runs made again" in ended.err


def test_verify_as_json_is_pure_data(nasbench: Nasbench, finished: Path) -> None:
    data = nasbench("leaderboard", "verify", finished, "--sample", "1", "--json").data
    assert (data["holds"], data["runs_made_again"]) == (True, 2)


def test_reproduce_makes_every_run_again(nasbench: Nasbench, finished: Path) -> None:
    data = nasbench("leaderboard", "reproduce", finished, "--json").data
    assert (data["holds"], data["runs_made_again"]) == (True, 8)


def test_a_negative_sample_is_a_usage_error(nasbench: Nasbench, finished: Path) -> None:
    ended = nasbench("leaderboard", "verify", finished, "--sample", "-1")
    assert ended.status == 2
    assert "-1 is not in the range x>=0" in ended.err


def test_a_moved_folder_still_holds(nasbench: Nasbench, folder: Path, tmp_path: Path) -> None:
    moved = folder.rename(tmp_path / "under another name")
    assert nasbench("leaderboard", "verify", moved).status == 0


def test_a_flipped_number_in_the_leaderboard_is_found(nasbench: Nasbench, folder: Path) -> None:
    path = folder / "leaderboard.json"
    data = json.loads(path.read_text())
    data["panels"][0]["entries"][0]["final"]["mean"] -= 0.001
    path.write_text(json.dumps(data))
    ended = nasbench("leaderboard", "verify", folder)
    assert ended.status == 3
    assert f"error: {path}: panels[0].entries[0].final.mean: stated" in ended.err


def test_a_flipped_number_under_a_new_id_is_found_by_its_name(nasbench: Nasbench, folder: Path) -> None:
    from nasbench.reports.leaderboard import Leaderboard

    path = folder / "leaderboard.json"
    board = Leaderboard.model_validate_json(path.read_text())
    board.panels[0].entries[1].final.best = 0.05
    path.write_text(board.with_id().canonical_json())
    ended = nasbench("leaderboard", "verify", folder)
    assert ended.status == 3
    assert f"error: {path}: panels[0].entries[1].final.best: stated 0.05, recomputed 0." in ended.err


@pytest.mark.parametrize("where", [0.2, 0.5, 0.9])
def test_one_byte_of_the_records_cannot_change_unseen(nasbench: Nasbench, folder: Path, where: float) -> None:
    path = folder / "records.h5"
    with h5py.File(path) as file:
        data = file["p000/e000/valid_error"]
        at = data.id.get_chunk_info(0).byte_offset + int(where * data.id.get_chunk_info(0).size)
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(bytes(content))
    ended = nasbench("leaderboard", "verify", folder)
    assert ended.status == 1
    assert f"error: {path}: " in ended.err


def test_an_edited_record_is_found(nasbench: Nasbench, folder: Path) -> None:
    path = folder / "records.h5"
    with h5py.File(path, "r+") as file:
        file["p000/e000/valid_error"][3] = 0.01
    ended = nasbench("leaderboard", "verify", folder)
    assert ended.status == 1
    assert f"{path}: content_hash: the content does not match" in ended.err


def test_one_character_of_the_suite_is_found_by_field(nasbench: Nasbench, folder: Path) -> None:
    path = folder / "suite.toml"
    path.write_text(path.read_text().replace("10evals", "19evals"))
    ended = nasbench("leaderboard", "verify", folder)
    assert ended.status == 3
    assert f"{path}: not the suite that the records were made with: suite.budget" in ended.err
    assert "stated '19evals', in the records '10evals'" in ended.err


def test_every_character_of_the_suite_matters(nasbench: Nasbench, folder: Path) -> None:
    path = folder / "suite.toml"
    text = path.read_text()
    told = 0
    for at in range(0, len(text), 7):
        changed = text[:at] + ("x" if text[at] != "x" else "y") + text[at + 1 :]
        try:
            if tomllib.loads(changed) == tomllib.loads(text):
                continue
        except tomllib.TOMLDecodeError:
            pass
        path.write_text(changed)
        ended = nasbench("leaderboard", "verify", folder, "--sample", "0")
        assert ended.status in (1, 3), changed
        assert str(path) in ended.err
        told += 1
    assert told > 20


def test_the_page_of_another_leaderboard_is_found(nasbench: Nasbench, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert nasbench("compare", *QUICK, "--strategies", "grid", "--seeds", "2", "--out", other).status == 0
    shutil.copy(other / "index.html", folder / "index.html")
    ended = nasbench("leaderboard", "verify", folder)
    assert ended.status == 3
    assert f"{folder / 'index.html'}: the data inside differ from leaderboard.json" in ended.err


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("index.html", "<td", "<td data-bought"),
        ("README.md", "random-search", "my-search"),
        ("leaderboard.csv", "random-search", "my-search"),
        ("curves.csv", "random-search", "my-search"),
        ("table.tex", "random-search", "my-search"),
    ],
)
def test_a_page_edited_by_hand_is_found_with_its_line(
    nasbench: Nasbench, folder: Path, name: str, old: str, new: str
) -> None:
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    ended = nasbench("leaderboard", "verify", folder)
    assert ended.status == 3
    assert f"error: {path}: line {text[: text.index(old)].count(chr(10)) + 1}: stated " in ended.err


@pytest.mark.parametrize("name", ["index.html", "README.md", "curves.svg", "suite.toml", "table.tex"])
def test_a_missing_file_is_named(nasbench: Nasbench, folder: Path, name: str) -> None:
    (folder / name).unlink()
    ended = nasbench("leaderboard", "verify", folder)
    assert ended.status == 3
    assert f"{folder / name}: no such file" in ended.err


@pytest.mark.parametrize("name", ["records.h5", "leaderboard.json"])
@pytest.mark.parametrize("kept", [0, 0.5, 0.99])
def test_a_truncated_file_is_refused_by_name(
    nasbench: Nasbench, folder: Path, name: str, kept: float
) -> None:
    path = folder / name
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    ended = nasbench("leaderboard", "verify", folder)
    assert ended.status == 1
    assert f"error: {path}: " in ended.err


def test_an_edited_table_is_found_by_file_and_field(
    nasbench: Nasbench, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    path = Path(shutil.copy(find_table("nb201-cifar10").path, data / "nb201.h5"))
    with h5py.File(path, "r+") as file:
        file["nb201-cifar10/curves/valid_error"][11, 0, 0] = 0.2
    monkeypatch.setenv("NASBENCH_DATA", str(data))
    ended = nasbench("leaderboard", "verify", folder)
    assert ended.status == 3
    assert str(path) in ended.err
    assert "curves/valid_error" in ended.err


def test_a_source_that_is_not_here_is_said(
    nasbench: Nasbench, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nasbench.store.bundled.data_folders", lambda: (tmp_path,))
    ended = nasbench("leaderboard", "verify", folder)
    assert ended.status == 3
    assert "nb201-cifar10: the source is not here to re-run on" in ended.err


CODE = "def five(space, evaluate, rng):\n    while True:\n        evaluate(space.sample(1, rng=rng)[0])\n"


@pytest.fixture
def own(nasbench: Nasbench, tmp_path: Path) -> Path:
    """A leaderboard in ``x`` with a strategy of somebody's own in ``mine.py``; returns the code's path."""
    mine = tmp_path / "mine.py"
    mine.write_text(CODE)
    strategies = f"random-search,Five={mine}:five"
    arguments = ("compare", *QUICK, "--strategies", strategies, "--seeds", "2", "--out", tmp_path / "x")
    assert nasbench(*arguments).status == 0
    return mine


# A process of their own, for this one has imported the file already.
def test_code_that_has_gone_away_is_said_after_all_else_was_checked(own: Path) -> None:
    own.unlink()
    ended = spawn("leaderboard", "reproduce", own.parent / "x")
    assert ended.status == 4
    assert "2 of 4 runs made again" in ended.err
    assert "some code is not here, so its runs were not made again: Five: " in ended.err
    assert f"no file '{own}'" in ended.err


def test_code_that_has_changed_is_found(own: Path) -> None:
    own.write_text(CODE.replace("sample(1", "sample(2"))
    ended = spawn("leaderboard", "verify", own.parent / "x")
    assert ended.status == 3
    assert "Five, seed 0: run again, " in ended.err


def test_build_makes_what_the_suite_still_misses(nasbench: Nasbench, folder: Path) -> None:
    path = folder / "suite.toml"
    path.write_text(path.read_text().replace("seeds = 4", "seeds = 6"))
    ended = nasbench("leaderboard", "build", folder, "--json")
    assert ended.status == 0
    assert [len(entry["seeds"]) for entry in ended.data["panels"][0]["entries"]] == [6, 6]
    assert json.loads((folder / "environment.json").read_text())["runs_already_finished"] == 8
    assert nasbench("leaderboard", "verify", folder).status == 0


def test_build_adds_a_strategy_to_finished_ones(nasbench: Nasbench, folder: Path) -> None:
    path = folder / "suite.toml"
    path.write_text(path.read_text() + '\n[[strategies]]\nname = "tpe"\n')
    assert nasbench("leaderboard", "build", folder).status == 0
    assert json.loads((folder / "environment.json").read_text())["runs_already_finished"] == 8
    assert nasbench("leaderboard", "reproduce", folder).status == 0


def test_build_refuses_to_put_finished_runs_under_another_budget(nasbench: Nasbench, folder: Path) -> None:
    path = folder / "suite.toml"
    path.write_text(path.read_text().replace("10evals", "20evals"))
    ended = nasbench("leaderboard", "build", folder)
    assert ended.status == 2
    assert 'records.h5: budget: "10evals" there, "20evals" here' in ended.err


def test_build_without_a_suite_says_how_to_make_one(nasbench: Nasbench, tmp_path: Path) -> None:
    ended = nasbench("leaderboard", "build", tmp_path)
    assert ended.status == 4
    assert f"expected a folder with a suite.toml, got {tmp_path}" in ended.err
    assert "nasbench compare --out" in ended.err


def test_an_id_that_is_not_the_contents_is_found(nasbench: Nasbench, folder: Path) -> None:
    path = folder / "leaderboard.json"
    data = json.loads(path.read_text())
    data["id"] = "0" * 64
    path.write_text(json.dumps(data))
    ended = nasbench("leaderboard", "verify", folder)
    assert ended.status == 3
    assert f"error: {path}: id: the content does not match the stated 000000000000" in ended.err
