"""Doors without the library behind them, and libraries that would talk or leave handlers behind."""

from __future__ import annotations

import logging
import sys
import tomllib
import warnings
from pathlib import Path

import pytest

from nasbench.errors import MissingExtra
from nasbench.strategies import STRATEGIES, Card
from nasbench.strategies.doors.library import library, quiet
from nasbench.strategies.loading import load_strategy
from nasbench.strategies.strategy import make
from nasbench.testing import toy_setting, toy_space

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
DOORS = PROJECT["entry-points"]["nasbench.strategies"]
FIRST_IMPORT = {
    "optuna": "optuna",
    "pymoo": "pymoo.core.evaluator",
    "smac3": "smac",
    "syne-tune": "syne_tune",
}


def test_no_door_takes_the_name_of_a_strategy_of_our_own():
    assert not DOORS.keys() & STRATEGIES.keys()


@pytest.mark.parametrize("name", sorted(DOORS))
def test_card_is_read_and_construction_names_the_install_command_where_the_library_is_absent(
    name, monkeypatch, rng
):
    for module in [m for m in sys.modules if m.split(".")[0] == FIRST_IMPORT[name].split(".")[0]]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, FIRST_IMPORT[name], None)
    factory = load_strategy(DOORS[name])
    (extra,) = factory.card.needs
    assert isinstance(factory.card, Card)
    assert extra in PROJECT["optional-dependencies"]
    with pytest.raises(MissingExtra, match=rf"^Strategy {name} needs .*pip install 'nasbench\[{extra}\]'$"):
        make(factory, toy_space(), rng=rng, setting=toy_setting())


def test_library_that_is_there_is_imported():
    assert library("json", extra="optuna", purpose="Strategy optuna") is sys.modules["json"]


def test_quiet_keeps_warnings_and_logs_back(caplog):
    with quiet("some_library"):
        logging.getLogger("some_library.part").error("something")
        warnings.warn("something", UserWarning, stacklevel=1)
    assert caplog.records == []


def test_quiet_leaves_logging_as_it_was(monkeypatch):
    monkeypatch.setattr(logging.root, "handlers", [])
    top = logging.getLogger("some_library")
    monkeypatch.setattr(top, "level", logging.DEBUG)

    def work():
        with quiet("some_library"):
            logging.debug("as a careless library does")
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert (logging.root.handlers, top.level) == ([], logging.DEBUG)
