"""The numbers of a retraining, by hand, and what is missing for one."""

from __future__ import annotations

import sys

import pytest

from nasbench.errors import MissingExtra
from nasbench.reports.leaderboard import RetrainedRow
from nasbench.reports.publish import publish
from nasbench.reports.retrained import best_trained, retraining_of, retraining_sentences
from nasbench.reports.verification import verify
from nasbench.runs.suite import parse_suite

HELD = {
    "best": 2, "replicates": 2, "metric": "valid_error", "data": "digits", "recipe": "r", "device": "a desk",
    "table_hash": "", "rows": {"b": [[0, 0.08], [1, 0.09]], "a": [[2, 0.05], [3, 0.05]]},
    "architectures": [
        {"code": [0], "predicted": 0.10, "low": 0.05, "high": 0.15, "errors": [0.12, 0.16]},
        {"code": [1], "predicted": 0.20, "low": 0.15, "high": 0.25, "errors": [0.20, None]},
        {"code": [2], "predicted": 0.30, "low": 0.25, "high": 0.35, "errors": [0.10, 0.20]},
        {"code": [3], "predicted": 0.40, "low": 0.25, "high": 0.45, "errors": [None, None]},
    ],
}  # fmt: skip


def test_numbers_of_a_retraining_are_those_by_hand():
    found = retraining_of(HELD, ["a", "b"], format_code=lambda code: f"c{code[0]}")
    a, b = found.rows
    assert (a.label, a.predicted, a.live) == ("a", 0.30, pytest.approx(0.15))
    assert (b.predicted, b.live) == (pytest.approx(0.15), pytest.approx(0.17))
    assert (found.trainings, found.failed, found.inside) == (8, 3, 2)
    assert found.difference == pytest.approx((0.04 + 0.0 - 0.15) / 3)
    assert found.mae == pytest.approx((0.04 + 0.0 + 0.15) / 3)
    assert found.kendall_tau == pytest.approx(1 / 3)
    assert found.row_kendall_tau is None  # two rows say nothing
    assert best_trained(a) == pytest.approx(0.15)
    assert best_trained(b) == pytest.approx(0.14)
    said = " ".join(retraining_sentences(found))
    for part in ("2 times each", "3.67 points below", "3 trainings failed"):
        assert part in said


def test_nothing_trained_is_said_so():
    none = {**HELD, "rows": {"a": [[0, 0.05]]}, "architectures": HELD["architectures"][3:]}
    found = retraining_of(none, ["a"], format_code=str)
    assert (found.difference, found.rows[0].live) == (None, None)
    assert retraining_sentences(found)[-1] == "No training came to an error."
    assert best_trained(RetrainedRow(label="a", predicted=None, live=None, architectures=[])) is None
    assert retraining_of(None, ["a"], format_code=str) is None


def test_without_torch_it_is_refused_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    suite = {
        "name": "retrained",
        "sources": ["darts-digits"],
        "strategies": [{"name": "random-search"}],
        "seeds": 1,
        "budget": "5evals",
        "retraining": {},
    }
    with pytest.raises(MissingExtra, match="Retraining needs torch"):
        publish(parse_suite(suite, where="a test"), tmp_path / "board")
    assert not (tmp_path / "board").exists()


def test_runs_that_found_nothing_have_nothing_trained_and_their_page_is_made(tmp_path):
    pytest.importorskip("torch")
    (tmp_path / "broken.py").write_text("def search(space, evaluate, rng, budget):\n    raise OSError\n")
    suite = {
        "name": "retrained",
        "sources": ["darts-digits"],
        "strategies": [{"name": f"{tmp_path / 'broken.py'}:search"}],
        "seeds": 2,
        "budget": "5evals",
        "retraining": {},
    }
    board = publish(parse_suite(suite, where="a test"), tmp_path / "board")
    assert board.panels[0].retraining is None
    assert len(board.panels[0].entries[0].failures) == 2
    assert verify(tmp_path / "board", sample=0) == 0
