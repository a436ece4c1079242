"""``table report``: may a table be trusted, and to what difference."""

from __future__ import annotations

from pathlib import Path

import click

from nasbench.cli.output import json_option, print_json, print_prose, say
from nasbench.errors import Mismatch


@click.command("report")
@click.argument("table")
@click.option(
    "--out",
    default=None,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for table.html and table.json; default: nasbench-table-NAME, or none with --json.",
)
@json_option
def report(table: str, out: Path | None, as_json: bool) -> int:
    """Say whether TABLE may be trusted: what it misses, its noise, whether it agrees with itself.

    Exits 3 where a number cannot be right.
    """
    from nasbench.reports.table_page import PAGE, write_table_report
    from nasbench.store.bundled import find_table
    from nasbench.store.quality import table_quality

    found = find_table(table)
    quality = table_quality(found)
    if as_json:
        print_json(quality.as_dict())
    else:
        for verdict in quality.verdicts:
            print_prose(f"{verdict.says:4}  {verdict.check}: {verdict.sentence}")
    folder = out if out is not None or as_json else Path(f"nasbench-table-{found.name}")
    if folder is not None:
        write_table_report(quality, found, folder)
        say(f"page: {(folder / PAGE).resolve()}")
    if not quality.holds:
        first = next(verdict for verdict in quality.verdicts if verdict.says == "bad")
        raise Mismatch(f"{found.name}: {first.check}: {first.sentence}")
    return 0
