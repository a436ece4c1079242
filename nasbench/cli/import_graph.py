"""``import nas-bench-graph``: NAS-Bench-Graph from its installed package or its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nasbench.cli.output import json_option, print_json, print_table, progress_bar, say
from nasbench.units import format_error


@click.command("nas-bench-graph")
@click.argument("path", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--table",
    required=True,
    metavar="FILE.h5",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The table file to write: one table a data set.",
)
@click.option("--dataset", "datasets", multiple=True, help="Only this data set, e.g. cora. Repeatable.")
@click.option("--replace", is_flag=True, help="Overwrite FILE.h5 if it is there.")
@click.option("--dry-run", is_flag=True, help="Read and say what there is; write nothing.")
@json_option
def nas_bench_graph(
    path: Path | None, table: Path, datasets: tuple[str, ...], replace: bool, dry_run: bool, as_json: bool
) -> int:
    """Import NAS-Bench-Graph from its installed package, or from a folder PATH of its .bench files.

    The package's code is not imported. Install its files with: pip install --no-deps nas-bench-graph. A start
    that was interrupted is continued.
    """
    from nasbench.store.imports.kept_tables import KeptTables, kept_folder
    from nasbench.store.imports.mapped import require_new
    from nasbench.store.imports.nas_bench_graph import read_nas_bench_graph
    from nasbench.store.writer import write_tables

    if not dry_run:
        require_new(table, replace_it=replace)
    kept = None if dry_run else KeptTables(kept_folder(table), say=say)
    with progress_bar("import nas-bench-graph") as progress:
        found = read_nas_bench_graph(path, datasets, kept=kept, progress=progress)
    rows: list[dict[str, Any]] = [
        {
            "name": one.name,
            "dataset": one.info.dataset,
            "space": one.info.space,
            "architectures": len(one.codes),
            "lowest_valid_error": float(one.curves["valid_error"].min()),
        }
        for one in found
    ]
    if not as_json:
        cells = [
            (row["name"], f"{row['architectures']:,}", f"{format_error(row['lowest_valid_error'])} %")
            for row in rows
        ]
        print_table(["table", "architectures", "lowest validation error"], cells, right=(1, 2))
    if kept is None:
        say(f"dry run: {table} is not written")
    else:
        write_tables(table, found)
        kept.remove()
        say(f"wrote {table}; look at one with: nasbench table info {table}:{found[0].name}")
    if as_json:
        print_json(rows)
    return 0
