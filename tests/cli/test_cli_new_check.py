from __future__ import annotations

from pathlib import Path

import pytest
from cli_calls import QUICK, Nasbench

from nasbench.spaces import SPACES
from nasbench.testing import SPACE_RULES
from nasbench.testing.strategy import RULES


def test_a_new_strategy_keeps_the_contract_and_runs(
    nasbench: Nasbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written = nasbench("new", "strategy", "hill_climber.py")
    assert written.status == 0
    assert "nasbench check strategy hill_climber.py:HillClimber" in written.out
    checked = nasbench("check", "strategy", f"{tmp_path}/hill_climber.py:HillClimber")
    assert (checked.status, checked.err) == (0, "")
    assert checked.out.endswith("HillClimber keeps the contract.\n")
    ran = nasbench(
        "compare",
        *QUICK,
        "--strategies",
        f"{tmp_path}/hill_climber.py:HillClimber",
        "--seeds",
        "2",
        "--out",
        "x",
    )
    assert ran.status == 0


def test_an_existing_file_is_never_overwritten(nasbench: Nasbench, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("precious")
    ended = nasbench("new", "strategy", path)
    assert ended.status == 2
    assert "is there already; it is not overwritten" in ended.err
    assert path.read_text() == "precious"


@pytest.mark.parametrize(("name", "message"), [("mine.txt", "ends in .py"), ("1x.py", "cannot name a class")])
def test_a_bad_file_name_is_refused(nasbench: Nasbench, tmp_path: Path, name: str, message: str) -> None:
    ended = nasbench("new", "strategy", tmp_path / name)
    assert ended.status == 2
    assert message in ended.err


def test_a_new_strategy_in_a_folder_that_is_not_there_fails_plainly(
    nasbench: Nasbench, tmp_path: Path
) -> None:
    ended = nasbench("new", "strategy", tmp_path / "no" / "mine.py")
    assert ended.status == 1
    assert ended.err == f"error: {tmp_path}/no/mine.py: No such file or directory\n"


def test_a_broken_strategy_fails_the_check_with_the_rule(nasbench: Nasbench, tmp_path: Path) -> None:
    path = tmp_path / "greedy.py"
    path.write_text(
        "from nasbench.records import Proposal\n"
        "from nasbench.strategies import Card\n"
        "class Greedy:\n"
        "    card = Card(family='own', paper='')\n"
        "    def __init__(self, space, *, rng): self.space, self.rng = space, rng\n"
        "    def ask(self, n):\n"
        "        codes = self.space.sample(n + 1, rng=self.rng).tolist()\n"
        "        return [Proposal(tuple(c)) for c in codes]\n"
        "    def tell(self, trials): pass\n"
    )
    ended = nasbench("check", "strategy", f"{path}:Greedy")
    assert ended.status != 0
    assert "ask" in ended.err
    assert "Traceback" not in ended.err


def test_check_as_json_lists_the_rules_by_space(nasbench: Nasbench) -> None:
    ended = nasbench("check", "strategy", "random-search", "--space", "nb201", "--json")
    assert ended.status == 0
    assert list(ended.data["passed"]) == ["nb201"]
    assert len(ended.data["passed"]["nb201"]) > 3


def test_every_rule_is_checked_on_toys_and_what_a_space_can_break_on_each_space(nasbench: Nasbench) -> None:
    passed = nasbench("check", "strategy", "random-search", "--json").data["passed"]
    assert set(passed) == {"toy", *SPACES}
    assert passed["toy"] == list(RULES)
    assert all(passed[space] == list(SPACE_RULES) for space in SPACES)


def test_check_of_an_unknown_space_names_the_near_one(nasbench: Nasbench) -> None:
    ended = nasbench("check", "strategy", "random-search", "--space", "nb20")
    assert ended.status == 2
    assert "nb201" in ended.err
