from __future__ import annotations

import hashlib
from pathlib import Path

from cli_calls import Nasbench


def _hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_pages_are_made_again_byte_for_byte(nasbench: Nasbench, folder: Path) -> None:
    before = _hashes(folder)
    for name in ("index.html", "README.md", "leaderboard.json", "curves.svg", "table.tex", "curves.csv"):
        (folder / name).unlink()
    ended = nasbench("report", folder)
    assert ended.status == 0
    assert _hashes(folder) == before


def test_report_prints_the_leaderboard_as_json(nasbench: Nasbench, folder: Path) -> None:
    ended = nasbench("report", folder, "--json")
    assert ended.status == 0
    assert ended.data["panels"][0]["dataset"] == "CIFAR-10"


def test_pages_are_the_same_where_the_code_of_a_strategy_has_gone(nasbench: Nasbench, tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(
        "from nasbench.strategies import Card\n"
        "class Own:\n"
        "    card = Card(family='evolution', paper='Somebody 2020', table='analogue')\n"
        "    def __init__(self, space, *, rng): pass\n"
        "    def ask(self, n): return []\n"
        "    def tell(self, trials): pass\n"
    )
    out = tmp_path / "x"
    nasbench(
        "compare", "--source", "nb201-cifar10", "--budget", "5evals", "--seeds", "2", "--out", out,
        "--strategies", f"random-search,Own={mine}:Own",
    )  # fmt: skip
    before = _hashes(out)
    mine.unlink()
    ended = nasbench("report", out, "--json")
    assert ended.data["panels"][0]["entries"][1]["paper"] == "Somebody 2020"
    assert _hashes(out) == before


def test_a_folder_without_records_is_refused_by_name(nasbench: Nasbench, tmp_path: Path) -> None:
    ended = nasbench("report", tmp_path)
    assert ended.status == 1
    assert f"{tmp_path / 'records.h5'}: no such file" in ended.err


def test_a_folder_that_is_not_there_is_a_usage_error(nasbench: Nasbench, tmp_path: Path) -> None:
    ended = nasbench("report", tmp_path / "no")
    assert ended.status == 2
    assert "does not exist" in ended.err


def test_truncated_records_are_refused_and_the_old_pages_stay(nasbench: Nasbench, folder: Path) -> None:
    path = folder / "records.h5"
    path.write_bytes(path.read_bytes()[:-1000])
    before = _hashes(folder)
    ended = nasbench("report", folder)
    assert ended.status == 1
    assert f"{path}: damaged or not a packed records file" in ended.err
    assert _hashes(folder) == before
