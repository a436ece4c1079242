"""From a suite to a folder with everything: run what is missing, pack, assemble, write the pages."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nasbench import __version__
from nasbench.evaluation.source import Source
from nasbench.reports.assemble import assemble, card_of, published_rows
from nasbench.reports.continuation import continued, require_same_sources
from nasbench.reports.health import watched_of
from nasbench.reports.leaderboard import Leaderboard
from nasbench.reports.reference import reference_of
from nasbench.reports.retraining import retrain
from nasbench.reports.write import write_report
from nasbench.runs.campaign import CampaignResult, Progress, check_suite, locked, run_suite
from nasbench.runs.packing import (
    PackedEntry,
    PackedPanel,
    PackedRecords,
    distinct_codes,
    read_records,
    write_records,
)
from nasbench.runs.suite import Suite, read_suite, write_suite
from nasbench.store.training_log import merged_into
from nasbench.units import parse_budget

RECORDS = "records.h5"
SUITE = "suite.toml"
LEADERBOARD = "leaderboard.json"


def publish(
    suite: Suite,
    folder: Path,
    *,
    jobs: int = 1,
    device: str | None = None,
    into: Path | None = None,
    progress: Progress | None = None,
) -> Leaderboard:
    """Run a suite into a folder and make its leaderboard; what the folder already holds is kept.

    Args:
        suite: What to run.
        folder: Made if it is not there. It may hold an interrupted or a smaller run of the same suite.
        jobs: Processes; the result does not depend on it.
        device: Device of live sources, or of the retraining.
        into: Table file that every training of a live source is added to, also where the runs end early.
        progress: Told as runs finish.

    Raises:
        BadOption: The folder holds another suite or more seeds of this one, or another process writes to it.
        NasbenchError: As ``check_suite`` and ``run_suite``.
        OSError: The folder cannot be written; finished trials are kept.
    """
    with merged_into(into):
        return _publish(suite, folder, jobs=jobs, device=device, into=into, progress=progress)


def _publish(
    suite: Suite,
    folder: Path,
    *,
    jobs: int,
    device: str | None,
    into: Path | None,
    progress: Progress | None,
) -> Leaderboard:
    """Run, pack and write, with the folder locked."""
    trains_on, device = (device, None) if suite.retraining is not None else (None, device)
    sources = check_suite(suite, device=device, into=into)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        suite, packed = continued(suite, folder, suite_name=SUITE, records_name=RECORDS)
        if packed is not None:
            require_same_sources(packed, sources, folder / RECORDS)
        _keep_suite(suite, folder / SUITE)
        result = run_suite(
            suite, folder, jobs=jobs, device=device, into=into, progress=progress, packed=packed
        )
        retrained = retrain(
            suite, sources, result.runs, folder, jobs=jobs, device=trains_on, progress=progress
        )
        write_records(pack(suite, sources, result, retrained=retrained), folder / RECORDS)
        # What the page is made from is what anyone will read: the file, not what was in memory.
        records = read_records(folder / RECORDS)
        # The packed file holds every record whole, so the files they came from may go.
        shutil.rmtree(folder / "runs", ignore_errors=True)
        _note_environment(suite, result, folder)
        board = assemble(records)
        write_report(board, folder)
    return board


def rebuild(folder: Path) -> Leaderboard:
    """Make the leaderboard and the pages of a folder again from its records alone.

    Raises:
        FormatError: The records are missing, damaged or edited.
    """
    board = assemble(read_records(folder / RECORDS))
    write_report(board, folder)
    return board


def pack(
    suite: Suite,
    sources: list[Source],
    result: CampaignResult,
    *,
    retrained: Sequence[dict[str, Any] | None] = (),
) -> PackedRecords:
    """Gather the runs of a suite with what their sources say of the architectures they met.

    Args:
        suite: The suite.
        sources: One a panel.
        result: Its runs.
        retrained: What the records keep of each panel's retraining; empty without one.
    """
    budget = parse_budget(suite.budget)
    panels = []
    for p, source in enumerate(sources):
        epochs = suite.epochs if suite.epochs is not None else source.epochs[-1]
        entries = [PackedEntry(row.label, result.runs[p, r]) for r, row in enumerate(suite.strategies)]
        codes = distinct_codes([run for entry in entries for run in entry.runs])
        scores = source.score(codes, epochs=epochs) if len(codes) else np.empty(0)
        trade = suite.trade_off
        reference = reference_of(source, epochs=epochs, budget=budget)
        about = {
            **asdict(source.info),
            "space": source.space.name,
            "epochs": epochs,
            # A strategy's code may have gone, and the table of reported rows may have grown, when the pages
            # are made again: what the page says of them is recorded too.
            "cards": {row.label: card_of(row.name, source.info.kind) for row in suite.strategies},
            "published": published_rows(source.info.dataset),
            **watched_of(source, suite),
            **({"retrained": retrained[p]} if retrained and retrained[p] is not None else {}),
        }
        panels.append(
            PackedPanel(
                source=json.loads(json.dumps(about)),
                scored_by=source.scored_by,
                reference=reference.model_dump(mode="json"),
                codes=codes,
                scores=scores,
                entries=entries,
                costs=None if trade is None else costs_of(source, trade.cost, codes),
            )
        )
    return PackedRecords(suite=suite.content(), nasbench=__version__, panels=panels)


def costs_of(source: Source, cost: str, codes: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
    """Ask a source what (m, L) architectures cost, (m,), without training them."""
    function = getattr(source, "costs", {})[cost]
    return np.array([function(tuple(code)) for code in codes.tolist()], dtype=np.float64)


def _keep_suite(suite: Suite, path: Path) -> None:
    """Write the suite aside and move it there, unless it is there already (with a person's comments)."""
    if path.is_file() and read_suite(path) == suite:
        return
    aside = path.with_name(path.name + ".part")
    write_suite(suite, aside)
    os.replace(aside, path)


def _note_environment(suite: Suite, result: CampaignResult, folder: Path) -> None:
    """Write what is true of this machine and this day, apart from the reproducible files."""
    packages = {}
    for name in ("numpy", "scipy", "h5py", "pandas", "matplotlib", "torch"):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    thinking = {
        f"{suite.sources[p]} · {suite.strategies[r].label}": round(seconds, 6)
        for (p, r), seconds in sorted(result.thinking_seconds.items())
    }
    about = {
        "note": "What made these records; not part of the leaderboard's hash.",
        "nasbench": __version__,
        "python": sys.version.split()[0],
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "packages": packages,
        "wall_seconds": round(result.wall_seconds, 3),
        "runs_already_finished": result.resumed,
        "thinking_seconds": thinking,
    }
    (folder / "environment.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
