"""Whether a suite continues what a folder already holds: it may grow, and never lose or change a run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nasbench import __version__
from nasbench.errors import BadOption
from nasbench.evaluation.source import Source
from nasbench.runs.packing import PackedRecords, read_records
from nasbench.runs.suite import Suite, read_suite

_MAY_DIFFER = ("seeds", "title", "name", "retraining")
_MAY_GROW = ("sources", "strategies")


def continued(
    suite: Suite, folder: Path, *, suite_name: str, records_name: str
) -> tuple[Suite, PackedRecords | None]:
    """Join a suite to what a folder holds of it.

    More seeds, and further sources and strategies after those that are there, are welcome. The name that
    the finished records carry stays.

    Args:
        suite: What is asked for.
        folder: May be empty.
        suite_name: File name of the suite in it.
        records_name: File name of the packed records in it.

    Returns:
        The suite under the name that the folder knows it by, and its packed records or None.

    Raises:
        BadOption: The folder holds another suite, or more of this one than is asked for.
        FormatError: A file there is damaged.
    """
    records: PackedRecords | None = None
    held: list[tuple[str, dict[str, Any]]] = []
    if (folder / suite_name).is_file():
        held.append((suite_name, read_suite(folder / suite_name).content()))
    if (folder / records_name).is_file():
        records = read_records(folder / records_name)
        held.append((records_name, records.suite))
    for file, content in held:
        _require_grown(content, suite.content(), folder / file)
    if held:
        # The records carry the name of their suite; it is theirs, not that of the folder they lie in.
        name = held[-1][1]["name"]
        suite = suite.model_copy(update={"name": name, "title": suite.title or held[0][1]["title"]})
    return suite, records


def _require_grown(held: dict[str, Any], wanted: dict[str, Any], path: Path) -> None:
    for key, there in held.items():
        here: Any = wanted.get(key, [])
        if key in _MAY_DIFFER:
            continue
        if key in _MAY_GROW:
            for at, row in enumerate(there):
                if list(here)[at : at + 1] != [row]:
                    now = _short(here[at]) if at < len(here) else "nothing"
                    raise _another(path, f"{key}[{at}]: {_short(row)} there, {now} here")
        elif there != here:
            raise _another(path, f"{key}: {_short(there)} there, {_short(here)} here")
    if wanted["seeds"] < held["seeds"]:
        raise BadOption(
            f"seeds: {path} holds a suite of {held['seeds']} seeds, got {wanted['seeds']}; finished runs are "
            f"not dropped. Give {held['seeds']} seeds or more, or another --out."
        )


def require_same_sources(records: PackedRecords, sources: Sequence[Source], path: Path) -> None:
    """Check that new runs would stand beside finished ones of the same source and program.

    Raises:
        BadOption: A source has other content than the one that the records were made on, or another version
            of the program made them.
    """
    if records.nasbench != __version__:
        raise BadOption(
            f"out: {path} was made with nasbench {records.nasbench}, this is {__version__}; runs of two "
            "versions are not mixed. Give another --out."
        )
    for panel, source in zip(records.panels, sources, strict=False):
        if panel.source["label"] != source.info.label:
            raise _another(path, f"source: {panel.source['label']} there, {source.info.label} here")


def _another(path: Path, difference: str) -> BadOption:
    return BadOption(
        f"out: {path.parent} holds another suite ({path.name}: {difference}). Give another --out."
    )


def _short(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= 120 else text[:117] + "..."
