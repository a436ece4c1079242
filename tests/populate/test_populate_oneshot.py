"""One-shot errors: real supernets on a few rows of a table, and the column's way through later fillings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from populate_fakes import JOB, Fake

from nasbench.errors import BadOption
from nasbench.populate.filling import fill, missing
from nasbench.populate.local import LocalPool
from nasbench.populate.oneshot import add_column, score_table
from nasbench.populate.plan import tasks_of
from nasbench.populate.target import Target
from nasbench.records import Code
from nasbench.store.bundled import find_table
from nasbench.store.oneshot import OneShot, one_shot_columns
from nasbench.store.table import Table, open_table
from nasbench.store.verify import verify_table
from nasbench.store.writer import write_tables


def few_rows(path: Path, n: int = 12) -> Table:
    """Write the first rows of digits-nb201-oneshot, without its columns."""
    data = find_table("digits-nb201-oneshot").data()
    write_tables(
        path,
        [
            replace(
                data,
                codes=data.codes[:n],
                curves={name: curve[:n] for name, curve in data.curves.items()},
                scalars={},
                provenance=None,
            )
        ],
    )
    return open_table(path)


def test_supernet_scores_every_row_and_the_column_lands_in_the_file(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    path, told = tmp_path / "few.h5", []
    table = few_rows(path)
    column = score_table(table, epochs=3, seed=5, mixed_devices=True, tell=lambda *news: told.append(news))
    assert column.errors.shape == (12,)
    assert (column.epochs, column.seed, column.name) == (3, 5, "oneshot_error_seed_5")
    assert column.train_seconds > 0 < column.score_seconds
    assert told == [("epochs", 1, 3), ("epochs", 2, 3), ("epochs", 3, 3), ("architectures", 12, 12)]
    again = score_table(table, epochs=3, seed=5, mixed_devices=True)
    assert again.errors.tolist() == column.errors.tolist()
    assert score_table(table, epochs=3, seed=6, mixed_devices=True).errors.tolist() != column.errors.tolist()
    assert add_column(path, table.name, column) == open_table(path).content_hash != table.content_hash
    assert verify_table(path) == []
    (read,) = one_shot_columns(open_table(path))
    assert read.errors.tolist() == column.errors.astype(np.float32).tolist()
    assert read.made_by["code_hash"] == column.made_by["code_hash"]


def test_table_of_a_space_without_a_supernet_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    monkeypatch.setattr("nasbench.evaluation.live.SPACES_WITH_SUPERNET", frozenset())
    with pytest.raises(BadOption, match="space: expected one that has a supernet, got nb201"):
        score_table(find_table("digits-nb201-oneshot"), epochs=1)


def test_seconds_of_other_hardware_are_refused_unless_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    monkeypatch.setattr("nasbench.training.device._cpu_model", lambda: "an abacus")
    with pytest.raises(BadOption, match=r"counts seconds of AMD EPYC \(1 core\), got an abacus \(1 core\)"):
        score_table(few_rows(tmp_path / "few.h5"), epochs=1)


def test_column_stays_when_the_table_grows_and_new_rows_have_none(tmp_path: Path, codes: list[Code]) -> None:
    path = tmp_path / "t.h5"

    def grow(n: int) -> Table:
        with Target(path, JOB) as target:
            tasks = missing(target, tasks_of(codes[:n], replicates=1))
            with LocalPool(JOB, Fake, devices=["cpu"], time_limit=60.0) as pool:
                fill(target, tasks, pool)
        return open_table(path)

    first = grow(3)
    made = OneShot(np.array([0.1, 0.2, 0.3]), "ab", 2, 0, "uniform", 1.0, 1.0, {"device": "a desk"})
    add_column(path, first.name, made)
    grown = grow(5)
    (column,) = one_shot_columns(grown)
    known = {tuple(code): error for code, error in zip(first.codes.tolist(), made.errors, strict=True)}
    for code, error in zip(grown.codes.tolist(), column.errors.tolist(), strict=True):
        wanted = known.get(tuple(code), np.nan)
        assert error == pytest.approx(wanted, nan_ok=True)
    assert np.isnan(column.errors).sum() == 2
    assert column.train_seconds == 1.0
