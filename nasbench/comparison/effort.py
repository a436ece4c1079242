"""What a run did with its budget: full trainings, different architectures, time on its clock."""

from __future__ import annotations

import numpy as np

from nasbench.runs.columns import STATUSES, RunColumns

_OK = STATUSES.index("ok")


def full_trainings(run: RunColumns, *, epochs: int) -> int:
    """Count the trials that trained to this length."""
    return int(((run.status == _OK) & (run.epochs == epochs)).sum())


def elapsed_seconds(run: RunColumns) -> float:
    """Return the run's clock when its last trial finished; 0 where it has none."""
    return float(run.finished_seconds[-1]) if len(run.finished_seconds) else 0.0


def distinct_architectures(run: RunColumns) -> int:
    """Count the different architectures among a run's trials."""
    if len(run.codes) == 0:
        return 0
    rows = np.ascontiguousarray(run.codes)
    return len(set(rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).ravel().tolist()))
