"""Errors: their exit codes, their bases, and the names they suggest."""

from __future__ import annotations

import pickle

import pytest

import nasbench.errors as errors
from nasbench.errors import MissingExtra, NasbenchError, UnknownName


def classes():
    return [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, NasbenchError) and value is not NasbenchError
    ]


@pytest.mark.parametrize(
    ("name", "base", "exit_code"),
    [
        ("UnknownName", LookupError, 2),
        ("BadOption", ValueError, 2),
        ("NotInSpace", ValueError, 2),
        ("NotMeasured", LookupError, 1),
        ("FormatError", ValueError, 1),
        ("Mismatch", ValueError, 3),
        ("MissingExtra", ImportError, 4),
        ("CallOrder", RuntimeError, 1),
        ("StrategyFault", RuntimeError, 1),
        ("SomeRunsFailed", RuntimeError, 5),
    ],
)
def test_error_has_its_base_and_exit_code(name, base, exit_code):
    error = getattr(errors, name)
    assert issubclass(error, base)
    assert issubclass(error, NasbenchError)
    assert error.exit_code == exit_code


@pytest.mark.parametrize("error", classes())
def test_error_reads_as_it_was_written_and_survives_another_process(error):
    made = error("name: expected this, got 'that'. Do so.")
    assert str(made) == "name: expected this, got 'that'. Do so."
    again = pickle.loads(pickle.dumps(made))
    assert (type(again), str(again)) == (error, str(made))


def test_unknown_name_suggests_near_names():
    error = UnknownName.among("strategy", "Randm_Search", ["random-search", "grid"], hint="See the list.")
    assert str(error) == (
        "strategy: no strategy is named 'Randm_Search'. Did you mean 'random-search'? See the list."
    )


def test_unknown_name_lists_all_where_none_is_near_and_they_are_few():
    assert (
        str(UnknownName.among("space", "zzz", ["b", "a"])) == "space: no space is named 'zzz'. Known: a, b."
    )
    assert str(UnknownName.among("space", "zzz", [])) == "space: no space is named 'zzz'. Known: none."


def test_unknown_name_lists_none_where_they_are_many():
    many = [f"name-{i}" for i in range(13)]
    assert str(UnknownName.among("table", "zzz", many, hint="List them.")) == (
        "table: no table is named 'zzz'. List them."
    )


def test_missing_extra_is_the_command_that_brings_it():
    assert str(MissingExtra.of("torch", "PyTorch", "Live training")) == (
        "Live training needs PyTorch. Install it with: pip install 'nasbench[torch]'"
    )
