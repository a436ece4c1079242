"""What searches on a surrogate found is trained live, kept in a table, stated on the page and verified."""

from __future__ import annotations

import csv
import shutil
from dataclasses import asdict, replace

import numpy as np
import pytest

from nasbench.errors import BadOption, FormatError, Mismatch
from nasbench.evaluation.behind import training_behind
from nasbench.evaluation.surrogate_source import open_surrogate
from nasbench.reports.publish import publish, rebuild
from nasbench.reports.retrained import retraining_sentences
from nasbench.reports.retraining_check import check_retraining
from nasbench.reports.verification import verify
from nasbench.runs.packing import read_records, write_records
from nasbench.runs.suite import Retraining, parse_suite, read_suite, write_suite
from nasbench.spaces import get_space
from nasbench.store.bundled import find_table
from nasbench.store.data import TableData
from nasbench.store.info import TableInfo
from nasbench.store.table import open_table
from nasbench.store.writer import write_tables
from nasbench.surrogates.files import save
from nasbench.surrogates.fitting import fit_surrogate
from nasbench.training.recipes import RECIPES

pytestmark = pytest.mark.slow  # networks are trained

TINY = replace(RECIPES["digits-small"], epochs=2, channels=4, cells_per_stage=1, batch_size=256)


def made_up(recipe, dataset="digits"):
    """A table that says it was trained by a recipe, with errors by the number of 3x3 convolutions."""
    codes = get_space("nb201").unrank(np.random.default_rng(0).permutation(15_625)[:80])
    worse = (codes != 3).sum(axis=1)[:, None, None] / 10
    errors = np.clip(
        worse + np.array([0.1, 0.05]) + np.random.default_rng(1).normal(0, 0.01, (80, 2, 1)), 0, 1
    )
    seconds = np.broadcast_to(np.array([1.0, 2.0]), errors.shape)
    info = TableInfo("nb201", dataset, "one core", "cpu", "CC0-1.0", "made up for a test", recipe=recipe)
    curves = {"valid_error": errors, "test_error": errors + 0.01, "train_seconds": seconds}
    return TableData(
        "made-up", info, codes, (1, 2), {k: np.asarray(v, np.float32) for k, v in curves.items()}
    )


def surrogate_of(data, folder):
    write_tables(folder / "made-up.h5", [data])
    save(fit_surrogate(open_table(folder / "made-up.h5"), model="linear"), folder / "made.surrogate.h5")
    return folder / "made.surrogate.h5"


def suite_of(path, **more):
    data = {
        "name": "retrained",
        "sources": [str(path)],
        "strategies": [{"name": "random-search"}, {"name": "local-search"}],
        "seeds": 3,
        "budget": "20evals",
        "retraining": {"best": 2, "replicates": 2},
    }
    return parse_suite({**data, **more}, where="a test")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    folder = tmp_path_factory.mktemp("retrained")
    path = surrogate_of(made_up(asdict(TINY)), folder)
    publish(suite_of(path), folder / "board")
    return folder / "board"


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


def panel_of(folder):
    return rebuild(folder).panels[0]


def test_every_row_has_its_best_trained_beside_the_prediction(folder):
    found, table = panel_of(folder).retraining, open_table(folder / "retrained.h5")
    assert [row.label for row in found.rows] == ["random-search", "local-search"]
    source = open_surrogate(str(folder.parent / "made.surrogate.h5"))
    for row in found.rows:
        assert len(row.architectures) == 2
        for one in row.architectures:
            code = get_space("nb201").parse(one.architecture)
            for replicate, error in enumerate(one.errors):
                assert error == pytest.approx(table.query(code, epochs=2, replicate=replicate).test_error)
            assert one.predicted == pytest.approx(source.score([code], epochs=2)[0])
            assert one.low <= one.predicted <= one.high
        trained = [error for one in row.architectures for error in one.errors]
        assert row.live == pytest.approx(np.mean(trained))
    assert found.trainings == 2 * len({one.architecture for row in found.rows for one in row.architectures})


