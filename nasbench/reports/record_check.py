"""Whether records are those of their suite and their source, without running anything again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nasbench.errors import Mismatch, NasbenchError
from nasbench.evaluation.charging import Charging
from nasbench.evaluation.source import Source
from nasbench.runs.columns import STATUSES, RunColumns
from nasbench.runs.packing import PackedPanel, PackedRecords
from nasbench.runs.suite import Suite

_OK = STATUSES.index("ok")
LAST_DECIMAL = 1.5e-9
"""By how much a prediction, rounded to nine decimals, may be another on another processor."""

Floats = npt.NDArray[np.float64]


def require_complete(suite: Suite, records: PackedRecords, path: Path) -> None:
    """Check that the records hold each run of the suite once, and each under the suite's settings.

    Raises:
        Mismatch: A source, a row or a seed is missing or too many, or a header says something else.
    """
    if len(records.panels) != len(suite.sources):
        raise Mismatch(
            f"{path}: the suite has {len(suite.sources)} sources, the records {len(records.panels)}."
        )
    for name, panel in zip(suite.sources, records.panels, strict=True):
        labels, wanted = [entry.label for entry in panel.entries], [row.label for row in suite.strategies]
        if labels != wanted:
            raise Mismatch(f"{path}: {name}: the suite has the rows {wanted}, the records {labels}.")
        for entry in panel.entries:
            where = f"{path}: {name}: {entry.label}"
            seeds = [run.header.get("seed") for run in entry.runs]
            if seeds != suite.seed_list():
                raise Mismatch(
                    f"{where}: expected the {suite.seeds} seeds from {suite.first_seed} on in order, got "
                    f"{len(seeds)} runs that start with the seeds {seeds[:5]}."
                )
            settings = _settings(suite, panel, entry.label)
            for run in entry.runs:
                for key, value in settings.items():
                    if run.header.get(key) != value:
                        raise Mismatch(
                            f"{where}, seed {run.header['seed']}: header.{key}: recorded "
                            f"{run.header.get(key)!r}, the suite says {value!r}."
                        )


def _settings(suite: Suite, panel: PackedPanel, label: str) -> dict[str, Any]:
    row = next(row for row in suite.strategies if row.label == label)
    return {
        "suite": suite.name,
        "entry": label,
        "strategy": row.name,
        "options": row.options,
        "source": panel.source["label"],
        "space": panel.source["space"],
        "epochs": panel.source["epochs"],
        "budget": suite.budget,
        "workers": suite.workers,
        "charging": Charging.of(suite.charging).as_dict(),
        "cluster": suite.cluster or None,
        "health": suite.health or None,
    }


def require_answers(source: Source, name: str, panel: PackedPanel) -> int:
    """Check every recorded answer against the source.

    Trials that ended early or failed are checked where their run is made again.

    Args:
        source: A table or a surrogate: one that gives the same answer again.
        name: What the suite calls it.
        panel: All runs against it.

    Returns:
        How many trials were checked.

    Raises:
        Mismatch: An error differs from what the source answers; the message names run and trial.
    """
    checked = 0
    for entry in panel.entries:
        for run in entry.runs:
            where = f"{name}: {entry.label}, seed {run.header['seed']}"
            for rows, epochs, replicate in _batches(run):
                try:
                    answers = source.measure(run.codes[rows], epochs=epochs, replicate=replicate)
                except NasbenchError as error:
                    raise Mismatch(f"{where}: the source has no such answer: {error}") from error
                for column in ("valid_error", "test_error"):
                    stated, found = getattr(run, column)[rows], getattr(answers, column)
                    differs = ~alike(stated, found, source)
                    if differs.any():
                        at = int(np.argmax(differs))
                        raise Mismatch(
                            f"{where}: {column} of trial {int(rows[at])}: recorded {float(stated[at])!r}, "
                            f"the source answers {float(found[at])!r}."
                        )
                checked += len(rows)
    return checked


def alike(stated: Floats, found: Floats, source: Source) -> npt.NDArray[np.bool_]:
    """Say which numbers of a source agree: those of a table to the bit, predictions but for the last digit.

    Args:
        stated: Recorded.
        found: What the source says here.
        source: The source.
    """
    slack = LAST_DECIMAL if source.info.kind == "surrogate" else 0.0
    same: npt.NDArray[np.bool_] = (stated == found) | (np.isnan(stated) & np.isnan(found))
    return same | (np.abs(stated - found) <= slack)


def _batches(run: RunColumns) -> Iterator[tuple[np.ndarray[Any, np.dtype[np.intp]], int, int]]:
    """Group the finished trials of a run by training length and repeat: row numbers of each."""
    finished = run.status == _OK
    pairs = {(int(e), int(r)) for e, r in zip(run.epochs[finished], run.replicate[finished], strict=True)}
    for epochs, replicate in sorted(pairs):
        yield (
            np.flatnonzero(finished & (run.epochs == epochs) & (run.replicate == replicate)),
            epochs,
            replicate,
        )
