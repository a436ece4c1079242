from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasbench.spaces import get_space
from nasbench.store.data import Provenance, Scalar, TableData
from nasbench.store.info import TableInfo
from nasbench.store.table import Table, open_table
from nasbench.store.writer import write_tables

INFO = TableInfo(
    space="nb201",
    dataset="toy images",
    reference_device="one core",
    device_kind="cpu",
    licence="CC0",
    source="made up for a test",
    splits={"train": "1", "valid": "2"},
    recipe={"epochs": 36, "optimizer": "none"},
    notes="ünïcode",
)


def make(
    name: str = "toy", n: int = 20, replicates: int = 3, epochs: tuple[int, ...] = (4, 12, 36)
) -> TableData:
    """Make up a table: n cells in random order, ragged repeats, test error at the last epoch only."""
    rng = np.random.default_rng(5)
    codes = get_space("nb201").unrank(rng.permutation(15_625)[:n])
    shape = (n, replicates, len(epochs))
    valid = rng.random(shape).astype(np.float32)
    seconds = np.cumsum(rng.random(shape) + 0.5, axis=2).astype(np.float32)
    test = np.full(shape, np.nan, dtype=np.float32)
    test[:, :, -1] = rng.random((n, replicates))
    counts = rng.integers(1, replicates + 1, size=n)
    counts[0], counts[1] = 1, replicates
    absent = np.arange(replicates)[None, :] >= counts[:, None]
    for curve in (valid, seconds, test):
        curve[absent] = np.nan
    return TableData(
        name=name,
        info=INFO,
        codes=codes,
        epochs=epochs,
        curves={"valid_error": valid, "train_seconds": seconds, "test_error": test},
        scalars={
            "parameters": Scalar(np.arange(n, dtype=np.int32), "parameters"),
            "latency_seconds": Scalar(rng.random(n), "seconds", "one core"),
        },
        provenance=Provenance(('{"host":"a"}', '{"host":"bé"}'), np.where(absent, -1, 1).astype(np.int32)),
    )


@pytest.fixture
def data() -> TableData:
    return make()


@pytest.fixture(scope="session")
def make_data() -> Callable[..., TableData]:
    return make


@pytest.fixture
def change(data: TableData) -> Callable[..., TableData]:
    """Return a function that copies the toy data with one curve cell set."""

    def with_cell(metric: str, place: tuple[Any, ...], value: float, base: TableData = data) -> TableData:
        curve = base.curves[metric].copy()
        curve[place] = value
        return replace(base, curves={**base.curves, metric: curve})

    return with_cell


@pytest.fixture
def file(data: TableData, tmp_path: Path) -> Path:
    path = tmp_path / "toy.h5"
    write_tables(path, [data])
    return path


@pytest.fixture
def table(file: Path) -> Table:
    return open_table(file)
