"""From what a person types to a strategy."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

import nasbench.strategies.loading as loading
from nasbench.errors import BadOption, MissingExtra, UnknownName
from nasbench.strategies import STRATEGIES
from nasbench.strategies.function import FunctionStrategy
from nasbench.strategies.loading import load_strategy, strategy_names
from nasbench.strategies.random_search import RandomSearch
from nasbench.strategies.strategy import make
from nasbench.testing import toy_setting

GOOD = """
from nasbench.records import Proposal

class Mine:
    def __init__(self, space, *, rng, width=1):
        self.width = width
    def ask(self, n):
        return []
    def tell(self, trials):
        pass

class Half:
    def ask(self, n):
        return []

def climb(space, evaluate, rng, steps=2):
    for _ in range(steps):
        evaluate(space.sample(1, rng=rng)[0])

def wrong(space, rng):
    pass

number = 3
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(GOOD)
    return path


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_every_registered_name_loads(name):
    assert callable(load_strategy(name))
    assert name in strategy_names()


@pytest.mark.parametrize("name", ["random-search", "random_search", "Random_Search", "  RANDOM-SEARCH "])
def test_names_are_forgiving(name):
    assert load_strategy(name) is RandomSearch


def test_unknown_name_lists_the_near_ones():
    with pytest.raises(
        UnknownName, match=r"no strategy is named 'randomsearch'\. Did you mean 'random-search'"
    ):
        load_strategy("randomsearch")


def test_unknown_name_says_how_to_see_all():
    with pytest.raises(UnknownName, match="List them with: nasbench list strategies"):
        load_strategy("zzzz")


def test_class_of_a_file_loads(file, toy_space, rng):
    assert make(load_strategy(f"{file}:Mine"), toy_space, rng=rng, setting=toy_setting(), width=4).width == 4


def test_function_of_a_file_loads_as_a_strategy(file, toy_space, rng):
    strategy = make(load_strategy(f"{file}:climb"), toy_space, rng=rng, setting=toy_setting(), steps=1)
    assert isinstance(strategy, FunctionStrategy)
    assert len(strategy.ask(1)) == 1
    strategy.close()


def test_class_of_a_module_loads():
    assert load_strategy("nasbench.strategies.random_search:RandomSearch") is RandomSearch


def test_relative_path_is_the_file_of_the_folder_one_is_in(tmp_path, monkeypatch):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "s.py").write_text(GOOD + f"\nMine.where = {folder!r}\n")
    found = []
    for folder in ("a", "b"):
        monkeypatch.chdir(tmp_path / folder)
        found.append(load_strategy("s.py:Mine").where)
    assert found == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "error", "wanted"),
    [
        ("{}:Mien", UnknownName, r"no strategy in .*mine\.py is named 'Mien'"),
        ("{}:", UnknownName, r"no strategy in .*mine\.py is named ''"),
        ("{}:Half", BadOption, r"class Half has no tell\(\)"),
        ("{}:wrong", BadOption, r"takes \(space, evaluate, rng, \.\.\.\), got \(space, rng\)"),
        ("{}:number", BadOption, "expected a class or a function, got int"),
        ("{}x.py:Mine", UnknownName, r"no file '.*mine\.pyx\.py'\. Give FILE\.py:Name"),
        ("nowhere.at.all:Mine", UnknownName, r"no module 'nowhere\.at\.all'"),
        (":Mine", BadOption, r"expected FILE\.py:Name or package\.module:Name, got ':Mine'"),
        (".relative:Mine", BadOption, r"expected FILE\.py:Name or package\.module:Name"),
    ],
)
def test_what_is_no_strategy_is_refused(file, name, error, wanted):
    with pytest.raises(error, match=wanted):
        load_strategy(name.format(file))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("def f(:", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import not_installed_at_all", "ModuleNotFoundError: No module named 'not_installed_at_all'"),
    ],
)
def test_file_that_fails_on_import_is_refused_with_its_reason(tmp_path, text, wanted):
    path = tmp_path / "broken.py"
    path.write_text(text)
    before = set(sys.modules)
    with pytest.raises(BadOption, match=rf"broken\.py failed on import: {wanted}"):
        load_strategy(f"{path}:Mine")
    assert {m for m in sys.modules if m.startswith("nasbench_file_")} <= before


def test_module_that_fails_on_import_is_refused_with_its_reason(tmp_path, monkeypatch):
    (tmp_path / "broken_strategy_module.py").write_text("raise RuntimeError('half done')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BadOption, match="broken_strategy_module failed on import: RuntimeError: half done"):
        load_strategy("broken_strategy_module:Mine")


def test_module_that_needs_another_package_names_it(tmp_path, monkeypatch):
    (tmp_path / "needy_strategy_module.py").write_text("import not_installed_at_all")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtra, match="needs not_installed_at_all: pip install not_installed_at_all"):
        load_strategy("needy_strategy_module:Mine")


@pytest.fixture
def entry_point(monkeypatch, tmp_path):
    """Pretend that an installed package brings a strategy."""

    def bring(name, value):
        point = EntryPoint(name=name, value=value, group="nasbench.strategies")
        monkeypatch.setattr(loading, "entry_points", lambda group: EntryPoints([point]).select(group=group))

    return bring


@pytest.mark.parametrize("name", ["their-search", "Their_Search"])
def test_strategy_of_an_installed_package_loads(entry_point, name):
    entry_point(name, "nasbench.strategies.random_search:RandomSearch")
    assert load_strategy("their-search") is RandomSearch
    assert "their-search" in strategy_names()


def test_name_of_an_installed_strategy_is_among_the_near_ones(entry_point):
    entry_point("their-search", "nasbench.strategies.random_search:RandomSearch")
    with pytest.raises(UnknownName, match="'their-search'"):
        load_strategy("theirs-search")


def test_installed_package_that_is_broken_is_named(entry_point):
    entry_point("their-search", "not_there_at_all:Search")
    with pytest.raises(UnknownName, match=r"no module 'not_there_at_all' for 'their-search'"):
        load_strategy("their-search")


def test_installed_package_cannot_replace_a_strategy_of_our_own(entry_point):
    entry_point("random-search", "nasbench.strategies.grid:Grid")
    assert load_strategy("random-search") is RandomSearch
