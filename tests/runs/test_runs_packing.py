"""Packed records: every record can be written out again; edited and foreign files are refused."""

from __future__ import annotations

import dataclasses

import h5py
import numpy as np
import pytest

from nasbench.errors import FormatError
from nasbench.runs.execute import execute
from nasbench.runs.packing import (
    PackedEntry,
    PackedPanel,
    PackedRecords,
    distinct_codes,
    equal_runs,
    read_records,
    write_records,
)
from nasbench.runs.reading import lines_of, read_run

STOPS = """
def stops(space, evaluate, rng, after=2):
    for code in space.sample(after, rng=rng):
        evaluate(code)
    raise ValueError("“enough”\\n")
"""


@pytest.fixture
def runs(failing_source, spec, tmp_path):
    """One list of runs a kind: whole, failed, without trials, with failed trainings; with their bytes."""
    (tmp_path / "stops.py").write_text(STOPS)
    kinds = {
        "whole": spec(entry="whole", workers=2),
        "failed": spec(entry="failed", strategy=f"{tmp_path}/stops.py:stops", options={"after": 3}),
        "failed at once": spec(
            entry="failed at once", strategy=f"{tmp_path}/stops.py:stops", options={"after": 0}
        ),
        "no trial": spec(entry="no trial", budget="1s"),
        "grid": spec(entry="grid", strategy="grid", options={}, budget="100000s"),
    }
    made, lines = {}, {}
    for name, about in kinds.items():
        for seed in range(3):
            path = tmp_path / f"{name}-{seed}.jsonl"
            execute(about, seed, failing_source, path=path)
            made.setdefault(name, []).append(read_run(path))
            lines.setdefault(name, []).append(path.read_bytes())
    return made, lines


def packed(runs, **changes):
    panel = PackedPanel(
        source={"label": "table:toy@0", "name": "toy"},
        scored_by="mean test error",
        reference={"best": 0.25},
        codes=distinct_codes([run for group in runs.values() for run in group]),
        scores=np.arange(27.0),
        entries=[PackedEntry(label, group) for label, group in runs.items()],
    )
    return PackedRecords(**{"suite": {"name": "test"}, "nasbench": "0", "panels": [panel], **changes})


@pytest.fixture
def file(runs, tmp_path):
    path = tmp_path / "records.h5"
    write_records(packed(runs[0]), path)
    return path


def test_every_record_can_be_written_out_again(runs, file):
    back = read_records(file)
    for entry in back.panels[0].entries:
        assert [b"".join(lines_of(run)) for run in entry.runs] == runs[1][entry.label]
    ends = {entry.label: {run.end for run in entry.runs} for entry in back.panels[0].entries}
    assert ends == {
        "whole": {"budget"},
        "failed": {"failed"},
        "failed at once": {"failed"},
        "no trial": {"budget"},
        "grid": {"done"},
    }


def test_file_is_the_same_bytes_each_time(runs, file, tmp_path):
    write_records(packed(runs[0]), tmp_path / "again.h5")
    write_records(read_records(file), tmp_path / "rewritten.h5")
    assert (tmp_path / "again.h5").read_bytes() == file.read_bytes()
    assert (tmp_path / "rewritten.h5").read_bytes() == file.read_bytes()


def test_panel_survives_with_its_scores(runs, file):
    panel = read_records(file).panels[0]
    assert panel.codes.tolist() == distinct_codes([r for group in runs[0].values() for r in group]).tolist()
    assert panel.scores.tolist() == list(range(27))
    assert (panel.reference, panel.scored_by) == ({"best": 0.25}, "mean test error")


def test_headers_that_differ_within_a_row_survive(runs, tmp_path):
    first, second, third = runs[0]["whole"]
    later = dataclasses.replace(second, header={**second.header, "nasbench": "9", "suite": "renamed"})
    write_records(packed({"whole": [first, later, third]}), tmp_path / "r.h5")
    back = read_records(tmp_path / "r.h5").panels[0].entries[0].runs
    assert [run.header for run in back] == [first.header, later.header, third.header]


def test_content_hash_does_not_depend_on_the_layout(runs, file, tmp_path):
    copy = tmp_path / "copy.h5"
    with h5py.File(file) as old, h5py.File(copy, "w", libver="earliest") as new:
        new.attrs.update(dict(old.attrs))
        for name in old:
            old.copy(name, new)
    assert copy.read_bytes() != file.read_bytes()
    assert read_records(copy).content_hash() == packed(runs[0]).content_hash()


