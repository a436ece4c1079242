from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from populate_fakes import FACTS, JOB, RECIPE, Diverging, numbers

from nasbench.errors import BadOption
from nasbench.populate.job import Outcome, Task
from nasbench.populate.rows import TRAINED_ROW, outcomes_of, table_data
from nasbench.records import Code
from nasbench.spaces import get_space
from nasbench.store.data import TableData
from nasbench.store.info import TableInfo
from nasbench.store.table import open_table
from nasbench.store.trainings import training_seeds
from nasbench.store.writer import checked_table, write_tables

SPACE = get_space("nb201")
INFO = TableInfo(
    space="nb201",
    dataset="toy",
    reference_device=FACTS.device,
    device_kind="cpu",
    licence="CC0",
    source="made up for a test",
    recipe={"epochs": RECIPE.epochs},
)


def made(outcomes: list[Outcome], **options: object) -> TableData:
    return checked_table(table_data(outcomes, name="t", info=INFO, **options))  # type: ignore[arg-type]


def some(codes: list[Code], *, replicates: int = 1, epochs: int = 4) -> list[Outcome]:
    return [numbers(Task(code, r), epochs=epochs) for code in codes for r in range(replicates)]


def test_a_table_holds_every_curve_and_scalar(codes: list[Code]) -> None:
    outcomes = some(codes[:5], replicates=2)
    data = made(outcomes)
    assert data.codes.tolist() == sorted(list(code) for code in codes[:5])
    assert set(data.curves) == {"valid_error", "test_error", "train_seconds"}
    for outcome in outcomes:
        row = data.codes.tolist().index(list(outcome.code))
        for metric, values in outcome.curves.items():
            assert data.curves[metric][row, outcome.replicate].tolist() == np.float32(values).tolist()
        assert data.scalars["parameters"].values[row] == sum(outcome.code) + 1
    assert data.failed is None


def test_the_order_of_finishing_changes_nothing(tmp_path: Path, codes: list[Code]) -> None:
    outcomes = some(codes[:9], replicates=2)
    write_tables(tmp_path / "a.h5", [made(outcomes)])
    write_tables(tmp_path / "b.h5", [made(outcomes[::-1])])
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_trainings_survive_the_table(codes: list[Code]) -> None:
    trainer = Diverging(JOB, "cpu")
    outcomes = [trainer.train(Task(code, r)) for code in codes[:12] for r in range(2)]
    assert any(outcome.status == "failed" for outcome in outcomes)
    back = list(outcomes_of(made(outcomes)))
    rounded = [
        replace(
            outcome,
            curves={
                m: tuple(float(v) for v in np.float32(values)) for m, values in sorted(outcome.curves.items())
            },
        )
        for outcome in outcomes
    ]
    key = {outcome.task: outcome for outcome in back}
    assert {outcome.task: outcome for outcome in rounded} == key


def test_a_failed_training_keeps_its_epochs_its_seconds_and_its_reason(codes: list[Code]) -> None:
    code = next(c for c in codes if c[0] == 2)
    data = made([*some(codes[:1]), Diverging(JOB, "cpu").train(Task(code, 0))])
    row = data.codes.tolist().index(list(code))
    assert data.failed is not None
    assert data.failed[row, 0] == 1
    assert np.isnan(data.curves["valid_error"][row, 0]).tolist() == [False, False, True, True]
    assert data.curves["train_seconds"][row, 0].tolist() == [1.0, 2.0, 2.5, 2.5]
    assert data.provenance is not None
    assert "became nan" in data.provenance.rows[data.provenance.of[row, 0]]


def test_a_second_repeat_alone_stands_first_and_keeps_its_seed(codes: list[Code]) -> None:
    data = made([numbers(Task(codes[0], 1), epochs=4)])
    assert training_seeds(data).tolist() == [[1]]
    assert [outcome.task for outcome in outcomes_of(data)] == [Task(codes[0], 1)]


def test_full_trainings_stand_before_short_ones(codes: list[Code]) -> None:
    data = made([numbers(Task(codes[0], 0), epochs=2), numbers(Task(codes[0], 1), epochs=4)])
    assert training_seeds(data).tolist() == [[1, 0]]
    assert {o.task: o.epochs for o in outcomes_of(data)} == {Task(codes[0], 0): 2, Task(codes[0], 1): 4}


def test_nothing_finished_is_no_table() -> None:
    with pytest.raises(BadOption, match="expected at least one finished training, got none"):
        table_data([], name="t", info=INFO)


def test_expanding_gives_each_class_its_trained_results(codes: list[Code]) -> None:
    trained = made(some(codes))
    data = made(some(codes), expand=SPACE)
    assert len(data.codes) == 15_625
    rows = data.scalars[TRAINED_ROW].values
    own = SPACE.rank(SPACE.canonical(data.codes))
    assert (SPACE.rank(data.codes[rows]) == own).all()
    assert (data.curves["valid_error"] == data.curves["valid_error"][rows]).all()
    assert len(set(rows.tolist())) == len(trained.codes) == 6_466


def test_copies_are_not_read_back_as_trainings(codes: list[Code]) -> None:
    data = made(some(codes[:40]), expand=SPACE)
    assert len(data.codes) > 40
    assert sorted(o.code for o in outcomes_of(data)) == sorted(codes[:40])


def test_numbers_of_a_table_file_are_those_of_the_trainings(tmp_path: Path, codes: list[Code]) -> None:
    outcomes = some(codes[:3])
    write_tables(tmp_path / "t.h5", [made(outcomes)])
    answer = open_table(tmp_path / "t.h5").query(outcomes[0].code, epochs=4, replicate=0)
    assert answer.valid_error == pytest.approx(outcomes[0].curves["valid_error"][-1], abs=1e-7)
