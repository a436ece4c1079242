import re
import xml.etree.ElementTree as ElementTree

import pytest

from nasbench.errors import BadOption
from nasbench.reports.figures import charts_of, draw_chart
from nasbench.reports.looks import COLOURS, DARK_COLOURS, looks_of


def looks(panel):
    return looks_of(entry.label for entry in panel.entries)


def test_every_series_has_a_line_and_a_band_of_its_own(make_panel):
    panel = make_panel()
    chart = draw_chart(panel, 0, axis="days", metric="error", looks=looks(panel))
    for index in range(len(panel.entries)):
        assert chart.svg.count(f'id="p0-days-error-s{index}-line"') == 1
        assert chart.svg.count(f'id="p0-days-error-s{index}-band"') == 1


def test_references_are_drawn_in_the_error_chart(make_panel):
    panel = make_panel()
    chart = draw_chart(panel, 2, axis="evaluations", metric="error", looks=looks(panel))
    assert 'id="p2-evaluations-error-random-line"' in chart.svg
    assert 'id="p2-evaluations-error-optimum-line"' in chart.svg


def test_ranks_have_no_reference_lines(make_panel):
    panel = make_panel()
    assert "random-line" not in draw_chart(panel, 0, axis="days", metric="rank", looks=looks(panel)).svg


def test_the_same_panel_is_drawn_with_the_same_bytes(make_panel):
    panel = make_panel()
    first, second = (
        draw_chart(panel, 0, axis="days", metric="regret", looks=looks(panel), alone=True) for _ in "ab"
    )
    assert first.svg == second.svg


def test_all_alternatives_are_offered_when_the_optimum_is_known(make_panel):
    assert charts_of(make_panel()) == [
        ("days", "error"),
        ("evaluations", "error"),
        ("days", "regret"),
        ("evaluations", "regret"),
        ("days", "rank"),
        ("evaluations", "rank"),
    ]


def test_regret_is_not_offered_without_an_optimum(make_panel):
    panel = make_panel()
    for entry in panel.entries:
        for curves in entry.curves.values():
            curves.regret = None
    assert ("days", "regret") not in charts_of(panel)


def test_a_metric_without_values_is_refused(make_panel, fail_entry):
    panel = make_panel(n_entries=1)
    panel = panel.model_copy(update={"entries": [fail_entry(panel.entries[0])]})
    with pytest.raises(BadOption, match=r"metric: expected one of \[\] .* got \('days', 'error'\)"):
        draw_chart(panel, 0, axis="days", metric="error", looks=looks(panel))


def test_one_seed_draws_lines_without_bands(make_panel):
    panel = make_panel(seeds=1)
    svg = draw_chart(panel, 0, axis="days", metric="error", looks=looks(panel)).svg
    assert "-s0-line" in svg
    assert "-band" not in svg


def test_a_failed_entry_leaves_the_others_drawn(make_panel, fail_entry):
    panel = make_panel()
    panel = panel.model_copy(update={"entries": [fail_entry(panel.entries[0]), *panel.entries[1:]]})
    svg = draw_chart(panel, 0, axis="days", metric="error", looks=looks(panel)).svg
    assert "-s0-line" not in svg
    assert "-s1-line" in svg


def test_text_and_axes_take_the_colour_of_the_page(make_panel):
    panel = make_panel()
    svg = draw_chart(panel, 0, axis="days", metric="error", looks=looks(panel)).svg
    assert "fill: currentColor" in svg
    assert "#010203" not in svg
    assert "#000000" not in svg
    assert f"var(--c0, {COLOURS[0]})" in svg


def test_a_file_of_its_own_is_valid_xml_with_a_legend(make_panel):
    panel = make_panel()
    svg = draw_chart(panel, 0, axis="days", metric="error", looks=looks(panel), alone=True).svg
    texts = [node.text for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert {entry.label for entry in panel.entries} <= set(texts)
    assert "random search, exact expectation" in texts
    assert "currentColor" not in svg


@pytest.mark.parametrize("label", ["<script>alert(1)</script>", "_hidden", "$x_{", "a & b", "$\\frac{1}$"])
def test_a_hostile_label_stands_in_the_legend_as_it_is(make_panel, relabel, label):
    panel = relabel(make_panel(n_entries=2), label)
    svg = draw_chart(panel, 0, axis="days", metric="error", looks=looks(panel), alone=True).svg
    texts = [node.text for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert label in texts


def test_no_two_of_twenty_five_series_look_the_same():
    found = looks_of(str(number) for number in range(25)).values()
    assert len({(look.colour, look.dash, look.marker) for look in found}) == 25
    assert len({(look.colour, look.dash) for look in list(found)[:24]}) == 24


def test_every_colour_has_a_twin_for_dark_pages():
    assert len(set(COLOURS)) == len(set(DARK_COLOURS)) == len(COLOURS) == len(DARK_COLOURS)


def test_a_label_keeps_its_look_when_it_comes_again():
    found = looks_of(["a", "b", "a", "c"])
    assert [look.index for look in found.values()] == [0, 1, 2]


def test_ids_of_two_charts_never_clash(make_panel):
    panel = make_panel()
    found = [
        name
        for axis, metric in charts_of(panel)
        for name in re.findall(
            r' id="([^"]+)"', draw_chart(panel, 0, axis=axis, metric=metric, looks=looks(panel)).svg
        )
    ]
    assert len(found) == len(set(found))


def test_every_reference_inside_a_chart_has_its_target(make_panel):
    panel = make_panel()
    svg = draw_chart(panel, 0, axis="days", metric="error", looks=looks(panel)).svg
    wanted = set(re.findall(r"#(p0-[\w-]+)[\")]", svg))
    assert wanted
    assert wanted <= set(re.findall(r' id="([^"]+)"', svg))
