"""The record: killed anywhere it resumes to the same bytes; edited or foreign ones are refused."""

from __future__ import annotations

import errno
import itertools
import json
import os
import tempfile
from pathlib import Path

import pytest

from nasbench.errors import CallOrder, FormatError
from nasbench.records import Measurement
from nasbench.runs.execute import execute
from nasbench.runs.reading import lines_of, read_run
from nasbench.runs.record import FileRecord, complete_lines, is_finished

RAISING = """
import itertools
from nasbench.records import Proposal

class Raising:
    def __init__(self, space, *, rng, after=3):
        self.left = after
        self.sample = lambda: Proposal(tuple(space.sample(1, rng=rng)[0].tolist()))

    def ask(self, n):
        if not self.left:
            raise RuntimeError("no idea \\u2603")
        self.left -= 1
        return [self.sample()]

    def tell(self, trials):
        pass
"""


@pytest.fixture
def finished(toy_source, spec, tmp_path):
    """A finished record: its path, and how to run it again to another path."""

    def make(name="whole.jsonl", source=toy_source, seed=4, **changes):
        path = tmp_path / name
        execute(spec(**changes), seed, source, path=path)
        return path

    return make


def edit(path, number, old, new):
    """Replace text in one line of a record."""
    lines = path.read_bytes().splitlines(keepends=True)
    assert old in lines[number - 1]
    lines[number - 1] = lines[number - 1].replace(old, new, 1)
    path.write_bytes(b"".join(lines))


def unfinish(path):
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


# Layout -----------------------------------------------------------------------------------------


def test_record_is_a_header_trials_and_an_end_mark(finished):
    lines = [json.loads(line) for line in finished().read_bytes().splitlines()]
    assert lines[0]["format"] == "nasbench-run"
    assert (lines[0]["seed"], lines[0]["strategy"]) == (4, "regularized-evolution")
    assert [line["n"] for line in lines[1:-1]] == list(range(8))
    assert {"valid_error", "test_error", "charged_seconds", "finished_seconds"} < lines[1].keys()
    assert (lines[-1]["end"], lines[-1]["trials"]) == ("budget", 8)


def test_same_seed_gives_the_same_bytes_and_another_seed_others(finished):
    a, b, c = finished("a"), finished("b"), finished("c", seed=5)
    assert a.read_bytes() == b.read_bytes()
    assert a.read_bytes() != c.read_bytes()


def test_columns_in_memory_equal_those_read_back(toy_source, spec, tmp_path):
    run, _ = execute(spec(workers=3), 1, toy_source, path=tmp_path / "r")
    again, memory = read_run(tmp_path / "r"), execute(spec(workers=3), 1, toy_source)[0]
    assert lines_of(run) == lines_of(again) == lines_of(memory)


# Killed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 3])
def test_killed_at_any_byte_and_resumed_gives_the_same_bytes(finished, toy_source, spec, tmp_path, workers):
    whole = finished(workers=workers, budget="4evals").read_bytes()
    path = tmp_path / "cut.jsonl"
    for size in range(0, len(whole), workers):
        path.write_bytes(whole[:size])
        execute(spec(workers=workers, budget="4evals"), 4, toy_source, path=path)
        assert path.read_bytes() == whole, size


def test_torn_tail_longer_than_what_is_to_come_leaves_no_trace(finished, toy_source, spec):
    path = finished()
    whole = path.read_bytes()
    path.write_bytes(whole[:-400] + bytes(5_000))  # as a file system leaves it when the power fails
    execute(spec(), 4, toy_source, path=path)
    assert path.read_bytes() == whole


def test_killed_failing_run_resumes_to_the_same_bytes(toy_source, spec, tmp_path):
    (tmp_path / "raising.py").write_text(RAISING)
    about = {"strategy": f"{tmp_path / 'raising.py'}:Raising", "options": {}}
    path = tmp_path / "fails.jsonl"
    execute(spec(**about), 0, toy_source, path=path)
    whole = path.read_bytes()
    assert json.loads(whole.splitlines()[-1])["reason"] == "ask raised RuntimeError: no idea ☃"
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        execute(spec(**about), 0, toy_source, path=path)
        assert path.read_bytes() == whole


