"""All finished runs that a path holds: of a leaderboard, of a folder of runs under way, or one record."""

from __future__ import annotations

from pathlib import Path

from nasbench.errors import BadOption
from nasbench.runs.columns import RunColumns
from nasbench.runs.packing import read_records
from nasbench.runs.reading import read_run
from nasbench.runs.record import is_finished

RECORDS = "records.h5"


def read_runs(path: Path) -> list[RunColumns]:
    """Read every finished run, in order of source, row and seed; unfinished ones are left out.

    Args:
        path: A folder that ``compare`` or ``run`` wrote, finished or not, its ``records.h5``, or one
            ``*.jsonl`` record.

    Raises:
        BadOption: There is no finished run.
        FormatError: A record is damaged.
    """
    packed = path / RECORDS if path.is_dir() else path
    runs: list[RunColumns] = []
    if packed.suffix == ".h5" and packed.exists():
        runs = [run for panel in read_records(packed).panels for entry in panel.entries for run in entry.runs]
    if path.is_dir():
        runs += [read_run(record) for record in sorted(path.glob("runs/*/*/*.jsonl")) if is_finished(record)]
    elif path.suffix == ".jsonl" and is_finished(path):
        runs = [read_run(path)]
    if not runs:
        raise BadOption(
            f"from-run: expected a folder of runs, its {RECORDS} or a run record, got {path}: it holds no "
            "finished run. A folder is what --out named in: nasbench compare"
        )
    return runs
