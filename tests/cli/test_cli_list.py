from __future__ import annotations

import importlib.metadata

import pytest
from cli_calls import Nasbench

from nasbench.strategies import STRATEGIES


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("spaces", "nb201"),
        ("tables", "nb201-imagenet16-120"),
        ("strategies", "regularized-evolution"),
        ("recipes", "nb201-h0"),
    ],
)
def test_a_list_names_what_there_is(
    nasbench: Nasbench, monkeypatch: pytest.MonkeyPatch, what: str, name: str
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ended = nasbench("list", what)
    assert (ended.status, ended.err) == (0, "")
    assert any(line.split()[0] == name for line in ended.out.splitlines())


@pytest.mark.parametrize("what", ["spaces", "tables", "strategies", "recipes"])
def test_a_list_as_json_has_one_object_a_name(nasbench: Nasbench, what: str) -> None:
    ended = nasbench("list", what, "--json")
    assert (ended.status, ended.err) == (0, "")
    names = [row["name"] for row in ended.data]
    assert len(names) == len(set(names)) > 0


def test_every_registered_strategy_is_listed(nasbench: Nasbench) -> None:
    rows = nasbench("list", "strategies", "--json").data
    assert {row["name"] for row in rows} >= set(STRATEGIES)
    assert all(row["family"] for row in rows if row["name"] in STRATEGIES)


def test_strategies_whose_packages_are_absent_are_listed_with_what_brings_them(
    nasbench: Nasbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: ['no-such-package>=1; extra == "torch"'])
    ended = nasbench("list", "strategies")
    assert ended.status == 0
    assert ended.out.splitlines()[-1] == "Not all needs are installed here: pip install 'nasbench[torch]'"
    assert any(line.split()[0] == "darts" for line in ended.out.splitlines())


def test_a_narrow_terminal_loses_whole_columns_and_is_told(
    nasbench: Nasbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    ended = nasbench("list", "tables")
    assert max(map(len, ended.out.splitlines())) <= 60
    assert ended.err == "(too narrow for: device, epochs, replicates; see --json or the page)\n"


def test_spaces_keep_their_source_in_eighty_columns(
    nasbench: Nasbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ended = nasbench("list", "spaces")
    assert any(line.split()[0] == "nasnet" and "Zoph et al. 2018" in line for line in ended.out.splitlines())
    assert max(map(len, ended.out.splitlines())) <= 80
    assert ended.err == "(too narrow for: encodings; see --json or the page)\n"


def test_recipes_keep_whole_names_in_eighty_columns(
    nasbench: Nasbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ended = nasbench("list", "recipes")
    assert any(line.split()[0] == "digits-transnas-macro" for line in ended.out.splitlines())
