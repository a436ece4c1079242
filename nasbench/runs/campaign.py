"""A whole suite: every (source, row, seed) as a run, over processes, resumable at any byte.

Files are the only state: ``DIR/runs/<panel>/<row>-<seed>.jsonl`` while runs are made, ``DIR/records.h5``
once they are packed. A finished run is never run again; a half-written one is resumed by replay.
"""

from __future__ import annotations

import contextlib
import fcntl
import multiprocessing
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nasbench.errors import BadOption, FormatError, NasbenchError
from nasbench.evaluation.behind import training_behind
from nasbench.evaluation.opening import open_source
from nasbench.evaluation.source import Source
from nasbench.runs.columns import RunColumns
from nasbench.runs.execute import RunSpec, build_strategy, execute
from nasbench.runs.packing import PackedRecords
from nasbench.runs.reading import read_run
from nasbench.runs.record import is_finished
from nasbench.runs.suite import Suite
from nasbench.runs.supernets import DIVERGED
from nasbench.training import require_torch
from nasbench.units import parse_budget

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess as ParentProcess

Progress = Callable[[int, int, str], None]
"""Called with runs finished, runs in all, and the row that just moved."""

_SEEDS_A_TASK = 8


@dataclass(slots=True)
class CampaignResult:
    """All runs of a suite.

    Attributes:
        runs: By (panel, row), in order of seed.
        thinking_seconds: Real seconds spent inside the strategies made now, by (panel, row).
        resumed: Runs that were already finished.
        wall_seconds: Real seconds this call took.
    """

    runs: dict[tuple[int, int], list[RunColumns]] = field(default_factory=dict)
    thinking_seconds: dict[tuple[int, int], float] = field(default_factory=dict)
    resumed: int = 0
    wall_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Task:
    panel: int
    row: int
    source: str
    device: str | None
    into: Path | None
    spec: RunSpec
    seeds: tuple[int, ...]
    folder: Path | None


def slug(label: str) -> str:
    """Turn a label into a file name."""
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-") or "row"


