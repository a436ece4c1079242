from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nasbench.evaluation.opening import open_source
from nasbench.reports.assemble import assemble, card_of, published_rows
from nasbench.reports.publish import pack
from nasbench.runs.campaign import run_suite
from nasbench.runs.packing import PackedRecords
from nasbench.runs.suite import parse_suite
from nasbench.strategies import STRATEGIES
from nasbench.strategies.loading import load_strategy


def _records(**other: Any) -> PackedRecords:
    data = {
        "name": "small",
        "sources": ["nb201-cifar10"],
        "strategies": [{"name": "random-search"}, {"name": "grid", "label": "Grid"}],
        "seeds": 2,
        "budget": "6evals",
    }
    suite = parse_suite({**data, **other}, where="test")
    return pack(suite, [open_source(name) for name in suite.sources], run_suite(suite, None))


@pytest.fixture(scope="module")
def records() -> PackedRecords:
    return _records()


def test_the_page_states_what_the_suite_says(records: PackedRecords) -> None:
    board = assemble(records)
    (panel,) = board.panels
    assert board.suite == records.suite
    assert (panel.budget, panel.workers, panel.epochs, panel.axis) == ("6evals", 1, 200, "GPU-days")
    assert panel.charging["repeat"] == "full"
    assert [(entry.label, entry.strategy) for entry in panel.entries] == [
        ("random-search", "random-search"),
        ("Grid", "grid"),
    ]


def test_the_same_records_make_the_same_bytes(records: PackedRecords) -> None:
    assert assemble(records).canonical_json() == assemble(records).canonical_json()


def test_an_untitled_suite_is_titled_by_its_datasets() -> None:
    board = assemble(_records(sources=["nb201-cifar10", "nb201-cifar100"], seeds=1))
    assert board.title == "CIFAR-10 · CIFAR-100: error versus GPU-days"


def test_a_title_is_kept() -> None:
    assert assemble(_records(title="Mine", seeds=1)).title == "Mine"


def test_the_page_says_how_incumbents_are_scored(records: PackedRecords) -> None:
    (panel,) = assemble(records).panels
    assert panel.scored_by == "mean validation error"
    assert panel.score_note.startswith("This source records no test error.")


def test_cards_come_from_the_records(records: PackedRecords) -> None:
    panel = records.panels[0]
    cards = {**panel.source["cards"], "Grid": {"family": "own", "paper": "Somebody 2020", "mode": "analogue"}}
    changed = replace(records, panels=[replace(panel, source={**panel.source, "cards": cards})])
    entry = assemble(changed).panels[0].entries[1]
    assert (entry.family, entry.paper, entry.mode) == ("own", "Somebody 2020", "analogue")


def test_records_without_cards_take_those_of_the_code(records: PackedRecords) -> None:
    panel = records.panels[0]
    bare = {key: value for key, value in panel.source.items() if key not in ("cards", "published")}
    assert assemble(replace(records, panels=[replace(panel, source=bare)])).id == assemble(records).id


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_every_registered_strategy_has_a_card_for_tables_and_training(name: str) -> None:
    card = load_strategy(name).card  # type: ignore[attr-defined]
    assert card_of(name, "table") == {"family": card.family, "paper": card.paper, "mode": card.table}
    assert card_of(name, "trainer")["mode"] == card.live


def test_code_that_is_not_here_has_a_blank_card() -> None:
    assert card_of("absent.py:Nobody", "table")["family"] == "own code"


def test_reported_rows_are_those_of_the_dataset_and_carry_their_reference() -> None:
    rows = published_rows("CIFAR-10")
    assert len(rows) > 0
    assert all(row["reference"] for row in rows)
    assert published_rows("no such dataset") == []


def test_reported_rows_of_one_dataset_are_shown_once() -> None:
    once = assemble(_records(seeds=1)).published
    assert [row.method for row in once] == [row["method"] for row in published_rows("CIFAR-10")]
