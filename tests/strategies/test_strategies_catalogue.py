"""The catalogue says of each strategy what its card, signature and docstrings say."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from nasbench.strategies import STRATEGIES, Card
from nasbench.strategies.catalogue import Entry, catalogue, describe, page

ROOT = Path(__file__).parents[2]


def test_page_is_current():
    assert (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8") == page(), (
        "run: python -m nasbench.strategies.catalogue > docs/strategies.md"
    )


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_every_strategy_says_what_it_is_and_what_its_options_mean(name):
    entry = describe(name)
    assert entry.fault == ""
    assert entry.card.family
    assert entry.summary.endswith(".")
    assert "`" not in entry.card.paper
    undocumented = [option for option, _, meaning in entry.options if not meaning]
    assert undocumented == []


@pytest.mark.parametrize("name", sorted(set(STRATEGIES) - {"fixed", "grid"}))
def test_every_published_strategy_names_its_source(name):
    entry = describe(name)
    assert entry.card.paper
    assert "Source:" in entry.description


def test_options_carry_their_defaults():
    options = {name: (default, text) for name, default, text in describe("regularized-evolution").options}
    assert options["population"] == ("10", "Members alive, >= 1 (paper: 100).")
    assert set(options) == {"population", "sample"}


def test_broken_plug_in_is_one_line(monkeypatch):
    from nasbench.strategies import catalogue as module

    monkeypatch.setattr(module, "strategy_names", lambda: ["random-search", "broken-one"])
    rows = [entry.row() for entry in catalogue()]
    assert [row["name"] for row in rows] == ["random-search", "broken-one"]
    assert "no strategy is named 'broken-one'" in rows[1]["needs"]
    assert rows[1]["table"] == ""


def test_row_says_fidelity_and_objectives():
    class Both:
        card: ClassVar[Card] = Card(
            family="f", paper="p", needs=("torch",), multi_fidelity=True, multi_objective=True
        )

    row = Entry("both", Both.card).row()
    assert (row["multi-fidelity"], row["multi-objective"], row["needs"]) == ("yes", "yes", "torch")
