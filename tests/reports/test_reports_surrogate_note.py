"""A leaderboard on a surrogate says how good the surrogate is, and separates nothing within its error."""

from __future__ import annotations

import shutil

import pytest

from nasbench.errors import Mismatch
from nasbench.evaluation.surrogate_source import open_surrogate
from nasbench.reports.leaderboard import SurrogateNote
from nasbench.reports.markdown import render_markdown
from nasbench.reports.publish import publish, rebuild
from nasbench.reports.surrogate_note import is_within_error, surrogate_note
from nasbench.reports.verification import verify
from nasbench.runs.packing import read_records, write_records
from nasbench.runs.suite import parse_suite
from nasbench.store.bundled import find_table
from nasbench.surrogates.files import save
from nasbench.surrogates.fitting import fit_surrogate

NOTE = SurrogateNote(
    fitted_on="t", architectures=100, metric="test_error", error=0.02, mae=0.03, r2=0.8, kendall_tau=0.7
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("board")
    path = folder / "made.surrogate.h5"
    save(fit_surrogate(find_table("digits-nb201"), model="linear", rows=300), path)
    suite = {
        "name": "on-a-surrogate",
        "sources": [str(path)],
        "strategies": [{"name": "random-search"}, {"name": "local-search"}, {"name": "grid"}],
        "seeds": 12,
        "budget": "40evals",
    }
    publish(parse_suite(suite, where="a test"), folder / "board")
    return folder / "board"


@pytest.fixture(scope="module")
def panel(folder):
    return rebuild(folder).panels[0]


def test_panel_carries_the_surrogates_own_numbers(panel, folder):
    card = open_surrogate(str(folder.parent / "made.surrogate.h5")).surrogate.card
    told = card.quality["test_error"]
    assert panel.surrogate.error == told["unknown_of_best"]
    assert panel.surrogate.mae == told["mae"]
    assert (panel.surrogate.fitted_on, panel.surrogate.architectures) == ("digits-nb201", 300)


def test_page_says_that_errors_are_predicted(panel, folder):
    assert (
        "All errors here are predicted, by a surrogate fitted on 300 architectures of digits-nb201"
        in (panel.warnings[0])
    )
    assert "All errors here are predicted" in (folder / "index.html").read_text()
    assert "All errors here are predicted" in render_markdown(rebuild(folder), pictures=[])


def test_what_lies_within_its_error_is_not_separated(panel):
    best = next(entry for entry in panel.entries if entry.is_best)
    for entry in panel.entries:
        if entry is not best and entry.final.mean - best.final.mean < panel.surrogate.error:
            assert entry.not_separated
    close = [entry for entry in panel.entries if entry.label != "random-search"]
    base = next(entry for entry in panel.entries if entry.label == "random-search")
    for entry in close:
        within = abs(entry.final.mean - base.final.mean) < panel.surrogate.error
        said = next(sentence for sentence in panel.verdicts if sentence.startswith(entry.label))
        assert ("closer than the surrogate's own error" in said) == within


def test_leaderboard_is_of_the_newer_schema_and_verifies(folder):
    board = rebuild(folder)
    assert board.schema_version == "1.1"
    assert verify(folder, sample=1) >= 1


@pytest.mark.slow
def test_the_last_decimal_of_a_prediction_may_be_another_and_no_more(folder, tmp_path):
    def changed(by):
        copy = shutil.copytree(folder, tmp_path / str(by))
        records = read_records(copy / "records.h5")
        records.panels[0].scores[0] += by
        write_records(records, copy / "records.h5")
        rebuild(copy)
        return copy

    assert verify(changed(1e-9), sample=0) == 0
    with pytest.raises(Mismatch, match="score of "):
        verify(changed(3e-9), sample=0)


def test_two_means_are_compared_with_the_error():
    assert is_within_error(NOTE, 0.10, 0.119)
    assert not is_within_error(NOTE, 0.10, 0.121)
    assert not is_within_error(None, 0.1, 0.1)
    assert not is_within_error(NOTE, None, 0.1)


@pytest.mark.parametrize("kind", ["table", "trainer"])
def test_other_sources_have_no_note(kind):
    assert surrogate_note({"kind": kind, "extra": {"quality": {}}}, "trial") is None
    assert surrogate_note({"kind": "surrogate", "extra": {}}, "trial") is None