def test_the_page_the_readme_and_a_table_of_their_own_say_it(folder):
    sentence = retraining_sentences(panel_of(folder).retraining)[0]
    page = (folder / "index.html").read_text()
    assert "The best of each row, trained live" in page
    assert sentence in page
    assert sentence in (folder / "README.md").read_text().replace("\\", "")
    with (folder / "retrained.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["label"] for row in rows} == {"random-search", "local-search"}
    assert len(rows) == 2 * 2 * 2


def test_it_verifies_and_is_not_trained_twice(folder, copy):
    assert verify(copy, sample=1) == 2
    before = (copy / "retrained.h5").read_bytes()
    publish(suite_of(folder.parent / "made.surrogate.h5"), copy)
    assert (copy / "retrained.h5").read_bytes() == before
    assert (copy / "leaderboard.json").read_bytes() == (folder / "leaderboard.json").read_bytes()
    assert not list(copy.glob("*.ledger*"))


def test_more_of_the_best_may_be_asked_for_later(folder, copy):
    path = folder.parent / "made.surrogate.h5"
    publish(suite_of(path, retraining={"best": 3, "replicates": 2}), copy)
    assert all(len(row.architectures) == 3 for row in panel_of(copy).retraining.rows)
    assert verify(copy, sample=0) == 0


def test_a_changed_number_in_the_records_is_found(copy):
    records = read_records(copy / "records.h5")
    records.panels[0].source["retrained"]["architectures"][0]["errors"][0] += 0.001
    write_records(records, copy / "records.h5")
    rebuild(copy)
    with pytest.raises(
        Mismatch, match=r"retraining.architectures: the records do not state what retrained.h5"
    ):
        verify(copy, sample=0)


def test_a_table_that_is_gone_or_edited_is_found(copy):
    held = (copy / "retrained.h5").read_bytes()
    (copy / "retrained.h5").unlink()
    with pytest.raises(Mismatch, match="no such file, but the records state its trainings"):
        verify(copy, sample=0)
    (copy / "retrained.h5").write_bytes(held[:-3_000])
    with pytest.raises(FormatError):
        verify(copy, sample=0)


def test_a_retraining_that_nobody_asked_for_is_found(folder):
    records = read_records(folder / "records.h5")
    source = open_surrogate(str(folder.parent / "made.surrogate.h5"))
    without = suite_of(folder.parent / "made.surrogate.h5", retraining=None)
    with pytest.raises(Mismatch, match="the suite asks for none, the record holds one"):
        list(check_retraining(without, records.panels[0], 0, source, folder))
    table = find_table("digits-nb201")
    with pytest.raises(Mismatch, match="expected a surrogate as source"):
        list(check_retraining(suite_of("x"), records.panels[0], 0, table_source(table), folder))


def table_source(table):
    from nasbench.evaluation.table_source import TableSource

    return TableSource(table)


def test_the_suite_is_written_and_read_back(tmp_path):
    suite = suite_of("x.surrogate.h5")
    write_suite(suite, tmp_path / "suite.toml")
    assert read_suite(tmp_path / "suite.toml") == suite
    assert suite.retraining == Retraining(best=2, replicates=2)
    assert "retraining" not in suite_of("x", retraining=None).content()
    with pytest.raises(BadOption, match=r"retraining.best: .* greater than or equal to 1"):
        suite_of("x", retraining={"best": 0})


@pytest.mark.parametrize(
    ("recipe", "dataset"), [({"epochs": 2}, "digits"), (asdict(TINY), "somebody's images")]
)
def test_what_cannot_be_trained_here_is_refused_before_anything_runs(tmp_path, recipe, dataset):
    path = surrogate_of(made_up(recipe, dataset), tmp_path)
    with pytest.raises(
        BadOption, match="retraining: expected a surrogate of trainings that can be made here"
    ):
        publish(suite_of(path), tmp_path / "board")
    assert not (tmp_path / "board").exists()


def test_a_table_is_refused(tmp_path):
    with pytest.raises(BadOption, match=r"retraining: expected surrogates as sources, got the table"):
        publish(suite_of("digits-nb201"), tmp_path / "board")


def test_the_recipe_behind_a_surrogate_has_its_name(tmp_path):
    path = surrogate_of(made_up(asdict(RECIPES["digits-small"])), tmp_path)
    assert training_behind(open_surrogate(str(path)).info).recipe_name == "digits-small"
