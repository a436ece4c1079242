"""The audit: one strategy and seed against a table and against training now, side by side.

A table promises that a search on it is the search that training would have been. The audit holds it to that:
the strategy runs twice from one seed, once answered by the table and once by training every proposal again
with the recipe, data and training seeds of the table's cells. Every live training is compared with the
table's own cell, also after the two searches have parted, which they may once an error differs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nasbench.errors import FormatError
from nasbench.evaluation.provenance import provenance_here
from nasbench.evaluation.retraining import RetrainingSource, open_live_of
from nasbench.evaluation.source import Source
from nasbench.evaluation.table_source import TableSource
from nasbench.records import Code, Measurement, OnEpoch
from nasbench.reports.audit_trials import AuditTrial, Origins, compared
from nasbench.reports.audit_verdict import Judgement, judge
from nasbench.runs.columns import PURPOSES, STATUSES, RunColumns
from nasbench.runs.execute import RunSpec, execute
from nasbench.runs.reading import read_run
from nasbench.runs.record import is_finished
from nasbench.store.agreement import RankAgreement, rank_agreement
from nasbench.store.table import Table
from nasbench.units import parse_budget

Progress = Callable[[int, int, str], None]

TABLE_RECORD, LIVE_RECORD = "audit-table.jsonl", "audit-live.jsonl"
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Incumbent:
    """What a search found: the trial of the lowest validation error.

    Attributes:
        architecture: In the space's notation.
        valid_error: Its validation error.
        test_error: Its sealed test error, or None.
        number: Order of proposal.
    """

    architecture: str
    valid_error: float
    test_error: float | None
    number: int


@dataclass(frozen=True, slots=True)
class Audit:
    """Everything an audit found.

    Attributes:
        strategy: As typed.
        options: Of the strategy.
        seed: Root seed of both searches.
        budget: As typed.
        table: Label of the table.
        live: Label of the live source.
        device: Where it trained.
        recorded_device: Reference device of the table.
        trials_on_table: Trials that the search on the table finished.
        ends: How the two searches ended: on the table, live.
        trials: The live trials.
        parts_at: First number at which the proposals differ, or None.
        ranks: Of the distinct architectures that the live search trained in full: live against recorded.
        seconds: Total live seconds of the trials that the table has too.
        recorded_seconds: The table's seconds of the same trials.
        median_time_ratio: Median of live over recorded seconds, or None.
        origins: What differs in origin, (recorded, here) by key, with the number of trials.
        incumbents: Of the search on the table and of the live one; None where nothing finished.
        judgement: What follows.
    """

    strategy: str
    options: dict[str, Any]
    seed: int
    budget: str
    table: str
    live: str
    device: str
    recorded_device: str
    trials_on_table: int
    ends: tuple[str, str]
    trials: tuple[AuditTrial, ...]
    parts_at: int | None
    ranks: RankAgreement
    seconds: float
    recorded_seconds: float
    median_time_ratio: float | None
    origins: dict[str, int]
    incumbents: tuple[Incumbent | None, Incumbent | None]
    judgement: Judgement

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), allow_nan=False))
        return plain


class _Watched(RetrainingSource):
    """Tells how far the live search is."""

    progress: Progress
    total = 0
    done = 0

    def answer(self, code: Code, *, epochs: int, replicate: int) -> Measurement:
        """Train, then tell."""
        made = super().answer(code, epochs=epochs, replicate=replicate)
        self._count()
        return made

    def follow(
        self, code: Code, *, epochs: int, replicate: int, on_epoch: OnEpoch
    ) -> tuple[Measurement, int]:
        """Train under the strategy's eyes, then tell."""
        made = super().follow(code, epochs=epochs, replicate=replicate, on_epoch=on_epoch)
        self._count()
        return made

    def _count(self) -> None:
        self.done += 1
        self.progress(self.done, max(self.total, self.done), "live trainings")


