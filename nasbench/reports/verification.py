"""Verifying a leaderboard: every number recomputed from its records, a sample of runs made again.

Nothing is taken on trust: the records' hash, the suite, the leaderboard, the pages' id, the source's own
content, and as many runs as asked for, compared byte for byte.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nasbench.errors import FormatError, Mismatch, NasbenchError, UnknownName
from nasbench.evaluation.opening import open_source
from nasbench.evaluation.source import Source
from nasbench.reports.assemble import assemble
from nasbench.reports.leaderboard import Leaderboard
from nasbench.reports.publish import LEADERBOARD, RECORDS, SUITE
from nasbench.reports.reference import reference_of
from nasbench.runs.execute import execute
from nasbench.runs.packing import PackedPanel, equal_runs, read_records
from nasbench.runs.suite import Suite, parse_suite, read_suite
from nasbench.seeds import generator
from nasbench.store.verify import require_verified
from nasbench.units import parse_budget

RELATIVE_TOLERANCE = 1e-7
"""Largest relative difference between two platforms' arithmetic that counts as the same number."""

Say = Callable[[str], None]


def verify(folder: Path, *, sample: int | None = 3, say: Say | None = None) -> int:
    """Verify everything a leaderboard folder states.

    Args:
        folder: The folder.
        sample: Runs of each row to make again; None means all of them (``reproduce``).
        say: Told what was checked, a line at a time.

    Returns:
        How many runs were made again.

    Raises:
        Mismatch: Something differs; the message names the first difference.
        FormatError: A file is missing, damaged or edited.
    """
    tell = say if say is not None else (lambda _line: None)
    records = read_records(folder / RECORDS)
    tell(f"{RECORDS}: content hash holds")
    suite = parse_suite(records.suite, where=f"{folder / RECORDS}: suite")
    if read_suite(folder / SUITE).content() != suite.content():
        raise Mismatch(f"{folder / SUITE}: differs from the suite that the records were made with.")
    board = _stated(folder / LEADERBOARD)
    tell(f"{LEADERBOARD}: id holds")
    difference = first_difference(board.model_dump(mode="json"), assemble(records).model_dump(mode="json"))
    if difference:
        raise Mismatch(f"{folder / LEADERBOARD}: {difference}")
    tell(f"{LEADERBOARD}: every number recomputed from {RECORDS}")
    for page in ("index.html", "README.md"):
        path = folder / page
        if not path.is_file() or board.id[:12] not in path.read_text(encoding="utf-8"):
            raise Mismatch(f"{path}: does not carry the leaderboard's id {board.id[:12]}.")
    tell("index.html, README.md: carry the same id")
    return sum(_verify_panel(suite, panel, p, sample, tell) for p, panel in enumerate(records.panels))


def _stated(path: Path) -> Leaderboard:
    """Read leaderboard.json and check its id."""
    if not path.is_file():
        raise FormatError(f"{path}: no such file. Build it with: nasbench leaderboard build {path.parent}")
    try:
        board = Leaderboard.model_validate_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        detail = str(error).splitlines()
        raise FormatError(f"{path}: not a leaderboard: {' '.join(detail[:3])}") from error
    if board.with_id().id != board.id:
        raise Mismatch(f"{path}: id: the content does not match the stated {board.id[:12]}; it was edited.")
    return board


def first_difference(stated: Any, found: Any, where: str = "") -> str:
    """Name the first place at which two plain values differ; ``""`` if they agree.

    Numbers agree within ``RELATIVE_TOLERANCE``; the id, a hash of all the others, is not compared.
    """
    if isinstance(stated, dict) and isinstance(found, dict):
        for key in [*stated, *(k for k in found if k not in stated)]:
            if where == "" and key in ("id", "nasbench_version"):
                continue
            if key not in found or key not in stated:
                return f"{where}.{key}".lstrip(".") + ": only in one of the two"
            inside = first_difference(stated[key], found[key], f"{where}.{key}".lstrip("."))
            if inside:
                return inside
        return ""
    if isinstance(stated, list) and isinstance(found, list):
        if len(stated) != len(found):
            return f"{where}: stated {len(stated)} items, recomputed {len(found)}"
        for i, (a, b) in enumerate(zip(stated, found, strict=True)):
            inside = first_difference(a, b, f"{where}[{i}]")
            if inside:
                return inside
        return ""
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (stated, found))
    if numbers and math.isclose(stated, found, rel_tol=RELATIVE_TOLERANCE, abs_tol=1e-12):
        return ""
    return "" if stated == found else f"{where}: stated {stated!r}, recomputed {found!r}"


def _verify_panel(suite: Suite, panel: PackedPanel, index: int, sample: int | None, tell: Say) -> int:
    name = suite.sources[index]
    if panel.source["kind"] == "trainer":
        tell(f"{name}: live training is not made again; its records and numbers hold")
        return 0
    try:
        source = open_source(name)
    except (UnknownName, FormatError) as error:
        raise Mismatch(f"{name}: the source is not here to re-run on: {error}") from error
    if source.info.label != panel.source["label"]:
        raise Mismatch(
            f"{name}: the records were made on {panel.source['label']}, here it is {source.info.label}."
        )
    _verify_source(source, name, suite, panel)
    tell(f"{name}: source content, scores and reference lines hold")
    made = 0
    for label, seeds in _sampled(suite, panel, sample):
        row = next(r for r in suite.strategies if r.label == label)
        recorded = {
            run.header["seed"]: run for entry in panel.entries if entry.label == label for run in entry.runs
        }
        for seed in seeds:
            try:
                again, _ = execute(suite.spec(row), seed, source)
            except NasbenchError as error:
                raise Mismatch(f"{name}: {label}, seed {seed}: cannot be run again: {error}") from error
            difference = equal_runs(recorded[seed], again)
            if difference:
                raise Mismatch(f"{name}: {label}, seed {seed}: run again, {difference}")
            made += 1
    tell(f"{name}: {made} runs made again, equal to their records")
    return made


def _verify_source(source: Source, name: str, suite: Suite, panel: PackedPanel) -> None:
    """Check the source's own content, and what the records say of it."""
    from nasbench.evaluation.table_source import TableSource

    if isinstance(source, TableSource):
        require_verified(source.table.path, source.table.name)
    epochs = panel.source["epochs"]
    if len(panel.codes):
        scores = source.score(panel.codes, epochs=epochs)
        if not np.array_equal(scores, panel.scores, equal_nan=True):
            at = int(np.argmax(~np.isclose(scores, panel.scores, rtol=0, atol=0, equal_nan=True)))
            raise Mismatch(
                f"{name}: score of {source.space.format(panel.codes[at].tolist())}: recorded "
                f"{panel.scores[at]!r}, the source says {scores[at]!r}"
            )
    reference = reference_of(source, epochs=epochs, budget=parse_budget(suite.budget))
    difference = first_difference(panel.reference, json.loads(reference.model_dump_json()), "reference")
    if difference:
        raise Mismatch(f"{name}: {difference}")


def _sampled(suite: Suite, panel: PackedPanel, sample: int | None) -> Iterator[tuple[str, list[int]]]:
    """Choose the seeds to make again: all of them, or some of every row, fixed by the suite's name."""
    for entry in panel.entries:
        seeds = [run.header["seed"] for run in entry.runs]
        if sample is not None and sample < len(seeds):
            rng = generator(0, "verify", suite.name, entry.label)
            seeds = sorted(int(s) for s in rng.choice(seeds, size=sample, replace=False))
        yield entry.label, seeds
