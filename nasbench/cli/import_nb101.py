"""``import nb101``: an official file of NAS-Bench-101 as a table."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from nasbench.cli.output import json_option, print_json, progress_bar, say


@click.command("nb101")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--table", required=True, type=click.Path(path_type=Path, dir_okay=False), help="FILE.h5 to write."
)
@click.option("--name", default="nb101-cifar10", show_default=True, help="Name of the table in the file.")
@click.option("--one-shot", is_flag=True, help="Write tables of the NAS-Bench-1Shot1 spaces too.")
@click.option("--skip-damaged", is_flag=True, help="Leave damaged records out and count them.")
@json_option
def command(path: Path, table: Path, name: str, one_shot: bool, skip_damaged: bool, as_json: bool) -> int:
    """Read PATH, nasbench_full.tfrecord or nasbench_only108.tfrecord, without TensorFlow.

    Every check sum and every module's hash is checked. A start that was interrupted is continued.
    """
    from nasbench.store.imports.nb101 import import_nb101

    with progress_bar("import") as progress:
        made = import_nb101(
            path, table, name=name, one_shot=one_shot, skip_damaged=skip_damaged, progress=progress
        )
    if as_json:
        print_json(dataclasses.asdict(made))
        return 0
    click.echo(
        f"{table}: {made.table}, {made.architectures:,} architectures, {made.trainings:,} trainings of "
        f"{', '.join(map(str, made.epochs))} epochs"
    )
    for other in made.others:
        click.echo(f"{table}:{other}")
    if made.damaged:
        shown = ", ".join(f"{position:,}" for position in made.damaged[:3])
        more = ", ..." if len(made.damaged) > 3 else ""
        say(f"left out: {len(made.damaged):,} damaged records, at byte {shown}{more}")
    return 0
