"""The ledger: every finished training, committed to disk before it counts.

A SQLite file beside the table. Whoever opens it holds it alone until it is closed or the process ends, so two
coordinators never fill one table. The table can always be made from it, and it from the table.
"""

from __future__ import annotations

import errno
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nasbench.errors import BadOption, FormatError
from nasbench.populate.job import Outcome, Task
from nasbench.records import Code
from nasbench.store.info import canonical_json

VERSION = "1"
QUARANTINED = "quarantined"
IN_MEMORY = Path(":memory:")
"""Path of a ledger that is on no disk, for trying things out."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS provenance (id INTEGER PRIMARY KEY, json TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS trainings (
    code TEXT NOT NULL,
    replicate INTEGER NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    epochs INTEGER NOT NULL,
    seconds REAL NOT NULL,
    wall_seconds REAL NOT NULL,
    curves TEXT NOT NULL,
    scalars TEXT NOT NULL,
    provenance INTEGER NOT NULL REFERENCES provenance (id),
    PRIMARY KEY (code, replicate)
);
CREATE TABLE IF NOT EXISTS crashes (code TEXT NOT NULL, replicate INTEGER NOT NULL, reason TEXT NOT NULL);
"""


class Ledger:
    """The trainings of one table, on disk.

    Args:
        path: The file; made where there is none.

    Raises:
        BadOption: Another process holds it.
        FormatError: Not a ledger, a damaged one, or of another version.
        OSError: The disk is full or the folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._errors():
            self._connection = sqlite3.connect(path, timeout=1.0, isolation_level=None)
        try:
            with self._errors():
                self._open()
        except BaseException:
            self._connection.close()
            raise

    def _open(self) -> None:
        """Take the file for this process alone, until the connection is closed."""
        run = self._connection.execute
        run("PRAGMA locking_mode = EXCLUSIVE")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        run("BEGIN EXCLUSIVE")
        for statement in filter(str.strip, _SCHEMA.split(";")):
            run(statement)
        found = run("SELECT value FROM meta WHERE key = 'version'").fetchone()
        if found is None:
            run("INSERT INTO meta VALUES ('version', ?)", (VERSION,))
        run("COMMIT")
        if found is not None and found[0] != VERSION:
            raise FormatError(
                f"{self.path}: version: expected {VERSION}, got {found[0]}. Set the file aside: the table "
                "holds what was exported, and populating goes on from it."
            )

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What the trainings have in common ------------------------------------------------------------

    def identity(self) -> dict[str, Any] | None:
        """Return what ``bind`` wrote; None in a new ledger."""
        with self._errors():
            found = self._connection.execute("SELECT value FROM meta WHERE key = 'identity'").fetchone()
        return None if found is None else dict(json.loads(found[0]))

    def bind(self, identity: Mapping[str, Any]) -> None:
        """Write what all trainings of this ledger have in common."""
        with self._transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO meta VALUES ('identity', ?)", (canonical_json(dict(identity)),)
            )

    # Trainings ------------------------------------------------------------------------------------

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Commit trainings; when this returns they are on disk. One of the same task is replaced.

        Raises:
            OSError: The disk is full; what was committed before is kept.
        """
        with self._transaction():
            for outcome in outcomes:
                self._add(outcome)

    def _add(self, outcome: Outcome) -> None:
        run = self._connection.execute
        text = canonical_json(dict(outcome.provenance))
        run("INSERT OR IGNORE INTO provenance (json) VALUES (?)", (text,))
        (number,) = run("SELECT id FROM provenance WHERE json = ?", (text,)).fetchone()
        run(
            "INSERT OR REPLACE INTO trainings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                _text(outcome.code),
                outcome.replicate,
                outcome.status,
                outcome.reason,
                outcome.epochs,
                outcome.seconds,
                outcome.wall_seconds,
                json.dumps({name: list(values) for name, values in outcome.curves.items()}),
                json.dumps(dict(outcome.scalars)),
                number,
            ),
        )

    def outcomes(self) -> Iterator[Outcome]:
        """Give every training, in the order of code and replicate."""
        with self._errors():
            run = self._connection.execute
            rows = {number: json.loads(text) for number, text in run("SELECT id, json FROM provenance")}
            for row in run("SELECT * FROM trainings ORDER BY code, replicate"):
                code, replicate, status, reason, _, seconds, wall, curves, scalars, number = row
                yield Outcome(
                    code=_code(code),
                    replicate=replicate,
                    status=status,
                    reason=reason,
                    seconds=seconds,
                    wall_seconds=wall,
                    curves={name: tuple(values) for name, values in json.loads(curves).items()},
                    scalars=json.loads(scalars),
                    provenance=rows[number],
                )

    def finished(self, *, epochs: int) -> set[Task]:
        """List the tasks that need no training to ``epochs``: trained at least so long, or failed."""
        with self._errors():
            found = self._connection.execute(
                "SELECT code, replicate FROM trainings WHERE status = 'failed' OR epochs >= ?", (epochs,)
            )
            return {Task(_code(code), replicate) for code, replicate in found}

    def mean_wall_seconds(self) -> tuple[float, int]:
        """Return the mean seconds a worker was busy with a training of this ledger, and of how many."""
        with self._errors():
            mean, count = self._connection.execute(
                "SELECT AVG(wall_seconds), COUNT(*) FROM trainings WHERE wall_seconds > 0"
            ).fetchone()
        return (mean or 0.0), count

    # Crashes --------------------------------------------------------------------------------------

    def crash(self, task: Task, reason: str) -> int:
        """Commit that a training took its worker with it; return how often this task has."""
        key = _text(task.code), task.replicate
        with self._transaction():
            self._connection.execute("INSERT INTO crashes VALUES (?, ?, ?)", (*key, reason))
            found = self._connection.execute(
                "SELECT COUNT(*) FROM crashes WHERE code = ? AND replicate = ?", key
            )
            return int(found.fetchone()[0])

    def release(self) -> int:
        """Forget all crashes and quarantined trainings, so that they are tried again; return how many."""
        with self._transaction():
            self._connection.execute("DELETE FROM crashes")
            found = self._connection.execute(
                "DELETE FROM trainings WHERE status = 'failed' AND reason LIKE ?", (f"{QUARANTINED}%",)
            )
            return found.rowcount

    # Errors ---------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Say in this program's words what SQLite found."""
        try:
            yield
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorcode", None)
            if code is not None and code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise BadOption(
                    f"table: {self.path.name} is held by another process that fills this table. Wait for it "
                    "or stop it; to share the work among machines use --shard or --ray."
                ) from error
            if code == sqlite3.SQLITE_FULL:
                raise OSError(
                    errno.ENOSPC,
                    "the disk is full. What was finished is kept; free space and give the same command again",
                    str(self.path),
                ) from error
            raise OSError(errno.EIO, f"could not be read or written ({error})", str(self.path)) from error
        except sqlite3.DatabaseError as error:
            raise FormatError(
                f"{self.path}: expected a whole ledger, got a damaged or foreign file ({error}). Set it "
                "aside: the table holds what was exported, and populating goes on from it."
            ) from error


def _text(code: Code) -> str:
    return ",".join(map(str, code))


def _code(text: str) -> Code:
    return tuple(int(value) for value in text.split(","))
