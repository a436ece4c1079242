import json

import pytest

from nasbench.errors import BadOption
from nasbench.reports.leaderboard import Leaderboard
from nasbench.reports.write import write_report

FILES = [
    "index.html",
    "README.md",
    "curves.svg",
    "leaderboard.csv",
    "curves.csv",
    "table.tex",
    "leaderboard.json",
]


@pytest.fixture
def small(make_leaderboard, make_panel):
    return make_leaderboard([make_panel(n_entries=2)])


def test_every_file_is_written_and_nothing_else(small, tmp_path):
    paths = write_report(small, tmp_path / "new" / "folder")
    assert [path.name for path in paths] == FILES
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == sorted(FILES)


def test_the_same_leaderboard_gives_the_same_bytes(small, tmp_path):
    first, second = write_report(small, tmp_path / "a"), write_report(small, tmp_path / "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_the_json_is_the_leaderboard(small, tmp_path):
    write_report(small, tmp_path)
    text = (tmp_path / "leaderboard.json").read_text()
    assert text == small.canonical_json()
    assert Leaderboard.model_validate_json(text) == small


def test_a_leaderboard_without_id_gets_it(small, tmp_path):
    write_report(small.model_copy(update={"id": ""}), tmp_path)
    assert json.loads((tmp_path / "leaderboard.json").read_text())["id"] == small.id


def test_several_panels_get_a_picture_each(make_leaderboard, make_panel, tmp_path):
    panels = [make_panel(n_entries=1, name=name) for name in ("NB 201/c10", "nb 201 c10", "../x")]
    names = [path.name for path in write_report(make_leaderboard(panels), tmp_path)]
    pictures = [name for name in names if name.endswith(".svg")]
    assert pictures == ["curves-nb-201-c10.svg", "curves-nb-201-c10-1.svg", "curves-x.svg"]
    readme = (tmp_path / "README.md").read_text()
    assert all(f"]({name})" in readme for name in pictures)


def test_a_panel_without_any_result_is_written_without_a_picture(
    make_leaderboard, make_panel, fail_entry, tmp_path
):
    panel = make_panel(n_entries=2)
    panel = panel.model_copy(update={"entries": [fail_entry(entry) for entry in panel.entries], "pairs": []})
    names = [path.name for path in write_report(make_leaderboard([panel]), tmp_path)]
    assert "curves.svg" not in names
    assert "![" not in (tmp_path / "README.md").read_text()
    assert "failed" in (tmp_path / "index.html").read_text()


def test_run_rows_become_a_file(small, tmp_path):
    paths = write_report(small, tmp_path, runs_csv_rows=[{"label": "a", "seed": 0, "error": 0.25}])
    assert paths[-1].name == "runs.csv"
    assert paths[-1].read_text() == "label,seed,error\na,0,0.25\n"


def test_run_rows_of_different_columns_are_refused_before_anything_is_written(small, tmp_path):
    with pytest.raises(BadOption, match="rows: expected the columns"):
        write_report(small, tmp_path / "x", runs_csv_rows=[{"a": 1}, {"b": 2}])
    assert not (tmp_path / "x").exists()


def test_other_files_of_the_folder_stay(small, tmp_path):
    (tmp_path / "suite.toml").write_text("kept")
    write_report(small, tmp_path)
    assert (tmp_path / "suite.toml").read_text() == "kept"
