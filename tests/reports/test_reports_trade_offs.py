"""A suite that sets a cost against the error: what its leaderboard states, and how it is shown."""

from __future__ import annotations

import csv
import io
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nasbench.comparison.trade_off import hypervolume
from nasbench.errors import FormatError, Mismatch
from nasbench.evaluation.opening import open_source
from nasbench.reports.assemble import assemble
from nasbench.reports.csvs import trade_off_csvs
from nasbench.reports.html import render_html
from nasbench.reports.leaderboard import Front, Leaderboard
from nasbench.reports.markdown import render_markdown
from nasbench.reports.publish import LEADERBOARD, RECORDS, SUITE, publish, rebuild
from nasbench.reports.trade_off_page import cost_text, draw_fronts, ranked, share_text
from nasbench.reports.trade_offs import cost_name
from nasbench.reports.verification import verify
from nasbench.runs.packing import read_records, write_records
from nasbench.runs.suite import parse_suite, read_suite

DECLARED = {"cost": "parameters", "reference_cost": 1_600_000.0, "reference_error": 0.25}
DATA = {
    "name": "small",
    "sources": ["nb201-cifar10"],
    "strategies": [{"name": "random-search"}, {"name": "nsga2", "options": {"population": 5}}],
    "seeds": 3,
    "budget": "25evals",
}


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("trade-off") / "board"
    publish(parse_suite({**DATA, "trade_off": DECLARED}, where="test"), folder)
    return folder


@pytest.fixture
def folder(published, tmp_path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "board"))


@pytest.fixture(scope="module")
def board(published) -> Leaderboard:
    return Leaderboard.model_validate_json((published / LEADERBOARD).read_text())


def test_declared_reference_and_every_strategy_are_stated(board):
    trade = board.panels[0].trade_off
    assert (trade.cost, trade.reference_cost, trade.reference_error) == tuple(DECLARED.values())
    assert [front.label for front in trade.fronts] == [entry.label for entry in board.panels[0].entries]
    for front in trade.fronts:
        assert front.n == 3
        assert 0.0 < front.low <= front.mean <= front.high < 1.0
        costs, errors = zip(*front.attained, strict=True)
        assert list(costs) == sorted(set(costs))
        assert list(errors) == sorted(set(errors), reverse=True)


def test_numbers_are_those_found_again_from_the_records(published, board):
    panel, source = read_records(published / RECORDS).panels[0], open_source("nb201-cifar10")
    for entry, front in zip(panel.entries, board.panels[0].trade_off.fronts, strict=True):
        shares = []
        for run in entry.runs:
            told = [
                (source.costs["parameters"](tuple(code)), error)
                for code, error in zip(run.codes.tolist(), run.valid_error.tolist(), strict=True)
            ]
            kept = [
                i
                for i, (c, e) in enumerate(told)
                if not any(p <= c and q <= e and (p, q) != (c, e) for p, q in told)
            ]
            scores = source.score(run.codes[kept], epochs=200)
            points = np.array([(told[i][0], score) for i, score in zip(kept, scores.tolist(), strict=True)])
            shares.append(hypervolume(points, reference_cost=1_600_000.0, reference_error=0.25))
        assert front.mean == pytest.approx(np.mean(shares), rel=1e-8)
        assert front.median == pytest.approx(np.median(shares), rel=1e-8)


