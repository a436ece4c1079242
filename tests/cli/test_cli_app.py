"""What every command has in common: help, near names, exit codes, streams, interruption."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from cli_calls import ARCHITECTURE, QUICK, Nasbench, spawn

from nasbench import __version__
from nasbench.cli.app import COMMANDS, cli


def _commands(group: click.Group, *path: str) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        found.append((*path, name))
        if isinstance(command, click.Group):
            found += _commands(command, *path, name)
    return found


ALL = _commands(cli)


def _of(path: tuple[str, ...]) -> click.Command:
    command: click.Command = cli
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    return command


def test_help_lists_every_command(nasbench: Nasbench) -> None:
    ended = nasbench("--help")
    assert ended.status == 0
    for name, (_, line) in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(line)}$", ended.out, re.MULTILINE)


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_each_command_has_help(nasbench: Nasbench, path: tuple[str, ...]) -> None:
    ended = nasbench(*path, "--help")
    assert ended.status == 0
    assert ended.out.startswith(f"Usage: nasbench {' '.join(path)} ")
    assert (_of(path).help or "").strip()


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_each_option_has_help(path: tuple[str, ...]) -> None:
    mute = [p.name for p in _of(path).params if isinstance(p, click.Option) and not p.help]
    assert mute == []


READING = [path for path in ALL if not isinstance(_of(path), click.Group)]
WRITING = {("new", "strategy"), ("table", "export"), ("completion",)}


@pytest.mark.parametrize("path", [path for path in READING if path not in WRITING], ids=" ".join)
def test_each_reading_command_offers_json(path: tuple[str, ...]) -> None:
    assert "--json" in [name for parameter in _of(path).params for name in parameter.opts]


def test_version_is_printed(nasbench: Nasbench) -> None:
    ended = nasbench("--version")
    assert (ended.status, ended.out) == (0, f"nasbench, version {__version__}\n")


def test_no_command_at_all_shows_the_help(nasbench: Nasbench) -> None:
    ended = nasbench()
    assert ended.status in (0, 2)  # click 8.2 made it 2
    assert "compare" in ended.out + ended.err


def test_the_module_runs_as_the_command() -> None:
    ended = spawn("--version")
    assert (ended.status, ended.out) == (0, f"nasbench, version {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (("compar",), "compare"),
        (("table", "inf"), "info"),
        (("leaderboard", "verfy"), "verify"),
        (("list", "table"), "tables"),
        (("compare", "--strategy", "random-search"), "--strategies"),
    ],
)
def test_an_unknown_command_or_option_names_the_near_one(
    nasbench: Nasbench, arguments: tuple[str, ...], near: str
) -> None:
    ended = nasbench(*arguments)
    assert ended.status == 2
    assert re.search(rf"Did you mean '?{near}\b", ended.err)


def test_a_command_like_no_other_is_refused(nasbench: Nasbench) -> None:
    ended = nasbench("zzzzzz")
    assert ended.status == 2
    assert "No such command 'zzzzzz'" in ended.err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("query", "nb201-cifar10", ARCHITECTURE, "--epochs", "12"), 1, r"epochs: .* got 12"),
        (("query", "nb201-cifar1", ARCHITECTURE), 2, "Did you mean 'nb201-cifar10'"),
        (("table", "info", "absent.h5"), 4, "'absent.h5', which does not exist"),
    ],
)
def test_errors_go_to_standard_error_with_their_status(
    nasbench: Nasbench, arguments: tuple[str, ...], status: int, message: str
) -> None:
    ended = nasbench(*arguments)
    assert (ended.status, ended.out) == (status, "")
    assert re.search(f"^error: .*{message}", ended.err)


def test_a_missing_extra_names_its_install_command(
    nasbench: Nasbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name == "torch" or name.startswith("torch.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    ended = nasbench("query", "live:digits", ARCHITECTURE, "--epochs", "1")
    assert ended.status == 4
    assert "pip install 'nasbench[torch]'" in ended.err


def test_a_reader_that_goes_away_ends_the_output_quietly() -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "nasbench", "table", "export", "nb201-cifar10"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    first = child.stdout.readline()
    child.stdout.close()
    said = child.stderr.read()
    child.stderr.close()
    assert first.startswith(b"architecture,")
    assert (child.wait(timeout=60), said) == (0, b"")


def _on_a_terminal(*arguments: str, **environment: str) -> str:
    """Run a command whose three streams are a terminal; returns all it wrote."""
    outer, inner = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "nasbench", *arguments],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **environment},
    )
    os.close(inner)
    written = b""
    while True:
        try:
            block = os.read(outer, 65_536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not block:
            break
        written += block
    os.close(outer)
    assert child.wait(timeout=60) == 0
    return written.decode()


COLOUR = re.compile(r"\x1b\[[0-9;]*(?<![0-9])(?:3[0-8]|4[0-8]|9[0-7])[;m]")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a comparison writes on a terminal."""
    out = str(tmp_path_factory.mktemp("terminal") / "x")
    return _on_a_terminal(
        "compare", *QUICK, "--strategies", "random-search,tpe", "--seeds", "3", "--out", out
    )


