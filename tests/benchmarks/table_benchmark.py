"""Opening a table and looking things up; run: pytest tests/benchmarks/table_benchmark.py"""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.store.bundled import find_table
from nasbench.store.table import open_table

CODE = (4, 2, 1, 2, 1, 1)


@pytest.fixture(scope="module")
def table():
    return find_table("nb201-cifar10")


def test_open_the_table(benchmark, table):
    opened = benchmark(open_table, table.path, table.name)
    assert opened.query(CODE, epochs=200, replicate=0).train_seconds > 0
    assert benchmark.stats.stats.median < 5e-3


def test_one_query(benchmark, table):
    answer = benchmark(table.query, CODE, epochs=200, replicate=0)
    assert answer.valid_error == pytest.approx(0.17908, abs=1e-5)
    assert benchmark.stats.stats.median < 3e-6


def test_baseline_one_look_up_in_a_dictionary(benchmark, table):
    rows = {tuple(code): i for i, code in enumerate(table.codes.tolist())}
    errors = table.column("valid_error")[:, 0, 0].tolist()
    assert benchmark(lambda: errors[rows[CODE]]) > 0


@pytest.mark.parametrize("n", [100_000, 1_000_000])
def test_batched_look_ups_by_code(benchmark, table, n):
    codes = table.space.sample(n, rng=np.random.default_rng(0))
    values = benchmark(table.values, codes, "valid_error", epochs=200, replicate=0)
    assert values.shape == (n,)
    benchmark.extra_info["nanoseconds_a_row"] = benchmark.stats.stats.median / n * 1e9
    assert benchmark.extra_info["nanoseconds_a_row"] < 20


@pytest.mark.parametrize("n", [100_000, 1_000_000])
def test_baseline_gather_from_an_array(benchmark, table, n):
    column = table.column("valid_error")[:, 0, 0].copy()
    rows = np.random.default_rng(0).integers(0, len(table), n)
    assert benchmark(column.take, rows).shape == (n,)
    benchmark.extra_info["nanoseconds_a_row"] = benchmark.stats.stats.median / n * 1e9
