"""What every room's tests share: one generator, the toy space, and tables written for the test."""

from __future__ import annotations

import os
import signal
import tempfile

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from nasbench.cache import CACHE_VARIABLE
from nasbench.errors import MissingExtra, UnknownName
from nasbench.evaluation.table_source import TableSource
from nasbench.spaces import SPACES
from nasbench.store.bundled import find_table
from nasbench.store.data import TableData
from nasbench.store.info import TableInfo
from nasbench.store.table import open_table
from nasbench.store.writer import write_tables
from nasbench.testing import toy_space as make_toy_space

settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("ci")

# A shell that starts the tests in the background lets them ignore Ctrl-C, and so would what they interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Nothing that tests or what they start keep for later goes into the user's own cache.
_CACHE = tempfile.TemporaryDirectory(prefix="nasbench-tests-")
os.environ[CACHE_VARIABLE] = _CACHE.name

TOY_EPOCHS = (3, 9)
TOY_INFO = TableInfo(
    space="toy",
    dataset="toy-data",
    reference_device="a desk",
    device_kind="cpu",
    licence="CC0-1.0",
    source="tests/conftest.py",
)


def toy_repeats(code):
    """Ragged: architectures that begin with 0 were trained twice, the others three times."""
    return 2 if code[0] == 0 else 3


def toy_valid(code, epochs, replicate):
    """Separable, best at (0, 0, 0); a multiple of 1/1024, so that float32 holds it exactly."""
    rank = code[0] * 9 + code[1] * 3 + code[2]
    return (100 * sum(code) + rank + 30 * replicate + (20 if epochs == 3 else 0)) / 1024


def toy_test(code, epochs, replicate):
    """An odd multiple of 1/2048: no validation error has this value."""
    return toy_valid(code, epochs, replicate) + 1 / 2048


def toy_seconds(code, epochs, replicate):
    return epochs * (10.0 + code[0] * 9 + code[1] * 3 + code[2]) + replicate


def write_toy_table(path, *, failed=()):
    """Write 27 architectures; ``failed`` (code, replicate) cost seconds and have no errors."""
    codes = next(make_toy_space().enumerate())
    shape = (len(codes), 3, len(TOY_EPOCHS))
    curves = {name: np.full(shape, np.nan) for name in ("valid_error", "test_error", "train_seconds")}
    marks = np.zeros(shape[:2], dtype=np.int8)
    for row, code in enumerate(map(tuple, codes.tolist())):
        for replicate in range(toy_repeats(code)):
            marks[row, replicate] = (code, replicate) in failed
            for e, epochs in enumerate(TOY_EPOCHS):
                curves["train_seconds"][row, replicate, e] = toy_seconds(code, epochs, replicate)
                if not marks[row, replicate]:
                    curves["valid_error"][row, replicate, e] = toy_valid(code, epochs, replicate)
                    curves["test_error"][row, replicate, e] = toy_test(code, epochs, replicate)
    data = TableData("toy", TOY_INFO, codes, TOY_EPOCHS, curves, failed=marks if failed else None)
    write_tables(path, [data])
    return path


@pytest.fixture
def rng():
    return np.random.default_rng(20_201)


@pytest.fixture
def toy_space():
    return make_toy_space()


@pytest.fixture
def toy_registered(monkeypatch):
    """Let tables of the toy space be opened."""
    monkeypatch.setitem(SPACES, "toy", make_toy_space)


@pytest.fixture
def toy_path(tmp_path, toy_registered):
    return write_toy_table(tmp_path / "toy.h5")


@pytest.fixture
def toy_table(toy_path):
    return open_table(toy_path)


@pytest.fixture
def toy_source(toy_table):
    return TableSource(toy_table)


@pytest.fixture
def failing_source(tmp_path, toy_registered):
    """The toy table in which (1, 1, 1) failed in each of its trainings and (0, 0, 0) in its second."""
    failed = {((1, 1, 1), 0), ((1, 1, 1), 1), ((1, 1, 1), 2), ((0, 0, 0), 1)}
    return TableSource(open_table(write_toy_table(tmp_path / "failing.h5", failed=failed)))


@pytest.fixture
def nb201_table():
    """The bundled NAS-Bench-201 table of CIFAR-10; the test is skipped where the data are absent."""
    try:
        return find_table("nb201-cifar10")
    except (MissingExtra, UnknownName) as error:
        pytest.skip(str(error))