def test_a_terminal_shows_progress_in_colour_and_the_result(written: str) -> None:
    assert "runs" in written
    assert COLOUR.search(written)
    assert "random search, exact expectation" in written


def test_long_sentences_are_broken_between_words_on_a_terminal(written: str) -> None:
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written)
    verdict = shown[shown.index("tpe is") : shown.index("warning")]
    assert max(len(line.rstrip("\r")) for line in verdict.split("\n")) <= 100
    assert "\n  " in verdict


def test_no_color_is_honoured(tmp_path: Path) -> None:
    out = str(tmp_path / "x")
    written = _on_a_terminal(
        "compare", *QUICK, "--strategies", "random-search", "--seeds", "3", "--out", out, NO_COLOR="1"
    )
    assert "random search, exact expectation" in written
    assert not COLOUR.search(written)


def test_no_progress_bar_where_standard_error_is_no_terminal(nasbench: Nasbench, tmp_path: Path) -> None:
    ended = nasbench(
        "compare", *QUICK, "--strategies", "random-search", "--seeds", "3", "--out", tmp_path / "x"
    )
    assert ended.status == 0
    assert "\x1b" not in ended.out + ended.err
    assert ended.err == f"page: {tmp_path / 'x' / 'index.html'}\n"


# A strategy that says so and waits for ever once five runs have begun, where no file tells it to go on.
WAITING = """
import time
from pathlib import Path

from nasbench.strategies.random_search import RandomSearch

HERE = Path(__file__).parent


class Waiting(RandomSearch):
    def ask(self, rng):
        if not (HERE / "go").exists() and len(list(HERE.glob("long/runs/*/*/*.jsonl"))) >= 5:
            (HERE / "waits").touch()
            while True:
                time.sleep(0.01)
        return super().ask(rng)
"""


@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_an_interruption_keeps_the_runs_and_says_how_to_go_on(tmp_path: Path, jobs: str) -> None:
    (tmp_path / "waiting.py").write_text(WAITING, encoding="utf-8")
    out = tmp_path / "long"
    arguments = ["compare", "--source", "nb201-cifar10", "--budget", "10evals", "--seeds", "8"]
    arguments += ["--strategies", f"{tmp_path}/waiting.py:Waiting", "--jobs", jobs, "--out", str(out)]
    child = subprocess.Popen(
        [sys.executable, "-m", "nasbench", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "waits").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: the whole group
    stdout, stderr = child.communicate(timeout=60)
    assert child.returncode == 130
    assert stdout == ""
    assert "Traceback" not in stderr
    command = stderr.strip().split("To go on: ")[1]
    assert shlex.split(command) == ["nasbench", *arguments]
    (tmp_path / "go").touch()
    ended = spawn(*shlex.split(command)[1:], "--json")
    assert ended.status == 0
    assert [len(entry["seeds"]) for entry in ended.data["panels"][0]["entries"]] == [8]
    assert json.loads((out / "environment.json").read_text())["runs_already_finished"] >= 4


def test_an_interrupted_reading_command_promises_nothing(
    nasbench: Nasbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nasbench.store.bundled.list_tables", interrupt)
    ended = nasbench("list", "tables")
    assert ended.status == 130
    assert ended.err.strip() == "interrupted."
