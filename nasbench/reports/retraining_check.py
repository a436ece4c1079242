"""Whether what records say of a retraining is so: the choice, the predictions, the trainings in the table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nasbench.errors import Mismatch
from nasbench.evaluation.source import Source
from nasbench.evaluation.surrogate_source import SurrogateSource
from nasbench.records import Code
from nasbench.reports.record_check import LAST_DECIMAL
from nasbench.reports.retraining import chosen_of, recorded, retrained_table
from nasbench.runs.packing import PackedPanel
from nasbench.runs.suite import Suite
from nasbench.store.table import open_table
from nasbench.store.verify import require_verified


def check_retraining(
    suite: Suite, panel: PackedPanel, index: int, source: Source, folder: Path
) -> Iterator[str]:
    """Choose, predict and look up again.

    Args:
        suite: The suite of the records.
        panel: The recorded panel.
        index: Its place among the panels.
        source: The source of the panel, opened here.
        folder: Where the table of the trainings lies.

    Yields:
        What was checked, a line at a time.

    Raises:
        Mismatch: A retraining is stated and not asked for, or the other way round, or anything differs.
        FormatError: The table is damaged or edited.
    """
    held, asked = panel.source.get("retrained"), suite.retraining
    epochs = panel.source["epochs"]
    if asked is not None and not isinstance(source, SurrogateSource):
        raise Mismatch(f"{folder}: retraining: expected a surrogate as source, got {source.info.kind}.")
    chosen: dict[str, list[tuple[Code, float]]] = {}
    if asked is not None and isinstance(source, SurrogateSource):
        rows = {entry.label: entry.runs for entry in panel.entries}
        chosen = chosen_of(source, rows, best=asked.best, epochs=epochs)
    if (held is not None) != any(chosen.values()):
        raise Mismatch(
            f"{folder}: retraining: the suite {'asks for one' if asked else 'asks for none'}, the record "
            f"{'holds none' if held is None else 'holds one'}. Make it again with: nasbench leaderboard "
            f"build {folder}"
        )
    if held is None or asked is None or not isinstance(source, SurrogateSource):
        return
    path = retrained_table(folder, index)
    if not path.is_file():
        raise Mismatch(f"{path}: no such file, but the records state its trainings.")
    require_verified(path, path.stem)
    found = recorded(source, chosen, open_table(path, path.stem), asked, epochs=epochs)
    for key, value in found.items():
        if not _alike(held.get(key), value):
            raise Mismatch(
                f"{folder}: retraining.{key}: the records do not state what {path.name} and the source say."
            )
    count = len(found["architectures"])
    yield f"{count} retrained architectures are the best of their rows, as {path.name} has them"


def _alike(stated: Any, found: Any) -> bool:
    """Compare plain values, numbers but for the last of their nine digits."""
    if isinstance(stated, dict) and isinstance(found, dict):
        return stated.keys() == found.keys() and all(_alike(stated[key], found[key]) for key in stated)
    if isinstance(stated, list) and isinstance(found, list):
        return len(stated) == len(found) and all(_alike(a, b) for a, b in zip(stated, found, strict=True))
    if isinstance(stated, float) and isinstance(found, float):
        return abs(stated - found) <= LAST_DECIMAL
    return bool(stated == found)
