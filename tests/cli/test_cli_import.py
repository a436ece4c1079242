"""``import csv``, ``import jsonl`` and ``import nas-bench-graph`` as a user types them."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time

import pytest

from nasbench.store.bundled import find_table
from nasbench.store.imports import mapped, nas_bench_graph
from nasbench.store.imports.collecting import Collector

CELL = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|"
SHEET = f"cell,seed,val_acc,hours\n{CELL},777,91.5,1.5\n{CELL},888,91.25,1.5\n421211,777,90,2\n"
OPTIONS = (
    *("--space", "nb201", "--epochs", "200"),
    *("--map", "architecture=cell", "--map", "replicate=seed"),
    *("--map", "valid_error=val_acc", "--unit", "valid_error=accuracy percent"),
    *("--map", "train_seconds=hours", "--unit", "train_seconds=hours"),
    *("--about", "dataset=CIFAR-10", "--about", "device=one V100", "--about", "device_kind=gpu"),
    *("--about", "licence=CC-BY-4.0", "--about", "source=our lab"),
)


@pytest.fixture
def sheet(tmp_path):
    path = tmp_path / "cells.csv"
    path.write_text(SHEET)
    return path


def test_a_spreadsheet_becomes_a_table_that_is_searched(nasbench, sheet, tmp_path):
    ended = nasbench("import", "csv", sheet, "--table", tmp_path / "cells.h5", *OPTIONS)
    assert ended.status == 0
    assert f"3 rows; the first architecture '{CELL}' was read as {CELL}" in ended.out
    assert "table cells: 2 architectures of nb201, 3 trainings (up to 2 each), epochs: 200" in ended.out
    assert "wrote" in ended.err
    table = find_table(str(tmp_path / "cells.h5"))
    answer = table.query(table.space.parse(CELL), epochs=200, replicate=1)
    assert (answer.valid_error, answer.train_seconds) == (0.08749999850988388, 5400.0)
    assert nasbench("table", "verify", tmp_path / "cells.h5").status == 0
    asked = nasbench("query", tmp_path / "cells.h5", "421211", "--json")
    assert asked.data["trainings"][0]["valid_error"] == pytest.approx(0.1)


def test_a_dry_run_says_what_it_understood_and_writes_nothing(nasbench, sheet, tmp_path):
    ended = nasbench("import", "csv", sheet, "--table", tmp_path / "cells.h5", *OPTIONS, "--dry-run")
    assert ended.status == 0
    assert "valid_error" in ended.out
    assert "dry run" in ended.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cells.csv"]


def test_a_table_that_is_there_stays_unless_told(nasbench, sheet, tmp_path):
    (tmp_path / "cells.h5").write_text("old")
    arguments = ("import", "csv", sheet, "--table", tmp_path / "cells.h5", *OPTIONS)
    ended = nasbench(*arguments)
    assert (ended.status, (tmp_path / "cells.h5").read_text()) == (2, "old")
    assert "is there already. Give another name, or --replace." in ended.err
    assert nasbench(*arguments, "--replace").status == 0


def test_a_damaged_row_ends_with_its_line_and_leaves_no_file(nasbench, sheet, tmp_path):
    sheet.write_text(SHEET + "421212,777,190,2\n")
    arguments = ("import", "csv", sheet, "--table", tmp_path / "cells.h5", *OPTIONS)
    ended = nasbench(*arguments)
    assert ended.status == 1
    assert "line 5: val_acc: expected accuracy percent from 0 to 100, got 190" in ended.err
    assert not (tmp_path / "cells.h5").exists()
    ended = nasbench(*arguments, "--skip-damaged")
    assert ended.status == 0
    assert "damaged rows left out: 1" in ended.out
    assert "line 5: val_acc: expected accuracy percent" in ended.out


def press_ctrl_c(monkeypatch, row):
    """Interrupt an import when it comes to a row."""
    taken = []
    add = Collector.add

    def interrupted(self, one):
        taken.append(one)
        if len(taken) == row:
            raise KeyboardInterrupt
        add(self, one)

    monkeypatch.setattr(mapped, "_NOTED_EVERY", 1)
    monkeypatch.setattr(Collector, "add", interrupted)


def test_an_interrupted_import_says_how_to_go_on_and_goes_on(nasbench, sheet, tmp_path, monkeypatch):
    table = tmp_path / "cells.h5"
    arguments = ("import", "csv", sheet, "--table", table, *OPTIONS)
    press_ctrl_c(monkeypatch, row=3)
    ended = nasbench(*arguments)
    assert ended.status == 130
    assert "interrupted: what was finished is kept. To go on: nasbench import csv" in ended.err
    assert not table.exists()
    ended = nasbench(*arguments)
    assert ended.status == 0
    assert f"going on after line 3 of {sheet}, kept in {table}.import.part" in ended.err
    assert "3 rows; the first architecture" in ended.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cells.csv", "cells.h5"]
    assert nasbench("table", "verify", table).status == 0


def test_another_mapping_does_not_go_on_and_says_so(nasbench, sheet, tmp_path, monkeypatch):
    arguments = ("import", "csv", sheet, "--table", tmp_path / "cells.h5", *OPTIONS)
    press_ctrl_c(monkeypatch, row=3)
    nasbench(*arguments)
    ended = nasbench(*arguments, "--missing", "-1")
    assert ended.status == 0
    assert "it is of another mapping" in ended.err
    assert "beginning anew" in ended.err


def test_an_interrupted_dry_run_keeps_nothing_and_does_not_claim_it(nasbench, sheet, tmp_path, monkeypatch):
    press_ctrl_c(monkeypatch, row=3)
    ended = nasbench("import", "csv", sheet, "--table", tmp_path / "cells.h5", *OPTIONS, "--dry-run")
    assert (ended.status, ended.err.strip()) == (130, "interrupted.")
    assert [path.name for path in tmp_path.iterdir()] == ["cells.csv"]


SAVING_OFTEN = """
import sys
from nasbench.cli.app import run
from nasbench.store.imports.half_done import HalfDone
HalfDone.__init__.__kwdefaults__["save_every_seconds"] = 0.0
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends a signal")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_a_process_that_is_ended_goes_on_in_the_next_one(tmp_path, end):
    cells = [f"{i:03}111" for i in range(333) if max(f"{i:03}") < "5"]
    lines = [f"{cell},{seed},{50 + seed / 32},1.5" for seed in range(1_200) for cell in cells]
    (tmp_path / "cells.csv").write_text("\n".join(["cell,seed,val_acc,hours", *lines]))
    arguments = ["import", "csv", "cells.csv", *OPTIONS, "--name", "cells", "--table"]
    options = {"cwd": tmp_path, "stderr": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", SAVING_OFTEN, *arguments, "a.h5"], **options)
    kept = tmp_path / "a.h5.import.part"
    deadline = time.monotonic() + 60
    while not kept.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(end)
    _, err = process.communicate(timeout=60)
    assert process.returncode == (130 if end == signal.SIGINT else -signal.SIGKILL), err
    assert kept.exists()
    command = [sys.executable, "-m", "nasbench", *arguments]
    again = subprocess.run([*command, "a.h5"], **options, check=True)
    assert "going on after line" in again.stderr
    subprocess.run([*command, "b.h5"], **options, check=True)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    assert not kept.exists()


def test_options_add_to_a_mapping_file_and_win_over_it(nasbench, sheet, tmp_path):
    (tmp_path / "m.toml").write_text(
        'space = "darts"\nepochs = 100\nmissing = ["-"]\n[columns]\narchitecture = "other"\n'
        '[about]\nlicence = "CC0"\nnotes = "by hand"\n'
    )
    sheet.write_text(SHEET + "421212,777,-,?\n421213,x,1,1\n")
    ended = nasbench(
        *("import", "csv", sheet, "--table", tmp_path / "a_B.h5", "--mapping", tmp_path / "m.toml"),
        *(*OPTIONS, "--missing", "?", "--skip-damaged", "--json"),
    )
    assert ended.status == 0
    assert [table["name"] for table in ended.data["tables"]] == ["a-b"]
    assert (ended.data["empty_rows"], len(ended.data["damaged"])) == (1, 1)
    info = find_table(str(tmp_path / "a_B.h5")).info
    assert (info.space, info.licence) == ("nb201", "CC-BY-4.0")
    assert info.notes.startswith("by hand Imported from cells.csv")


@pytest.mark.slow
def test_json_lines_of_a_declared_space_are_compared(nasbench, tmp_path):
    digits = [f"{i}{j}" for i in range(3) for j in range(3)]
    rows = [{"arch": code, "test_acc": [90 + int(code) / 3, 91]} for code in digits]
    (tmp_path / "macro.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "macro.toml").write_text(
        'epochs = 50\n[space]\nname = "two-blocks"\nseparator = ""\ndecisions = [\n'
        '{ name = "one", choices = ["0", "1", "2"] },\n{ name = "two", choices = ["0", "1", "2"] },\n]\n'
        '[columns]\narchitecture = "arch"\n[curves]\n'
        'valid_error = { column = "test_acc[{replicate}]", unit = "accuracy percent" }\n'
        '[about]\ndataset = "made up"\ndevice_kind = "none"\nlicence = "CC0"\nsource = "a test"\n'
    )
    path = tmp_path / "macro.h5"
    ended = nasbench(
        "import", "jsonl", tmp_path / "macro.jsonl", "--mapping", tmp_path / "macro.toml", "--table", path
    )
    assert ended.status == 0
    info = nasbench("table", "info", path)
    assert "none recorded; train_seconds counts epochs" in info.out
    asked = nasbench("query", path, "22")
    assert "valid_error 2.667 %" in asked.out
    assert "train_seconds" not in asked.out
    compared = (
        "compare",
        "--source",
        path,
        "--strategies",
        "random-search,regularized-evolution[population=3,sample=2]",
    )
    out = tmp_path / "board"
    ended = nasbench(*compared, "--seeds", "2", "--budget", "5evals", "--out", out)
    assert ended.status == 0
    assert "nominal days" in ended.out
    assert nasbench("leaderboard", "verify", out).status == 0
    ended = nasbench(*compared, "--seeds", "2", "--budget", "100s", "--out", tmp_path / "other")
    assert ended.status == 2
    assert "recorded no training time, got '100s'. Type it in evaluations" in ended.err


def test_cautions_are_said(nasbench, tmp_path):
    (tmp_path / "cells.csv").write_text("cell,seed,val_acc,hours\n421211,777,0.9,1\n421212,777,0.8,1\n")
    ended = nasbench("import", "csv", tmp_path / "cells.csv", "--table", tmp_path / "t.h5", *OPTIONS)
    assert "look here: val_acc: no value above 1 %. Are these fractions?" in ended.err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--map", "valid_error"), 2, "map: expected NAME=VALUE, got 'valid_error'"),
        (("--unit", "valid_error="), 2, "unit: expected NAME=VALUE, got 'valid_error='"),
        (("--map", "latency=val_acc"), 2, "unit: expected the unit of scalar latency, got nothing"),
        (("--unit", "test_error=error"), 2, "curves.test_error: expected a column with its unit, got"),
        (("--mapping", "nowhere.toml"), 4, "mapping: expected a TOML file, got 'nowhere.toml'"),
        (("--delimiter", "::"), 2, "delimiter: expected one character, got '::'"),
    ],
)
def test_what_was_typed_wrongly_is_named(nasbench, sheet, tmp_path, arguments, status, message):
    ended = nasbench("import", "csv", sheet, "--table", tmp_path / "cells.h5", *OPTIONS, *arguments)
    assert ended.status == status
    assert message in ended.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("space = [", "mapping: expected TOML in"),
        ("columns = 3", "mapping: columns: expected a table, got 3"),
        ("[curves]\nvalid_error = 'acc'", "mapping: valid_error: expected a table, got 'acc'"),
        ("missing = 3", "missing: expected a list of texts, got 3"),
    ],
)
def test_mapping_files_that_are_none_are_refused(nasbench, sheet, tmp_path, text, message):
    (tmp_path / "m.toml").write_text(text)
    ended = nasbench(
        *("import", "csv", sheet, "--table", tmp_path / "t.h5", "--mapping", tmp_path / "m.toml"),
        *(*OPTIONS, "--missing", "-"),
    )
    assert ended.status == 2
    assert message in ended.err


