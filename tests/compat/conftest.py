"""Tables with gaps: what a face for other libraries may never fill."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.spaces.declared import declare
from nasbench.store.data import Scalar, TableData
from nasbench.store.info import TableInfo
from nasbench.store.table import open_table
from nasbench.store.writer import write_tables

DECISIONS = [
    {"name": "first", "choices": ["conv", "pool", "skip"]},
    {"name": "stem", "choices": ["fixed"]},
    {"name": "last", "choices": ["16", "32"]},
]
SPACE = declare({"name": "gaps", "decisions": DECISIONS})
EPOCHS = (1, 2, 4)


def gaps():
    """Make five of six architectures: two repeats each but for the second (one) and two with holes.

    The third has a repeat without the middle length, the fourth failed in its first repeat, and the fifth in
    both.
    """
    codes = np.array([[0, 0, 0], [0, 0, 1], [1, 0, 0], [1, 0, 1], [2, 0, 0]], dtype=np.int8)
    shape = (5, 2, 3)
    valid = (np.arange(30).reshape(shape) + 1) / 64
    seconds = np.tile(np.array([1.0, 2.0, 4.0]), (5, 2, 1)) + np.arange(5)[:, None, None]
    failed = np.zeros((5, 2), dtype=np.int8)
    valid[1, 1] = seconds[1, 1] = np.nan
    valid[2, 1, 1] = np.nan
    failed[3, 0] = failed[4] = 1
    valid[3, 0, 1:] = np.nan
    valid[4] = np.nan
    info = TableInfo(
        space="gaps",
        space_definition=SPACE.definition,
        dataset="made up",
        reference_device="a desk",
        device_kind="cpu",
        licence="CC0",
        source="tests/compat/conftest.py",
    )
    curves = {"valid_error": valid, "test_error": valid + 1 / 128, "train_seconds": seconds}
    scalars = {
        "parameters": Scalar(np.arange(5) + 10, "parameters"),
        "rank": Scalar(np.arange(5), "place"),
    }
    return TableData("gaps", info, codes, EPOCHS, curves, scalars, failed)


@pytest.fixture
def gapped(tmp_path):
    write_tables(tmp_path / "gaps.h5", [gaps()])
    return open_table(tmp_path / "gaps.h5")