def check_suite(suite: Suite, *, device: str | None = None, into: Path | None = None) -> list[Source]:
    """Open every source and construct every strategy once: what cannot run says so before work starts.

    Raises:
        NasbenchError: An unknown name, options out of range, a budget of the wrong device, a space that a
            strategy cannot serve.
    """
    sources = [open_source(name, device=device, into=into) for name in suite.sources]
    budget = parse_budget(suite.budget)
    for source in sources:
        if suite.retraining is not None:
            training_behind(source.info)
            require_torch("Retraining")
        budget.require_device(source.info.device_kind, source=source.info.name)
        if suite.workers > 1 and source.is_live:
            raise BadOption(
                f"workers: live source {source.info.name} trains one network at a time a run, got "
                f"{suite.workers}. Run seeds side by side with --jobs instead."
            )
        if suite.cluster and source.is_live:
            raise BadOption(
                "cluster: speeds, delays and failures are simulated on tables and surrogates only, got live "
                f"source {source.info.name}."
            )
        if suite.epochs is not None and suite.epochs not in source.epochs:
            held = ", ".join(str(e) for e in source.epochs)
            raise BadOption(f"epochs: source {source.info.name} answers for {held}, got {suite.epochs}.")
        known = getattr(source, "costs", {})
        if suite.trade_off is not None and suite.trade_off.cost not in known:
            raise BadOption(
                f"trade_off: expected a cost that {source.info.name} knows "
                f"({', '.join(sorted(known)) or 'none'}), got {suite.trade_off.cost!r}."
            )
        for row in suite.strategies:
            try:
                strategy = build_strategy(suite.spec(row), source, suite.first_seed)
            except NasbenchError:
                raise
            except Exception as error:  # code of somebody's own may raise anything
                raise BadOption(
                    f"strategy {row.label!r}: cannot be made: {type(error).__name__}: {error}. "
                    "See: nasbench list strategies"
                ) from error
            close = getattr(strategy, "close", None)
            if close is not None:
                close()
    return sources


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder for one writer.

    Raises:
        BadOption: Another process is writing to it.
    """
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BadOption(f"out: another process is writing to {folder}. Wait for it to finish.") from error
        yield


def run_suite(
    suite: Suite,
    folder: Path | None,
    *,
    jobs: int = 1,
    device: str | None = None,
    into: Path | None = None,
    progress: Progress | None = None,
    packed: PackedRecords | None = None,
) -> CampaignResult:
    """Run what of a suite is not finished yet.

    Args:
        suite: What to run.
        folder: Where records go (``folder/runs``); None keeps them in memory.
        jobs: Processes; the result does not depend on it.
        device: Device of live sources.
        into: Table file that trainings of live sources are recorded for; see ``nasbench.store.training_log``.
        progress: Told as runs finish.
        packed: Runs finished earlier, taken from ``records.h5``.

    Raises:
        NasbenchError: A name, an option or a record is not right; OSError: a record could not be written.
    """
    if jobs < 1:
        raise BadOption(f"jobs: expected a whole number >= 1, got {jobs}.")
    started = time.perf_counter()
    result = CampaignResult()
    tasks: list[_Task] = []
    finished: dict[tuple[int, int], dict[int, RunColumns]] = {}
    for p, source in enumerate(suite.sources):
        for r, row in enumerate(suite.strategies):
            done = finished.setdefault((p, r), _packed_runs(packed, p, row.label))
            todo = [seed for seed in suite.seed_list() if seed not in done]
            place = (
                None
                if folder is None
                else folder / "runs" / f"{p:02d}-{slug(source)}" / f"{r:02d}-{slug(row.label)}"
            )
            if place is not None:
                place.mkdir(parents=True, exist_ok=True)
            for at in range(0, len(todo), _SEEDS_A_TASK):
                seeds = tuple(todo[at : at + _SEEDS_A_TASK])
                tasks.append(_Task(p, r, source, device, into, suite.spec(row), seeds, place))
    total = len(suite.sources) * len(suite.strategies) * suite.seeds
    result.resumed = sum(len(set(done) & set(suite.seed_list())) for done in finished.values())
    count = result.resumed
    for task, answers in _results(tasks, jobs):
        key = (task.panel, task.row)
        for seed, run, thinking, fresh in answers:
            finished[key][seed] = run
            result.thinking_seconds[key] = result.thinking_seconds.get(key, 0.0) + thinking
            result.resumed += not fresh
        count += len(answers)
        if progress is not None:
            progress(count, total, task.spec.entry)
    for key, by_seed in finished.items():
        result.runs[key] = [by_seed[seed] for seed in suite.seed_list()]
    result.wall_seconds = time.perf_counter() - started
    return result


def _packed_runs(packed: PackedRecords | None, panel: int, label: str) -> dict[int, RunColumns]:
    """Take the runs of one row from the packed records, by seed."""
    if packed is None or panel >= len(packed.panels):
        return {}
    for entry in packed.panels[panel].entries:
        if entry.label == label:
            return {run.header["seed"]: run for run in entry.runs}
    return {}


_Answers = list[tuple[int, RunColumns, float, bool]]


def _results(tasks: list[_Task], jobs: int) -> Iterator[tuple[_Task, _Answers]]:
    """Run the tasks, in this process or in spawned ones, and yield each as it finishes."""
    if jobs == 1 or len(tasks) <= 1:
        for task in tasks:
            yield task, _run_task(task)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(tasks)), mp_context=context, initializer=_die_with_parent) as pool:
        futures = {pool.submit(_run_task, task): task for task in tasks}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _die_with_parent() -> None:
    """End this process when the one that started it is gone, however that ended.

    A worker left behind would go on writing records that the next start takes up again.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_wait_and_exit, args=(parent,), daemon=True).start()


def _wait_and_exit(parent: ParentProcess) -> None:
    parent.join()
    os._exit(1)


_sources: dict[tuple[str, str | None, Path | None], Source] = {}


def _run_task(task: _Task) -> _Answers:
    """Run a few seeds of one row; a finished record is read, not run again."""
    key = (task.source, task.device, task.into)
    if key not in _sources:
        _sources[key] = open_source(task.source, device=task.device, into=task.into)
    source = _sources[key]
    answers: _Answers = []
    for seed in task.seeds:
        path = None if task.folder is None else task.folder / f"{seed:06d}.jsonl"
        if path is not None and is_finished(path):
            run = read_run(path)
            wanted = task.spec.header(source, seed)
            for field_name, value in wanted.items():
                if field_name != "nasbench" and run.header.get(field_name) != value:
                    raise FormatError(
                        f"{path}: {field_name}: this is the record of another run (recorded "
                        f"{run.header.get(field_name)!r}, wanted {value!r}). Give another --out, or remove "
                        "the file."
                    )
            answers.append((seed, run, 0.0, False))
            continue
        run, outcome = execute(task.spec, seed, source, path=path, last_state=_last_state(path))
        answers.append((seed, run, outcome.thinking_seconds, True))
    return answers


def _last_state(path: Path | None) -> tuple[Path, str] | None:
    """Give the supernet of a run that diverges a place that outlives the record: the pages go there too."""
    if path is None:
        return None
    folder, called = path.parents[3], f"{DIVERGED}/{'/'.join(path.parts[-3:-1])}/{path.stem}.pt"
    return folder / called, called
