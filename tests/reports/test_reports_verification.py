from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasbench.errors import BadOption, FormatError, Mismatch
from nasbench.reports import page_check
from nasbench.reports.assemble import assemble
from nasbench.reports.leaderboard import Leaderboard
from nasbench.reports.publish import LEADERBOARD, RECORDS, SUITE, publish, rebuild
from nasbench.reports.verification import first_difference, verify
from nasbench.runs.packing import PackedPanel, PackedRecords, read_records, write_records
from nasbench.runs.suite import parse_suite, write_suite


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published folder that nobody alters."""
    folder = tmp_path_factory.mktemp("verified") / "board"
    data = {
        "name": "small",
        "sources": ["nb201-cifar10"],
        "strategies": [{"name": "random-search"}, {"name": "regularized-evolution"}],
        "seeds": 3,
        "budget": "8evals",
    }
    publish(parse_suite(data, where="test"), folder)
    return folder


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "board"))


Forge = Callable[..., None]


@pytest.fixture
def forge(folder: Path) -> Forge:
    """Change the records as somebody would who knows the format, and make every hash and page anew."""

    def forged(panel: Callable[[PackedPanel], PackedPanel], **fields: Any) -> None:
        records = read_records(folder / RECORDS)
        changed = replace(records, panels=[panel(p) for p in records.panels], **fields)
        write_records(changed, folder / RECORDS)
        rebuild(folder)

    return forged


def _with_run(panel: PackedPanel, **columns: Any) -> PackedPanel:
    """Change columns of the last run of the first row."""
    first = panel.entries[0]
    run = replace(first.runs[-1], **columns)
    return replace(panel, entries=[replace(first, runs=[*first.runs[:-1], run]), *panel.entries[1:]])


def test_what_was_published_holds_and_every_check_is_told(published: Path) -> None:
    told: list[str] = []
    assert verify(published, say=told.append) == 6
    for words in (
        "content hash holds", "is the suite of the records", "holds every run", "id holds",
        "every number recomputed", "say what leaderboard.json says", "the same strokes",
        "source content, scores and reference lines hold", "48 recorded answers", "6 of 6 runs made again",
    ):  # fmt: skip
        assert sum(words in line for line in told) == 1, words


@pytest.mark.parametrize(("sample", "made"), [(0, 0), (1, 2), (2, 4), (3, 6), (99, 6), (None, 6)])
def test_the_sample_says_how_many_runs_of_each_row_are_made_again(
    published: Path, sample: int | None, made: int
) -> None:
    assert verify(published, sample=sample) == made


def test_a_negative_sample_is_refused(published: Path) -> None:
    with pytest.raises(BadOption, match="sample: expected a number of runs >= 0, got -1"):
        verify(published, sample=-1)


def test_an_empty_folder_is_refused_by_file(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"records.h5: no such file"):
        verify(tmp_path)


def test_a_missing_leaderboard_is_refused_by_file(folder: Path) -> None:
    (folder / LEADERBOARD).unlink()
    with pytest.raises(FormatError, match=r"leaderboard.json: no such file. Build it with"):
        verify(folder)


def test_a_leaderboard_of_other_fields_is_refused(folder: Path) -> None:
    (folder / LEADERBOARD).write_text('{"title": "mine"}')
    with pytest.raises(FormatError, match=r"leaderboard.json: not a leaderboard: "):
        verify(folder)


def test_an_edited_suite_is_named_by_field(folder: Path) -> None:
    path = folder / SUITE
    path.write_text(path.read_text().replace('"random-search"', '"random_search"', 1))
    with pytest.raises(Mismatch, match=r"suite.toml: not the suite .*suite.strategies\[0\].name: stated"):
        verify(folder)


def test_a_suite_that_is_none_any_more_is_a_mismatch(folder: Path) -> None:
    path = folder / SUITE
    path.write_text(path.read_text().replace("seeds = 3", "seeds = -3"))
    with pytest.raises(Mismatch, match=r"suite.toml: seeds: .*The records were made with another"):
        verify(folder)


def test_a_missing_suite_is_a_mismatch(folder: Path) -> None:
    (folder / SUITE).unlink()
    with pytest.raises(Mismatch, match=r"suite.toml: no such file"):
        verify(folder)


def test_a_forged_answer_of_an_unsampled_run_is_found(folder: Path, forge: Forge) -> None:
    def better(panel: PackedPanel) -> PackedPanel:
        errors = panel.entries[0].runs[-1].valid_error.copy()
        errors[2] -= 0.01
        return _with_run(panel, valid_error=errors)

    forge(better)
    with pytest.raises(Mismatch, match=r"random-search, seed 2: valid_error of trial 2: recorded .* answers"):
        verify(folder, sample=0)


def test_an_architecture_put_in_later_is_found_when_its_run_is_made_again(folder: Path, forge: Forge) -> None:
    """Answers of the source, but to questions that the strategy never asked."""

    def swapped(panel: PackedPanel) -> PackedPanel:
        run = panel.entries[0].runs[-1]
        turn = np.arange(len(run.number))[::-1]
        columns = ("codes", "replicate", "valid_error", "test_error")
        return _with_run(panel, **{name: getattr(run, name)[turn] for name in columns})

    forge(swapped)
    verify(folder, sample=0)
    with pytest.raises(Mismatch, match="random-search, seed 2: run again, codes of trial 0"):
        verify(folder, sample=None)


def test_a_forged_score_is_found(folder: Path, forge: Forge) -> None:
    forge(lambda panel: replace(panel, scores=panel.scores * 0.9))
    with pytest.raises(Mismatch, match=r"nb201-cifar10: score of \|.*: recorded .*, the source says"):
        verify(folder, sample=0)


def test_a_forged_optimum_is_found(folder: Path, forge: Forge) -> None:
    forge(lambda panel: replace(panel, reference={**panel.reference, "optimum_error": 0.2}))
    with pytest.raises(
        Mismatch, match=r"nb201-cifar10: reference.optimum_error: stated 0.2, recomputed 0.08"
    ):
        verify(folder, sample=0)


def test_a_forged_dataset_is_found(folder: Path, forge: Forge) -> None:
    forge(lambda panel: replace(panel, source={**panel.source, "dataset": "ImageNet"}))
    with pytest.raises(Mismatch, match=r"made on another source: source.dataset: stated 'ImageNet', here"):
        verify(folder, sample=0)


def test_what_the_records_call_a_strategy_is_what_its_code_says(folder: Path, forge: Forge) -> None:
    def called(panel: PackedPanel) -> PackedPanel:
        cards = {
            **panel.source["cards"],
            "random-search": {"family": "random", "paper": "", "mode": "analogue"},
        }
        return replace(panel, source={**panel.source, "cards": cards})

    forge(called)
    with pytest.raises(
        Mismatch, match=r"random-search: card.mode: stated 'analogue', its code says 'faithful'"
    ):
        verify(folder, sample=0)


def test_a_run_left_out_is_found(folder: Path, forge: Forge) -> None:
    def cut(panel: PackedPanel) -> PackedPanel:
        first = panel.entries[0]
        return replace(panel, entries=[replace(first, runs=first.runs[1:]), *panel.entries[1:]])

    forge(cut)
    with pytest.raises(Mismatch, match=r"random-search: expected the 3 seeds from 0 on .* got 2 runs"):
        verify(folder, sample=0)


def test_a_row_left_out_is_found(folder: Path, forge: Forge) -> None:
    forge(lambda panel: replace(panel, entries=panel.entries[:1]))
    with pytest.raises(Mismatch, match=r"the suite has the rows .*, the records"):
        verify(folder, sample=0)


def test_runs_under_other_settings_are_found(folder: Path, forge: Forge) -> None:
    def other(panel: PackedPanel) -> PackedPanel:
        first = panel.entries[0]
        runs = [replace(run, header={**run.header, "options": {"tries": 9}}) for run in first.runs]
        return replace(panel, entries=[replace(first, runs=runs), *panel.entries[1:]])

    forge(other)
    with pytest.raises(Mismatch, match=r"seed 0: header.options: recorded \{'tries': 9\}, the suite says"):
        verify(folder, sample=0)


def test_a_source_without_its_records_is_found(folder: Path) -> None:
    records = read_records(folder / RECORDS)
    suite = parse_suite({**records.suite, "sources": ["nb201-cifar10", "nb201-cifar100"]}, where="test")
    write_records(replace(records, suite=suite.content()), folder / RECORDS)
    write_suite(suite, folder / SUITE)
    with pytest.raises(Mismatch, match="the suite has 2 sources, the records 1"):
        verify(folder)


def test_records_that_make_no_leaderboard_are_a_mismatch(folder: Path) -> None:
    records = read_records(folder / RECORDS)
    panel = records.panels[0]
    broken = replace(panel, source={k: v for k, v in panel.source.items() if k != "dataset"})
    write_records(replace(records, panels=[broken]), folder / RECORDS)
    with pytest.raises(Mismatch, match=r"records.h5: no leaderboard can be made of it: 'dataset'"):
        verify(folder)


def test_numbers_agree_within_another_platforms_arithmetic(folder: Path) -> None:
    board = Leaderboard.model_validate_json((folder / LEADERBOARD).read_text())
    final = board.panels[0].entries[0].final
    assert final.mean is not None
    final.mean *= 1 + 1e-9
    from nasbench.reports.write import write_report

    write_report(board.with_id(), folder)
    assert verify(folder, sample=0) == 0


@pytest.mark.parametrize(
    ("stated", "found", "difference"),
    [
        (1.0, 1.0 + 1e-9, ""),
        (1.0, 1.001, ": stated 1.0, recomputed 1.001"),
        (True, 1, ""),
        (None, 0.5, ": stated None, recomputed 0.5"),
        ({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "y"}]}, "a[1].b: stated 'x', recomputed 'y'"),
        ({"a": [1]}, {"a": [1, 2]}, "a: stated 1 items, recomputed 2"),
        ({"a": 1}, {}, "a: only in one of the two"),
        ({}, {"a": 1}, "a: only in one of the two"),
        ({"id": "x", "nasbench_version": "1"}, {"id": "y", "nasbench_version": "2"}, ""),
        ({"a": {"id": "x"}}, {"a": {"id": "y"}}, "a.id: stated 'x', recomputed 'y'"),
    ],
)
def test_the_first_difference_is_named(stated: Any, found: Any, difference: str) -> None:
    assert first_difference(stated, found) == difference


def test_curves_drawn_by_another_matplotlib_are_not_compared_and_it_is_said(folder: Path) -> None:
    for name in ("index.html", "curves.svg"):
        text = (folder / name).read_text()
        start = text.index("<path", text.index("<svg"))
        (folder / name).write_text(text[:start] + "<path d='M0 0'/>" + text[start:])
    told: list[str] = []
    verify(folder, sample=0, say=told.append)
    assert any(line.startswith("drawn curves: not compared: ") for line in told)


def test_a_page_of_another_version_is_compared_by_its_data(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_check, "__version__", "99.0")
    told: list[str] = []
    verify(folder, sample=0, say=told.append)
    assert any("this is 99.0, so the texts around them are not compared" in line for line in told)
    path = folder / "index.html"
    path.write_text(path.read_text().replace('"title":"', '"title":"Not '))
    with pytest.raises(Mismatch, match=r"index.html: the data inside differ from leaderboard.json"):
        verify(folder, sample=0)


def test_a_page_without_its_data_is_found(folder: Path) -> None:
    (folder / "index.html").write_text("<h1>Trust me</h1>")
    with pytest.raises(Mismatch, match=r"index.html: the data inside differ"):
        verify(folder)


def test_a_line_added_to_a_page_is_found(folder: Path) -> None:
    with (folder / "curves.csv").open("a") as stream:
        stream.write("nb201-cifar10,mine,days,error,1,0,0,0,0\n")
    with pytest.raises(Mismatch, match=r"curves.csv: line \d+: stated 'nb201-cifar10,mine,"):
        verify(folder)


def test_reported_rows_of_another_version_are_said(folder: Path, forge: Forge) -> None:
    row = {
        "method": "Somebody's", "error_percent": 2.5, "error_std_percent": None, "gpu_days": 1.0,
        "parameters_millions": 3.0, "reference": "Somebody 2020", "note": "",
    }  # fmt: skip
    forge(lambda panel: replace(panel, source={**panel.source, "published": [row]}))
    told: list[str] = []
    verify(folder, sample=0, say=told.append)
    assert "CIFAR-10: reported rows are not those of published.csv here, of another version or edited" in told


def test_a_leaderboard_is_made_of_its_records_alone(
    published: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    records: PackedRecords = read_records(published / RECORDS)
    stated = json.loads((published / LEADERBOARD).read_text())
    monkeypatch.setattr("nasbench.store.bundled.data_folders", lambda: (tmp_path,))
    assert json.loads(assemble(records).canonical_json()) == stated
