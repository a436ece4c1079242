from __future__ import annotations

import time
from pathlib import Path

import pytest
from populate_fakes import JOB, Diverging, Fake, Poisoned, Slow, broken, stillborn

from nasbench.errors import BadOption, CallOrder
from nasbench.populate.estimate import estimate, time_sample
from nasbench.populate.filling import Tally, fill, missing
from nasbench.populate.job import Task, TrainerFactory
from nasbench.populate.local import LocalPool
from nasbench.populate.plan import tasks_of
from nasbench.populate.pool import Ready
from nasbench.populate.target import Target
from nasbench.populate.worker import traceback_text
from nasbench.records import Code
from nasbench.store.table import open_table
from nasbench.store.verify import verify_table


def pool(factory: TrainerFactory, *, workers: int = 2, time_limit: float = 60.0) -> LocalPool:
    return LocalPool(JOB, factory, devices=["cpu"] * workers, time_limit=time_limit)


def test_every_task_is_trained_once_and_a_second_start_has_nothing_to_do(
    target: Target, codes: list[Code]
) -> None:
    tasks = tasks_of(codes[:30], replicates=2)
    with pool(Fake) as workers:
        tally = fill(target, missing(target, tasks), workers)
    assert (tally.done, tally.failed, tally.crashes) == (60, 0, 0)
    assert missing(target, tasks) == []
    assert verify_table(target.path) == []
    assert open_table(target.path).replicate_counts().tolist() == [2] * 30


def test_the_number_of_workers_changes_nothing(tmp_path: Path, codes: list[Code]) -> None:
    files = []
    for workers in (1, 3):
        (tmp_path / str(workers)).mkdir()
        with (
            Target(tmp_path / str(workers) / "t.h5", JOB) as target,
            pool(Fake, workers=workers) as started,
        ):
            fill(target, tasks_of(codes[:25], replicates=2), started)
        files.append((tmp_path / str(workers) / "t.h5").read_bytes())
    assert files[0] == files[1]


@pytest.mark.slow
def test_poisoned_architectures_are_given_up_with_their_reason(target: Target, codes: list[Code]) -> None:
    chosen = [next(c for c in codes if c[0] == first) for first in range(5)]
    news: list[str] = []
    with pool(Poisoned, time_limit=1.0) as workers:
        tally = fill(
            target,
            tasks_of(chosen, replicates=1),
            workers,
            tries=2,
            tell=lambda tally: news.extend(tally.news),
        )
    reasons = {task.code[0]: reason for task, reason in tally.quarantined}
    assert sorted(reasons) == [1, 2, 3]
    assert "quarantined after 2 tries: ValueError: poison" in reasons[1]
    assert "populate_fakes.py" in reasons[1]
    assert "worker died of signal 9 (SIGKILL)" in reasons[2]
    assert "worker took more than 1 s and was killed" in reasons[3]
    assert (tally.done, tally.failed, tally.crashes) == (5, 3, 6)
    assert sum("crash 1 of 2" in line for line in news) == 3
    table = open_table(target.path)
    assert table.failed is not None
    assert table.failed.sum() == 3
    assert verify_table(target.path) == []
    provenance = table.data().provenance
    assert provenance is not None
    assert sum("SIGKILL" in row for row in provenance.rows) == 1


def test_a_diverging_training_is_a_result_and_not_tried_again(target: Target, codes: list[Code]) -> None:
    code = next(c for c in codes if c[0] == 2)
    with pool(Diverging, workers=1) as workers:
        tally = fill(target, tasks_of([code, codes[0]], replicates=1), workers)
    assert (tally.done, tally.failed, tally.crashes, tally.quarantined) == (2, 1, 0, [])
    answer = open_table(target.path).query(code, epochs=4, replicate=0)
    assert (answer.status, answer.valid_error, answer.train_seconds) == ("failed", None, 2.5)


def test_the_table_is_written_on_the_way(target: Target, codes: list[Code]) -> None:
    rows = []
    with pool(Slow, workers=1) as workers:
        fill(
            target,
            tasks_of(codes[:40], replicates=1),
            workers,
            export_every=0.1,
            tell=lambda _: rows.append(len(open_table(target.path)) if target.path.exists() else 0),
        )
    assert any(0 < number < 40 for number in rows)


def test_an_interruption_leaves_the_table_of_what_was_finished(target: Target, codes: list[Code]) -> None:
    def interrupt(tally: Tally) -> None:
        if tally.done >= 5:
            raise KeyboardInterrupt

    tasks = tasks_of(codes[:500], replicates=1)
    with pool(Slow) as workers, pytest.raises(KeyboardInterrupt):
        fill(target, tasks, workers, tell=interrupt)
    left = missing(target, tasks)
    assert 0 < 500 - len(left) < 500
    assert len(open_table(target.path)) == 500 - len(left)


