from __future__ import annotations

from pathlib import Path

from cli_calls import Nasbench


def test_an_architecture_is_drawn_in_text(nasbench: Nasbench) -> None:
    ended = nasbench("show", "421211")
    assert (ended.status, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].startswith("nb201 |avg_pool_3x3~0|+|")
    assert "  ├───── avg_pool_3x3 → node 1" in lines


def test_a_space_is_named_forgivingly(nasbench: Nasbench) -> None:
    ended = nasbench("show", "22212220", "--space", "NB_MACRO")
    assert ended.status == 0
    assert "mb6_k5 ↓2" in ended.out


def test_an_svg_is_written_beside(nasbench: Nasbench, tmp_path: Path) -> None:
    file = tmp_path / "cell.svg"
    ended = nasbench("show", "darts-v2", "--space", "darts", "--svg", file)
    assert (ended.status, ended.err) == (0, f"wrote {file}\n")
    assert file.read_text(encoding="utf-8").startswith("<svg")
    assert [path.name for path in tmp_path.iterdir()] == ["cell.svg"]


def test_json_has_the_graphs(nasbench: Nasbench) -> None:
    data = nasbench("show", "64-1234-basic", "--space", "transnas-macro", "--json").data
    assert data["architecture"] == "64-1234-basic"
    assert data["code"] == [1, 2, 3, 4, 0, 0]
    (graph,) = data["graphs"]
    assert graph["nodes"][0] == "image"
    assert graph["edges"][0] == {"source": 0, "target": 1, "label": ""}


def test_an_invalid_architecture_names_the_rule(nasbench: Nasbench) -> None:
    ended = nasbench("show", "2221222x", "--space", "nb-macro")
    assert (ended.status, ended.out) == (2, "")
    assert "expected 8 digits" in ended.err


def test_an_unknown_space_names_the_near_one(nasbench: Nasbench) -> None:
    ended = nasbench("show", "1", "--space", "transnas-micr")
    assert ended.status == 2
    assert "Did you mean 'transnas-micro'" in ended.err


def test_a_file_that_cannot_be_written_is_named(nasbench: Nasbench, tmp_path: Path) -> None:
    ended = nasbench("show", "421211", "--svg", tmp_path / "no folder" / "cell.svg")
    assert ended.status == 1
    assert "No such file or directory" in ended.err
