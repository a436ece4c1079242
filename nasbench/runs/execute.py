"""One run from its description: make the strategy, the evaluator and the record, and go."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from nasbench import __version__
from nasbench.errors import BadOption, NasbenchError, StrategyFault
from nasbench.evaluation.charging import Charging
from nasbench.evaluation.evaluator import Answer, Evaluator
from nasbench.evaluation.source import Source
from nasbench.records import Measurement, Proposal, Trial
from nasbench.runs.cluster import Cluster
from nasbench.runs.columns import RunColumns
from nasbench.runs.loop import Outcome, run
from nasbench.runs.reading import columns_of, trial_fields
from nasbench.runs.record import FileRecord, MemoryRecord, complete_lines
from nasbench.runs.supernets import KeptSupernets
from nasbench.seeds import generator
from nasbench.strategies.health import Watch
from nasbench.strategies.loading import load_strategy
from nasbench.strategies.strategy import Card, Setting, Strategy, make
from nasbench.units import parse_budget


@dataclass(frozen=True, slots=True)
class RunSpec:
    """Everything that defines a run besides its seed.

    Attributes:
        suite: Name of the suite.
        entry: Label of the row it belongs to.
        strategy: As ``load_strategy`` takes it.
        options: Options of the strategy.
        budget: As typed.
        workers: Simulated workers.
        epochs: Training length of proposals that name none; None means the source's longest.
        charging: Charging policies by name.
        cluster: Settings of the simulated cluster that differ from a plain one, by name.
        health: How weight-sharing searches are watched, as ``strategies.health.Watch.of`` takes it; empty
            watches none.
    """

    suite: str
    entry: str
    strategy: str
    options: dict[str, Any]
    budget: str
    workers: int = 1
    epochs: int | None = None
    charging: dict[str, str] = field(default_factory=dict)
    cluster: dict[str, Any] = field(default_factory=dict)
    health: dict[str, Any] = field(default_factory=dict)

    def header(self, source: Source, seed: int) -> dict[str, Any]:
        """Write the record header of this run: what it is, and nothing of when or where it ran."""
        cluster = Cluster.of(self.cluster).as_dict()
        return {
            "suite": self.suite,
            "entry": self.entry,
            "strategy": self.strategy,
            "options": self.options,
            "seed": seed,
            "source": source.info.label,
            "space": source.space.name,
            "epochs": self.epochs if self.epochs is not None else source.epochs[-1],
            "budget": self.budget,
            "workers": self.workers,
            "charging": Charging.of(self.charging).as_dict(),
            "nasbench": __version__,
            **({"cluster": cluster} if cluster else {}),
            **({"health": self.health} if self.health else {}),
        }


def build_strategy(
    spec: RunSpec, source: Source, seed: int, *, supernets: KeptSupernets | None = None
) -> Strategy:
    """Construct the strategy of a run.

    Args:
        spec: What to run.
        source: What answers.
        seed: Root seed of the run.
        supernets: Makes its supernet instead of the source.

    Raises:
        NasbenchError: The strategy refuses its options or the space.
        BadOption: It watches trainings, and the source has none to watch.
    """
    full = spec.epochs if spec.epochs is not None else source.epochs[-1]
    setting = Setting(
        epochs=tuple(epochs for epochs in source.epochs if epochs <= full),
        costs=getattr(source, "costs", {}),
        relaxation=getattr(source, "relaxation", None) if supernets is None else supernets.relaxation,
        watch=Watch.of(spec.health),
    )
    strategy = make(
        load_strategy(spec.strategy),
        source.space,
        rng=generator(seed, "strategy"),
        setting=setting,
        **spec.options,
    )
    if getattr(source, "restarts", False) and callable(getattr(strategy, "report", None)):
        raise BadOption(
            f"strategy: {spec.strategy} watches trainings while they run, but each training length of source "
            f"{source.info.name} is a training of its own, and there is no curve to watch. Use a strategy "
            "that proposes short trainings instead, such as hyperband."
        )
    return strategy


def execute(
    spec: RunSpec,
    seed: int,
    source: Source,
    *,
    path: Path | None = None,
    last_state: tuple[Path, str] | None = None,
) -> tuple[RunColumns, Outcome]:
    """Run one seed to its end.

    Args:
        spec: What to run.
        seed: Root seed of the run.
        source: What answers.
        path: Where the record goes; None keeps it in memory. An unfinished record there is resumed, the
            supernet of a live search from its checkpoint beside the record.
        last_state: Where the last state of a supernet goes that diverges, and what the reason calls it.

    Raises:
        FormatError: The file there is the record of another run, or replaying it gave another run.
        Mismatch: A search resumed with its supernet's checkpoint is another.
        OSError: The record could not be written.
    """
    header = spec.header(source, seed)
    # A header read back from its file must equal this one, so it holds what JSON holds.
    header = json.loads(json.dumps(header))
    budget = parse_budget(spec.budget)
    cluster = Cluster.of(spec.cluster)
    evaluator = Evaluator(source, seed=seed, charging=Charging.of(spec.charging), epochs=spec.epochs)
    if path is None:
        record = MemoryRecord()
        strategy = _made(spec, source, seed)
        outcome = run(
            strategy, evaluator, budget=budget, workers=spec.workers, cluster=cluster, record=record
        )
        return columns_of(header, record), outcome
    if not source.is_live and evaluator.charging.thinking == "measured" and path.exists():
        _start_over(path)
    supernets = KeptSupernets(source, path, header, last_state) if source.is_live else None
    file = FileRecord(
        path, header, durable=source.is_live, after=None if supernets is None else supernets.keep
    )
    try:
        strategy = _made(spec, source, seed, supernets)
        replay = _recorded_answers(path, file) if source.is_live else None
        outcome = run(
            strategy,
            evaluator,
            budget=budget,
            workers=spec.workers,
            cluster=cluster,
            record=file,
            recorded=None if replay is None else replay.get,
        )
    except BaseException:
        file.abandon()
        raise
    if supernets is not None:
        supernets.forget()
    return columns_of(header, file), outcome


def _start_over(path: Path) -> None:
    """Drop the trials of an unfinished record, for measured thinking never comes out the same twice.

    Nothing is lost but time that a replay would spend as well: thinking is done anew, answers are recorded.
    """
    lines, finished = complete_lines(path)
    if lines and not finished:
        path.write_bytes(lines[0])


class _Unmade:
    """Stands for a strategy whose constructor raised with this seed: its run fails and says why."""

    card: ClassVar[Card] = Card(family="", paper="")

    def __init__(self, error: Exception) -> None:
        self._error = error

    def ask(self, n: int) -> list[Proposal]:
        """Raise what the constructor raised."""
        raise StrategyFault(
            f"could not be made: {type(self._error).__name__}: {self._error}"
        ) from self._error

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn nothing: nothing was proposed."""


def _made(spec: RunSpec, source: Source, seed: int, supernets: KeptSupernets | None = None) -> Strategy:
    try:
        return build_strategy(spec, source, seed, supernets=supernets)
    except NasbenchError:
        raise
    except Exception as error:  # code of somebody's own may raise anything
        return _Unmade(error)


def _recorded_answers(path: Path, file: FileRecord) -> dict[int, Answer]:
    """Read the answers that an unfinished live record holds, by number of proposal.

    Raises:
        FormatError: A line is not a trial; the message names line and field.
    """
    answers = {}
    for at, line in enumerate(file.past, start=2):
        trial = trial_fields(path, at, line)
        measurement = Measurement(
            trial["valid_error"],
            trial["test_error"],
            trial["charged_seconds"],
            trial["status"],
            trial.get("reason", ""),
            trial.get("origin", ""),
            trial["reported"],
            trial.get("health"),
        )
        answers[trial["n"]] = (measurement, trial["epochs"], trial["replicate"], trial["charged_seconds"])
    return answers
