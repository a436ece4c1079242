"""The page on other libraries: its examples run."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import blocks

PAGE = (Path(__file__).parents[2] / "docs" / "compat.md").read_text(encoding="utf-8")
EXAMPLES = [block.text for block in blocks(PAGE) if block.kind == "python"]


def run(example, capsys):
    exec(example, {})
    return capsys.readouterr().out


@pytest.mark.filterwarnings("ignore")
def test_the_optuna_example_finds_a_cell(capsys):
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    first, seconds = run(EXAMPLES[0], capsys).splitlines()
    assert first.startswith("|")
    assert 0 < float(first.split()[-1]) < 0.5
    assert float(seconds.split()[0]) > 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_simulator_example_finds_a_cell(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("SYNETUNE_FOLDER", str(tmp_path))
    pytest.importorskip("syne_tune.blackbox_repository", exc_type=ImportError)
    assert 0 < float(run(EXAMPLES[1], capsys).splitlines()[-1]) < 0.5


def test_the_blackbox_example_answers(capsys):
    pytest.importorskip("syne_tune")
    out = run(EXAMPLES[2], capsys)
    assert "(20, 3)" in out
    assert "'parameters': 'minimize'" in out
