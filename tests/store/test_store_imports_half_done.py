"""An import by mapping through a kill: what goes on ends as what was never interrupted, or begins anew."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from nasbench.errors import FormatError
from nasbench.store.imports import half_done as keeping
from nasbench.store.imports import lines, mapped
from nasbench.store.imports.collecting import Collector
from nasbench.store.imports.half_done import HalfDone, half_done_path
from nasbench.store.imports.mapped import read_mapped
from nasbench.store.imports.mapping import parse_mapping
from nasbench.store.writer import write_tables

MAPPING = {
    "name": "mine",
    "space": {
        "name": "two-layers",
        "separator": "-",
        "decisions": [{"name": "one", "choices": ["conv", "pool"]}, {"name": "two", "choices": ["16", "32"]}],
    },
    "columns": {"architecture": "net", "replicate": "seed", "epoch": "epoch", "dataset": "data"},
    "curves": {
        "valid_error": {"column": "acc", "unit": "accuracy percent"},
        "train_seconds": {"column": "minutes", "unit": "minutes"},
    },
    "scalars": {"parameters": {"column": "params", "unit": "million parameters"}},
    "about": {"dataset": "d", "device": "a desk", "device_kind": "cpu", "licence": "CC0", "source": "s"},
}
COLUMNS = ("data", "net", "seed", "epoch", "acc", "minutes", "params", "remark")


def mapping(**changes):
    return parse_mapping({**MAPPING, **changes})


def rows():
    """Two data sets; a row said twice, empty and damaged ones, cells of two lines, letters of two bytes."""
    made = []
    for seed in range(3):
        for i, net in enumerate(("conv-16", "conv-32", "pool-16", "pool-32")):
            for epoch in (1, 2):
                data = "d\u00fcnn" if i < 2 else "dick"
                made.append((data, net, seed, epoch, 50 + seed + i + epoch, epoch, 0.5, "one\nand two"))
        made.append(("dick", "conv-16", seed, 1, "", "", "", ""))
        made.append(("dick", "conv-16", seed, 1, 150, 1, "", "not an accuracy"))
    return [*made, made[3]]


def write_csv(path, lines=None):
    quoted = [['"{}"'.format(str(cell).replace('"', '""')) for cell in row] for row in lines or rows()]
    path.write_bytes("\r\n".join(",".join(row) for row in [COLUMNS, *quoted]).encode())
    return path


def write_jsonl(path, lines=None):
    objects = [dict(zip(COLUMNS, row, strict=True)) for row in lines or rows()]
    path.write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in objects), encoding="utf-8")
    return path


@pytest.fixture(params=["csv", "jsonl"])
def kind(request):
    return request.param


@pytest.fixture
def source(tmp_path, kind):
    return {"csv": write_csv, "jsonl": write_jsonl}[kind](tmp_path / f"file.{kind}")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "t.h5"


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """Look at the clock after every row, save as often, and read in pieces smaller than most rows."""
    monkeypatch.setattr(mapped, "_NOTED_EVERY", 1)
    monkeypatch.setattr(lines, "_CHUNK", 64)
    monkeypatch.setattr(keeping, "_SAVING_SHARE", 0)


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


def interrupted(source, kind, out, *, after, meaning=None, how=Killed, **options):
    """Begin an import and end it after some rows."""
    told = []

    def stop(done, total, what):
        told.append(done)
        if len(told) == after + 1:
            raise how

    half_done = HalfDone(half_done_path(out), save_every_seconds=options.pop("every", 0.0))
    options = {"skip_damaged": True, **options}
    with pytest.raises(how):
        read_mapped(source, kind, meaning or mapping(), half_done=half_done, progress=stop, **options)


def gone_on(source, kind, out, *, meaning=None, **options):
    """Import to the end; return what was found and what was said."""
    said = []
    half_done = HalfDone(half_done_path(out), say=said.append)
    options = {"skip_damaged": True, **options}
    found = read_mapped(source, kind, meaning or mapping(), half_done=half_done, **options)
    write_tables(out, found.tables)
    half_done.remove()
    return found, said


def facts(found):
    """All that an import says but its arrays."""
    return found.as_dict()


# Going on -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [1, 2, 9, 10, 13, 22, 30])
def test_what_goes_on_ends_as_what_was_never_interrupted(source, kind, out, tmp_path, after):
    whole = tmp_path / "whole.h5"
    expected, said = gone_on(source, kind, whole)
    assert said == []
    interrupted(source, kind, out, after=after)
    assert half_done_path(out).exists()
    found, said = gone_on(source, kind, out)
    assert [text.partition(" of ")[0] for text in said] == [
        f"going on after line {line_after(source, kind, after):,}"
    ]
    assert facts(found) == facts(expected)
    assert (found.empty_rows, found.doubled, len(found.damaged)) == (3, 1, 3)
    assert (found.unused, len(found.tables)) == (("remark",), 2)
    assert out.read_bytes() == whole.read_bytes()
    assert not half_done_path(out).exists()


def line_after(source, kind, n):
    """Count lines by hand: each row of the CSV file whose remark has two lines stands on two."""
    if kind == "jsonl":
        return n
    return 1 + n + sum("\n" in row[-1] for row in rows()[:n])


def test_an_import_may_be_interrupted_again_and_again(source, kind, out, tmp_path):
    expected, _ = gone_on(source, kind, tmp_path / "whole.h5")
    for _ in range(9):
        interrupted(source, kind, out, after=3)
    found, said = gone_on(source, kind, out)
    assert len(said) == 1
    assert facts(found) == facts(expected)
    assert out.read_bytes() == (tmp_path / "whole.h5").read_bytes()


def test_nothing_of_what_was_read_is_read_again(source, kind, out, monkeypatch):
    interrupted(source, kind, out, after=20)
    taken = []
    add = Collector.add
    monkeypatch.setattr(Collector, "add", lambda self, row: taken.append(row.line) or add(self, row))
    gone_on(source, kind, out)
    assert len(taken) == len(rows()) - 20


def test_ctrl_c_saves_what_was_read_though_it_was_not_yet_time_to(source, kind, out, tmp_path):
    expected, _ = gone_on(source, kind, tmp_path / "whole.h5")
    interrupted(source, kind, out, after=9, how=KeyboardInterrupt, every=3_600.0)
    found, said = gone_on(source, kind, out)
    assert said[0].startswith(f"going on after line {line_after(source, kind, 9)} of ")
    assert facts(found) == facts(expected)
    assert out.read_bytes() == (tmp_path / "whole.h5").read_bytes()


def test_ctrl_c_in_the_middle_of_a_row_saves_whole_rows_only(source, kind, out, tmp_path, monkeypatch):
    expected, _ = gone_on(source, kind, tmp_path / "whole.h5")
    keep = Collector._keep
    kept = []

    def torn(batch, *rest):
        kept.append(batch)
        if len(kept) == 12:
            batch.codes.append(0)
            raise KeyboardInterrupt
        keep(batch, *rest)

    half_done = HalfDone(half_done_path(out))
    monkeypatch.setattr(Collector, "_keep", staticmethod(torn))
    with pytest.raises(KeyboardInterrupt):
        read_mapped(source, kind, mapping(), skip_damaged=True, half_done=half_done)
    monkeypatch.setattr(Collector, "_keep", staticmethod(keep))
    found, said = gone_on(source, kind, out)
    assert said[0].startswith("going on after line")
    assert facts(found) == facts(expected)
    assert out.read_bytes() == (tmp_path / "whole.h5").read_bytes()


def test_an_import_without_a_place_to_keep_it_leaves_nothing(source, kind, tmp_path):
    def stop(done, total, what):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_mapped(source, kind, mapping(), skip_damaged=True, progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


def test_rows_behind_may_be_corrected_before_going_on(source, kind, out, tmp_path):
    """A damaged row ends an import; the corrected file has the same beginning."""
    interrupted(source, kind, out, after=6)
    with pytest.raises(FormatError, match="expected accuracy percent from 0 to 100, got 150"):
        gone_on(source, kind, out, skip_damaged=False)
    good = [row for row in rows() if row[-1] != "not an accuracy"]
    {"csv": write_csv, "jsonl": write_jsonl}[kind](source, good)
    found, said = gone_on(source, kind, out, skip_damaged=False)
    assert said[0].startswith("going on after line")
    expected, _ = gone_on(source, kind, tmp_path / "whole.h5", skip_damaged=False)
    assert facts(found) == facts(expected)
    assert out.read_bytes() == (tmp_path / "whole.h5").read_bytes()


def test_a_damaged_row_that_was_left_out_before_is_refused_without_the_option(source, kind, out):
    interrupted(source, kind, out, after=15)
    wanted = "line 19" if kind == "csv" else "line 10"
    with pytest.raises(
        FormatError, match=f"{wanted}: acc: expected accuracy percent .* got 150. Correct the"
    ):
        gone_on(source, kind, out, skip_damaged=False)


# Beginning anew -----------------------------------------------------------------------------------


def test_a_source_that_changed_begins_anew_and_says_so(source, kind, out, tmp_path):
    interrupted(source, kind, out, after=9)
    source.write_bytes(source.read_bytes().replace(b"51", b"52", 1))
    found, said = gone_on(source, kind, out)
    assert said == [
        f"{half_done_path(out)}: {source} changed in what was read of it; beginning anew",
    ]
    expected, _ = gone_on(source, kind, tmp_path / "whole.h5")
    assert facts(found) == facts(expected)
    assert out.read_bytes() == (tmp_path / "whole.h5").read_bytes()


def test_a_source_that_was_cut_begins_anew(source, kind, out):
    interrupted(source, kind, out, after=20)
    {"csv": write_csv, "jsonl": write_jsonl}[kind](source, rows()[:8])
    found, said = gone_on(source, kind, out)
    assert said[0].endswith("changed in what was read of it; beginning anew")
    assert found.rows == 8


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "other"},
        {"missing": ["51"]},
        {"curves": {**MAPPING["curves"], "valid_error": {"column": "acc", "unit": "error percent"}}},
        {"columns": {key: name for key, name in MAPPING["columns"].items() if key != "dataset"}},
        {"about": {**MAPPING["about"], "licence": "CC-BY-4.0"}},
        {"scalars": {"parameters": {"column": "params", "unit": "thousand parameters"}}},
        {"space": {**MAPPING["space"], "name": "other-layers"}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_another_mapping_begins_anew_and_says_so(source, kind, out, changes):
    interrupted(source, kind, out, after=9)
    _, said = gone_on(source, kind, out, meaning=mapping(**changes))
    assert [text.rpartition("; ")[2] for text in said] == ["beginning anew"]
    assert "it is of another mapping, another format or another version of the program" in said[0]


def test_another_version_of_the_program_begins_anew(source, kind, out, monkeypatch):
    interrupted(source, kind, out, after=9)
    monkeypatch.setattr("nasbench.__version__", "9.9")
    _, said = gone_on(source, kind, out)
    assert "another version of the program; beginning anew" in said[0]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"x" * 20,
        lambda content: content[:-1],
        lambda content: content[:-400] + content[-399:],
        lambda content: content[:300] + bytes([content[300] ^ 1]) + content[301:],
        lambda content: content[:-40] + bytes([content[-40] ^ 128]) + content[-39:],
    ],
    ids=["empty", "short", "cut", "a byte less", "a bit of the text", "a bit of the columns"],
)
def test_a_damaged_state_is_never_taken_up(source, kind, out, tmp_path, damage):
    expected, _ = gone_on(source, kind, tmp_path / "whole.h5")
    interrupted(source, kind, out, after=20)
    state = half_done_path(out)
    state.write_bytes(damage(state.read_bytes()))
    found, said = gone_on(source, kind, out)
    assert said == [f"{state}: it is damaged; beginning anew"]
    assert facts(found) == facts(expected)
    assert out.read_bytes() == (tmp_path / "whole.h5").read_bytes()


# Saving -------------------------------------------------------------------------------------------


def test_saving_waits_for_its_time_and_never_takes_much_of_it(source, kind, out, monkeypatch):
    monkeypatch.setattr(keeping, "_SAVING_SHARE", 20)
    clock = [0.0]
    saved = []

    def write(stream, *_):
        saved.append(clock[0])
        clock[0] += 3.0

    monkeypatch.setattr(keeping.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(keeping, "_write", write)

    def tick(done, total, what):
        clock[0] += 10.0

    half_done = HalfDone(half_done_path(out), save_every_seconds=25.0)
    read_mapped(source, kind, mapping(), skip_damaged=True, half_done=half_done, progress=tick)
    # at the first row after 25 s, then at the first after 20 times the three seconds that a saving takes
    assert saved[:3] == [30.0, 93.0, 156.0]


def test_a_saving_that_fails_leaves_the_state_before(source, kind, out, monkeypatch):
    interrupted(source, kind, out, after=9)
    before = half_done_path(out).read_bytes()

    def fail(stream, *_):
        stream.write(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(keeping, "_write", fail)
    half_done = HalfDone(half_done_path(out), save_every_seconds=0.0)
    with pytest.raises(OSError, match="no space left"):
        read_mapped(source, kind, mapping(), skip_damaged=True, half_done=half_done)
    assert half_done_path(out).read_bytes() == before
    assert sorted(path.name for path in out.parent.iterdir()) == sorted(
        [source.name, half_done_path(out).name]
    )


IMPORTING = """
import json, sys
from pathlib import Path
from nasbench.store.imports import half_done as keeping, mapped
from nasbench.store.imports.half_done import HalfDone, half_done_path
from nasbench.store.imports.mapping import parse_mapping
keeping._SAVING_SHARE = 0
mapped._NOTED_EVERY = 20
source, out = map(Path, sys.argv[1:3])
half_done = HalfDone(half_done_path(out), save_every_seconds=0.0)
print("begun", flush=True)
mapping = parse_mapping(json.loads(sys.argv[3]))
mapped.read_mapped(source, "csv", mapping, skip_damaged=True, half_done=half_done)
"""


def test_killed_at_any_time_it_goes_on(tmp_path, out):
    """Saving nearly all the time, so that most kills come in the middle of one."""
    many = [(*row[:2], row[2] + 3 * i, *row[3:]) for i in range(150) for row in rows()]
    source = write_csv(tmp_path / "many.csv", many)
    expected, _ = gone_on(source, "csv", tmp_path / "whole.h5")
    went_on = 0
    for i in range(4):
        command = [sys.executable, "-c", IMPORTING, str(source), str(out), json.dumps(MAPPING)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ})
        assert process.stdout.readline() == "begun\n"
        deadline = time.monotonic() + 30
        while not half_done_path(out).exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(0.05 * i)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        said = []
        collector, _ = HalfDone(half_done_path(out), say=said.append).begin(
            mapped.RowReader(source, "csv"), "csv", mapping()
        )
        went_on += said[0].startswith("going on after line") and collector.rows > 0
    assert went_on == 4
    found, _ = gone_on(source, "csv", out)
    assert facts(found) == facts(expected)
    assert out.read_bytes() == (tmp_path / "whole.h5").read_bytes()