def test_workers_that_cannot_open_end_the_job(target: Target, codes: list[Code]) -> None:
    with (
        pool(broken, workers=1) as workers,
        pytest.raises(
            ChildProcessError, match=r"could not open data and device\. RuntimeError: no data here"
        ),
    ):
        fill(target, tasks_of(codes[:2], replicates=1), workers)


def test_workers_that_die_at_birth_end_the_job(target: Target, codes: list[Code]) -> None:
    with (
        pool(stillborn, workers=1) as workers,
        pytest.raises(
            ChildProcessError, match="3 ended before they had opened data and device; the last ended"
        ),
    ):
        fill(target, tasks_of(codes[:2], replicates=1), workers)


def test_no_tries_are_refused(target: Target) -> None:
    with (
        pool(Fake, workers=1) as workers,
        pytest.raises(BadOption, match="tries: expected a whole number >= 1"),
    ):
        fill(target, [], workers, tries=0)


def test_a_task_for_no_idle_worker_is_refused(codes: list[Code]) -> None:
    with (
        pool(Fake, workers=1) as workers,
        pytest.raises(CallOrder, match="expected an idle worker, got none"),
    ):
        workers.submit(Task(codes[0], 0))


def test_a_closed_pool_leaves_no_process(codes: list[Code]) -> None:
    workers = pool(Fake)
    while workers.idle < 2:
        assert all(isinstance(event, Ready) for event in workers.wait(5.0))
    processes = [slot.process for slot in workers._slots]
    assert all(process.is_alive() for process in processes)
    workers.close()
    assert workers.slots == 0
    with pytest.raises(ValueError, match="process object is closed"):
        processes[0].is_alive()


def test_time_left_follows_from_what_was_done() -> None:
    tally = Tally(total=10, slots=2)
    assert tally.seconds_left is None
    tally.done, tally.busy_seconds = 4, 8.0
    assert tally.seconds_left == 6.0


def test_a_sample_is_timed_and_leaves_nothing(codes: list[Code]) -> None:
    good = [code for code in codes if code[0] in (0, 4)][:2]
    poisoned = next(code for code in codes if code[0] == 1)
    with pool(Poisoned, workers=1) as workers:
        outcomes = time_sample(workers, [Task(code, 0) for code in (*good, poisoned)])
    assert [outcome.code for outcome in outcomes] == good
    assert all(outcome.wall_seconds > 0 for outcome in outcomes)


def test_an_estimate_is_near_the_file_it_speaks_of(target: Target, codes: list[Code]) -> None:
    with pool(Fake) as workers:
        tally = fill(target, tasks_of(codes[:400], replicates=2), workers)
    assert tally.last is not None
    guess = estimate(
        trainings=800, slots=2, seconds_each=3.0, sample=3, like=tally.last, rows=400, replicates=2
    )
    assert guess.seconds == 1_200.0
    assert guess.table_bytes == pytest.approx(target.path.stat().st_size, rel=0.3)


def test_tracebacks_hold_no_folders() -> None:
    try:
        Poisoned(JOB, "cpu").train(Task((1,) * 6, 0))
    except ValueError as error:
        text = traceback_text(error)
    assert text.startswith("ValueError: poison\n")
    assert "/home" not in text
    assert str(Path(__file__).parent) not in text


def test_a_worker_goes_with_its_coordinator_even_while_it_hangs(codes: list[Code]) -> None:
    import multiprocessing
    import os

    def alive(process: int) -> bool:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        return "Z" not in Path(f"/proc/{process}/stat").read_text(encoding="utf-8").split(")")[1][:3]

    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    code = next(c for c in codes if c[0] == 3)
    coordinator = context.Process(target=coordinate_a_hanging_training, args=(theirs, code))
    coordinator.start()
    (worker,) = ours.recv()
    assert alive(worker)
    coordinator.kill()
    coordinator.join()
    coordinator.close()
    for end in (ours, theirs):
        end.close()
    deadline = time.monotonic() + 10
    while alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(worker)


def coordinate_a_hanging_training(connection: object, code: Code) -> None:
    workers = pool(Poisoned, workers=1, time_limit=600)
    while not workers.idle:
        workers.wait(1.0)
    workers.submit(Task(code, 0))
    connection.send(workers.process_ids)  # type: ignore[attr-defined]
    time.sleep(600)