def test_scalars_are_mapped_by_their_name(nasbench, sheet, tmp_path):
    sheet.write_text("cell;seed;val_acc;hours;ms;Mp\n421211;777;90;1;2.5;0.5\n")
    ended = nasbench(
        *("import", "csv", sheet, "--table", tmp_path / "t.h5", *OPTIONS, "--delimiter", ";"),
        *("--map", "scalar:latency_seconds=ms", "--unit", "scalar:latency_seconds=milliseconds"),
        *("--map", "parameters=Mp", "--unit", "parameters=million parameters"),
    )
    assert ended.status == 0
    table = find_table(str(tmp_path / "t.h5"))
    assert table.scalar("latency_seconds").tolist() == [0.0025]
    assert table.scalar("parameters").tolist() == [500_000]


def test_rows_in_order_are_repeats(nasbench, tmp_path):
    (tmp_path / "cells.csv").write_text("cell,val_acc,hours\n421211,90,1\n421211,91,1\n")
    options = list(OPTIONS)
    at = options.index("replicate=seed")
    del options[at - 1 : at + 1]
    arguments = ("import", "csv", tmp_path / "cells.csv", "--table", tmp_path / "t.h5", *options)
    ended = nasbench(*arguments)
    assert ended.status == 1
    assert "lines 2 and 3: expected one valid_error of one training, got 0.1 and 0.09" in ended.err
    assert nasbench(*arguments, "--replicates-in-order").status == 0


