"""The best architectures that the runs of a row found, by what their searches saw: to be trained again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nasbench.errors import BadOption
from nasbench.records import Code, Codes
from nasbench.runs.columns import STATUSES, RunColumns

_OK = STATUSES.index("ok")


def best_found(
    runs: Sequence[RunColumns], n: int, *, epochs: int, standing: Callable[[Codes], Codes] | None = None
) -> list[tuple[Code, float]]:
    """List the architectures of the lowest validation errors that runs were told, each once.

    Only whole trainings count: status ``ok`` and exactly ``epochs`` epochs. Among equal errors the first in
    lexicographic order of their codes comes first, so the order of runs does not matter.

    Args:
        runs: Of one row.
        n: How many, >= 1; fewer come back where the runs found no more.
        epochs: Training length that the panel scores.
        standing: Replaces (m, L) codes by those that stand for their class of equal networks, such as
            ``Space.canonical``; None means each code stands for itself.

    Returns:
        (architecture, lowest validation error that it was told with, fraction), best first.

    Raises:
        BadOption: ``n`` < 1.
    """
    if n < 1:
        raise BadOption(f"best: expected a number of architectures >= 1, got {n}.")
    lowest: dict[Code, float] = {}
    for run in runs:
        rows = np.flatnonzero((run.status == _OK) & (run.epochs == epochs) & np.isfinite(run.valid_error))
        if not len(rows):
            continue
        codes = run.codes[rows] if standing is None else standing(run.codes[rows])
        for code, error in zip(map(tuple, codes.tolist()), run.valid_error[rows].tolist(), strict=True):
            lowest[code] = min(error, lowest.get(code, error))
    return sorted(lowest.items(), key=lambda item: (item[1], item[0]))[:n]
