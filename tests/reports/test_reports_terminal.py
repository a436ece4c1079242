from __future__ import annotations

import pytest

from nasbench.evaluation.opening import open_source
from nasbench.reports.assemble import assemble
from nasbench.reports.finals import final_rows
from nasbench.reports.leaderboard import Panel
from nasbench.reports.publish import pack
from nasbench.reports.terminal import terminal_table
from nasbench.runs.campaign import run_suite
from nasbench.runs.suite import parse_suite


@pytest.fixture(scope="module")
def panel() -> Panel:
    data = {
        "name": "small",
        "sources": ["nb201-cifar10"],
        "strategies": [{"name": "random-search"}, {"name": "grid"}],
        "seeds": 4,
        "budget": "6evals",
    }
    suite = parse_suite(data, where="test")
    records = pack(suite, [open_source("nb201-cifar10")], run_suite(suite, None))
    return assemble(records).panels[0]


def test_rows_are_those_of_the_page_in_its_order(panel: Panel) -> None:
    _, rows = terminal_table(panel)
    assert [row[0] for row in rows] == [row.label for row in final_rows(panel)]


def test_every_row_has_a_cell_a_column(panel: Panel) -> None:
    columns, rows = terminal_table(panel)
    assert {len(row) for row in rows} == {len(columns)}


def test_errors_are_in_percent(panel: Panel) -> None:
    columns, rows = terminal_table(panel)
    entry = next(entry for entry in panel.entries if entry.label == "random-search")
    cells = dict(zip(columns, next(row for row in rows if row[0] == "random-search"), strict=True))
    assert entry.final.mean is not None
    assert float(cells["error ± sd"].split(" ± ")[0]) == pytest.approx(100 * entry.final.mean, abs=0.006)
    assert cells["n"] == "4"


def test_the_cost_column_is_named_by_the_panels_axis(panel: Panel) -> None:
    columns, _ = terminal_table(panel.model_copy(update={"axis": "CPU-days"}))
    assert "CPU-days" in columns


def test_reference_rows_have_no_count_of_runs(panel: Panel) -> None:
    columns, rows = terminal_table(panel)
    oracle = next(row for row in rows if row[0].startswith("oracle"))
    assert oracle[columns.index("n")] == ""
