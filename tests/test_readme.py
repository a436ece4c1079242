"""The README is true: its programs run, and what it lists is what there is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nasbench.evaluation.evaluator import Evaluator
from nasbench.evaluation.opening import open_source
from nasbench.runs.loop import run
from nasbench.seeds import generator
from nasbench.spaces import SPACES
from nasbench.store.bundled import list_tables
from nasbench.strategies import STRATEGIES
from nasbench.strategies.loading import load_strategy
from nasbench.units import parse_budget

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_the_first_program_runs_from_any_folder(tmp_path):
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAMS[0]],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert [line.split()[0] for line in finished.stdout.splitlines()] == [
        "random-search",
        "regularized-evolution",
    ]
    assert (tmp_path / "first" / "index.html").is_file()


def test_the_five_line_strategy_runs(tmp_path):
    file = tmp_path / "five.py"
    file.write_text(PROGRAMS[1], encoding="utf-8")
    source = open_source("nb201-cifar10")
    strategy = load_strategy(f"{file}:hill_climb")(source.space, rng=generator(0, "strategy"))
    outcome = run(strategy, Evaluator(source, seed=0), budget=parse_budget("40evals"))
    assert (outcome.end, outcome.trials) == ("budget", 40)


@pytest.mark.parametrize("name", [*STRATEGIES, *SPACES, *list_tables()])
def test_everything_that_comes_with_the_program_is_listed(name):
    assert f"`{name}`" in README


def test_every_file_it_links_to_is_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_scripts_it_names_can_be_run():
    for script in ("quickstart", "test"):
        assert f"scripts/{script}" in README
        assert os.access(ROOT / "scripts" / script, os.X_OK)
