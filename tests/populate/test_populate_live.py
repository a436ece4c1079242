from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from populate_fakes import InProcess

from nasbench.errors import BadOption
from nasbench.populate.filling import fill
from nasbench.populate.job import Job, Task
from nasbench.populate.live import open_live_trainer
from nasbench.populate.local import LocalPool
from nasbench.populate.plan import shuffled, tasks_of
from nasbench.populate.provenance import gpu_driver
from nasbench.populate.target import Target
from nasbench.populate.worker import timed
from nasbench.spaces import get_space
from nasbench.store.table import open_table
from nasbench.store.verify import verify_table
from nasbench.training.recipe import Recipe
from nasbench.training.recipes import get_recipe

pytest.importorskip("torch")
pytest.importorskip("sklearn")

SMALL = replace(get_recipe("digits-small"), epochs=2, channels=2, cells_per_stage=1)
JOB = Job(space="nb201", data="digits", recipe=SMALL, epochs=2)
CODE = (3, 1, 0, 2, 1, 1)


def test_an_outcome_holds_every_curve_of_the_training() -> None:
    outcome = timed(open_live_trainer(JOB, "cpu"), Task(CODE, 1))
    assert outcome.status == "ok"
    assert outcome.epochs == 2
    assert set(outcome.curves) == {
        f"{part}_{what}" for part in ("train", "valid", "test") for what in ("error", "loss")
    } | {"train_seconds", "eval_seconds"}
    assert {len(values) for values in outcome.curves.values()} == {2}
    assert outcome.scalars["parameters"] > 0
    assert outcome.scalars["macs"] > 0
    assert 0 < outcome.seconds < outcome.wall_seconds


def test_provenance_says_device_versions_code_and_seed_and_no_place() -> None:
    provenance = dict(open_live_trainer(JOB, "cpu").train(Task(CODE, 1)).provenance)
    assert {"device", "torch", "python", "nasbench", "code_hash", "seed"} <= set(provenance)
    assert provenance["seed"] == 1
    assert "/" not in json.dumps(provenance).replace("(1 core)", "")


@pytest.mark.slow
def test_the_same_task_gives_the_same_errors_in_another_process(tmp_path: Path) -> None:
    here = open_live_trainer(JOB, "cpu").train(Task(CODE, 0))
    with (
        Target(tmp_path / "t.h5", JOB) as target,
        LocalPool(JOB, open_live_trainer, devices=["cpu"], time_limit=60) as pool,
    ):
        fill(target, tasks_of([CODE], replicates=1), pool)
        (there,) = target.ledger.outcomes()
    for metric in ("train_loss", "valid_error", "test_error", "valid_loss"):
        assert there.curves[metric] == here.curves[metric]


def test_a_loss_that_is_no_number_is_a_failed_training_of_the_table(tmp_path: Path) -> None:
    wild = replace(JOB, recipe=replace(SMALL, learning_rate=1e30))
    with Target(tmp_path / "t.h5", wild) as target:
        tally = fill(target, tasks_of([CODE], replicates=1), InProcess(open_live_trainer(wild, "cpu")))
    assert (tally.done, tally.failed, tally.crashes) == (1, 1, 0)
    assert tally.last is not None
    assert "diverged" in tally.last.reason
    answer = open_table(tmp_path / "t.h5").query(CODE, epochs=1, replicate=0)
    assert answer.status == "failed"
    assert answer.train_seconds > 0


def test_a_space_that_cannot_be_trained_is_refused() -> None:
    with pytest.raises(BadOption, match="space: expected nb201, the space of the recipe, got 'other'"):
        open_live_trainer(replace(JOB, space="other"), "cpu")


def test_the_driver_is_read_where_the_system_tells_it(tmp_path: Path) -> None:
    file = tmp_path / "version"
    file.write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar 5\n", encoding="utf-8"
    )
    assert gpu_driver(file) == "550.54.15"
    assert gpu_driver(tmp_path / "nothing") == ""


def test_cells_of_another_space_fill_a_table_too(tmp_path: Path) -> None:
    recipe = replace(get_recipe("digits-darts"), epochs=1, channels=2, stages=2, train_images=50)
    job = Job(space="darts", data="digits", recipe=recipe, epochs=1)
    codes = shuffled(get_space("darts"), isomorphs="distinct", seed=0, n=2)
    with Target(tmp_path / "t.h5", job) as target:
        tally = fill(target, tasks_of(codes, replicates=1), InProcess(open_live_trainer(job, "cpu")))
    assert (tally.done, tally.failed) == (2, 0)
    table = open_table(tmp_path / "t.h5")
    assert table.space.name == "darts"
    assert table.info.rows_answer_for == "class"
    assert {table.query(code, epochs=1, replicate=0).status for code in codes} == {"ok"}
    assert Recipe.from_dict(table.info.recipe) == recipe
    assert verify_table(tmp_path / "t.h5") == []
