"""The command line as a fixture, and a finished leaderboard to work on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cli_calls import FINISHED, QUICK, Ended, Nasbench

from nasbench.cli.app import run


@pytest.fixture
def nasbench(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Nasbench:
    """Run one command line in this process."""
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.delenv("NASBENCH_DATA", raising=False)

    def call(*arguments: object) -> Ended:
        capsys.readouterr()
        status = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ended(status, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished leaderboard folder that nobody alters."""
    folder = tmp_path_factory.mktemp("finished") / "board"
    assert run(["compare", *QUICK, "--strategies", FINISHED, "--seeds", "4", "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished leaderboard to alter."""
    return Path(shutil.copytree(finished, tmp_path / "board"))
