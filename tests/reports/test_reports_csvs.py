import csv
import io

import pytest

from nasbench.errors import BadOption
from nasbench.reports.csvs import FINAL_COLUMNS, curves_csv, final_csv, rows_csv


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_final_rows_read_back_with_every_digit(page_leaderboard):
    rows = {row["label"]: row for row in read(final_csv(page_leaderboard))}
    for entry in page_leaderboard.panels[0].entries:
        assert float(rows[entry.label]["error_mean"]) == entry.final.mean
        assert float(rows[entry.label]["days"]) == entry.days
        assert rows[entry.label]["architecture"] == entry.final.architecture


def test_every_final_line_has_every_column(page_leaderboard):
    lines = list(csv.reader(io.StringIO(final_csv(page_leaderboard))))
    assert tuple(lines[0]) == FINAL_COLUMNS
    assert {len(line) for line in lines} == {len(FINAL_COLUMNS)}


def test_references_are_marked_as_such(page_leaderboard):
    kinds = [row["kind"] for row in read(final_csv(page_leaderboard))]
    assert kinds == ["entry"] * 8 + ["reference"] * 2


def test_curves_read_back_with_every_digit_and_gaps(page_leaderboard):
    panel = page_leaderboard.panels[0]
    rows = [
        row
        for row in read(curves_csv(page_leaderboard))
        if (row["label"], row["axis"], row["metric"]) == ("bananas", "days", "error")
    ]
    curve = panel.entries[3].curves["days"].error
    assert [float(row["x"]) for row in rows] == panel.grids["days"]
    assert [float(row["mean"]) if row["mean"] else None for row in rows] == curve.mean
    assert rows[0]["mean"] == ""


def test_a_label_with_commas_and_quotes_survives(make_leaderboard, make_panel, relabel):
    label = 'a,"b"\nc'
    text = final_csv(make_leaderboard([relabel(make_panel(n_entries=2), label)]))
    assert label in [row["label"] for row in read(text)]


def test_rows_are_written_as_they_come():
    assert rows_csv([{"seed": 0, "error": 0.1}, {"error": None, "seed": 1}]) == "seed,error\n0,0.1\n1,\n"


def test_no_rows_make_an_empty_file():
    assert rows_csv([]) == ""


def test_rows_of_different_columns_are_refused():
    with pytest.raises(
        BadOption, match=r"rows: expected the columns \['seed'\] in every row, got \['label'\] in row 1"
    ):
        rows_csv([{"seed": 0}, {"label": "a"}])
