import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from nasbench.reports.csvs import final_csv
from nasbench.reports.html import embedded_json, render_html
from nasbench.reports.latex import final_table

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Elements(HTMLParser):
    """Every start tag with its attributes; end tags must match their start."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.text = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def attributes(self, *names):
        return [attrs[name] for _, attrs in self.tags for name in names if name in attrs]


def test_the_page_is_well_formed_with_unique_ids(page):
    elements = Elements(page)
    assert elements.open == []
    ids = elements.attributes("id")
    assert len(ids) == len(set(ids))


def test_nothing_is_loaded_from_anywhere(page):
    elements = Elements(page)
    assert elements.attributes("src", "srcset", "action", "data") == []
    loads = [attrs["href"] for tag, attrs in elements.tags if tag not in ("a", "use") and "href" in attrs]
    assert loads == ["data:,"]
    assert "@import" not in page
    assert not re.search(r"url\(\s*['\"]?https?:", page)


def test_links_out_are_citations_only(page):
    links = [attrs for tag, attrs in Elements(page).tags if tag == "a" and attrs["href"].startswith("http")]
    assert [link["href"] for link in links] == ["https://openreview.net/forum?id=HJxyZkBKDr"]
    assert all("noopener" in link["rel"] for link in links)


def test_the_policy_allows_this_script_alone(page):
    policy = next(attrs["content"] for tag, attrs in Elements(page).tags if "http-equiv" in attrs)
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_no_element_has_a_handler_of_its_own(page):
    assert not [name for _, attrs in Elements(page).tags for name in attrs if name.startswith("on")]


def test_the_page_has_the_same_bytes_each_time(page, page_leaderboard):
    assert render_html(page_leaderboard) == page


def test_the_page_stays_of_a_size_to_mail(page):
    assert 100_000 < len(page.encode()) < 700_000


def test_title_and_id_stand_at_the_top(page, page_leaderboard):
    assert f"<title>Strategies on NAS-Bench-201 · {page_leaderboard.id[:12]}</title>" in page


def test_every_alternative_is_drawn_without_a_script(page):
    charts = [attrs["id"] for tag, attrs in Elements(page).tags if tag == "figure"]
    wanted = [
        f"p0-{axis}-{metric}" for metric in ("error", "regret", "rank") for axis in ("days", "evaluations")
    ]
    assert charts == wanted


def test_the_final_table_holds_rows_and_references(page):
    assert "5.70 ± 0.11" in page
    assert "0.41× (0.33–0.52)" in page
    assert page.count('<tr class="reference"') == 2
    assert page.count('<tr class="strong"') == 2


def test_verdicts_warnings_and_failures_are_visible(page):
    for words in (
        "bananas ends with the lowest error",
        "hyperband: 3 trials failed and cost their time.",
        "seed 4: StrategyFault: proposed nan",
        "Scored by validation error averaged over replicates",
    ):
        assert words in page


def test_published_rows_are_labelled_as_not_measured(page):
    assert "Reported in papers, not measured here." in page
    assert "AmoebaNet-A" in page


def test_how_to_verify_and_reproduce_is_said(page, page_leaderboard):
    assert "nasbench leaderboard verify DIR" in page
    assert "nasbench leaderboard reproduce DIR" in page
    assert page_leaderboard.records_hash in page


def test_pairs_and_checklist_are_tables(page):
    assert "Pairwise tests (28)" in page
    assert '<span class="answer author-to-answer">author to answer</span>' in page


def test_small_files_travel_in_the_page(page, page_leaderboard):
    links = {attrs.get("download"): attrs["href"] for tag, attrs in Elements(page).tags if tag == "a"}
    assert unquote(links["leaderboard.csv"].split(",", 1)[1]) == final_csv(page_leaderboard)
    assert unquote(links["table.tex"].split(",", 1)[1]) == final_table(page_leaderboard)


def test_the_embedded_data_is_the_leaderboard(page, page_leaderboard):
    text = re.search(r'<script type="application/json" id="board">(.*?)</script>', page, re.DOTALL)[1]
    assert json.loads(text) == json.loads(page_leaderboard.canonical_json())


@pytest.mark.parametrize("field", ["label", "title", "panel", "verdict", "source"])
def test_hostile_text_is_text_wherever_it_stands(make_leaderboard, make_panel, relabel, field):
    panel = make_panel(n_entries=2)
    changes = {"title": HOSTILE} if field == "title" else {}
    if field == "label":
        panel = relabel(panel, HOSTILE)
    elif field == "panel":
        panel = panel.model_copy(update={"name": HOSTILE})
    elif field == "verdict":
        panel = panel.model_copy(update={"verdicts": [HOSTILE]})
    elif field == "source":
        panel = panel.model_copy(update={"source": HOSTILE, "citation": HOSTILE})
    page = render_html(make_leaderboard([panel], **changes))
    elements = Elements(page)
    assert [tag for tag, _ in elements.tags].count("script") == 2
    assert "img" not in [tag for tag, _ in elements.tags]
    assert HOSTILE in "".join(elements.text)


def test_embedded_json_cannot_end_its_script(make_leaderboard, make_panel):
    text = embedded_json(make_leaderboard([make_panel(n_entries=1)], title="</script><!--"))
    assert "<" not in text
    assert json.loads(text)["title"] == "</script><!--"


def test_an_entry_whose_runs_all_failed_is_shown_as_failed(make_leaderboard, make_panel, fail_entry):
    panel = make_panel()
    panel = panel.model_copy(update={"entries": [fail_entry(panel.entries[0]), *panel.entries[1:]]})
    page = render_html(make_leaderboard([panel]))
    row = page[page.index('<tr class="failed"') :]
    assert "random-search" in row[: row.index("</tr>")]
    assert ">failed<" in row[: row.index("</tr>")]
    assert "seed 0: StrategyFault: no" in page


@pytest.mark.parametrize(("seeds", "n_entries"), [(1, 1), (1, 8), (30, 25)])
def test_small_and_large_panels_render(make_leaderboard, make_panel, seeds, n_entries):
    page = render_html(make_leaderboard([make_panel(seeds=seeds, n_entries=n_entries)]))
    assert page.count('<tr class="reference"') == 2
    assert Elements(page).open == []


def test_a_panel_with_nothing_known_renders(make_leaderboard, make_panel, fail_entry):
    panel = make_panel(n_entries=1)
    blank = panel.reference.model_copy(update=dict.fromkeys(type(panel.reference).model_fields))
    changes = {
        "reference": blank,
        "entries": [fail_entry(panel.entries[0])],
        "target_error": None,
        "verdicts": [],
    }
    board = make_leaderboard([panel.model_copy(update=changes)], published=[], checklist=[])
    assert "<figure" not in render_html(board)


def test_a_cpu_source_is_shown_in_cpu_days(make_leaderboard, make_panel):
    page = render_html(
        make_leaderboard([make_panel(n_entries=2, axis="CPU-days", budget="10cpu-days")], published=[])
    )
    assert "CPU-days" in page
    assert "GPU-days" not in page


def test_several_panels_get_an_overview_and_links(make_leaderboard, make_panel):
    page = render_html(make_leaderboard([make_panel(n_entries=3), make_panel(n_entries=2, name="other")]))
    ids = Elements(page).attributes("id")
    assert len(ids) == len(set(ids))
    assert '<a href="#panel-1">other</a>' in page
    assert 'id="overview"' in page


def test_many_verdicts_are_folded_and_none_is_lost(make_leaderboard, make_panel):
    sentences = [f"sentence {number}." for number in range(9)]
    page = render_html(make_leaderboard([make_panel(n_entries=1, verdicts=sentences)]))
    assert "<summary>6 more comparisons</summary>" in page
    assert all(f"<li>{sentence}</li>" in page for sentence in sentences)


def test_the_target_is_explained_under_the_table(page):
    assert "The target is the mean score of random-search at half the budget (6.00 %)." in page
