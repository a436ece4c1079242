"""One finished run in columns: what packing stores and what the comparison room reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from nasbench.records import Health, Purpose, Reported, Status

STATUSES: tuple[Status, ...] = get_args(Status)
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
ENDS = ("budget", "done", "stalled", "failed")


@dataclass(frozen=True, slots=True)
class RunColumns:
    """A run, one row a trial in order of finish. T = number of trials, L = decisions of the space.

    Attributes:
        header: The record's header: format, schema, suite, entry, strategy, options, seed, source, space,
            epochs, budget, workers, charging, nasbench.
        end: Why it ended: ``"budget"``, ``"done"`` (the strategy had nothing more to propose), ``"stalled"``
            (too many answers in a row cost nothing) or ``"failed"``.
        reason: For a failed run, what happened; else ``""``.
        number: (T,) order of proposal.
        codes: (T, L) architectures.
        epochs: (T,) epochs trained.
        replicate: (T,) training repeat that answered.
        status: (T,) index into ``STATUSES``.
        purpose: (T,) index into ``PURPOSES``.
        valid_error: (T,) fraction; nan where failed.
        test_error: (T,) fraction, sealed from the strategy; nan where not recorded.
        charged_seconds: (T,) what the trial cost.
        finished_seconds: (T,) run clock at its end, non-decreasing.
        reasons: Why a failed trial failed, by its row.
        reported: What the strategy was shown of a live training while it ran, by row: (epochs, validation
            error, charged seconds) each time.
        health: What a watched weight-sharing search looked like at its reports, by row; empty unless watched.
        origins: Where the answer came from, ``"table"`` or ``"live"``, by row; empty unless the source mixes.
    """

    header: dict[str, Any]
    end: str
    reason: str
    number: npt.NDArray[np.int32]
    codes: npt.NDArray[np.int8]
    epochs: npt.NDArray[np.int32]
    replicate: npt.NDArray[np.int16]
    status: npt.NDArray[np.int8]
    purpose: npt.NDArray[np.int8]
    valid_error: npt.NDArray[np.float64]
    test_error: npt.NDArray[np.float64]
    charged_seconds: npt.NDArray[np.float64]
    finished_seconds: npt.NDArray[np.float64]
    reasons: dict[int, str] = field(default_factory=dict)
    origins: dict[int, str] = field(default_factory=dict)
    reported: dict[int, tuple[Reported, ...]] = field(default_factory=dict)
    health: dict[int, Health] = field(default_factory=dict)

    @property
    def spent_seconds(self) -> npt.NDArray[np.float64]:
        """Charged seconds summed over all workers up to each trial, (T,): the leaderboard's time axis."""
        return np.cumsum(self.charged_seconds)
