"""Verifying a leaderboard: every number recomputed from its records, a sample of runs made again.

Nothing is taken on trust: the records' hash, the suite, the leaderboard, what the pages say, the source's own
content, every recorded answer, and as many runs as asked for, compared byte for byte.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from nasbench.errors import BadOption, FormatError, Mismatch, MissingExtra, NasbenchError, UnknownName
from nasbench.evaluation.charging import Charging
from nasbench.evaluation.opening import open_source
from nasbench.evaluation.source import Source
from nasbench.reports.assemble import assemble, card_of, published_rows
from nasbench.reports.leaderboard import Leaderboard
from nasbench.reports.page_check import check_pages
from nasbench.reports.publish import LEADERBOARD, RECORDS, SUITE, costs_of
from nasbench.reports.record_check import alike, require_answers, require_complete
from nasbench.reports.reference import reference_of
from nasbench.reports.retraining_check import check_retraining
from nasbench.runs.execute import execute
from nasbench.runs.packing import PackedPanel, PackedRecords, equal_runs, read_records
from nasbench.runs.suite import Suite, parse_suite, read_suite
from nasbench.seeds import generator
from nasbench.store.verify import require_verified
from nasbench.strategies.loading import load_strategy
from nasbench.units import parse_budget

RELATIVE_TOLERANCE = 1e-7
"""Largest relative difference between two platforms' arithmetic that counts as the same number."""

Say = Callable[[str], None]


def verify(folder: Path, *, sample: int | None = 3, say: Say | None = None) -> int:
    """Verify everything a leaderboard folder states.

    Args:
        folder: The folder.
        sample: Runs of each row to make again, >= 0; None means all of them (``reproduce``).
        say: Told what was checked, a line at a time.

    Returns:
        How many runs were made again.

    Raises:
        BadOption: ``sample`` is negative.
        Mismatch: Something differs; the message names the file and the first difference.
        FormatError: A file is missing, damaged or edited.
        MissingExtra: All that could be checked holds, but the code of a strategy is not here to run again.
    """
    if sample is not None and sample < 0:
        raise BadOption(f"sample: expected a number of runs >= 0, got {sample}.")
    tell = say if say is not None else (lambda _line: None)
    records = read_records(folder / RECORDS)
    tell(f"{RECORDS}: content hash holds")
    suite = parse_suite(records.suite, where=f"{folder / RECORDS}: suite")
    _require_suite(suite, folder / SUITE)
    tell(f"{SUITE}: is the suite of the records")
    require_complete(suite, records, folder / RECORDS)
    tell(f"{RECORDS}: holds every run of the suite, under its settings")
    board = _stated(folder / LEADERBOARD)
    difference = first_difference(board.model_dump(mode="json"), _assembled(records, folder / RECORDS))
    if difference:
        raise Mismatch(f"{folder / LEADERBOARD}: {difference}")
    tell(f"{LEADERBOARD}: every number recomputed from {RECORDS}")
    _require_id(board, folder / LEADERBOARD)
    tell(f"{LEADERBOARD}: id holds")
    for line in check_pages(board, folder):
        tell(line)
    absent = _absent_code(suite)
    made = sum(
        _verify_panel(suite, panel, p, folder, sample, absent, tell) for p, panel in enumerate(records.panels)
    )
    for panel in records.panels:
        _verify_reported(panel, tell)
    if absent:
        rows = "; ".join(f"{label}: {why}" for label, why in absent.items())
        raise MissingExtra(
            f"{folder}: everything else holds, but some code is not here, so its runs were not made again: "
            f"{rows} Start nasbench in the folder where that file lies."
        )
    return made


def _require_suite(suite: Suite, path: Path) -> None:
    """Check that ``suite.toml`` is the suite that the records were made with."""
    if not path.is_file():
        raise Mismatch(f"{path}: no such file, but the records were made with a suite.")
    try:
        stated = read_suite(path)
    except BadOption as error:
        raise Mismatch(f"{error} The records were made with another.") from error
    difference = first_difference(stated.content(), suite.content(), "suite", known="in the records")
    if difference:
        raise Mismatch(f"{path}: not the suite that the records were made with: {difference}")


def _assembled(records: PackedRecords, path: Path) -> Any:
    try:
        return assemble(records).model_dump(mode="json")
    except (NasbenchError, LookupError, ValueError, TypeError) as error:
        raise Mismatch(f"{path}: no leaderboard can be made of it: {error}") from error


def _absent_code(suite: Suite) -> dict[str, str]:
    """List the rows whose strategy cannot be loaded here, and why."""
    absent = {}
    for row in suite.strategies:
        try:
            load_strategy(row.name)
        except NasbenchError as error:
            absent[row.label] = str(error)
    return absent


def _stated(path: Path) -> Leaderboard:
    """Read leaderboard.json."""
    if not path.is_file():
        raise FormatError(f"{path}: no such file. Build it with: nasbench leaderboard build {path.parent}")
    try:
        return Leaderboard.model_validate_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        detail = str(error).splitlines()
        raise FormatError(f"{path}: not a leaderboard: {' '.join(detail[:3])}") from error


def _require_id(board: Leaderboard, path: Path) -> None:
    """Refuse an id that is not the content's: asked last, so that a changed number is named first."""
    if board.with_id().id != board.id:
        raise Mismatch(f"{path}: id: the content does not match the stated {board.id[:12]}; it was edited.")