def test_folder_holds_and_is_made_again_to_the_same_bytes(folder):
    told = []
    assert verify(folder, sample=1, say=told.append) == 2
    assert any("fronts.csv, hypervolumes.csv: say what" in line for line in told)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    rebuild(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert read_suite(folder / SUITE).content()["trade_off"] == DECLARED


def test_recorded_cost_that_is_not_the_sources_is_found(folder):
    records = read_records(folder / RECORDS)
    panel = records.panels[0]
    forged = replace(panel, costs=np.concatenate([[1.0], panel.costs[1:]]))
    write_records(replace(records, panels=[forged]), folder / RECORDS)
    rebuild(folder)
    with pytest.raises(Mismatch, match=r"nb201-cifar10: parameters of \S+: recorded 1\.0, the source"):
        verify(folder, sample=0)


def test_hypervolume_edited_in_a_csv_file_is_found(folder):
    path = folder / "hypervolumes.csv"
    path.write_text(path.read_text().replace(",0.25,3,0.", ",0.25,3,1."))
    with pytest.raises(Mismatch, match=r"hypervolumes\.csv: line 2"):
        verify(folder, sample=0)


def test_records_without_the_declared_cost_are_refused(published):
    records = read_records(published / RECORDS)
    bare = replace(records, panels=[replace(panel, costs=None) for panel in records.panels])
    with pytest.raises(FormatError, match="trade_off: the suite declares a cost, but none is recorded"):
        assemble(bare)


def test_only_a_leaderboard_with_a_trade_off_has_the_newer_schema(board, published, tmp_path):
    assert (board.schema_version, read_records(published / RECORDS).schema_version) == ("1.1", "1.1")
    plain = publish(parse_suite({**DATA, "seeds": 1}, where="test"), tmp_path)
    assert (plain.schema_version, read_records(tmp_path / RECORDS).schema_version) == ("1.0", "1.0")
    assert "trade_off" not in plain.canonical_json()
    assert not {"fronts.csv", "hypervolumes.csv"} & {path.name for path in tmp_path.iterdir()}


def test_entry_without_a_finished_run_has_no_hypervolume(published):
    records = read_records(published / RECORDS)
    panel = records.panels[0]
    failed = [replace(run, end="failed", reason="broke") for run in panel.entries[1].runs]
    changed = replace(panel, entries=[panel.entries[0], replace(panel.entries[1], runs=failed)])
    made = assemble(replace(records, panels=[changed]))
    front = made.panels[0].trade_off.fronts[1]
    assert (front.n, front.mean, front.low, front.attained) == (0, None, None, [])
    assert ranked(made.panels[0].trade_off)[-1] is front
    assert "| nsga2 (population=5) | – | – | – |" in render_markdown(made, pictures=[])
    assert "Error against parameters" in render_html(made)


def test_page_shows_the_fronts_without_a_script(board):
    page = render_html(board)
    section = page[
        page.index("<h3>Error against parameters</h3>") : page.index("The median fronts in numbers")
    ]
    assert section.count("<svg viewBox") == 1
    for front in board.panels[0].trade_off.fronts:
        assert share_text(front.mean) in section
    assert "1,600,000 parameters and 25.00 % error" in section
    assert page == render_html(board)


def test_every_strategy_is_a_line_of_the_chart(board):
    from nasbench.reports.looks import leaderboard_looks

    looks = leaderboard_looks(board)
    drawn = draw_fronts(board.panels[0], 0, looks)
    for front in board.panels[0].trade_off.fronts:
        assert f"var(--c{looks[front.label].tint}" in drawn
        assert front.label in drawn


def test_nothing_is_drawn_where_no_run_has_a_front(board):
    panel = board.panels[0]
    bare = [front.model_copy(update={"attained": []}) for front in panel.trade_off.fronts]
    assert draw_fronts(panel.model_copy(update={"trade_off": None}), 0, {}) == ""
    empty = panel.trade_off.model_copy(update={"fronts": bare})
    assert draw_fronts(panel.model_copy(update={"trade_off": empty}), 0, {}) == ""


def test_csv_files_say_what_the_leaderboard_says(board):
    texts = trade_off_csvs(board)
    rows = list(csv.DictReader(io.StringIO(texts["hypervolumes.csv"])))
    trade = board.panels[0].trade_off
    assert [float(row["hypervolume_mean"]) for row in rows] == [front.mean for front in ranked(trade)]
    steps = list(csv.DictReader(io.StringIO(texts["fronts.csv"])))
    assert [[float(row["cost"]), float(row["error"])] for row in steps] == [
        step for front in trade.fronts for step in front.attained
    ]


def test_markdown_ranks_by_hypervolume(board):
    text = render_markdown(board, pictures=[])
    part = text[text.index("**Error against parameters**") :]
    shown = [float(share) for share in re.findall(r"^\| \S.*? \| (0\.\d{4}) \|", part, re.MULTILINE)]
    assert len(shown) == 2
    assert shown == sorted(shown, reverse=True)


def test_costs_are_written_plainly():
    assert [cost_text(cost) for cost in (1_600_000.0, 1_000.0, 0.0156985, 12.0)] == [
        "1,600,000", "1,000", "0.0157", "12",
    ]  # fmt: skip
    assert (cost_name("macs"), cost_name("energy")) == ("multiply-accumulates", "energy")
    assert share_text(None) == "–"


def test_fronts_of_equal_hypervolume_keep_their_order(board):
    def front(label, mean):
        return Front(label=label, n=1, size=1.0, mean=mean, low=None, high=None, median=mean, attained=[])

    trade = board.panels[0].trade_off.model_copy(
        update={"fronts": [front("a", 0.5), front("b", 0.6), front("c", 0.5)]}
    )
    assert [one.label for one in ranked(trade)] == ["b", "a", "c"]
