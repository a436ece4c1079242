"""A table of all 423,624 NAS-Bench-101 cells with made-up numbers, as large as the real one.

python tests/benchmarks/nb101_made_up.py FILE.h5 writes it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from nasbench.spaces.nb101 import NB101Space
from nasbench.spaces.nb101_cells import distinct_cells
from nasbench.spaces.nb101_hash import key_hashes
from nasbench.store.data import Scalar, TableData
from nasbench.store.imports.nb101 import HASH_SCALARS
from nasbench.store.imports.nb101_records import EPOCHS, MEASURED
from nasbench.store.info import TableInfo
from nasbench.store.writer import write_tables


def write_made_up(path: Path) -> None:
    """Errors fall with the length of training and are 5 % to 40 %; nothing else about them is realistic."""
    keys = np.concatenate([distinct_cells(vertices) for vertices in range(2, 8)])
    n = len(keys)
    rng = np.random.default_rng(101)
    base = rng.gamma(2.0, 0.01, size=(n, 1, 1)) + 0.05
    length = np.array(EPOCHS, dtype=np.float64)
    valid = np.clip(base + rng.normal(0, 0.002, (n, 3, 4)) + 0.5 / length, 0, 1)
    seconds = length * rng.uniform(5, 20, size=(n, 1, 1)) + rng.random((n, 3, 4))
    curves = {
        "valid_error": valid,
        "test_error": np.clip(valid + rng.normal(0.005, 0.002, (n, 3, 4)), 0, 1),
        "train_error": valid / 3,
        "train_seconds": seconds,
    }
    halves = {f"halfway_{name}": values / 2 for name, values in curves.items()}
    both = {**curves, **halves}
    digests = np.frombuffer(key_hashes(keys).tobytes(), dtype=">i8").reshape(-1, 2).astype(np.int64)
    info = TableInfo(
        space="nb101",
        dataset="made up",
        reference_device="none",
        device_kind="gpu",
        licence="CC0-1.0",
        source="tests/benchmarks/nb101_made_up.py",
        rows_answer_for="class",
        lengths="own-trainings",
    )
    scalars = {
        "parameters": Scalar(rng.integers(227_274, 49_979_275, n).astype(np.int32), "parameters"),
        **{name: Scalar(digests[:, i].copy(), "half of the hash") for i, name in enumerate(HASH_SCALARS)},
    }
    stored = {name: both[name].astype(np.float32) for name in MEASURED}
    write_tables(
        path, [TableData("nb101-made-up", info, NB101Space().of_keys(keys), EPOCHS, stored, scalars)]
    )


if __name__ == "__main__":
    write_made_up(Path(sys.argv[1]))