@pytest.fixture
def live_source(toy_source):
    """Answers like live training: never the same twice."""

    class Live:
        info, space, epochs, replicates, is_live = (
            toy_source.info,
            toy_source.space,
            (3, 9),
            3,
            True,
        )

        def __init__(self):
            self.trained = []
            self._count = itertools.count(1)

        def replicates_of(self, code):
            return 3

        def answer(self, code, *, epochs, replicate):
            self.trained.append(code)
            count = next(self._count)
            if count % 4 == 0:
                return Measurement(None, None, 5.0 + count / 7, "failed", "diverged: “nan”")
            return Measurement(count / 1000, count / 2000, 3.0 + count / 7)

    return Live


@pytest.mark.parametrize("thinking", ["free", "measured"])
def test_killed_live_run_reuses_its_answers_and_trains_only_the_rest(live_source, spec, tmp_path, thinking):
    about = spec(charging={"thinking": thinking, "failed": "free"})
    path = tmp_path / "live.jsonl"
    execute(about, 0, live_source(), path=path)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    assert len(lines) == 10
    for size in range(0, len(whole), 31):
        path.write_bytes(whole[:size])
        kept = complete_lines(path)[0][1:]
        source = live_source()
        execute(about, 0, source, path=path)
        done = path.read_bytes().splitlines(keepends=True)
        assert done[1 : 1 + len(kept)] == kept
        assert len(source.trained) == 8 - len(kept)
        assert is_finished(path)


def test_killed_run_with_measured_thinking_starts_over(toy_source, spec, tmp_path):
    about = spec(charging={"thinking": "measured"})
    path = tmp_path / "thinking.jsonl"
    execute(about, 0, toy_source, path=path)
    codes = read_run(path).codes.tolist()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    execute(about, 0, toy_source, path=path)
    assert read_run(path).codes.tolist() == codes


def test_record_in_work_is_not_finished(finished):
    path = finished()
    assert is_finished(path)
    unfinish(path)
    assert not is_finished(path)
    assert not is_finished(path.with_name("none"))


def test_strategy_interrupted_leaves_a_record_to_resume(toy_source, spec, tmp_path, monkeypatch):
    path = tmp_path / "r.jsonl"
    execute(spec(), 4, toy_source, path=tmp_path / "whole")
    answer = type(toy_source).answer
    left = iter(range(4))

    def interrupted(self, code, **kwargs):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return answer(self, code, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(type(toy_source), "answer", interrupted)
        with pytest.raises(KeyboardInterrupt):
            execute(spec(), 4, toy_source, path=path)
    assert len(complete_lines(path)[0]) == 5
    execute(spec(), 4, toy_source, path=path)
    assert path.read_bytes() == (tmp_path / "whole").read_bytes()


# Refused ----------------------------------------------------------------------------------------


def test_finished_record_takes_no_more_trials(finished, toy_source, spec):
    with pytest.raises(CallOrder, match="this record is finished"):
        execute(spec(), 4, toy_source, path=finished())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"seed": 5}, "seed: recorded 4, now 5"),
        ({"budget": "9evals"}, "budget: recorded '8evals', now '9evals'"),
        ({"workers": 2}, "workers: recorded 1, now 2"),
        ({"options": {"population": 4}}, "options: recorded"),
        ({"charging": {"repeat": "cached"}}, "charging: recorded"),
    ],
)
def test_record_of_another_run_is_refused_naming_the_field(finished, toy_source, spec, changes, field):
    path = finished()
    unfinish(path)
    seed = changes.pop("seed", 4)
    with pytest.raises(FormatError, match=rf"whole\.jsonl: header: .*another run \({field}") as refused:
        execute(spec(**changes), seed, toy_source, path=path)
    assert "Give another --out, or remove the file" in str(refused.value)


