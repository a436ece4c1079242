"""The page of a validated surrogate says what was found, for the same surrogate in the same bytes."""

from __future__ import annotations

import json
import re

import pytest

from nasbench.errors import BadOption
from nasbench.reports.publish import publish
from nasbench.reports.surrogate_page import DATA, PAGE, Study, write_study
from nasbench.reports.surrogate_ranks import compare_ranks
from nasbench.runs.suite import parse_suite
from nasbench.store.bundled import find_table
from nasbench.surrogates.files import save
from nasbench.surrogates.fitting import fit_surrogate
from nasbench.surrogates.validation import LeftOut, validate


@pytest.fixture(scope="module")
def table():
    return find_table("digits-nb201")


@pytest.fixture(scope="module")
def fitted(table):
    return fit_surrogate(table, model="linear", rows=200, name="<b>two & hundred</b>")


@pytest.fixture(scope="module")
def board(fitted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    save(fitted, folder / "made.surrogate.h5")
    suite = {
        "name": "ranks",
        "sources": ["digits-nb201", str(folder / "made.surrogate.h5")],
        "strategies": [{"name": "random-search"}, {"name": "local-search"}, {"name": "grid"}],
        "seeds": 4,
        "budget": "40evals",
    }
    return publish(parse_suite(suite, where="a test"), folder / "board")


@pytest.fixture(scope="module")
def study(fitted, table, board):
    finals, ranks = compare_ranks(board)
    found = validate(fitted, table)
    return Study(
        "Surrogate <i>made</i>", [found], "nasbench surrogate validate x", finals, ranks, "3 strategies."
    )


def test_ranks_are_those_of_the_boards_own_rows(board):
    finals, (ranks,) = compare_ranks(board)
    truth, predicted = board.panels
    assert finals == {entry.label: entry.final.mean for entry in truth.entries}
    assert ranks.finals == {entry.label: entry.final.mean for entry in predicted.entries}
    assert ranks.source.startswith("surrogate:")
    assert -1 <= ranks.kendall_tau <= 1
    expected = sum(abs(ranks.finals[name] - finals[name]) for name in finals) / 3
    assert ranks.final_distance == pytest.approx(expected)
    assert 0 < ranks.curve_distance < 0.5


def test_a_panel_compared_with_itself_is_the_same(board):
    twice = board.model_copy(update={"panels": [board.panels[0], board.panels[0]]})
    _, (ranks,) = compare_ranks(twice)
    assert (ranks.kendall_tau, ranks.curve_distance, ranks.final_distance) == (pytest.approx(1.0), 0.0, 0.0)


def test_one_panel_alone_cannot_be_compared(board):
    with pytest.raises(BadOption, match="expected a table and at least one surrogate, got one source"):
        compare_ranks(board.model_copy(update={"panels": board.panels[:1]}))


def test_a_strategy_without_a_result_is_named(board):
    blank = (
        board.panels[1]
        .entries[0]
        .model_copy(update={"final": board.panels[1].entries[0].final.model_copy(update={"mean": None})})
    )
    panel = board.panels[1].model_copy(update={"entries": [blank, *board.panels[1].entries[1:]]})
    with pytest.raises(BadOption, match="strategies: expected ones that come to a result in every run, got"):
        compare_ranks(board.model_copy(update={"panels": [board.panels[0], panel]}))


def test_page_and_data_say_what_was_found(study, fitted, table, tmp_path):
    paths = write_study(study, [fitted], table, tmp_path)
    assert [path.name for path in paths] == [PAGE, DATA]
    page = (tmp_path / PAGE).read_text()
    found = study.validations[0]
    assert f"{found.metrics['valid_error'].at_the_end['kendall_tau']:.3f}" in page
    assert "Do strategies rank as on the table?" in page
    assert "One strategy left out" not in page
    data = json.loads((tmp_path / DATA).read_text())
    assert data["validations"][0]["unseen"] == found.unseen
    assert data["ranks"][0]["finals"].keys() == data["finals_on_the_table"].keys()


def test_names_are_escaped(study, fitted, table, tmp_path):
    page = write_study(study, [fitted], table, tmp_path)[0].read_text()
    assert "&lt;b&gt;two &amp; hundred&lt;/b&gt;" in page
    assert "<i>made</i>" not in page


def test_same_study_gives_the_same_bytes(study, fitted, table, tmp_path):
    first = write_study(study, [fitted], table, tmp_path / "a")[0].read_bytes()
    assert write_study(study, [fitted], table, tmp_path / "b")[0].read_bytes() == first


def test_page_is_whole_without_script_or_network(study, fitted, table, tmp_path):
    page = write_study(study, [fitted], table, tmp_path)[0].read_text()
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)


def test_strategies_left_out_have_their_lines(study, fitted, table, tmp_path):
    from dataclasses import replace

    left = LeftOut("tpe", 300, 40, {"r2": 0.5, "mae": 0.03, "kendall_tau": 0.612, "sparse_kendall_tau": 0.6})
    more = replace(study, validations=[replace(study.validations[0], left_out=(left,))], ranks=(), finals={})
    page = write_study(more, [fitted], table, tmp_path)[0].read_text()
    assert "One strategy left out" in page
    assert "0.612" in page
