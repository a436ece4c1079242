"""What a leaderboard is built from: the runs of each entry, and what is known of the source they asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from nasbench.reports.leaderboard import Reference, Retraining, SurrogateNote
from nasbench.runs.columns import RunColumns
from nasbench.units import DeviceKind


@dataclass(frozen=True, slots=True)
class EntryRuns:
    """One strategy with its options and everything it left behind.

    Attributes:
        label: Name of the row, unique in its panel.
        strategy: Name of the strategy.
        options: Its options.
        family: Family of its card.
        mode: ``"faithful"``, ``"analogue"`` or ``"degenerate"`` on this kind of source.
        paper: Lastname Year.
        runs: Its records, one a seed; those whose end is ``"failed"`` count as failures.
        failures: Seeds without a record, with the reason.
    """

    label: str
    strategy: str
    options: dict[str, Any]
    family: str
    mode: str
    paper: str
    runs: Sequence[RunColumns]
    failures: Sequence[tuple[int, str]] = ()

    def all_failures(self) -> dict[int, str]:
        """Map the seeds of failed runs, recorded or not, to the reason, in increasing order of seed."""
        recorded = {int(run.header["seed"]): run.reason for run in self.runs if run.end == "failed"}
        return dict(sorted({**recorded, **dict(self.failures)}.items()))


@dataclass(frozen=True, slots=True)
class CostAxis:
    """A cost that the panel sets against the error.

    Attributes:
        cost: Its name, as in ``Source.costs``.
        reference_cost: Cost of the reference point, > 0.
        reference_error: Its error, fraction, > 0.
        costs: (m,) cost of each of the panel's codes; nan where unknown.
    """

    cost: str
    reference_cost: float
    reference_error: float
    costs: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PanelInput:
    """One source and all the entries that ran on it.

    Attributes:
        name: Title of the panel.
        source: Source label.
        kind: ``"table"``, ``"surrogate"`` or ``"trainer"``.
        space: Name of the space.
        dataset: Name of the data set.
        device: Reference device in words.
        device_kind: Whether its seconds are GPU or CPU seconds.
        epochs: Training length that is scored; trials of any other never become an incumbent.
        budget: As it was typed.
        budget_seconds: Charged seconds of a run, or None.
        budget_evaluations: Evaluations of a run, or None.
        workers: Simulated workers.
        charging: Charging policies by name.
        cluster: Settings of the simulated cluster that differ from a plain one.
        watched: (w, L) architectures that watched searches scored, and (w,) their recorded validation errors,
            nan where there is none; None where no search was watched or nothing is recorded.
        scored_by: What a score is; ``"trial"`` means the sealed test error of the incumbent's own trial.
        score_note: A sentence on it for readers.
        citation: Credit of the data.
        licence: Licence of the data.
        reference: What is known of the source apart from any strategy.
        codes: (m, L) every architecture that occurs as a trial.
        score: (m,) its score, fraction; nan where unknown.
        entries: The rows, in the order shown.
        cost_axis: The cost to set against the error, or None.
        surrogate: How good the surrogate is that answered, or None.
        retraining: What training each row's best architectures gave, or None.
        format_code: Writes an architecture, (L,), in the field's notation.
    """

    name: str
    source: str
    kind: str
    space: str
    dataset: str
    device: str
    device_kind: DeviceKind
    epochs: int
    budget: str
    budget_seconds: float | None
    budget_evaluations: int | None
    workers: int
    charging: dict[str, str]
    scored_by: str
    score_note: str
    citation: str
    licence: str
    reference: Reference
    codes: npt.ArrayLike
    score: npt.ArrayLike
    entries: Sequence[EntryRuns]
    cluster: dict[str, Any] = field(default_factory=dict)
    cost_axis: CostAxis | None = None
    watched: tuple[npt.NDArray[np.int8], npt.NDArray[np.float64]] | None = None
    surrogate: SurrogateNote | None = None
    retraining: Retraining | None = None
    format_code: Callable[[npt.NDArray[np.int8]], str] = field(default=str)

    @property
    def random_search(self) -> int | None:
        """Position of the random search entry, the first if there are several."""
        names = [entry.strategy.lower().replace("_", "-") for entry in self.entries]
        return names.index("random-search") if "random-search" in names else None
