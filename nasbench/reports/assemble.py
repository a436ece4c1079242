"""From packed records to the leaderboard: nothing else goes in, so anyone can do it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from nasbench.errors import FormatError, NasbenchError
from nasbench.evaluation.charging import Charging
from nasbench.reports.build import build_leaderboard
from nasbench.reports.inputs import CostAxis, EntryRuns, PanelInput
from nasbench.reports.leaderboard import Leaderboard, Published, Reference
from nasbench.reports.retrained import retraining_of
from nasbench.reports.surrogate_note import surrogate_note
from nasbench.runs.packing import PackedPanel, PackedRecords
from nasbench.runs.suite import Suite, parse_suite
from nasbench.spaces import space_of
from nasbench.store.published import read_published
from nasbench.strategies.loading import load_strategy
from nasbench.strategies.strategy import Card
from nasbench.units import days_label, parse_budget

_NOTES = {
    "mean validation error": (
        "This source records no test error. The search sees one training repeat at a time; the page scores "
        "each incumbent by its mean validation error over all recorded repeats."
    ),
    "mean test error": (
        "The search sees validation errors only, one training repeat at a time; the page scores each "
        "incumbent by its mean test error over all recorded repeats, which was sealed from the search."
    ),
    "trial": (
        "The search sees validation errors only; the page scores each incumbent by the test error of its own "
        "training, which was sealed from the search."
    ),
}


def assemble(records: PackedRecords) -> Leaderboard:
    """Build the leaderboard of packed records."""
    suite = parse_suite(records.suite, where="records.h5: suite")
    panels = [_panel(suite, panel, name) for panel, name in zip(records.panels, suite.sources, strict=True)]
    return build_leaderboard(
        title=suite.title or _title(panels),
        suite=records.suite,
        panels=panels,
        published=[Published.model_validate(row) for row in _published(records)],
    )


def published_rows(dataset: str) -> list[dict[str, Any]]:
    """List what papers report of a data set's test images, as a leaderboard shows it."""
    rows = []
    for row in read_published():
        if row.dataset.lower() == f"{dataset} test".lower():
            about = asdict(row)
            del about["dataset"]
            rows.append(about)
    return rows


def _published(records: PackedRecords) -> list[dict[str, Any]]:
    """Take the reported rows that the records hold; each data set's once, in the order of the panels."""
    by_dataset: dict[str, list[dict[str, Any]]] = {}
    for panel in records.panels:
        dataset = panel.source["dataset"]
        held = panel.source.get("published")
        by_dataset.setdefault(dataset, published_rows(dataset) if held is None else held)
    return [row for rows in by_dataset.values() for row in rows]


def _panel(suite: Suite, packed: PackedPanel, name: str) -> PanelInput:
    source = packed.source
    space = space_of(source["space"], source["extra"].get("space_definition", ""))
    budget = parse_budget(suite.budget)
    labels = {row.label: row for row in suite.strategies}
    recorded: dict[str, dict[str, str]] = source.get("cards", {})

    def entry(label: str, runs: Sequence[object]) -> EntryRuns:
        row = labels[label]
        card = recorded.get(label) or card_of(row.name, source["kind"])
        return EntryRuns(
            label=label,
            strategy=row.name,
            options=row.options,
            family=card["family"],
            mode=card["mode"],
            paper=card["paper"],
            runs=runs,  # type: ignore[arg-type]
        )

    def format_code(code: npt.NDArray[np.int8]) -> str:
        return space.format(code.tolist())

    extra = source["extra"]
    charging = Charging.of(suite.charging).as_dict()
    if extra.get("lengths") == "own-trainings":
        charging["promotion"] = "restart"  # whatever the suite says, there was nothing to continue
    return PanelInput(
        name=name,
        source=source["label"],
        kind=source["kind"],
        space=source["space"],
        dataset=source["dataset"],
        device=source["device"],
        device_kind=source["device_kind"],
        epochs=source["epochs"],
        budget=suite.budget,
        budget_seconds=budget.seconds,
        budget_evaluations=budget.evaluations,
        workers=suite.workers,
        charging=charging,
        scored_by=packed.scored_by,
        score_note=_NOTES[packed.scored_by],
        citation=str(extra.get("citation", "")),
        licence=str(extra.get("licence", "")),
        reference=Reference.model_validate(packed.reference),
        codes=packed.codes.reshape(len(packed.codes), len(space.decisions)),
        score=packed.scores,
        entries=[entry(e.label, e.runs) for e in packed.entries],
        cluster=suite.cluster,
        cost_axis=_cost_axis(suite, packed),
        watched=_watched(source.get("watched")),
        surrogate=surrogate_note(source, packed.scored_by),
        retraining=retraining_of(
            source.get("retrained"), [e.label for e in packed.entries], format_code=format_code
        ),
        format_code=format_code,
    )


def _cost_axis(suite: Suite, packed: PackedPanel) -> CostAxis | None:
    """Join the declared cost with the recorded costs."""
    declared = suite.trade_off
    if declared is None:
        return None
    if packed.costs is None:
        raise FormatError(
            "records: trade_off: the suite declares a cost, but none is recorded. Build it again."
        )
    return CostAxis(declared.cost, declared.reference_cost, declared.reference_error, packed.costs)


def _watched(held: dict[str, Any] | None) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float64]] | None:
    """Read what the records hold of the architectures that watched searches scored."""
    if held is None:
        return None
    errors = [np.nan if error is None else error for error in held["errors"]]
    return np.array(held["codes"], dtype=np.int8), np.array(errors, dtype=np.float64)


def _title(panels: Sequence[PanelInput]) -> str:
    datasets = " · ".join(dict.fromkeys(panel.dataset for panel in panels))
    return f"{datasets}: error versus {days_label(panels[0].device_kind)}"


def card_of(name: str, kind: str) -> dict[str, str]:
    """Describe a strategy: its family, its paper, and whether it is faithful on this kind of source.

    Code of somebody's own that is not here has a blank card.
    """
    try:
        found = getattr(load_strategy(name), "card", None)
    except NasbenchError:
        found = None
    card = found if isinstance(found, Card) else Card(family="own code", paper="")
    mode = card.live if kind == "trainer" else card.table
    return {"family": card.family, "paper": card.paper, "mode": mode}
