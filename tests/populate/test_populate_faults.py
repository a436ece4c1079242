from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from populate_fakes import JOB

from nasbench.populate.filling import missing
from nasbench.populate.plan import tasks_of
from nasbench.populate.target import Target
from nasbench.records import Code
from nasbench.store.verify import verify_table

HERE = Path(__file__).parent
KILLS = 20


def start(table: Path, architectures: int, starts: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(HERE / "populate_coordinator.py"), str(table), str(architectures)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "POPULATE_STARTS": str(starts),
        },
        stderr=subprocess.PIPE,
    )


def children(process: int) -> list[int]:
    try:
        return [int(n) for n in Path(f"/proc/{process}/task/{process}/children").read_text("utf-8").split()]
    except FileNotFoundError:
        return []


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds workers in /proc, which is Linux's")
def test_twenty_kills_of_workers_and_coordinators_leave_no_trace(tmp_path: Path, codes: list[Code]) -> None:
    architectures = 400
    (tmp_path / "calm").mkdir()
    calm = start(tmp_path / "calm" / "t.h5", architectures, tmp_path / "calm" / "starts")
    assert calm.communicate() == (None, b"")
    draw = random.Random(3)
    table, starts = tmp_path / "t.h5", tmp_path / "starts"
    kills = 0
    while kills < KILLS:
        coordinator = start(table, architectures, starts)
        while coordinator.poll() is None and kills < KILLS:
            time.sleep(draw.uniform(0.2, 0.9))
            workers = children(coordinator.pid)
            kills_worker = draw.random() < 0.5 and len(workers) > 1
            victim = draw.choice(workers) if kills_worker else coordinator.pid
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                continue
            kills += 1
            if victim == coordinator.pid:
                break
        coordinator.communicate()
        if table.exists():
            assert verify_table(table) == []
    last = start(table, architectures, starts)
    _, errors = last.communicate()
    assert (last.returncode, errors) == (0, b"")
    assert table.read_bytes() == (tmp_path / "calm" / "t.h5").read_bytes()
    calm_starts, all_starts = (
        path.read_text(encoding="utf-8").splitlines() for path in (tmp_path / "calm" / "starts", starts)
    )
    assert len(calm_starts) == 2 * architectures
    # What was lost is what was in flight: two trainings for a coordinator, one for a worker.
    assert 2 * architectures <= len(all_starts) <= 2 * architectures + 2 * KILLS


@pytest.mark.slow
def test_a_second_coordinator_refuses_and_the_first_goes_on(tmp_path: Path, codes: list[Code]) -> None:
    first = start(tmp_path / "t.h5", 300, tmp_path / "starts")
    while not (tmp_path / "starts").exists():
        time.sleep(0.05)
    second = start(tmp_path / "t.h5", 300, tmp_path / "starts")
    _, errors = second.communicate()
    assert second.returncode == 1
    assert b"is held by another process that fills this table" in errors
    _, errors = first.communicate()
    assert (first.returncode, errors) == (0, b"")
    with Target(tmp_path / "t.h5", JOB) as target:
        assert missing(target, tasks_of(codes[:300], replicates=2)) == []


@pytest.mark.slow
def test_a_disk_that_fills_up_stops_the_job_and_loses_nothing(tmp_path: Path, codes: list[Code]) -> None:
    table = tmp_path / "t.h5"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, before[1]))  # no file of the child may be larger
    try:
        limited = start(table, 400, tmp_path / "starts")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    _, errors = limited.communicate()
    assert limited.returncode == 1
    assert b"t.ledger.sqlite" in errors
    assert b"Error" in errors
    with Target(table, JOB) as target:
        left = missing(target, tasks_of(codes[:400], replicates=2))
    assert 0 < len(left) < 800
    starts = (tmp_path / "starts").read_text(encoding="utf-8").splitlines()
    assert 800 - len(left) >= len(starts) - 2