def test_record_of_another_table_is_refused(finished, failing_source, spec):
    path = finished()
    unfinish(path)
    with pytest.raises(FormatError, match="source: recorded 'table:toy@"):
        execute(spec(), 4, failing_source, path=path)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (b'"valid_error":0.', b'"valid_error":0.0', "valid_error: recorded"),
        (b'"test_error":0.', b'"test_error":0.0', "test_error: recorded"),
        (b'"replicate":', b'"replicate":1', "replicate: recorded"),
        (b'"status":"ok"', b'"status":"no"', "status: recorded 'no', now 'ok'"),
        (b'{"n":2', b'{ "n":2', "same fields, other bytes"),
        (b'{"n":2', b'["n":2', "not JSON"),
    ],
)
def test_edited_line_of_an_unfinished_record_is_refused(finished, toy_source, spec, old, new, field):
    path = finished()
    unfinish(path)
    edit(path, 4, old, new)
    before = path.read_bytes()
    with pytest.raises(FormatError, match=rf"whole\.jsonl: line 4: replaying .*{field}"):
        execute(spec(), 4, toy_source, path=path)
    assert path.read_bytes() == before


def test_line_too_many_in_an_unfinished_record_is_refused(finished, toy_source, spec):
    path = finished()
    unfinish(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, lines[-1]]))
    with pytest.raises(FormatError, match=r"line 10: replaying the run ended \(budget\) before this line"):
        execute(spec(), 4, toy_source, path=path)


def test_finished_record_with_an_edited_line_is_refused(finished):
    path = finished()
    edit(path, 3, b'"charged_seconds":', b'"charged_seconds":1')
    with pytest.raises(FormatError, match=r"whole\.jsonl: sha256: the lines do not match the end mark"):
        read_run(path)


def test_finished_record_with_a_line_removed_and_a_new_digest_is_refused(finished):
    import hashlib

    path = finished()
    *body, mark = path.read_bytes().splitlines(keepends=True)
    body.pop(2)
    digest = hashlib.sha256(b"".join(body)).hexdigest()
    forged = {**json.loads(mark), "sha256": digest}
    path.write_bytes(b"".join(body) + json.dumps(forged).encode() + b"\n")
    with pytest.raises(FormatError, match=r"trials: the end mark says 8, the file holds 7"):
        read_run(path)


@pytest.mark.parametrize(("old", "new"), [(b'"budget"', b'"soon"'), (b'"budget"', b'"done", "reason": 3')])
def test_end_mark_that_means_nothing_is_refused(finished, old, new):
    path = finished()
    edit(path, 10, old, new)
    with pytest.raises(FormatError, match=r"whole\.jsonl: end: expected budget, done, stalled, failed with"):
        read_run(path)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("hello\n", r"line 1: not JSON"),
        ("[1]\n", r"line 1: expected a JSON object, got list"),
        ('{"format": "other"}\n', r"format: expected 'nasbench-run', got 'other'"),
        ('{"format": "nasbench-run", "schema": 9}\n', r"schema: expected 1, got 9"),
        ("no line end", r"header: this is no run record of ours"),
        ("\x00" * 50, r"header: this is no run record of ours"),
    ],
)
def test_foreign_file_is_refused_and_left_as_it_is(toy_source, spec, tmp_path, text, wanted):
    path = tmp_path / "foreign.jsonl"
    path.write_text(text)
    with pytest.raises(FormatError, match=rf"foreign\.jsonl: {wanted}"):
        execute(spec(), 0, toy_source, path=path)
    assert path.read_text() == text


def test_unfinished_record_is_not_read_as_a_run(finished):
    path = finished()
    unfinish(path)
    with pytest.raises(FormatError, match=r"end: this record is unfinished\. Resume the run first"):
        read_run(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", -1),
        ("n", True),
        ("code", [0.5, 1, 1]),
        ("code", [300, 1, 1]),
        ("epochs", "9"),
        ("replicate", None),
        ("status", "fine"),
        ("purpose", "fun"),
        ("valid_error", 1.5),
        ("test_error", -0.1),
        ("charged_seconds", float("inf")),
        ("finished_seconds", float("nan")),
    ],
)
def test_line_with_an_impossible_value_is_refused_naming_the_field(finished, field, value):
    with pytest.raises(FormatError, match=rf"whole\.jsonl: line 3: {field}: .* is not a valid value"):
        read_run(resealed(finished(), 3, {field: value}))


def test_line_without_a_field_is_refused_naming_it(finished):
    with pytest.raises(FormatError, match=r"whole\.jsonl: line 3: purpose is missing"):
        read_run(resealed(finished(), 3, {}, drop="purpose"))


