"""From what a person types to a source."""

from __future__ import annotations

import pytest

from nasbench.errors import BadOption, FormatError, MissingExtra, UnknownName
from nasbench.evaluation.opening import open_source


def test_bundled_table_is_opened_by_name(nb201_table):
    source = open_source("nb201-cifar10")
    assert source.info.name == nb201_table.name
    assert len(source.table) == 15_625


def test_names_are_forgiving(nb201_table):
    assert open_source("NB201_CIFAR10").info.label == open_source("nb201-cifar10").info.label


@pytest.mark.parametrize("suffix", ["", ":toy"])
def test_table_file_is_opened_by_path(toy_path, suffix):
    assert open_source(f"{toy_path}{suffix}").info.name == "toy"


def test_unknown_table_lists_the_near_ones(nb201_table):
    with pytest.raises(UnknownName, match=r"no table is named 'nb201-cifar'\. Did you mean .*nb201-cifar10"):
        open_source("nb201-cifar")


def test_unknown_table_in_a_file_is_refused(toy_path):
    with pytest.raises(UnknownName, match="toys"):
        open_source(f"{toy_path}:toys")


def test_path_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(MissingExtra, match=r"none\.h5"):
        open_source(str(tmp_path / "none.h5"))


def test_file_that_is_no_table_is_refused(tmp_path):
    path = tmp_path / "text.h5"
    path.write_text("not a table")
    with pytest.raises(FormatError, match=r"text\.h5"):
        open_source(str(path))


def test_table_takes_no_device(toy_path):
    with pytest.raises(BadOption, match=r"device: only live sources train on a device; .* is a table"):
        open_source(str(toy_path), device="cuda")


def test_unknown_live_source_lists_the_known_ones():
    with pytest.raises(UnknownName, match=r"no live source is named 'live:digit'\. .*live:digits"):
        open_source("live:digit")
