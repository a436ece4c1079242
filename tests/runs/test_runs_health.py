from __future__ import annotations

import json

import pytest

from nasbench.errors import BadOption, FormatError
from nasbench.evaluation.evaluator import Evaluator
from nasbench.records import Proposal
from nasbench.runs.execute import execute
from nasbench.runs.loop import run
from nasbench.runs.packing import (
    PackedEntry,
    PackedPanel,
    PackedRecords,
    equal_runs,
    read_records,
    write_records,
)
from nasbench.runs.reading import columns_of, lines_of, read_run
from nasbench.runs.record import FileRecord
from nasbench.runs.suite import parse_suite, read_suite, write_suite
from nasbench.units import parse_budget

HEALTH = {"scores": (0.5, 0.25), "eigenvalue": -0.125}
SUITE = {
    "name": "watched",
    "sources": ["digits-nb201"],
    "strategies": [{"name": "darts"}],
    "seeds": 1,
    "budget": "10s",
}


@pytest.fixture
def record(scripted, toy_source, spec, tmp_path):
    """Write a record of two reports, the second one watched."""

    def written(health=HEALTH):
        header = json.loads(json.dumps(spec(health={"looks": 2}).header(toy_source, 0)))
        path = tmp_path / "run.jsonl"
        file = FileRecord(path, header)
        report = {"purpose": "report", "search_seconds": 1.0}
        proposals = [Proposal((0, 1, 2), **report), Proposal((0, 1, 2), **report, health=health)]
        run(
            scripted(*proposals),
            Evaluator(toy_source, seed=0),
            budget=parse_budget("100s"),
            record=file,
        )
        return path, columns_of(header, file)

    return written


def test_what_was_noted_stands_in_the_record_and_reads_back(record):
    path, columns = record()
    lines = path.read_text().splitlines()
    assert "health" not in json.loads(lines[1])
    assert json.loads(lines[2])["health"] == {"scores": [0.5, 0.25], "eigenvalue": -0.125}
    assert columns.health == {1: HEALTH}
    assert equal_runs(columns, read_run(path)) == ""
    assert b"".join(lines_of(columns)) == path.read_bytes()


def test_record_that_was_not_watched_is_written_as_before(record):
    path, columns = record(health=None)
    assert columns.health == {}
    assert all('"health": {"looks"' in line or "health" not in line for line in path.read_text().splitlines())


def test_packed_records_keep_what_was_noted(record, tmp_path, toy_source):
    _, columns = record()
    panel = PackedPanel(
        source={"label": toy_source.info.label},
        scored_by="mean test error",
        reference={},
        codes=columns.codes[:1],
        scores=columns.test_error[:1],
        entries=[PackedEntry("row", [columns])],
    )
    packed = PackedRecords(SUITE, "0", [panel])
    write_records(packed, tmp_path / "records.h5")
    read = read_records(tmp_path / "records.h5")
    assert equal_runs(read.panels[0].entries[0].runs[0], columns) == ""
    del columns.health[1]
    assert packed.content_hash() != read.content_hash()


@pytest.mark.parametrize("value", ['"worn"', "{}", '{"tau": null}', '{"scores": ["a"]}', '{"tau": NaN}'])
def test_anything_but_numbers_by_name_is_refused(record, value):
    path, _ = record()
    lines = path.read_text().splitlines()
    lines[2] = lines[2].partition(',"health"')[0] + f',"health":{value}}}'
    from hashlib import sha256

    body = "".join(line + "\n" for line in lines[:-1])
    end = json.dumps({**json.loads(lines[-1]), "sha256": sha256(body.encode()).hexdigest()})
    path.write_text(body + end + "\n")
    with pytest.raises(FormatError, match=r"line 3: health: expected finite numbers by name"):
        read_run(path)


def test_suite_spells_its_watch_out_and_reads_back(tmp_path):
    suite = parse_suite({**SUITE, "health": {"looks": 4}}, where="here")
    assert suite.content()["health"] == {"architectures": 50, "looks": 4, "eigenvalue": False}
    write_suite(suite, tmp_path / "suite.toml")
    assert read_suite(tmp_path / "suite.toml") == suite
    assert suite.spec(suite.strategies[0]).health == suite.health


def test_suite_that_watches_nothing_has_the_content_that_it_had():
    assert "health" not in parse_suite(SUITE, where="here").content()
    with pytest.raises(BadOption, match=r"here: health: health.looks: expected a whole number >= 1, got 0"):
        parse_suite({**SUITE, "health": {"looks": 0}}, where="here")


def test_search_is_watched_as_its_run_says(spec, toy_source):
    pytest.importorskip("torch")
    about = spec(strategy="darts", options={"epochs": 4}, health={"looks": 2, "eigenvalue": True})
    watched, _ = execute(about, 0, toy_source)
    alone, _ = execute(spec(strategy="darts", options={"epochs": 4}), 0, toy_source)
    assert list(watched.health) == [1, 3]
    assert watched.header["health"] == {"looks": 2, "eigenvalue": True}
    assert "health" not in alone.header
    assert watched.codes.tolist() == alone.codes.tolist()
    assert watched.finished_seconds.tolist() == pytest.approx(alone.finished_seconds.tolist())
