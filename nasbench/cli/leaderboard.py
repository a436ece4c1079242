"""``leaderboard``: build, verify, reproduce."""

from __future__ import annotations

from pathlib import Path

import click

from nasbench.cli.compare import run_to_page, shared_options
from nasbench.cli.output import json_option, print_json, say
from nasbench.errors import MissingExtra

_folder = click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))


@click.group("leaderboard")
def group() -> None:
    """Build, verify or reproduce a leaderboard folder."""


@group.command()
@_folder
@shared_options
def build(folder: Path, into: Path | None, jobs: int, device: str | None, as_json: bool) -> int:
    """Run what FOLDER/suite.toml still misses, pack the records and make the pages."""
    from nasbench.reports.publish import SUITE
    from nasbench.runs.suite import read_suite

    if not (folder / SUITE).is_file():
        raise MissingExtra(
            f"folder: expected a folder with a {SUITE}, got {folder}. Make one with: nasbench compare --out "
            f"{folder}"
        )
    suite = read_suite(folder / SUITE)
    return run_to_page(suite, folder, jobs=jobs, device=device, into=into, as_json=as_json)


@group.command()
@_folder
@click.option(
    "--sample",
    default=3,
    show_default=True,
    type=click.IntRange(min=0),
    help="Runs of each row to make again.",
)
@json_option
def verify(folder: Path, sample: int, as_json: bool) -> int:
    """Recompute every number of FOLDER from its records and make a sample of its runs again.

    Exits 3 and names the first difference if anything does not hold.
    """
    return _verify(folder, sample, as_json)


@group.command()
@_folder
@json_option
def reproduce(folder: Path, as_json: bool) -> int:
    """Verify FOLDER and make every one of its runs again. Exits 3 at the first difference."""
    return _verify(folder, None, as_json)


def _verify(folder: Path, sample: int | None, as_json: bool) -> int:
    from nasbench.reports.verification import verify as check

    lines: list[str] = []

    def tell(line: str) -> None:
        lines.append(line)
        say(line)

    made = check(folder, sample=sample, say=tell)
    if as_json:
        print_json({"folder": str(folder), "holds": True, "runs_made_again": made, "checks": lines})
    else:
        click.echo(f"{folder}: holds")
    return 0
