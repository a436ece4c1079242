"""NAS-Bench-101 beside a stand-in for its own program; run: pytest tests/benchmarks/nb101_benchmark.py

The table is as large as the real one, with made-up numbers; writing it takes a minute or two. The stand-in
(``nb101_stand_in``) is written by hand, for the original needs TensorFlow 1.
"""

from __future__ import annotations

import subprocess
import sys
import timeit

import numpy as np
import pytest
from nb101_file import cells, records_of, write_file
from nb101_made_up import write_made_up
from nb101_stand_in import Bench, Spec, load

from nasbench import api
from nasbench.cache import CACHE_VARIABLE
from nasbench.spaces import get_space
from nasbench.spaces import nb101_hash as hashing
from nasbench.spaces.nb101_cells import distinct_cells
from nasbench.spaces.nb101_hash_table import StoredHashes, make_table, read_table
from nasbench.store.imports.nb101 import import_nb101
from nasbench.store.table import open_table

SPACE = get_space("nb101")
MILLION = 1_000_000
OPENING = """
import os, sys, time
def resident(): return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
from nasbench.store.table import open_table
from nasbench.spaces.nb101 import NB101Space
before = resident()
table = open_table(sys.argv[1])
print(resident() / 1e6)
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    made = tmp_path_factory.mktemp("nb101") / "made-up.h5"
    write_made_up(made)
    return made


@pytest.fixture(scope="module")
def nasbench(path):
    return api.NASBench(path, seed=0)


@pytest.fixture(scope="module")
def drawn():
    """Two thousand cells that differ, as a script would give them."""
    return [(matrix, ops) for _, matrix, ops in cells(2_000)]


@pytest.fixture(scope="module")
def stand_in(nasbench, drawn):
    fixed, computed = {}, {}
    for matrix, ops in drawn:
        spec = api.ModelSpec(matrix, ops)
        fixed[spec.hash_spec()], computed[spec.hash_spec()] = nasbench.get_metrics_from_spec(spec)
    return Bench(fixed, computed)


@pytest.fixture(scope="module")
def million():
    return SPACE.sample(MILLION, rng=np.random.default_rng(0))


def one_each(benchmark, function, arguments, **options):
    """Call a function once for each of the arguments in a round; return what the last call gave."""

    def all_of_them():
        for argument in arguments:
            found = function(argument)
        return found

    found = benchmark.pedantic(all_of_them, rounds=5, warmup_rounds=1, **options)
    benchmark.extra_info["microseconds_each"] = benchmark.stats.stats.min / len(arguments) * 1e6
    return found


# Opening ------------------------------------------------------------------------------------------


def test_open_the_whole_table(benchmark, path):
    assert len(benchmark(open_table, path)) == 423_624
    ended = subprocess.run([sys.executable, "-c", OPENING, path], capture_output=True, text=True, check=True)
    benchmark.extra_info["megabytes_resident"] = float(ended.stdout)
    assert benchmark.stats.stats.median < 0.02
    assert benchmark.extra_info["megabytes_resident"] < 200


# Queries ------------------------------------------------------------------------------------------


def test_query_of_specs_that_are_there(benchmark, nasbench, drawn):
    specs = [api.ModelSpec(*cell) for cell in drawn]
    assert one_each(benchmark, nasbench.query, specs)["training_time"] > 0


def test_baseline_query_of_specs_that_are_there(benchmark, stand_in, drawn):
    specs = [Spec(*cell) for cell in drawn]
    assert one_each(benchmark, stand_in.query, specs)["training_time"] > 0


def test_make_a_spec_and_query(benchmark, nasbench, drawn):
    data = one_each(benchmark, lambda cell: nasbench.query(api.ModelSpec(*cell)), drawn)
    assert data["training_time"] > 0


def test_baseline_make_a_spec_and_query(benchmark, stand_in, drawn):
    assert one_each(benchmark, lambda cell: stand_in.query(Spec(*cell)), drawn)["training_time"] > 0


# Hashes -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def baseline(drawn):
    """Microseconds of the stand-in for one hash: the least of some rounds."""
    specs = [Spec(*cell) for cell in drawn]
    rounds = timeit.repeat(lambda: [spec.hash() for spec in specs], number=1, repeat=7)
    return min(rounds) / len(specs) * 1e6


@pytest.fixture
def stored(monkeypatch):
    """The table of all hashes, read from its file."""
    monkeypatch.setattr(hashing, "STORED", StoredHashes())
    hashing.STORED.make()
    yield hashing.STORED
    hashing.class_hash.cache_clear()


@pytest.fixture
def not_stored(monkeypatch):
    """No table of hashes, and none in sight."""
    monkeypatch.setattr(StoredHashes, "before", lambda _self, _hashes: None)
    monkeypatch.setattr(hashing, "STORED", StoredHashes())
    yield
    hashing.class_hash.cache_clear()


def forget():
    """Empty the memory of hashes."""
    hashing.class_hash.cache_clear()


def hash_new_specs(benchmark, drawn):
    """Hash specifications that nothing is known of yet; return microseconds each, the least of the rounds."""

    def new():
        forget()
        return ([api.ModelSpec(*cell) for cell in drawn],), {}

    benchmark.pedantic(
        lambda specs: [spec.hash_spec() for spec in specs], setup=new, rounds=9, warmup_rounds=1
    )
    each = benchmark.stats.stats.min / len(drawn) * 1e6
    benchmark.extra_info["microseconds_each"] = each
    return each


def test_hash_of_cells_never_met_without_a_stored_table(benchmark, drawn, not_stored):
    hash_new_specs(benchmark, drawn)


def test_hash_of_cells_never_met_from_the_stored_table(benchmark, drawn, stored, baseline):
    assert baseline / hash_new_specs(benchmark, drawn) >= 5


def test_hash_of_cells_met_before(benchmark, drawn):
    specs = [api.ModelSpec(*cell) for cell in drawn]
    assert len(one_each(benchmark, lambda spec: spec.hash_spec(), specs)) == 32


def test_baseline_hash(benchmark, drawn):
    specs = [Spec(*cell) for cell in drawn]
    assert len(one_each(benchmark, Spec.hash, specs)) == 32


def hash_a_million(benchmark, million):
    """Hash codes; return microseconds each, the least of the rounds."""
    found = benchmark.pedantic(lambda: hashing.key_hashes(SPACE.keys(million)), setup=forget, rounds=5)
    assert len(found) == MILLION
    benchmark.extra_info["microseconds_each"] = benchmark.stats.stats.min
    return benchmark.stats.stats.min


def test_hashes_of_a_million_random_cells_without_a_stored_table(benchmark, million, not_stored):
    hash_a_million(benchmark, million)


def test_hashes_of_a_million_random_cells_with_the_stored_table(benchmark, million, stored, baseline):
    assert baseline / hash_a_million(benchmark, million) >= 100


def test_making_the_stored_table(benchmark, tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    table = benchmark.pedantic(make_table, rounds=2)
    assert len(table.find(int(distinct_cells(7)[0]))) == 32


def test_reading_the_stored_table(benchmark, stored):
    assert benchmark.pedantic(read_table, rounds=9) is not None
    assert benchmark.stats.stats.min < 0.1


def test_hashes_of_a_million_random_cells_from_the_table(benchmark, nasbench, million):
    found = benchmark.pedantic(nasbench.hashes, (million,), rounds=3, warmup_rounds=1)
    assert found[0].tobytes().hex() == hashing.key_hash(SPACE.key(tuple(million[0].tolist())))
    benchmark.extra_info["microseconds_each"] = benchmark.stats.stats.min


# Many at once -------------------------------------------------------------------------------------


def test_canonical_keys_of_a_million_random_cells(benchmark, million):
    assert len(benchmark.pedantic(SPACE.keys, (million,), rounds=3)) == MILLION


def test_look_ups_of_a_million_random_cells(benchmark, nasbench, million):
    values = benchmark.pedantic(
        nasbench.table.values, (million, "valid_error"), {"epochs": 108, "replicate": 0}, rounds=3
    )
    assert values.shape == (MILLION,)


def test_all_cells_listed(benchmark):
    count = benchmark.pedantic(lambda: sum(len(distinct_cells(v)) for v in range(2, 8)), rounds=1)
    assert count == 423_624


# The official file --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    made = tmp_path_factory.mktemp("official") / "nasbench_full.tfrecord"
    write_file(made, records_of(cells(3_000)))
    return made


def test_import_of_a_file_with_all_checks(benchmark, official, tmp_path):
    def run():
        out = tmp_path / "made.h5"
        out.unlink(missing_ok=True)
        return import_nb101(official, out)

    assert benchmark.pedantic(run, rounds=3).trainings == 36_000
    benchmark.extra_info["seconds_for_5_million"] = benchmark.stats.stats.median / 36_000 * 5_083_488


def test_baseline_load_of_a_file_without_checks(benchmark, official):
    fixed, _ = benchmark.pedantic(load, (official,), rounds=3)
    assert len(fixed) == 3_000
    benchmark.extra_info["seconds_for_5_million"] = benchmark.stats.stats.median / 36_000 * 5_083_488
