"""The page of spaces is current, and says of each what its card and the space say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nasbench.spaces import SPACES, Decision, ProductSpace, get_space
from nasbench.spaces.cards import CARDS
from nasbench.spaces.catalogue import example, page, row

ROOT = Path(__file__).parents[2]


def test_page_is_current():
    assert (ROOT / "docs" / "spaces.md").read_text(encoding="utf-8") == page(), (
        "run: python -m nasbench.spaces.catalogue > docs/spaces.md"
    )


def test_every_space_has_a_card_and_every_card_a_space():
    assert set(CARDS) == set(SPACES)


@pytest.mark.parametrize("name", sorted(SPACES))
def test_every_card_names_who_and_when(name):
    assert re.fullmatch(r"[A-Z].*\b(19|20)\d\d", row(name)["source"])
    assert CARDS[name].summary.endswith(".")
    assert CARDS[name].counts
    assert CARDS[name].data


@pytest.mark.parametrize("name", sorted(SPACES))
def test_the_example_of_each_space_reads_back(name):
    space = get_space(name)
    text = space.format(example(space))
    assert space.parse(text) == example(space)
    assert f"```\n{text}\n```" in page()


def test_what_is_trained_is_said_where_something_is():
    text = page()
    assert "* Networks: the published network; recipe digits-nb-macro." in text
    assert text.count("* Networks: none is built here.") == sum(not card.networks for card in CARDS.values())


def test_more_than_two_authors_are_shortened_to_the_first():
    assert row("darts")["source"] == "Liu et al. 2019"
    assert row("nb201")["source"] == "Dong and Yang 2020"


def test_large_counts_are_written_short():
    assert row("darts")["architectures"] == "1.08e18"
    assert row("nb201")["architectures"] == "15,625"


def test_a_space_without_bound_says_so(monkeypatch):
    endless = ProductSpace("endless", [Decision("one", ("a", "b"))])
    endless.size = None
    monkeypatch.setitem(SPACES, "endless", lambda: endless)
    monkeypatch.setitem(CARDS, "endless", CARDS["nb201"])
    assert row("endless")["architectures"] == "unbounded"
