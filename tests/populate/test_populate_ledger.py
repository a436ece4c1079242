from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from populate_fakes import numbers

from nasbench.errors import BadOption, FormatError
from nasbench.populate.job import Outcome, Task
from nasbench.populate.ledger import QUARANTINED, Ledger

A, B = (0, 1, 2, 3, 4, 0), (1,) * 6


def test_trainings_survive_closing(tmp_path: Path) -> None:
    outcomes = [numbers(Task(code, r), epochs=3) for code in (A, B) for r in range(2)]
    with Ledger(tmp_path / "l.sqlite") as ledger:
        ledger.bind({"space": "nb201"})
        ledger.add(outcomes)
    with Ledger(tmp_path / "l.sqlite") as ledger:
        assert ledger.identity() == {"space": "nb201"}
        assert list(ledger.outcomes()) == outcomes


def test_a_new_ledger_is_of_no_table(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite") as ledger:
        assert ledger.identity() is None


def test_a_training_is_on_disk_when_add_returns(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from populate_fakes import numbers\n"
        "from nasbench.populate.job import Task\n"
        "from nasbench.populate.ledger import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1]))\n"
        "ledger.add([numbers(Task((0,) * 6, 0), epochs=3)])\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "l.sqlite"],
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
        check=False,
    )
    assert done.returncode == -9
    with Ledger(tmp_path / "l.sqlite") as ledger:
        assert [outcome.code for outcome in ledger.outcomes()] == [(0,) * 6]


def test_shorter_trainings_are_not_finished_and_failed_ones_are(tmp_path: Path) -> None:
    failed = replace(numbers(Task(B, 0), epochs=1), status="failed", reason="diverged")
    with Ledger(tmp_path / "l.sqlite") as ledger:
        ledger.add([numbers(Task(A, 0), epochs=3), failed])
        assert ledger.finished(epochs=3) == {Task(A, 0), Task(B, 0)}
        assert ledger.finished(epochs=4) == {Task(B, 0)}


def test_the_mean_is_over_trainings_whose_time_was_taken(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite") as ledger:
        assert ledger.mean_wall_seconds() == (0.0, 0)
        one = numbers(Task(A, 0), epochs=3)
        ledger.add([replace(one, wall_seconds=2.0), replace(one, replicate=1, wall_seconds=4.0)])
        ledger.add([replace(one, replicate=2)])
        assert ledger.mean_wall_seconds() == (3.0, 2)


def test_crashes_are_counted_by_task_and_released_together(tmp_path: Path) -> None:
    given_up = Outcome(
        code=A, replicate=0, status="failed", seconds=1.0, reason=f"{QUARANTINED} after 2 tries: died"
    )
    diverged = Outcome(code=B, replicate=0, status="failed", seconds=1.0, reason="diverged")
    with Ledger(tmp_path / "l.sqlite") as ledger:
        assert [ledger.crash(Task(A, 0), "died") for _ in range(2)] == [1, 2]
        assert ledger.crash(Task(A, 1), "died") == 1
        ledger.add([given_up, diverged])
        assert ledger.release() == 1
        assert ledger.finished(epochs=1) == {Task(B, 0)}
        assert ledger.crash(Task(A, 0), "died") == 1


def test_a_second_coordinator_is_refused(tmp_path: Path) -> None:
    with (
        Ledger(tmp_path / "l.sqlite"),
        pytest.raises(BadOption, match=r"l\.sqlite is held by another process that fills this table"),
    ):
        Ledger(tmp_path / "l.sqlite")


def test_a_foreign_file_is_refused_and_named(tmp_path: Path) -> None:
    (tmp_path / "l.sqlite").write_bytes(b"not a ledger at all" * 400)
    with pytest.raises(
        FormatError, match=r"l\.sqlite: expected a whole ledger, got a damaged or foreign file"
    ):
        Ledger(tmp_path / "l.sqlite")


def test_another_version_is_refused(tmp_path: Path) -> None:
    Ledger(tmp_path / "l.sqlite").close()
    connection = sqlite3.connect(tmp_path / "l.sqlite")
    with connection:
        connection.execute("UPDATE meta SET value = '9' WHERE key = 'version'")
    connection.close()
    with pytest.raises(FormatError, match="version: expected 1, got 9"):
        Ledger(tmp_path / "l.sqlite")


def test_a_full_disk_keeps_what_was_committed(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite") as ledger:
        ledger.add([numbers(Task(A, 0), epochs=3)])
        (pages,) = ledger._connection.execute("PRAGMA page_count").fetchone()
        ledger._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(OSError, match=r"the disk is full\. What was finished is kept"):
            ledger.add([numbers(Task(B, r), epochs=200) for r in range(20)])
        assert [outcome.task for outcome in ledger.outcomes()] == [Task(A, 0)]
    with Ledger(tmp_path / "l.sqlite") as ledger:
        ledger.add([numbers(Task(B, 0), epochs=200)])
        assert ledger.finished(epochs=3) == {Task(A, 0), Task(B, 0)}


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="could not be read or written"):
        Ledger(tmp_path / "nowhere" / "l.sqlite")