def resealed(path, number, changes, *, drop=None):
    """Edit a trial and mend the end mark's digest, as a forger would."""
    import hashlib

    lines = path.read_bytes().splitlines(keepends=True)
    trial = {**json.loads(lines[number - 1]), **changes}
    trial.pop(drop, None)
    lines[number - 1] = json.dumps(trial).encode() + b"\n"
    mark = {**json.loads(lines[-1]), "sha256": hashlib.sha256(b"".join(lines[:-1])).hexdigest()}
    path.write_bytes(b"".join(lines[:-1]) + json.dumps(mark).encode() + b"\n")
    return path


def test_damaged_line_of_a_live_record_is_refused(live_source, spec, tmp_path):
    path = tmp_path / "live.jsonl"
    execute(spec(), 0, live_source(), path=path)
    unfinish(path)
    edit(path, 3, b'"charged_seconds":', b'"charged":')
    with pytest.raises(FormatError, match=r"live\.jsonl: line 3: charged_seconds is missing"):
        execute(spec(), 0, live_source(), path=path)


# Disks ------------------------------------------------------------------------------------------


class FullAfter:
    """A file on a disk that is full after so many bytes."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def write(self, data):
        if len(data) > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= len(data)
        return self.file.write(data)

    def __getattr__(self, name):
        return getattr(self.file, name)


@pytest.mark.parametrize("trials", [3, 8])
def test_full_disk_keeps_the_finished_trials_in_a_rescue_file(
    finished, toy_source, spec, tmp_path, monkeypatch, trials
):
    whole = finished().read_bytes()
    room = sum(map(len, whole.splitlines(keepends=True)[: 1 + trials]))
    path = tmp_path / "full" / "000004.jsonl"
    path.parent.mkdir()
    (tmp_path / "rescue").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "rescue"))
    opened = Path.open

    def full(self, mode="r", *args, **kwargs):
        file = opened(self, mode, *args, **kwargs)
        return FullAfter(file, room) if self == path and "b" in mode and mode != "rb" else file

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OSError, match=r"cannot write the record .*No space left.* free space") as refused:
        execute(spec(), 4, toy_source, path=path)
    monkeypatch.setattr(Path, "open", opened)
    assert refused.value.errno == errno.ENOSPC
    (rescue,) = (tmp_path / "rescue").iterdir()
    assert str(rescue) in str(refused.value)
    assert len(complete_lines(rescue)[0]) >= 1 + trials
    # The message says what to do; that leads to the same record.
    path.write_bytes(rescue.read_bytes())
    execute(spec(), 4, toy_source, path=path)
    assert path.read_bytes() == whole


def test_rescue_files_of_two_rows_do_not_overwrite_each_other(toy_source, spec, tmp_path, monkeypatch):
    (tmp_path / "rescue").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "rescue"))
    for row in ("a", "b"):
        (tmp_path / row).mkdir()
        record = FileRecord(tmp_path / row / "000000.jsonl", {"seed": 0})
        record.abandon()
        assert str(tmp_path / "rescue") in str(record._rescued(OSError(errno.ENOSPC, "full")))
    assert len(list((tmp_path / "rescue").iterdir())) == 2


def test_full_disk_without_room_for_a_rescue_says_so(toy_source, tmp_path, monkeypatch):
    record = FileRecord(tmp_path / "000000.jsonl", {"seed": 0})
    record.abandon()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    assert "Free space and resume" in str(record._rescued(OSError(errno.ENOSPC, "full")))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_device_without_room_is_told_apart_from_a_finished_run(toy_source, spec, monkeypatch, tmp_path):
    (tmp_path / "rescue").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "rescue"))
    path = tmp_path / "full.jsonl"
    opened = Path.open
    monkeypatch.setattr(
        Path,
        "open",
        lambda self, mode="r", *a, **k: opened(Path("/dev/full") if self == path else self, mode, *a, **k),
    )
    with pytest.raises(OSError, match="All 8 finished trials are kept in"):
        execute(spec(), 4, toy_source, path=path)


def test_folder_that_cannot_be_written_is_named(toy_source, spec, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=r"file/000000\.jsonl"):
        execute(spec(), 0, toy_source, path=tmp_path / "file" / "000000.jsonl")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder_is_named(toy_source, spec, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(PermissionError, match=r"locked/000000\.jsonl"):
        execute(spec(), 0, toy_source, path=folder / "000000.jsonl")
