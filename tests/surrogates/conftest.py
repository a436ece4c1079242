"""A table made up for surrogates, ways to make others, and a real one."""

from __future__ import annotations

import pytest
from surrogate_tables import made_up

from nasbench.store.bundled import find_table
from nasbench.store.table import open_table
from nasbench.store.writer import write_tables


@pytest.fixture(scope="session")
def make_table(tmp_path_factory):
    def make(data=None, **changes):
        path = tmp_path_factory.mktemp("made-up") / "made-up.h5"
        write_tables(path, [data if data is not None else made_up(**changes)])
        return open_table(path)

    return make


@pytest.fixture(scope="session")
def planted(make_table):
    return make_table()


@pytest.fixture(scope="session")
def digits():
    return find_table("digits-nb201")


@pytest.fixture(scope="session")
def make_data():
    return made_up