def audit(
    strategy: str,
    table: Table,
    *,
    seed: int = 0,
    budget: str = "30evals",
    options: Mapping[str, Any] | None = None,
    device: str | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Run a strategy on a table and live, and compare.

    Args:
        strategy: As ``load_strategy`` takes it.
        table: The table; its attributes say how its cells are trained.
        seed: Root seed of both searches.
        budget: What each may spend; in evaluations both have the same number of trials.
        options: Options of the strategy.
        device: Where to train, e.g. ``"cuda"``; None means the CPU.
        folder: Keeps both run records there, so that an interrupted audit goes on; None keeps nothing.
        progress: Told after each live training.

    Raises:
        BadOption: The table's cells cannot be trained here, or a budget or option is wrong.
        MissingExtra: torch or the data set is absent.
        FormatError: The folder holds the records of another audit.
    """
    live = _Watched(table, open_live_of(table, device=device))
    live.progress = progress or (lambda _done, _total, _label: None)
    limit = parse_budget(budget)
    limit.require_device(table.info.device_kind, source=table.name)
    live.total = limit.evaluations or 0
    recorded = TableSource(table)
    spec = RunSpec("audit", strategy, strategy, dict(options or {}), budget)
    on_table = _run(spec, seed, recorded, folder, TABLE_RECORD)
    trained = _run(spec, seed, live, folder, LIVE_RECORD)
    origins = Origins(table, provenance_here(device or "cpu"))
    trials = compared(recorded, live, on_table, trained, origins)
    parts_at = next((trial.number for trial in trials if not trial.same_proposal), None)
    both = [t for t in trials if t.recorded_seconds is not None]
    ratios = [t.seconds / t.recorded_seconds for t in both if t.recorded_seconds]
    incumbents = (_incumbent(table, on_table), _incumbent(table, trained))
    return Audit(
        strategy=strategy,
        options=dict(options or {}),
        seed=seed,
        budget=budget,
        table=recorded.info.label,
        live=live.live.info.label,
        device=live.info.device,
        recorded_device=table.info.reference_device,
        trials_on_table=len(on_table.number),
        ends=(_end(on_table), _end(trained)),
        trials=tuple(trials),
        parts_at=parts_at,
        ranks=_ranks(trials, table.epochs[-1]),
        seconds=math.fsum(t.seconds for t in both),
        recorded_seconds=math.fsum(t.recorded_seconds or 0.0 for t in both),
        median_time_ratio=float(np.median(ratios)) if ratios else None,
        origins=origins.differences(trained),
        incumbents=incumbents,
        judgement=judge(trials, on_table, trained, parts_at),
    )


def _run(spec: RunSpec, seed: int, source: Source, folder: Path | None, name: str) -> RunColumns:
    """Run one of the two searches, or read its finished record.

    Raises:
        FormatError: The record there is that of another run.
    """
    if folder is None:
        return execute(spec, seed, source)[0]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    if not is_finished(path):
        return execute(spec, seed, source, path=path)[0]
    run = read_run(path)
    wanted = json.loads(json.dumps(spec.header(source, seed)))
    for key, value in wanted.items():
        if key != "nasbench" and run.header.get(key) != value:
            raise FormatError(
                f"{path}: {key}: expected {value!r}, got {run.header.get(key)!r}: the record of "
                "another audit. Give another --out."
            )
    return run


def _ranks(trials: list[AuditTrial], longest: int) -> RankAgreement:
    """Rank the distinct full trainings of the live search, live against recorded."""
    cells = {(t.architecture, t.replicate): t for t in trials if t.epochs == longest}
    pairs = [(t.error, t.recorded_error) for t in cells.values()]
    a, b = (
        np.array([_NAN if v is None else v for v in column])
        for column in (zip(*pairs, strict=True) if pairs else ((), ()))
    )
    return rank_agreement(a, b)


def _incumbent(table: Table, run: RunColumns) -> Incumbent | None:
    candidates = np.flatnonzero(
        (run.purpose == PURPOSES.index("search"))
        & (run.status == STATUSES.index("ok"))
        & (run.epochs == table.epochs[-1])
    )
    if not len(candidates):
        return None
    best = int(candidates[np.argmin(run.valid_error[candidates])])
    return Incumbent(
        table.space.format(tuple(run.codes[best].tolist())),
        float(run.valid_error[best]),
        _or_none(run.test_error[best]),
        int(run.number[best]),
    )


def _end(run: RunColumns) -> str:
    return f"{run.end}: {run.reason}" if run.reason else run.end


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
