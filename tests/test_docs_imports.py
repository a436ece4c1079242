"""The page on imports: each command prints what the page shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from pages import blocks, sessions

from nasbench.cli.app import run

PAGE = (Path(__file__).parent.parent / "docs" / "imports.md").read_text(encoding="utf-8")


def test_every_example_prints_what_the_page_shows(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for block in blocks(PAGE):
        if block.file:
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
    (program,) = (block.text for block in blocks(PAGE) if block.kind == "python")
    exec(program, {})
    asked = [session for block in blocks(PAGE) if block.kind == "console" for session in sessions(block.text)]
    assert len(asked) == 4
    for command, shown in asked:
        assert run(shlex.split(command)) == 0, command
        assert capsys.readouterr().out == shown, command


@pytest.mark.parametrize("command", ["csv", "jsonl", "nas-bench-graph"])
def test_every_option_of_an_import_is_on_the_page_or_in_its_help(command, capsys):
    assert run(["import", command, "--help"]) == 0
    for option in re.findall(r"(--[a-z][a-z-]+)", capsys.readouterr().out):
        assert option in PAGE or option in ("--help", "--json", "--mapping", "--dataset"), option
