"""One run from its description: make the strategy, the evaluator and the record, and go."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nasbench import __version__
from nasbench.errors import NasbenchError
from nasbench.evaluation.charging import Charging
from nasbench.evaluation.evaluator import Answer, Evaluator
from nasbench.evaluation.source import Source
from nasbench.records import Measurement
from nasbench.runs.columns import RunColumns
from nasbench.runs.loop import Outcome, run
from nasbench.runs.record import FileRecord, MemoryRecord, columns_of
from nasbench.seeds import generator
from nasbench.strategies.loading import load_strategy
from nasbench.strategies.strategy import Strategy, make
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
    """

    suite: str
    entry: str
    strategy: str
    options: dict[str, Any]
    budget: str
    workers: int = 1
    epochs: int | None = None
    charging: dict[str, str] = field(default_factory=dict)

    def header(self, source: Source, seed: int) -> dict[str, Any]:
        """Write the record header of this run: what it is, and nothing of when or where it ran."""
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
        }


def build_strategy(spec: RunSpec, source: Source, seed: int) -> Strategy:
    """Construct the strategy of a run.

    Raises:
        NasbenchError: The strategy refuses its options or the space.
    """
    rng = generator(seed, "strategy")
    return make(load_strategy(spec.strategy), source.space, rng=rng, **spec.options)


def execute(
    spec: RunSpec, seed: int, source: Source, *, path: Path | None = None
) -> tuple[RunColumns, Outcome]:
    """Run one seed to its end.

    Args:
        spec: What to run.
        seed: Root seed of the run.
        source: What answers.
        path: Where the record goes; None keeps it in memory. An unfinished record there is resumed.

    Raises:
        FormatError: The file there is the record of another run, or replaying it gave another run.
        OSError: The record could not be written.
    """
    header = spec.header(source, seed)
    # A header read back from its file must equal this one, so it holds what JSON holds.
    header = json.loads(json.dumps(header))
    budget = parse_budget(spec.budget)
    evaluator = Evaluator(source, seed=seed, charging=Charging.of(spec.charging), epochs=spec.epochs)
    if path is None:
        record = MemoryRecord()
        outcome = run(
            build_strategy(spec, source, seed), evaluator, budget=budget, workers=spec.workers, record=record
        )
        return columns_of(header, record), outcome
    file = FileRecord(path, header, durable=source.is_live)
    try:
        strategy = build_strategy(spec, source, seed)
        replay = _recorded_answers(file) if source.is_live else None
        outcome = run(
            strategy,
            evaluator,
            budget=budget,
            workers=spec.workers,
            record=file,
            recorded=None if replay is None else replay.get,
        )
    except (NasbenchError, OSError, KeyboardInterrupt):
        file.abandon()
        raise
    return columns_of(header, file), outcome


def _recorded_answers(file: FileRecord) -> dict[int, Answer]:
    """Read the answers that an unfinished live record holds, by number of proposal."""
    answers = {}
    for line in file.past:
        trial = json.loads(line)
        measurement = Measurement(
            trial["valid_error"],
            trial["test_error"],
            trial["charged_seconds"],
            trial["status"],
            trial.get("reason", ""),
        )
        answers[trial["n"]] = (measurement, trial["epochs"], trial["replicate"], trial["charged_seconds"])
    return answers