def first_difference(stated: Any, found: Any, where: str = "", *, known: str = "recomputed") -> str:
    """Name the first place at which two plain values differ; ``""`` if they agree.

    Numbers agree within ``RELATIVE_TOLERANCE``; the id, a hash of all the others, is not compared.

    Args:
        stated: What a file says.
        found: What it should say.
        where: Name of the place; ``""`` at the top.
        known: How ``found`` is known, for the message.
    """
    if isinstance(stated, dict) and isinstance(found, dict):
        for key in [*stated, *(k for k in found if k not in stated)]:
            if where == "" and key in ("id", "nasbench_version"):
                continue
            if key not in found or key not in stated:
                return f"{where}.{key}".lstrip(".") + ": only in one of the two"
            inside = first_difference(stated[key], found[key], f"{where}.{key}".lstrip("."), known=known)
            if inside:
                return inside
        return ""
    if isinstance(stated, list) and isinstance(found, list):
        if len(stated) != len(found):
            return f"{where}: stated {len(stated)} items, {known} {len(found)}"
        for i, (a, b) in enumerate(zip(stated, found, strict=True)):
            inside = first_difference(a, b, f"{where}[{i}]", known=known)
            if inside:
                return inside
        return ""
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (stated, found))
    if numbers and math.isclose(stated, found, rel_tol=RELATIVE_TOLERANCE, abs_tol=1e-12):
        return ""
    return "" if stated == found else f"{where}: stated {stated!r}, {known} {found!r}"


def _verify_panel(
    suite: Suite,
    panel: PackedPanel,
    index: int,
    folder: Path,
    sample: int | None,
    absent: Collection[str],
    tell: Say,
) -> int:
    name = suite.sources[index]
    _verify_cards(name, panel, suite, absent)
    if panel.source["kind"] == "trainer":
        tell(f"{name}: live training is not made again; its records and numbers hold")
        return 0
    try:
        source = open_source(name)
    except (UnknownName, FormatError, MissingExtra) as error:
        raise Mismatch(f"{name}: the source is not here to re-run on: {error}") from error
    _verify_source(source, name, suite, panel)
    tell(f"{name}: source content, scores and reference lines hold")
    for line in check_retraining(suite, panel, index, source, folder):
        tell(f"{name}: {line}")
    trials = require_answers(source, name, panel)
    tell(f"{name}: {trials:,} recorded answers are those of the source")
    if Charging.of(suite.charging).thinking == "measured":
        tell(f"{name}: runs that charge measured thinking time differ each time; none is made again")
        return 0
    made = 0
    for label, seeds in _sampled(suite, panel, sample):
        if label in absent:
            continue
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
    total = sum(len(entry.runs) for entry in panel.entries)
    tell(f"{name}: {made} of {total} runs made again, equal to their records")
    return made


def _verify_reported(panel: PackedPanel, tell: Say) -> None:
    """Say whether the rows that papers report are those of this version; they are no result of the runs."""
    dataset, held = panel.source["dataset"], panel.source.get("published")
    if not held:
        return
    if held == published_rows(dataset):
        tell(f"{dataset}: {len(held)} reported rows are those of published.csv")
    else:
        tell(f"{dataset}: reported rows are not those of published.csv here, of another version or edited")


def _verify_cards(name: str, panel: PackedPanel, suite: Suite, absent: Collection[str]) -> None:
    """Check what the records say of each strategy whose code is here."""
    cards = panel.source.get("cards", {})
    for row in suite.strategies:
        if row.label in cards and row.label not in absent:
            found = card_of(row.name, panel.source["kind"])
            difference = first_difference(cards[row.label], found, "card", known="its code says")
            if difference:
                raise Mismatch(f"{name}: {row.label}: {difference}")


def _verify_source(source: Source, name: str, suite: Suite, panel: PackedPanel) -> None:
    """Check the source's own content, and what the records say of it."""
    from nasbench.evaluation.table_source import TableSource

    if isinstance(source, TableSource):
        require_verified(source.table.path, source.table.name)
    about = {**asdict(source.info), "space": source.space.name}
    difference = first_difference(
        {key: panel.source.get(key) for key in about}, _plain(about), "source", known="here"
    )
    if difference:
        raise Mismatch(f"{name}: the records were made on another source: {difference}")
    epochs = panel.source["epochs"]
    if len(panel.codes):
        scores = source.score(panel.codes, epochs=epochs)
        same = alike(panel.scores, scores, source)
        if not same.all():
            at = int(np.argmin(same))
            raise Mismatch(
                f"{name}: score of {source.space.format(panel.codes[at].tolist())}: recorded "
                f"{panel.scores[at]!r}, the source says {scores[at]!r}"
            )
    if suite.trade_off is not None and panel.costs is not None:
        costs = costs_of(source, suite.trade_off.cost, panel.codes)
        if not np.array_equal(costs, panel.costs, equal_nan=True):
            at = int(np.argmax(~np.isclose(costs, panel.costs, rtol=0, atol=0, equal_nan=True)))
            raise Mismatch(
                f"{name}: {suite.trade_off.cost} of {source.space.format(panel.codes[at].tolist())}: "
                f"recorded {float(panel.costs[at])!r}, the source says {float(costs[at])!r}"
            )
    reference = reference_of(source, epochs=epochs, budget=parse_budget(suite.budget))
    difference = first_difference(panel.reference, reference.model_dump(mode="json"), "reference")
    if difference:
        raise Mismatch(f"{name}: {difference}")


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _sampled(suite: Suite, panel: PackedPanel, sample: int | None) -> Iterator[tuple[str, list[int]]]:
    """Choose the seeds to make again: all of them, or some of every row, fixed by the suite's name."""
    for entry in panel.entries:
        seeds = [run.header["seed"] for run in entry.runs]
        if sample is not None and sample < len(seeds):
            rng = generator(0, "verify", suite.name, entry.label)
            seeds = sorted(int(s) for s in rng.choice(seeds, size=sample, replace=False))
        yield entry.label, seeds
