"""The page on NAS-Bench-101: its program runs, and its cell is written as the page writes it."""

from __future__ import annotations

import re
from pathlib import Path

from nb101_file import SPACE, cells, made_up, parameters_of, records_of, write_file
from pages import blocks

PAGE = (Path(__file__).parent.parent / "docs" / "nb101.md").read_text(encoding="utf-8")


def test_the_program_asks_for_the_cell_of_the_query(tmp_path, monkeypatch, capsys):
    (text,) = re.findall(r"^nasbench query nb101\.h5 (\S+)$", PAGE, flags=re.M)
    code = SPACE.parse(text)
    key = SPACE.key(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_file(tmp_path / "nasbench_full.tfrecord", records_of([(key, *SPACE.cell(code)), *cells(2)]))
    (program,) = (block.text for block in blocks(PAGE) if block.kind == "python")
    exec(program, {})
    first, second = capsys.readouterr().out.splitlines()
    trainings = [made_up(key, 108, repeat)[2] for repeat in range(3)]
    assert first in [f"{parameters_of(key)} {numbers[3]}" for numbers in trainings]
    assert second in [f"({numbers[1]}, 108)" for numbers in trainings]
