import re

from nasbench.reports.latex import escape_latex, final_table


def test_every_special_character_is_escaped():
    assert escape_latex("50% of $a_b & {c}# ~^\\") == (
        r"50\% of \$a\_b \& \{c\}\# \textasciitilde{}\textasciicircum{}\textbackslash{}"
    )


def test_a_line_break_cannot_leave_a_comment_or_a_row(make_leaderboard, make_panel, relabel):
    panel = relabel(make_panel(n_entries=2, name="one\n\\input{secret}"), "two\n\\input{secret}")
    lines = final_table(make_leaderboard([panel], title="three\n\\input{secret}")).splitlines()
    assert all(line.startswith("%") for line in lines if "\\input" in line)


def test_every_row_has_a_cell_a_column(page_leaderboard):
    rows = [line for line in final_table(page_leaderboard).splitlines() if line.endswith(r"\\")]
    assert len(rows) == 11
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {9}


def test_rules_and_number_columns_are_there(page_leaderboard):
    text = final_table(page_leaderboard)
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 1
    assert "S[table-format=1.2(2)]" in text
    assert r"\bfseries 5.70 +- 0.11" in text


def test_wide_spreads_and_errors_get_the_digits_they_need(make_leaderboard, make_panel):
    panel = make_panel(n_entries=1)
    panel.entries[0].final.mean, panel.entries[0].final.std = 0.125, 0.0203
    assert "S[table-format=2.2(3)]" in final_table(make_leaderboard([panel]))


def test_a_failed_entry_is_shown_as_failed(make_leaderboard, make_panel, fail_entry):
    panel = make_panel(n_entries=1)
    panel = panel.model_copy(update={"entries": [fail_entry(panel.entries[0])]})
    assert "random-search & faithful & {failed} & {--}" in final_table(make_leaderboard([panel]))


def test_two_panels_make_two_tabulars(make_leaderboard, make_panel):
    text = final_table(make_leaderboard([make_panel(n_entries=2), make_panel(n_entries=2, name="other")]))
    assert text.count(r"\begin{tabular}") == 2
