from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from populate_fakes import JOB, Fake, Poisoned, Slow, broken

from nasbench.errors import BadOption
from nasbench.populate.cluster import RayPool
from nasbench.populate.filling import fill, missing
from nasbench.populate.plan import tasks_of
from nasbench.populate.target import Target
from nasbench.records import Code

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    ray = pytest.importorskip("ray")
    cluster_utils = pytest.importorskip("ray.cluster_utils")

pytestmark = [
    pytest.mark.ray,
    pytest.mark.slow,
    # Ray leaves its sockets and subprocess pipes to the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        # As on a real cluster, every node must find the code by itself.
        patch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
        made = cluster_utils.Cluster(
            initialize_head=True,
            head_node_args={"num_cpus": 1, "num_gpus": 1, "include_dashboard": False},
        )
        made.add_node(num_cpus=1, num_gpus=1)
        made.wait_for_nodes()
        yield made
        ray.shutdown()
        made.shutdown()


def pool(cluster: Any, factory: Any, **options: Any) -> RayPool:
    options = {"device": "cpu", "time_limit": 60.0, **options}
    return RayPool(JOB, factory, address=cluster.address, **options)


def test_a_cluster_trains_the_same_table_as_local_workers(
    cluster: Any, tmp_path: Path, codes: list[Code]
) -> None:
    from nasbench.populate.local import LocalPool

    tasks = tasks_of(codes[:20], replicates=2)
    with Target(tmp_path / "t.h5", JOB) as target, pool(cluster, Fake) as workers:
        assert workers.slots == 2
        tally = fill(target, tasks, workers)
    assert (tally.done, tally.quarantined) == (40, [])
    (tmp_path / "local").mkdir()
    with (
        Target(tmp_path / "local" / "t.h5", JOB) as target,
        LocalPool(JOB, Fake, devices=["cpu"], time_limit=60) as workers,
    ):
        fill(target, tasks, workers)
    assert (tmp_path / "t.h5").read_bytes() == (tmp_path / "local" / "t.h5").read_bytes()


def test_logical_gpus_are_shared_as_asked(cluster: Any, target: Target, codes: list[Code]) -> None:
    with pool(cluster, Slow, device="cuda", per_device=2) as workers:
        assert workers.slots == 4
        assert fill(target, tasks_of(codes[:12], replicates=1), workers).done == 12


def test_workers_that_die_raise_or_hang_are_tried_again_and_then_given_up(
    cluster: Any, target: Target, codes: list[Code]
) -> None:
    chosen = [next(c for c in codes if c[0] == first) for first in range(4)]
    with pool(cluster, Poisoned, time_limit=8.0) as workers:
        tally = fill(target, tasks_of(chosen, replicates=1), workers, tries=2)
    reasons = {task.code[0]: reason for task, reason in tally.quarantined}
    assert sorted(reasons) == [1, 2, 3]
    assert "ValueError: poison" in reasons[1]
    assert "worker died" in reasons[2]
    assert "more than 8 s" in reasons[3]


def test_a_cluster_that_loses_a_node_finishes_on_the_other(
    cluster: Any, target: Target, codes: list[Code]
) -> None:
    node = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    tasks = tasks_of(codes[:60], replicates=1)
    with pool(cluster, Slow) as workers:
        removed = []

        def lose(tally: Any) -> None:
            if tally.done >= 10 and not removed:
                removed.append(cluster.remove_node(node))

        tally = fill(target, tasks, workers, tries=10, tell=lose)
    assert removed
    assert tally.done == 60
    assert not tally.quarantined
    assert missing(target, tasks) == []


def test_a_trainer_that_cannot_open_ends_the_job(cluster: Any, target: Target, codes: list[Code]) -> None:
    with (
        pool(cluster, broken) as workers,
        pytest.raises(
            ChildProcessError, match=r"could not open data and device\. RuntimeError: no data here"
        ),
    ):
        fill(target, tasks_of(codes[:2], replicates=1), workers)


def test_a_named_gpu_is_refused(cluster: Any) -> None:
    with pytest.raises(BadOption, match="device: expected cpu or cuda with --ray, got 'cuda:1'"):
        pool(cluster, Fake, device="cuda:1")
