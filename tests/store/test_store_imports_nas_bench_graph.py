"""NAS-Bench-Graph read from files in the true format, and from the installed package where it is there."""

from __future__ import annotations

import importlib.metadata
import io
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from nasbench.errors import FormatError, MissingExtra, UnknownName
from nasbench.spaces import get_space
from nasbench.spaces.nas_bench_graph import key_of
from nasbench.store.imports import nas_bench_graph
from nasbench.store.imports.nas_bench_graph import DATA_SETS, package_folder, read_nas_bench_graph
from nasbench.store.table import open_table
from nasbench.store.writer import write_tables

RECORD = {"valid_perf": 0.75, "perf": 0.5, "latency": 0.0059, "para": np.float64(1.736711)}
KEYS = (31273, 1, 88_887)


def write(folder, records, name="cora"):
    (folder / f"{name}.bench").write_bytes(pickle.dumps(records))
    return folder


def test_performances_become_errors_and_millions_become_parameters(tmp_path):
    (table,) = read_nas_bench_graph(write(tmp_path, {31273: RECORD}))
    assert table.name == "nas-bench-graph-cora"
    space = get_space("nas-bench-graph")
    assert space.format(tuple(table.codes[0].tolist())) == "0012|gcn|gin|fc|cheb"
    assert table.curves["valid_error"].tolist() == [[[0.25]]]
    assert table.curves["test_error"].tolist() == [[[0.5]]]
    assert table.scalars["parameters"].values.tolist() == [1_736_711]
    assert table.scalars["latency"].values.tolist() == [0.0059]
    assert (table.info.device_kind, table.epochs) == ("none", (1,))


def test_every_order_of_the_nodes_is_answered_by_the_row_of_its_network(tmp_path):
    records = {key: {**RECORD, "valid_perf": i / 8} for i, key in enumerate(KEYS)}
    write_tables(tmp_path / "t.h5", read_nas_bench_graph(write(tmp_path, records)))
    table = open_table(tmp_path / "t.h5")
    for text in ("0012|gcn|gin|fc|cheb", "0012|gin|gcn|cheb|fc"):
        assert table.query(table.space.parse(text), epochs=1, replicate=0).valid_error == 1.0


def test_mean_counts_of_parameters_stay_what_they_are(tmp_path):
    (table,) = read_nas_bench_graph(write(tmp_path, {1: {**RECORD, "para": 0.0000015}}))
    assert table.scalars["parameters"].values.tolist() == pytest.approx([1.5])


def test_proteins_have_a_space_of_their_own(tmp_path):
    (table,) = read_nas_bench_graph(write(tmp_path, {11_111: RECORD}, "proteins"), ["proteins"])
    assert table.info.space == "nas-bench-graph-proteins"
    assert table.codes.tolist() == [[1, 0, 0, 0, 0]]
    with pytest.raises(FormatError, match=r"got gat. Is this the file of ogbn-proteins\?"):
        read_nas_bench_graph(write(tmp_path, {11_110: RECORD}, "proteins"), ["proteins"])


class Attack:
    def __reduce__(self):
        return Path.touch, (Path("attacked"),)


def test_code_in_a_file_is_never_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FormatError, match=r"cora.bench: expected plain values only, got the global"):
        read_nas_bench_graph(write(tmp_path, {1: Attack()}))
    assert not (tmp_path / "attacked").exists()


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([], "expected a dict of architectures, got list"),
        ({}, "expected a dict of architectures, got dict"),
        ({"00001": RECORD}, "expected numbers of five digits as keys, got '00001'"),
        ({True: RECORD}, "expected numbers of five digits as keys, got True"),
        ({-1: RECORD}, "expected numbers of five digits as keys, got -1"),
        ({99_999: RECORD}, "key: expected five digits 0 to 8, got 99999. Is this the file of Cora?"),
        ({8_888: RECORD}, "expected the canonical key of each architecture of nas-bench-graph, got 08888"),
        (
            {1: RECORD, 10: RECORD},
            "expected the canonical key of each architecture of nas-bench-graph, got 00010",
        ),
        ({1: 0.5}, "00001: expected latency, para, perf, valid_perf, got float"),
        ({1: {**RECORD, "dur": []}}, "Only the files of the package are read, not the larger ones"),
        ({1: {**RECORD, "perf": 50.0}}, "00001/perf: expected a fraction in [0, 1], got 50.0"),
        ({1: {**RECORD, "valid_perf": -1}}, "00001/valid_perf: expected a fraction in [0, 1], got -1"),
        ({1: {**RECORD, "latency": None}}, "00001/latency: expected a number >= 0, got None"),
        ({1: {**RECORD, "para": float("nan")}}, "00001/para: expected a number >= 0, got nan"),
        ({1: {**RECORD, "para": True}}, "00001/para: expected a number >= 0, got True"),
    ],
)
def test_damaged_files_are_refused_by_key_and_field(tmp_path, records, message):
    with pytest.raises(FormatError, match=re.escape(message)):
        read_nas_bench_graph(write(tmp_path, records), ["cora"])


