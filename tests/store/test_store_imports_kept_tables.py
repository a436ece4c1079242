"""NAS-Bench-Graph through a kill: what was read goes on, what changed or is damaged is read anew."""

from __future__ import annotations

import pickle

import pytest

from nasbench.store.imports import nas_bench_graph as importing
from nasbench.store.imports.kept_tables import KeptTables, kept_folder
from nasbench.store.imports.nas_bench_graph import read_nas_bench_graph
from nasbench.store.writer import write_tables

RECORD = {"valid_perf": 0.75, "perf": 0.5, "latency": 0.0059, "para": 1.736711}
NAMES = ("citeseer", "cora", "cs")


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "light"
    folder.mkdir()
    for i, name in enumerate(NAMES):
        write(folder, name, 0.5 + i / 16)
    return folder


def write(folder, name, valid):
    records = {31273: RECORD, 1: {**RECORD, "valid_perf": valid}}
    (folder / f"{name}.bench").write_bytes(pickle.dumps(records))


@pytest.fixture
def out(tmp_path):
    return tmp_path / "graph.h5"


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


def interrupt(source, out, *, at="cs"):
    def stop(done, total, name):
        if name == at:
            raise Killed

    with pytest.raises(Killed):
        read_nas_bench_graph(source, kept=KeptTables(kept_folder(out)), progress=stop)


def go_on(source, out):
    """Import to the end; return what was said."""
    said = []
    kept = KeptTables(kept_folder(out), say=said.append)
    write_tables(out, read_nas_bench_graph(source, kept=kept))
    kept.remove()
    assert not kept_folder(out).exists()
    return said


def whole(source, tmp_path):
    path = tmp_path / "whole.h5"
    write_tables(path, read_nas_bench_graph(source))
    return path.read_bytes()


def test_what_goes_on_is_what_was_never_interrupted(source, out, tmp_path, monkeypatch):
    interrupt(source, out)
    read = []
    table = importing._table
    monkeypatch.setattr(
        importing, "_table", lambda path, name, *rest: read.append(name) or table(path, name, *rest)
    )
    said = go_on(source, out)
    assert read == ["cs"]
    assert said == [
        f"going on: {name} was read before and is kept in {kept_folder(out) / name}.h5"
        for name in ("nas-bench-graph-citeseer", "nas-bench-graph-cora")
    ]
    assert out.read_bytes() == whole(source, tmp_path)


def test_a_file_that_changed_is_read_anew(source, out, tmp_path):
    interrupt(source, out)
    write(source, "cora", 0.25)
    said = go_on(source, out)
    assert said[0].startswith("going on: nas-bench-graph-citeseer was read before")
    assert said[1].endswith(
        "it is of another file or version of the program; reading nas-bench-graph-cora anew"
    )
    assert out.read_bytes() == whole(source, tmp_path)


def test_another_version_of_the_program_reads_anew(source, out, tmp_path, monkeypatch):
    interrupt(source, out)
    monkeypatch.setattr("nasbench.__version__", "9.9")
    assert ["version of the program; reading" in text for text in go_on(source, out)] == [True, True]
    assert out.read_bytes() == whole(source, tmp_path)


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b[:-50], lambda b: b.replace(b"Cora", b"Core")])
def test_a_damaged_table_is_read_anew(source, out, tmp_path, damage):
    interrupt(source, out)
    path = kept_folder(out) / "nas-bench-graph-cora.h5"
    path.write_bytes(damage(path.read_bytes()))
    said = go_on(source, out)
    assert said[1].startswith(f"{path}: it is damaged (")
    assert said[1].endswith("reading nas-bench-graph-cora anew")
    assert out.read_bytes() == whole(source, tmp_path)


def test_a_kill_in_the_middle_of_keeping_leaves_no_table(source, out, tmp_path, monkeypatch):
    def killed(path, tables):
        path.with_name(f"{path.name}.1.part").write_bytes(b"half")
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("nasbench.store.imports.kept_tables.write_tables", killed)
        with pytest.raises(Killed):
            read_nas_bench_graph(source, kept=KeptTables(kept_folder(out)))
    assert go_on(source, out) == []
    assert out.read_bytes() == whole(source, tmp_path)


def test_what_is_not_ours_stays_in_the_folder(source, out):
    interrupt(source, out)
    other = kept_folder(out) / "block-0.npz"
    other.write_bytes(b"of another import")
    kept = KeptTables(kept_folder(out))
    kept.remove()
    kept.remove()
    assert list(kept_folder(out).iterdir()) == [other]
