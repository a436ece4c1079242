"""The health section: made where searches share weights, from their records alone, and nowhere else."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

from nasbench.errors import Mismatch
from nasbench.evaluation.opening import open_source
from nasbench.reports.csvs import health_csv
from nasbench.reports.health import _POINTS, watched_of
from nasbench.reports.html import render_html
from nasbench.reports.leaderboard import NEWER_SCHEMA_VERSION, Leaderboard
from nasbench.reports.page_check import check_pages
from nasbench.reports.publish import publish
from nasbench.reports.verification import verify
from nasbench.runs.packing import read_records
from nasbench.runs.suite import parse_suite
from nasbench.store.agreement import rank_agreement
from nasbench.strategies.health import sample_of

SUITE = {
    "name": "sharing",
    "sources": ["digits-nb201-oneshot"],
    "strategies": [{"name": "random-search"}, {"name": "gdas", "options": {"epochs": 80}}],
    "seeds": 2,
    "budget": "20s",
    "health": {"looks": 3, "eigenvalue": True},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch")
    place = tmp_path_factory.mktemp("health") / "board"
    publish(parse_suite(SUITE, where="test"), place)
    return place


@pytest.fixture(scope="module")
def board(folder: Path) -> Leaderboard:
    return Leaderboard.model_validate_json((folder / "leaderboard.json").read_text())


def test_only_rows_that_share_weights_have_health(board: Leaderboard) -> None:
    health = board.panels[0].health
    assert health is not None
    assert [entry.label for entry in health.entries] == ["gdas (epochs=80)"]
    assert board.schema_version == NEWER_SCHEMA_VERSION


def test_numbers_are_those_of_the_records(board: Leaderboard, folder: Path) -> None:
    panel = read_records(folder / "records.h5").panels[0]
    runs = panel.entries[1].runs
    health = board.panels[0].health
    assert health is not None
    (entry,) = health.entries
    score = dict(zip(map(tuple, panel.codes.tolist()), panel.scores.tolist(), strict=True))
    assert entry.error is not None
    assert len(entry.error.reports) == _POINTS
    assert (entry.error.reports[0], entry.error.reports[-1]) == (1, 80)
    last = [score[tuple(run.codes[-1].tolist())] for run in runs]
    assert entry.error.mean[-1] == pytest.approx(np.mean(last), rel=1e-5)
    assert (entry.error.low[-1], entry.error.high[-1]) == pytest.approx((min(last), max(last)), rel=1e-5)
    assert entry.skip_share is not None
    skips = [(run.codes[-1] == 1).mean() for run in runs]  # skip_connect is the second operation
    assert entry.skip_share.mean[-1] == pytest.approx(np.mean(skips), rel=1e-5)
    assert entry.eigenvalue is not None
    assert len(entry.eigenvalue.reports) == 3
    noted = [run.health[79]["eigenvalue"] for run in runs]
    assert entry.eigenvalue.mean[-1] == pytest.approx(np.mean(noted), rel=1e-5)
    assert entry.tau is None  # a table shares no weights
    assert health.architectures is None


def test_page_shows_figures_and_table_without_a_script(board: Leaderboard, folder: Path) -> None:
    page = (folder / "index.html").read_text()
    assert page == render_html(board)
    section = page.split("Health of the searches that share weights")[1].split("<h3>")[0]
    assert section.count("<figure") == section.count('<svg viewBox="0 0 ') == 3
    assert "What is charged here is the search" in section
    assert "gdas (epochs=80)" in section
    assert "Lanczos" in section
    assert "Kendall tau ranks" not in section
    assert not re.search(r'class="chart', section)  # the switch of the curves must not hide them


def test_csv_has_every_value(board: Leaderboard, folder: Path) -> None:
    text = (folder / "health.csv").read_text()
    assert text == health_csv(board)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["quantity"] for row in rows} == {"error", "skip_share", "eigenvalue"}
    assert len(rows) == 2 * _POINTS + 3


def test_readme_says_what_is_charged(folder: Path) -> None:
    assert "the search, measured or priced, and not the look-up" in (folder / "README.md").read_text()


def test_board_verifies_and_an_edited_health_does_not(folder: Path, board: Leaderboard) -> None:
    assert verify(folder, sample=1) == 2
    path = folder / "health.csv"
    right = path.read_text()
    try:
        path.write_text(right.replace("skip_share", "skips"))
        with pytest.raises(Mismatch, match=r"health.csv: line"):
            list(check_pages(board, folder))
    finally:
        path.write_text(right)
    stated = json.loads((folder / "leaderboard.json").read_text())
    stated["panels"][0]["health"]["entries"][0]["error"]["mean"][0] += 0.01
    aside = (folder / "leaderboard.json").read_text()
    try:
        (folder / "leaderboard.json").write_text(json.dumps(stated))
        with pytest.raises(Mismatch, match=r"health\.entries\[0\]\.error\.mean\[0\]"):
            verify(folder, sample=0)
    finally:
        (folder / "leaderboard.json").write_text(aside)


def test_board_without_such_rows_is_as_before(page_leaderboard: Leaderboard) -> None:
    assert '"health"' not in page_leaderboard.canonical_json()
    assert health_csv(page_leaderboard) == ""
    assert "Health of the searches" not in render_html(page_leaderboard)


@pytest.mark.slow
def test_supernet_is_ranked_against_the_table(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    suite = parse_suite(
        {
            **SUITE,
            "sources": ["digits-nb201+live"],
            "strategies": [{"name": "darts", "options": {"epochs": 4}}],
            "seeds": 1,
            "health": {"architectures": 12, "looks": 2},
        },
        where="test",
    )
    board = publish(suite, tmp_path / "live")
    health = board.panels[0].health
    assert health is not None
    assert health.architectures == 12
    curve = health.entries[0].tau
    assert curve is not None
    assert curve.reports == [2, 4]
    run = read_records(tmp_path / "live" / "records.h5").panels[0].entries[0].runs[0]
    source = open_source("digits-nb201+live")
    held = watched_of(source, suite)["watched"]
    assert held["codes"] == sample_of(source.space, 12).tolist()
    ranked = rank_agreement(np.array(run.health[3]["scores"]), np.array(held["errors"])).kendall
    assert curve.mean[-1] == pytest.approx(ranked, rel=1e-5)
    assert verify(tmp_path / "live", sample=0) == 0
