"""What a search that shares weights or descends gradients cannot act on is refused before work starts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cli_calls import Nasbench

from nasbench.store.bundled import find_table
from nasbench.store.writer import write_tables


@pytest.fixture
def four_cells(tmp_path: Path) -> Path:
    """The first four rows of a bundled table, in a file of its own."""
    import dataclasses

    data = find_table("fashion-nb201").data()
    rows = slice(0, 4)
    cut = dataclasses.replace(
        data,
        name="four",
        codes=data.codes[rows],
        curves={name: curve[rows] for name, curve in data.curves.items()},
        scalars={name: dataclasses.replace(s, values=s.values[rows]) for name, s in data.scalars.items()},
        failed=None,
        provenance=None,
    )
    path = tmp_path / "four.h5"
    write_tables(path, [cut])
    return path


def compare(nasbench: Nasbench, out: Path, source: object, strategy: str) -> object:
    call = ("compare", "--source", source, "--strategies", strategy, "--seeds", 1, "--budget", "60s")
    return nasbench(*call, "--out", out)


@pytest.mark.parametrize("strategy", ["darts", "spos"])
def test_table_of_too_few_rows_says_how_many_are_wanted(
    nasbench: Nasbench, tmp_path: Path, four_cells: Path, strategy: str
) -> None:
    pytest.importorskip("torch")
    ended = compare(nasbench, tmp_path / "out", four_cells, strategy)
    assert ended.status == 2
    assert "table: expected at least 50 trained architectures" in ended.err
    assert "got 4. Add some with nasbench populate, or search live" in ended.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("strategy", ["darts", "spos"])
def test_space_without_a_relaxation_names_what_serves(
    nasbench: Nasbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strategy: str
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setattr("nasbench.evaluation.table_source.TableSource.relaxation", None)
    ended = compare(nasbench, tmp_path / "out", "nb201-cifar10", strategy)
    assert ended.status == 2
    assert "got one without. The spaces nb201 and darts have supernets: use live training" in ended.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("source", ["nb201-cifar10", "fashion-nb201", "live:digits"])
@pytest.mark.parametrize("strategy", ["darts", "spos"])
def test_without_torch_the_command_that_brings_it_is_named(
    nasbench: Nasbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, strategy: str
) -> None:
    for name in [name for name in sys.modules if name == "torch" or name.startswith("torch.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    ended = compare(nasbench, tmp_path / "out", source, strategy)
    assert ended.status == 4
    assert "pip install 'nasbench[torch]'" in ended.err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_search_on_live_darts_cells_ends_and_its_answer_is_trained_into_a_table(
    nasbench: Nasbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    from dataclasses import replace

    from nasbench.training.recipes import RECIPES

    small = replace(RECIPES["digits-darts"], epochs=2, channels=2, stages=2, train_images=60, batch_size=15)
    monkeypatch.setitem(RECIPES, "digits-darts", small)
    out, table = tmp_path / "out", tmp_path / "derived.h5"
    assert compare(nasbench, out, "live:digits@digits-darts", "darts[epochs=2]").status == 0
    ended = nasbench(
        "populate", "darts", "--data", "digits", "--recipe", "digits-darts", "--table", table,
        "--from-run", out, "--jobs", 1, "--dry-run", "--json",
    )  # fmt: skip
    assert ended.status == 0
    assert "derived: darts (epochs=2), seed 0, live:digits@" in ended.err
    assert "Genotype(normal=[(" in ended.err
    assert not table.exists()
