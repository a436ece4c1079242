"""One entry's runs as arrays: what each had spent and what its incumbent was worth after every trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nasbench.comparison.incumbents import (
    TOLERANCE,
    after_each_trial,
    evaluations_spent,
    incumbent_rows,
    on_grid,
)
from nasbench.comparison.targets import first_reach
from nasbench.errors import BadOption
from nasbench.runs.columns import RunColumns

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scores:
    """What architectures are worth, looked up by their code.

    Attributes:
        by_code: Score of each code, keyed by its bytes as int8; a missing or nan score is unknown.
        from_trial: Whether an unknown score is read from the trial's own sealed test error.
    """

    by_code: dict[bytes, float]
    from_trial: bool = False

    @classmethod
    def of(cls, codes: npt.ArrayLike, score: npt.ArrayLike, *, from_trial: bool = False) -> Scores:
        """Index a table of scores.

        Args:
            codes: (m, L) architectures.
            score: (m,) their scores; nan where unknown.
            from_trial: Whether an unknown score is read from the trial's own sealed test error.

        Raises:
            BadOption: The lengths differ.
        """
        rows = np.asarray(codes, dtype=np.int8)
        values = np.asarray(score, dtype=np.float64)
        if len(rows) != len(values):
            raise BadOption(
                f"score: expected one score an architecture (= {len(rows)}), got {len(values)}. "
                "Pass the score of each row of codes."
            )
        pairs = zip(rows, values.tolist(), strict=True)
        return cls({code.tobytes(): value for code, value in pairs}, from_trial)

    def of_incumbents(self, run: RunColumns, rows: npt.NDArray[np.int64]) -> Floats:
        """Score the architectures of a run that were ever its incumbent.

        Args:
            run: One run of T trials.
            rows: (T,) as ``incumbent_rows`` returns them.

        Returns:
            (T,) scores at the rows of incumbents; nan elsewhere and where unknown.
        """
        score = np.full(len(rows), np.nan)
        # Rows never decrease, so those that differ from their predecessor are all the incumbents.
        changes = rows[np.flatnonzero(np.diff(rows, prepend=-1))]
        codes = np.asarray(run.codes, dtype=np.int8)
        for row in changes.tolist():
            known = self.by_code.get(codes[row].tobytes(), np.nan)
            score[row] = run.test_error[row] if self.from_trial and np.isnan(known) else known
        return score


@dataclass(frozen=True, slots=True)
class EntryArrays:
    """The runs of one entry, in increasing order of seed; lists hold one array a run.

    Attributes:
        seeds: Root seeds.
        runs: The runs.
        rows: (T,) incumbent after each trial within the budget.
        seconds: (T,) charged seconds up to each trial.
        evaluations: (T,) evaluations up to each trial.
        values: (T,) score of the incumbent after each trial.
    """

    seeds: list[int]
    runs: list[RunColumns]
    rows: list[npt.NDArray[np.int64]]
    seconds: list[Floats]
    evaluations: list[Floats]
    values: list[Floats]

    @property
    def final(self) -> Floats:
        """Score of the incumbent of each run when its budget was spent, (n,); nan where it has none."""
        return np.array([v[-1] if len(v) else np.nan for v in self.values], dtype=np.float64)

    def earliest_seconds(self) -> float:
        """Find the charged seconds of the first result of any run; inf where there is none."""
        found = [s[np.isfinite(v)][0] for s, v in zip(self.seconds, self.values, strict=True) if _any(v)]
        return float(min(found, default=np.inf))

    def latest(self) -> tuple[float, int]:
        """Find the most that any run spent: seconds and evaluations; zero where no run has a trial."""
        seconds = max((float(s[-1]) for s in self.seconds if len(s)), default=0.0)
        return seconds, int(max((float(e[-1]) for e in self.evaluations if len(e)), default=0.0))

    def over_seconds(self, grid: Floats) -> Floats:
        """Sample every run on a grid of charged seconds, (n, g)."""
        return _stack(self.seconds, self.values, grid)

    def over_evaluations(self, grid: Floats) -> Floats:
        """Sample every run on a grid of evaluations, (n, g)."""
        return _stack(self.evaluations, self.values, grid)

    def seconds_to(self, target: float) -> Floats:
        """Find the charged seconds at which each run first reached a target, (n,); inf for never."""
        pairs = zip(self.seconds, self.values, strict=True)
        return np.array([first_reach(s, v, target) for s, v in pairs], dtype=np.float64)

    def at(self, seeds: Sequence[int]) -> list[int]:
        """Find the positions of these seeds, all of which the entry has."""
        place = {seed: i for i, seed in enumerate(self.seeds)}
        return [place[seed] for seed in seeds]


def entry_arrays(
    runs: Sequence[RunColumns],
    scores: Scores,
    *,
    epochs: int,
    budget_seconds: float | None = None,
    budget_evaluations: int | None = None,
) -> EntryArrays:
    """Turn an entry's runs into arrays, each run cut where its budget was spent.

    Args:
        runs: Finished runs in any order; their headers name the seed.
        scores: What architectures are worth.
        epochs: Training length the panel scores.
        budget_seconds: Charged seconds after which a trial is too late, or None.
        budget_evaluations: Evaluations after which a trial is too late, or None.

    Raises:
        BadOption: Two runs have the same seed.
    """
    ordered = sorted(runs, key=lambda run: int(run.header["seed"]))
    seeds = [int(run.header["seed"]) for run in ordered]
    twice = sorted({seed for seed in seeds if seeds.count(seed) > 1}) if len(set(seeds)) < len(seeds) else []
    if twice:
        raise BadOption(f"runs: expected one run a seed, got several for {twice}. Keep one record of each.")
    made = EntryArrays(seeds, ordered, [], [], [], [])
    for run in ordered:
        seconds, evaluations = run.spent_seconds, evaluations_spent(run)
        inside = len(seconds)
        if budget_seconds is not None:
            inside = int(np.searchsorted(seconds, budget_seconds * (1.0 + TOLERANCE), side="right"))
        if budget_evaluations is not None:
            inside = min(inside, int(np.searchsorted(evaluations, budget_evaluations, side="right")))
        rows = incumbent_rows(run, epochs=epochs)[:inside]
        made.rows.append(rows)
        made.seconds.append(seconds[:inside])
        made.evaluations.append(evaluations[:inside])
        made.values.append(after_each_trial(scores.of_incumbents(run, rows), rows))
    return made


def _any(values: Floats) -> bool:
    return bool(np.isfinite(values).any())


def _stack(spent: list[Floats], values: list[Floats], grid: Floats) -> Floats:
    rows = [on_grid(s, v, grid) for s, v in zip(spent, values, strict=True)]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(grid))
