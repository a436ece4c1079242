import re

import pytest

from nasbench.reports.markdown import escape_markdown, escape_text, render_markdown


def table_of(text):
    return [line for line in text.splitlines() if line.startswith("|")]


def test_the_readme_names_the_leaderboard_and_how_to_check_it(page_leaderboard):
    text = render_markdown(page_leaderboard, pictures=[("nb201-cifar10", "curves.svg")])
    assert text.startswith("# Strategies on NAS-Bench-201\n")
    assert page_leaderboard.id in text
    assert "nasbench leaderboard verify DIR" in text
    assert "nasbench leaderboard reproduce DIR" in text
    assert "](curves.svg)" in text
    assert "https://openreview.net/forum?id=HJxyZkBKDr" in text


def test_the_table_has_a_row_an_entry_and_both_references(page_leaderboard):
    table = table_of(render_markdown(page_leaderboard, pictures=[]))
    assert len(table) == 2 + 8 + 2
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {14}
    assert "**bananas**" in table[2]


def test_a_hostile_label_stays_in_its_cell(make_leaderboard, make_panel, relabel):
    panel = relabel(make_panel(n_entries=2), "a|b<img src=x>\n# c [d](javascript:e)")
    table = table_of(render_markdown(make_leaderboard([panel]), pictures=[]))
    line = next(line for line in table if "javascript" in line)
    assert r"a\|b&lt;img src=x&gt; # c \[d\](javascript:e)" in line
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {14}


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a*b_c`d`", r"a\*b\_c\`d\`"),
        ("# title", r"\# title"),
        ("1. item", r"1\. item"),
        ("- item", r"\- item"),
        ("a & b < c", "a &amp; b &lt; c"),
        ("two\nlines", "two lines"),
    ],
)
def test_markup_is_escaped(text, escaped):
    assert escape_markdown(text) == escaped


def test_addresses_stay_links_and_the_rest_is_escaped():
    assert escape_text("See a_b https://x.org/a_b_c *now*") == r"See a\_b https://x.org/a_b_c \*now\*"


def test_failures_and_warnings_are_shown(page_leaderboard):
    text = render_markdown(page_leaderboard, pictures=[])
    assert "tpe, seed 4: StrategyFault: proposed nan" in text
    assert "> **Mind:** hyperband: 3 trials failed" in text


def test_panels_get_headings_when_there_are_several(make_leaderboard, make_panel):
    board = make_leaderboard([make_panel(n_entries=1), make_panel(n_entries=1, name="other")])
    text = render_markdown(board, pictures=[])
    assert "## nb201-cifar10" in text
    assert "## other" in text
