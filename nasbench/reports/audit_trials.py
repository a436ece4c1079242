"""The trials of an audit: each live training beside the table's own cell and beside where that came from."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasbench.errors import NotMeasured
from nasbench.evaluation.provenance import unlike
from nasbench.evaluation.retraining import RetrainingSource
from nasbench.evaluation.table_source import TableSource
from nasbench.records import Code, Measurement
from nasbench.runs.columns import STATUSES, RunColumns
from nasbench.store.noise import Noise, noise
from nasbench.store.table import Table


@dataclass(frozen=True, slots=True)
class AuditTrial:
    """One live trial beside the table's trial of the same number and the table's own cell.

    Attributes:
        number: Order of proposal, from 0.
        architecture: What the live search proposed, in the space's notation.
        epochs: Epochs it trained.
        replicate: Replicate of the table.
        seed: Training seed behind it.
        same_proposal: Whether the search on the table proposed the same at this number.
        on_table: What that one proposed, where it is another or at another length or repeat; else ``""``.
        status: Of the live training.
        recorded_status: Of the table's cell; ``""`` where the table has none.
        error: Live validation error, as float32; None where failed.
        recorded_error: The table's, or None.
        test_error: Live test error, likewise.
        recorded_test_error: The table's.
        equal: Whether both have the same bits (or both failed); None where the table has no such cell.
        noise_sd: Standard deviation between repeats at this error; None where unknown.
        deviation: Difference over the noise of two trainings; None where unknown.
        seconds: Live training seconds.
        recorded_seconds: The table's, or None.
        same_origin: Whether device, threads, torch and code are those that made the cell; None where the
            table does not say.
    """

    number: int
    architecture: str
    epochs: int
    replicate: int
    seed: int
    same_proposal: bool
    on_table: str
    status: str
    recorded_status: str
    error: float | None
    recorded_error: float | None
    test_error: float | None
    recorded_test_error: float | None
    equal: bool | None
    noise_sd: float | None
    deviation: float | None
    seconds: float
    recorded_seconds: float | None
    same_origin: bool | None


class Origins:
    """Where the cells of a table came from, against here.

    Args:
        table: The table.
        here: Provenance of what is trained now.
    """

    def __init__(self, table: Table, here: Mapping[str, Any]) -> None:
        self._table = table
        self._here = here
        self._provenance = table.data().provenance

    def unlike(self, code: Code, replicate: int) -> dict[str, tuple[Any, Any]] | None:
        """Name what differs, (recorded, here) by key; None where the table does not say."""
        if self._provenance is None:
            return None
        try:
            at = int(self._provenance.of[self._table.row(code), replicate])
        except (NotMeasured, IndexError):
            return None
        return unlike(json.loads(self._provenance.rows[at]), self._here) if at >= 0 else None

    def differences(self, run: RunColumns) -> dict[str, int]:
        """Count over the trials of a run what differs, in words."""
        counts: Counter[str] = Counter()
        for code, _, replicate in proposals(run):
            for key, (recorded, now) in (self.unlike(code, replicate) or {}).items():
                counts[
                    f"{key}: {'not stated' if recorded is None else recorded} in the table, {now} here"
                ] += 1
        return dict(sorted(counts.items()))


def compared(
    recorded: TableSource,
    live: RetrainingSource,
    on_table: RunColumns,
    trained: RunColumns,
    origins: Origins,
) -> list[AuditTrial]:
    """Put every live trial beside the table's trial of its number and beside its own cell.

    Args:
        recorded: The table.
        live: What trained.
        on_table: The search on the table.
        trained: The live search.
        origins: Where the table's cells came from.
    """
    table = recorded.table
    noises: dict[int, Noise] = {}
    proposed = proposals(on_table)
    out = []
    for row, (code, epochs, replicate) in enumerate(proposals(trained)):
        other = proposed[row] if row < len(proposed) else None
        same = other is None or other == (code, epochs, replicate)
        try:
            cell: Measurement | None = recorded.answer(code, epochs=epochs, replicate=replicate)
        except NotMeasured:
            cell = None
        if epochs in table.epochs and epochs not in noises:
            column = table.column("valid_error")[:, :, table.epochs.index(epochs)]
            noises[epochs] = noise(np.asarray(column, dtype=np.float64))
        error, test = (_or_none(column[row]) for column in (trained.valid_error, trained.test_error))
        status = STATUSES[trained.status[row]]
        sd = deviation = equal = None
        if cell is not None:
            equal = status == cell.status and error == cell.valid_error
            if cell.valid_error is not None and error is not None:
                sd = _or_none(float(noises[epochs].sd_at([cell.valid_error])[0]))
                if sd:
                    deviation = (error - cell.valid_error) / (math.sqrt(2.0) * sd)
        differs = origins.unlike(code, replicate)
        out.append(
            AuditTrial(
                number=int(trained.number[row]),
                architecture=table.space.format(code),
                epochs=epochs,
                replicate=replicate,
                seed=live.seed_of(code, replicate),
                same_proposal=same,
                on_table="" if same or other is None else _shown(table, other),
                status=status,
                recorded_status="" if cell is None else cell.status,
                error=error,
                recorded_error=None if cell is None else cell.valid_error,
                test_error=test,
                recorded_test_error=None if cell is None else cell.test_error,
                equal=equal,
                noise_sd=sd,
                deviation=deviation,
                seconds=float(trained.charged_seconds[row]),
                recorded_seconds=None if cell is None else cell.train_seconds,
                same_origin=None if differs is None else not differs,
            )
        )
    return out


def proposals(run: RunColumns) -> list[tuple[Code, int, int]]:
    """List (code, epochs, replicate) of the trials of a run."""
    return [
        (tuple(code), int(epochs), int(replicate))
        for code, epochs, replicate in zip(run.codes.tolist(), run.epochs, run.replicate, strict=True)
    ]


def _shown(table: Table, proposal: tuple[Code, int, int]) -> str:
    code, epochs, replicate = proposal
    return f"{table.space.format(code)}, {epochs} epochs, replicate {replicate}"


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