def test_nas_bench_graph_comes_in_from_a_folder(nasbench, tmp_path):
    record = {"valid_perf": 0.75, "perf": 0.5, "latency": 0.006, "para": 1.5}
    (tmp_path / "cora.bench").write_bytes(pickle.dumps({31273: record}))
    path = tmp_path / "graph.h5"
    ended = nasbench("import", "nas-bench-graph", tmp_path, "--table", path, "--dry-run")
    assert (ended.status, path.exists()) == (0, False)
    ended = nasbench("import", "nas-bench-graph", tmp_path, "--table", path, "--dataset", "cora")
    assert ended.status == 0
    assert "nas-bench-graph-cora" in ended.out
    assert "25.00 %" in ended.out
    assert "valid_error 25.000 %" in nasbench("query", path, "0012|gin|gcn|cheb|fc").out
    ended = nasbench("import", "nas-bench-graph", tmp_path, "--table", path, "--json", "--replace")
    assert ended.data[0]["architectures"] == 1
    assert nasbench("import", "nas-bench-graph", tmp_path, "--table", path).status == 2


def test_an_interrupted_nas_bench_graph_goes_on_with_the_next_data_set(nasbench, tmp_path, monkeypatch):
    record = {"valid_perf": 0.75, "perf": 0.5, "latency": 0.006, "para": 1.5}
    for name in ("cora", "cs"):
        (tmp_path / f"{name}.bench").write_bytes(pickle.dumps({31273: record}))
    arguments = ("import", "nas-bench-graph", tmp_path, "--table", tmp_path / "graph.h5")
    read = nas_bench_graph._table

    def interrupted(path, name, *rest):
        if name == "cs":
            raise KeyboardInterrupt
        return read(path, name, *rest)

    monkeypatch.setattr(nas_bench_graph, "_table", interrupted)
    ended = nasbench(*arguments)
    assert ended.status == 130
    assert "what was finished is kept. To go on: nasbench import nas-bench-graph" in ended.err
    monkeypatch.setattr(nas_bench_graph, "_table", read)
    ended = nasbench(*arguments)
    assert ended.status == 0
    assert "going on: nas-bench-graph-cora was read before" in ended.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cora.bench", "cs.bench", "graph.h5"]
