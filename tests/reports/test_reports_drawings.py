"""Architectures as text and as SVG: lanes that never overlap, names escaped, the same bytes each time."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from nasbench.reports.drawing_svg import draw_svg
from nasbench.reports.drawing_text import draw_text
from nasbench.reports.lanes import lay_out
from nasbench.spaces import SPACES, get_space
from nasbench.spaces.drawing import Edge, Graph, chain, drawing

DIAMOND = Graph(
    "diamond",
    ("in", "left", "right", "out"),
    (Edge(0, 1, "a"), Edge(0, 2, "bb"), Edge(1, 3), Edge(2, 3, "c")),
)
DRAWN = """\
diamond
  ●    in
  ├─── a  → left
  │ ●  left
  ╰─┼─ bb → right
  ● │  right
  │ ╰─    → out
  ╰─── c  → out
  ●    out"""


def test_text_shows_nodes_edges_and_where_they_lead():
    assert draw_text([DIAMOND]) == DRAWN


def test_graphs_stand_below_one_another_and_lists_have_no_lanes():
    both = draw_text([DIAMOND, Graph("decisions", ("one: a", "two: b"), ())])
    assert both == f"{DRAWN}\n\ndecisions\n  one: a\n  two: b"


def test_edges_without_labels_have_no_gap():
    assert draw_text([chain("row", ["a", "b"])]) == "row\n  ●  a\n  ╰─ → b\n  ●  b"


@pytest.mark.parametrize("name", sorted(SPACES))
def test_no_two_nodes_share_a_lane_at_a_time(name):
    space = get_space(name)
    for code in space.sample(10, rng=np.random.default_rng(1)).tolist():
        for graph in drawing(space, code):
            rows, lanes = lay_out(graph)
            owner: dict[int, int] = {}
            assert len(rows) == len(graph.nodes) + len(graph.edges)
            for row in rows:
                assert max(row.passing, default=0) < lanes
                assert row.lane not in row.passing
                assert set(owner) - {row.lane} == set(row.passing)
                if row.edge is None:
                    assert row.lane not in owner
                else:
                    assert owner[row.lane] == row.edge.source
                if row.ends:
                    owner.pop(row.lane, None)
                elif row.edge is None:
                    owner[row.lane] = row.node
            assert owner == {}


@pytest.mark.parametrize("name", sorted(SPACES))
def test_text_fits_eighty_columns(name):
    space = get_space(name)
    for code in space.sample(10, rng=np.random.default_rng(1)).tolist():
        assert max(map(len, draw_text(drawing(space, code)).splitlines())) <= 80


def test_svg_is_well_formed_and_says_in_words_what_it_shows():
    root = ElementTree.fromstring(draw_svg([DIAMOND], title="a diamond"))
    name = "{http://www.w3.org/2000/svg}"
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == "title description"
    assert root.find(f"{name}title").text == "a diamond"
    assert (
        root.find(f"{name}desc").text == "in to left by a; in to right by bb; left to out; right to out by c"
    )
    texts = [text.text for text in root.iter(f"{name}text")]
    assert texts[:4] == ["a diamond", "diamond", "in", "a → left"]
    assert len(list(root.iter(f"{name}circle"))) == 4


def test_svg_draws_everything_inside_its_frame():
    root = ElementTree.fromstring(draw_svg([DIAMOND, DIAMOND], title="two"))
    width, height = (float(root.attrib[side]) for side in ("width", "height"))
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        assert 0 < float(text.attrib["x"]) + 7 * len(text.text) < width
        assert 0 < float(text.attrib["y"]) < height


def test_svg_escapes_names():
    evil = Graph("<script>", ("<b>", '"&"'), (Edge(0, 1, "</text><script>"),))
    text = draw_svg([evil], title="</title><script>")
    assert "<script>" not in text
    ElementTree.fromstring(text)


def test_svg_cuts_a_long_title_where_it_is_drawn_only():
    root = ElementTree.fromstring(draw_svg([DIAMOND], title="x" * 300))
    assert root.find("{http://www.w3.org/2000/svg}title").text == "x" * 300
    drawn = next(root.iter("{http://www.w3.org/2000/svg}text")).text
    assert len(drawn) == 64
    assert drawn.endswith("x…")


def test_svg_of_a_list_names_its_nodes():
    text = draw_svg([Graph("decisions", ("one: a", "two: b"), ())], title="t")
    assert '<desc id="description">one: a; two: b</desc>' in text


def test_svg_is_the_same_each_time_and_suits_both_backgrounds():
    one, other = (draw_svg([DIAMOND], title="t") for _ in range(2))
    assert one == other
    assert "prefers-color-scheme: dark" in one