def test_torn_files_are_refused(tmp_path):
    stream = io.BytesIO(pickle.dumps({1: RECORD}))
    (tmp_path / "cora.bench").write_bytes(stream.getvalue()[:-9])
    with pytest.raises(FormatError, match=r"cora.bench: expected a whole pickle"):
        read_nas_bench_graph(tmp_path)


def test_what_is_not_there_is_named_with_the_command_that_brings_it(tmp_path, monkeypatch):
    with pytest.raises(MissingExtra, match=r"path: expected files such as cora.bench in .*, got none"):
        read_nas_bench_graph(tmp_path)
    with pytest.raises(
        MissingExtra, match=r"path: expected cs.bench in .* pip install --no-deps nas-bench-graph"
    ):
        read_nas_bench_graph(write(tmp_path, {1: RECORD}), ["cs"])
    with pytest.raises(UnknownName, match=r"no data set is named 'coar'. Did you mean 'cora'"):
        read_nas_bench_graph(tmp_path, ["coar"])
    monkeypatch.setattr(nas_bench_graph, "PACKAGE", "no-such-package-at-all")
    with pytest.raises(MissingExtra, match="pip install --no-deps no-such-package-at-all"):
        package_folder()
    monkeypatch.setattr(nas_bench_graph, "PACKAGE", "numpy")
    with pytest.raises(MissingExtra, match=r"expected .bench files in the package numpy .*, got none"):
        package_folder()


def test_progress_names_the_data_sets(tmp_path):
    told = []
    write(tmp_path, {1: RECORD}, "cs")
    read_nas_bench_graph(write(tmp_path, {1: RECORD}), progress=lambda *what: told.append(what))
    assert told == [(0, 2, "cora"), (1, 2, "cs")]


# The package itself ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def package():
    try:
        importlib.metadata.distribution("nas-bench-graph")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("nas-bench-graph is not installed")
    return package_folder()[0]


@pytest.mark.parametrize(("name", "networks"), [("cora", 26_206), ("proteins", 2_021)])
def test_every_value_equals_the_source(package, name, networks):
    (table,) = read_nas_bench_graph(names=[name])
    with (package / f"{name}.bench").open("rb") as stream:
        records = pickle.load(stream)  # a file of an installed package
    assert len(table.codes) == len(records) == networks
    operations = DATA_SETS[name].operations
    for row in range(0, networks, 101):
        record = records[key_of(table.codes[row].tolist(), operations)]
        assert table.curves["valid_error"][row, 0, 0] == np.float32(1 - record["valid_perf"])
        assert table.curves["test_error"][row, 0, 0] == np.float32(1 - record["perf"])
        assert table.scalars["parameters"].values[row] == pytest.approx(record["para"] * 1e6)
        assert table.scalars["latency"].values[row] == record["latency"]


def test_the_table_answers_for_the_whole_space(package, tmp_path):
    write_tables(tmp_path / "t.h5", read_nas_bench_graph(names=["cora"]))
    rows = open_table(tmp_path / "t.h5").rows_of_space()
    assert rows is not None
    assert len(rows) == 59_040
    assert len(np.unique(rows)) == 26_206
