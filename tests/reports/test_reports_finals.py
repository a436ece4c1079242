import pytest

from nasbench.reports.finals import (
    RANDOM_LABEL,
    FinalRow,
    amount_text,
    error_text,
    failures_text,
    final_rows,
    oracle_label,
    random_stop,
    ratio_text,
    reached_text,
    short_id,
)


def test_entries_stand_by_mean_error_and_references_last(make_panel):
    rows = final_rows(make_panel())
    means = [row.mean for row in rows if not row.is_reference]
    assert means == sorted(means)
    assert [row.label for row in rows[-2:]] == [RANDOM_LABEL, "oracle (best in table)"]


def test_an_entry_without_a_result_stands_after_the_others(make_panel, fail_entry):
    panel = make_panel()
    panel = panel.model_copy(update={"entries": [fail_entry(panel.entries[3]), *panel.entries[:3]]})
    rows = [row for row in final_rows(panel) if not row.is_reference]
    assert rows[-1].label == "bananas"
    assert rows[-1].has_failed
    assert error_text(rows[-1]) == "failed"


def test_references_are_left_out_where_they_are_not_known(make_panel):
    panel = make_panel()
    blank = panel.reference.model_copy(update={"random": None, "optimum_error": None})
    rows = final_rows(panel.model_copy(update={"reference": blank}))
    assert all(not row.is_reference for row in rows)


@pytest.mark.parametrize(("budget", "evaluations"), [("10gpu-days", 613), ("500evals", 500), ("86400s", 61)])
def test_random_search_stops_where_the_budget_does(make_panel, budget, evaluations):
    panel = make_panel(budget=budget)
    stop = random_stop(panel)
    assert stop is not None
    assert panel.reference.random.evaluations[stop] == evaluations


def test_random_search_that_cannot_pay_one_training_has_no_row(make_panel):
    panel = make_panel(budget="1s")
    assert random_stop(panel) is None
    assert RANDOM_LABEL not in [row.label for row in final_rows(panel)]


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        ("table", "oracle (best in table)"),
        ("surrogate", "oracle (best predicted)"),
        ("trainer", "oracle (best known)"),
    ],
)
def test_the_oracle_is_named_for_what_it_is(make_panel, kind, label):
    assert oracle_label(make_panel(kind=kind)) == label


def test_best_and_not_separated_are_strong(make_panel):
    assert [row.label for row in final_rows(make_panel()) if row.strong] == ["bananas", "local-search"]


def test_errors_are_written_in_percent_with_their_spread():
    assert error_text(FinalRow("a", mean=0.0563, std=0.0021)) == "5.63 ± 0.21"
    assert error_text(FinalRow("a", mean=0.0563)) == "5.63"
    assert error_text(FinalRow("a")) == "–"


def test_cost_to_target_is_a_ratio_with_its_interval(make_panel):
    row = next(row for row in final_rows(make_panel()) if row.label == "random-search")
    assert ratio_text(row) == "0.41× (0.33–0.52)"
    assert reached_text(row) == "30/30 · 2.65"


def test_cost_to_target_without_an_interval_or_a_target_is_plain(make_panel):
    panel = make_panel(seeds=1)
    assert ratio_text(final_rows(panel)[0]) == "–"
    assert reached_text(FinalRow("a")) == ""


def test_failures_count_runs_and_trials(make_panel):
    texts = {row.label: failures_text(row) for row in final_rows(make_panel())}
    assert texts["tpe"] == "1 run"
    assert texts["hyperband"] == "3 trials"
    assert texts["bananas"] == "0"
    assert texts[RANDOM_LABEL] == "–"


@pytest.mark.parametrize(
    ("amount", "text"), [(None, "–"), (0.0123, "0.0123"), (9.98, "9.98"), (612.4, "612"), (3150.0, "3,150")]
)
def test_amounts_have_three_digits_and_no_exponent(amount, text):
    assert amount_text(amount) == text


def test_the_short_id_is_the_head_of_the_id(page_leaderboard):
    assert page_leaderboard.id.startswith(short_id(page_leaderboard))
    assert len(short_id(page_leaderboard)) == 12


def test_an_entry_whose_budget_paid_for_nothing_has_no_result_and_did_not_fail(make_panel, fail_entry):
    entry = fail_entry(make_panel().entries[0]).model_copy(update={"failures": []})
    rows = final_rows(make_panel().model_copy(update={"entries": [entry]}))
    assert error_text(rows[0]) == "no result"