@pytest.mark.parametrize(
    "column",
    ["codes", "epochs", "replicate", "status", "purpose", "valid_error", "test_error", "charged_seconds"],
)
def test_edited_column_is_refused(file, column):
    with h5py.File(file, "r+") as h5:
        values = h5[f"p000/e000/{column}"]
        values[0] = values[1] if column == "codes" and (values[0] != values[1]).any() else values[0] + 1
    with pytest.raises(FormatError, match=r"records\.h5: content_hash: .* the file was edited"):
        read_records(file)


@pytest.mark.parametrize("field", ["scores", "codes", "reference"])
def test_edited_panel_is_refused(file, field):
    with h5py.File(file, "r+") as h5:
        if field == "reference":
            text = h5["p000/reference"][()].tobytes().replace(b"0.25", b"0.21")
            h5["p000/reference"][...] = np.frombuffer(text, dtype=np.uint8)
        else:
            h5[f"p000/{field}"][0] += 1
    with pytest.raises(FormatError, match="content_hash"):
        read_records(file)


def test_edited_suite_is_refused(file):
    with h5py.File(file, "r+") as h5:
        h5.attrs["suite"] = '{"name": "other"}'
    with pytest.raises(FormatError, match="content_hash"):
        read_records(file)


def test_missing_column_is_refused_naming_it(file):
    with h5py.File(file, "r+") as h5:
        del h5["p000/e001/replicate"]
    with pytest.raises(FormatError, match=r"records\.h5: damaged or not a packed records file .*replicate"):
        read_records(file)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_truncated_file_is_refused(file, share):
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(FormatError, match=r"records\.h5: damaged or not a packed records file"):
        read_records(file)


def test_file_that_is_no_hdf5_is_refused(tmp_path):
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(FormatError, match=r"text\.h5: damaged or not a packed records file"):
        read_records(tmp_path / "text.h5")


def test_table_is_not_taken_for_records(toy_path):
    with pytest.raises(
        FormatError, match=r"toy\.h5: format: expected 'nasbench-records', got 'nasbench-table'"
    ):
        read_records(toy_path)


def test_other_schema_is_refused(file):
    with h5py.File(file, "r+") as h5:
        h5.attrs["schema_version"] = "2.0"
    with pytest.raises(FormatError, match=r"schema_version: expected 1\.0, got '2\.0'"):
        read_records(file)


def test_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"records\.h5: no such file\. Build it with: nasbench leaderboard"):
        read_records(tmp_path / "records.h5")


def test_failed_write_leaves_the_old_file(runs, file, monkeypatch):
    old = file.read_bytes()

    def full(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_records(packed(runs[0], nasbench="1"), file)
    assert file.read_bytes() == old
    assert list(file.parent.glob("*.part")) == []


def test_distinct_codes_of_runs_without_trials_are_none(runs):
    assert len(distinct_codes(runs[0]["no trial"])) == 0


# Equality ---------------------------------------------------------------------------------------


def test_run_equals_itself_read_back(runs, file):
    for entry in read_records(file).panels[0].entries:
        for a, b in zip(runs[0][entry.label], entry.runs, strict=True):
            assert equal_runs(a, b) == ""


def test_version_that_wrote_a_run_does_not_make_it_another(runs):
    run = runs[0]["whole"][0]
    assert equal_runs(run, dataclasses.replace(run, header={**run.header, "nasbench": "9"})) == ""


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda r: {"header": {**r.header, "budget": "9evals"}}, "header.budget: '8evals' against '9evals'"),
        (lambda r: {"end": "done"}, "end: 'budget' against 'done'"),
        (lambda r: {"reason": "x"}, "reason: '' against 'x'"),
        (lambda r: {"valid_error": r.valid_error + np.eye(8)[2]}, "valid_error of trial 2: "),
        (lambda r: {"codes": r.codes + np.eye(8, 3, -1, dtype=np.int8)}, "codes of trial 1: "),
        (lambda r: {"test_error": np.full(8, np.nan)}, "test_error of trial 0: "),
        (lambda r: {"epochs": r.epochs[:5]}, "epochs: shape (8,) against (5,)"),
        (lambda r: {"reasons": {1: "diverged"}}, "reasons: "),
    ],
)
def test_first_difference_is_named(runs, change, wanted):
    run = runs[0]["whole"][0]
    assert equal_runs(run, dataclasses.replace(run, **change(run))).startswith(wanted)
