"""A coordinator to be killed: ``python populate_coordinator.py TABLE ARCHITECTURES``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from populate_fakes import JOB, Slow

from nasbench.populate.filling import fill, missing
from nasbench.populate.job import Job, Task
from nasbench.populate.local import LocalPool
from nasbench.populate.plan import shuffled, tasks_of
from nasbench.populate.target import Target
from nasbench.spaces import get_space


class Noted(Slow):
    """Notes every start in the file that POPULATE_STARTS names."""

    def before(self, task: Task) -> None:
        with open(os.environ["POPULATE_STARTS"], "a", encoding="utf-8") as file:
            file.write(f"{task}\n")


def open_noted(job: Job, device: str) -> Noted:
    return Noted(job, device)


def main() -> None:
    codes = shuffled(get_space("nb201"), isomorphs="distinct", seed=0)[: int(sys.argv[2])]
    with (
        Target(Path(sys.argv[1]), JOB) as target,
        LocalPool(JOB, open_noted, devices=["cpu", "cpu"], time_limit=60) as pool,
    ):
        todo = missing(target, tasks_of(codes, replicates=2))
        fill(target, todo, pool, tries=50, export_every=0.5)


if __name__ == "__main__":
    main()
