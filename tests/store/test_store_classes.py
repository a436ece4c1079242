"""Tables whose rows answer for their whole canonical class."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nasbench.errors import FormatError, NotMeasured
from nasbench.evaluation.table_source import TableSource
from nasbench.reports.reference import reference_of
from nasbench.spaces import get_space
from nasbench.store.data import TableData
from nasbench.store.info import TableInfo
from nasbench.store.table import open_table
from nasbench.store.verify import verify_table
from nasbench.store.writer import write_tables
from nasbench.units import parse_budget

NB201 = get_space("nb201")


def class_table(path, *, keep=None):
    """Write a table of one row a class whose error is its class's number."""
    codes = np.concatenate(list(NB201.enumerate()))
    first = codes[NB201.rank(NB201.canonical(codes)) == np.arange(len(codes))][:keep]
    n = len(first)
    curves = {
        "valid_error": (np.arange(n, dtype=np.float32) / 10_000).reshape(n, 1, 1),
        "train_seconds": np.full((n, 1, 1), 2.0, dtype=np.float32),
    }
    info = TableInfo(
        space="nb201",
        dataset="made up",
        reference_device="none",
        device_kind="cpu",
        licence="none",
        source="test",
        rows_answer_for="class",
    )
    write_tables(path, [TableData("classes", info, first, (3,), curves)])
    return open_table(path)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return class_table(tmp_path_factory.mktemp("classes") / "classes.h5")


def test_every_code_gets_the_answer_of_its_class(table):
    codes = NB201.sample(300, rng=np.random.default_rng(0))
    of_class = table.rows(NB201.canonical(codes))
    assert len(table) == 6_466
    np.testing.assert_array_equal(table.rows(codes), of_class)
    for code, row in zip(codes.tolist(), of_class.tolist(), strict=True):
        assert table.row(tuple(code)) == row
        answer = table.query(tuple(code), epochs=3, replicate=0)
        assert answer.valid_error == pytest.approx(row / 10_000)


def test_a_class_that_was_not_trained_is_not_measured(tmp_path):
    small = class_table(tmp_path / "small.h5", keep=5)
    with pytest.raises(NotMeasured, match="holds 5 of the 15,625"):
        small.row((4, 4, 4, 4, 4, 4))
    assert small.rows_of_space() is None


def test_the_file_says_so_and_verifies(table):
    assert table.info.rows_answer_for == "class"
    assert verify_table(table.path) == []


def test_two_rows_of_one_class_are_refused(tmp_path, table):
    data = table.data()
    codes = data.codes.copy()
    twin = next(c for c in np.concatenate(list(NB201.enumerate())) if (NB201.canonical([c])[0] != c).any())
    codes = np.unique(np.concatenate([codes, [twin]]), axis=0)
    curves = {name: np.concatenate([array, array[:1]]) for name, array in data.curves.items()}
    with pytest.raises(FormatError, match="one row a canonical class"):
        write_tables(tmp_path / "twice.h5", [replace(data, codes=codes, curves=curves)])


def test_random_search_draws_codes_so_a_large_class_counts_more(table):
    rows = table.rows_of_space()
    assert rows is not None
    assert len(rows) == 15_625
    reference = reference_of(TableSource(table), epochs=3, budget=parse_budget("1evals"))
    assert reference.random is not None
    assert reference.random.error[0] == pytest.approx(np.mean(rows / 10_000), rel=1e-5)
    assert reference.random.error[0] != pytest.approx(np.mean(np.arange(6_466) / 10_000), rel=1e-3)


def test_a_table_that_answers_for_codes_keeps_its_hash_and_says_nothing(table, tmp_path):
    info = replace(table.info, rows_answer_for="code")
    write_tables(tmp_path / "codes.h5", [replace(table.data(), info=info)])
    plain = open_table(tmp_path / "codes.h5")
    assert plain.info.rows_answer_for == "code"
    import h5py

    with h5py.File(tmp_path / "codes.h5") as file:
        assert "rows_answer_for" not in file["classes"].attrs
