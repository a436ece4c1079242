"""``compare``, ``run`` and ``report``: from a suite to a leaderboard."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nasbench.cli.output import json_option, print_json, print_prose, print_table, progress_bar, say
from nasbench.errors import BadOption, SomeRunsFailed

if TYPE_CHECKING:
    from nasbench.reports.leaderboard import Leaderboard
    from nasbench.runs.suite import Suite

AT_LEAST_ONE = click.IntRange(min=1)
_SPLIT = re.compile(r",(?![^\[]*\])")
_WITH_OPTIONS = re.compile(r"(?:(?P<label>[^=\[\]]+)=)?(?P<name>[^=\[\]]+)(?:\[(?P<options>.*)\])?")


def parse_strategies(text: str) -> list[dict[str, Any]]:
    """Read strategies separated by commas, each as ``parse_strategy`` does."""
    return [parse_strategy(one) for one in _SPLIT.split(text) if one.strip()]


def parse_strategy(text: str) -> dict[str, Any]:
    """Read ``name`` or ``name[option=value,option=value]``, with ``label=`` in front to name the row.

    Raises:
        BadOption: Not of that form.
    """
    match = _WITH_OPTIONS.fullmatch(text.strip())
    if match is None:
        raise BadOption(
            f"strategies: expected NAME, NAME[option=value,...] or LABEL=NAME[...], got {text!r}."
        )
    options: dict[str, Any] = {}
    for pair in filter(None, (match["options"] or "").split(",")):
        key, equals, value = pair.partition("=")
        if not equals:
            raise BadOption(f"strategies: expected option=value inside [...], got {pair!r} in {text!r}.")
        options[key.strip()] = _value(value.strip())
    return {"name": match["name"].strip(), "label": (match["label"] or "").strip(), "options": options}


def _value(text: str) -> Any:
    """Read an option's value: a whole number, a number, true or false, else text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.lower(), text)


def _pair(option: str, text: str) -> tuple[str, str]:
    """Read ``name=value``.

    Raises:
        BadOption: There is no equals sign.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise BadOption(f"{option}: expected name=value, got {text!r}.")
    return name.strip(), value.strip()


def shared_options(command: Any) -> Any:
    """Add the options of every command that runs a suite."""
    for option in (
        click.option(
            "--into",
            default=None,
            metavar="FILE.h5",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Record every training of a live source into this table, made if it is not there.",
        ),
        click.option(
            "--jobs",
            default=1,
            show_default=True,
            type=AT_LEAST_ONE,
            help="Processes; the result is the same.",
        ),
        click.option("--device", default=None, help="Device of live trainings, e.g. cuda."),
        json_option,
    ):
        command = option(command)
    return command


@click.command()
@click.option("--source", "sources", required=True, help="Tables or live sources, separated by commas.")
@click.option(
    "--strategies",
    required=True,
    help="Separated by commas: NAME, NAME[option=value,...] or FILE.py:Name; LABEL=NAME names the row.",
)
@click.option("--seeds", default=30, show_default=True, type=AT_LEAST_ONE, help="Runs of each strategy.")
@click.option(
    "--budget", required=True, help="What one run may spend: 2gpu-days, 0.5cpu-days, 3600s, 500evals."
)
@click.option(
    "--out",
    default="nasbench-compare",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of records and pages; one that holds a part of the same suite is continued.",
)
@click.option(
    "--workers", default=1, show_default=True, type=AT_LEAST_ONE, help="Simulated workers of a run."
)
@click.option(
    "--epochs", default=None, type=AT_LEAST_ONE, help="Training length; default: the source's longest."
)
@click.option(
    "--charging",
    "charging",
    multiple=True,
    metavar="POLICY=VALUE",
    help="What answers cost, e.g. repeat=cached, failed=free. Repeatable.",
)
@click.option(
    "--cluster",
    "cluster",
    multiple=True,
    metavar="SETTING=VALUE",
    help="Simulated cluster: speeds=1:0.5, startup_seconds=30, failures_per_day=2, preemptions_per_day=5.",
)
@click.option(
    "--health",
    "health",
    multiple=True,
    metavar="SETTING=VALUE",
    help="Watch searches that share weights: architectures=50, looks=20, eigenvalue=true.",
)
@click.option(
    "--retrain",
    "retraining",
    multiple=True,
    metavar="SETTING=VALUE",
    help="On surrogates: train each row's best live and show both: best=5, replicates=2.",
)
@click.option("--title", default="", help="Headline of the page.")
@shared_options
def compare(
    sources: str,
    strategies: str,
    seeds: int,
    budget: str,
    out: Path,
    workers: int,
    epochs: int | None,
    charging: tuple[str, ...],
    cluster: tuple[str, ...],
    health: tuple[str, ...],
    retraining: tuple[str, ...],
    title: str,
    into: Path | None,
    jobs: int,
    device: str | None,
    as_json: bool,
) -> int:
    """Run strategies against a source and make an error-versus-time leaderboard.

    The same command again continues what was interrupted. The page is OUT/index.html.
    """
    from nasbench.runs.suite import parse_suite

    policies = dict(_pair("charging", text) for text in charging)
    settings: dict[str, Any] = {}
    for name, value in (_pair("cluster", text) for text in cluster):
        settings[name] = [_value(part) for part in value.split(":")] if name == "speeds" else _value(value)
    suite = parse_suite(
        {
            "name": out.resolve().name or "compare",
            "title": title,
            "sources": [s.strip() for s in sources.split(",") if s.strip()],
            "strategies": parse_strategies(strategies),
            "seeds": seeds,
            "budget": budget,
            "workers": workers,
            "epochs": epochs,
            "charging": policies,
            "cluster": settings,
            "health": {name: _value(value) for name, value in (_pair("health", text) for text in health)},
            "retraining": {
                name: _value(value) for name, value in (_pair("retrain", text) for text in retraining)
            }
            or None,
        },
        where="compare",
    )
    return run_to_page(suite, out, jobs=jobs, device=device, into=into, as_json=as_json)


@click.command("run")
@click.argument("suite_file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of records and pages; one that holds a part of the same suite is continued.",
)
@click.option("--resume", is_flag=True, help="Only continue what OUT already holds.")
@shared_options
def run_suite_file(
    suite_file: Path,
    out: Path,
    resume: bool,
    into: Path | None,
    jobs: int,
    device: str | None,
    as_json: bool,
) -> int:
    """Run a suite file and make its leaderboard; what OUT already holds is continued."""
    from nasbench.runs.suite import read_suite

    if resume and not (out / "suite.toml").is_file():
        raise BadOption(f"resume: {out} holds no suite to continue. Leave --resume out to start it.")
    return run_to_page(read_suite(suite_file), out, jobs=jobs, device=device, into=into, as_json=as_json)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@json_option
def report(folder: Path, as_json: bool) -> int:
    """Make the pages of FOLDER again from its records."""
    from nasbench.reports.publish import rebuild

    return show(rebuild(folder), folder, as_json=as_json)


def run_to_page(
    suite: Suite, out: Path, *, jobs: int, device: str | None, into: Path | None = None, as_json: bool
) -> int:
    """Run a suite into a folder under a progress bar and print its leaderboard.

    Raises:
        OSError: The folder cannot be written; says what is kept and how to go on.
    """
    from nasbench.reports.publish import publish

    try:
        with progress_bar("runs") as progress:
            board = publish(suite, out, jobs=jobs, device=device, into=into, progress=progress)
    except OSError as error:
        what = error.strerror or str(error)
        what = f"{error.filename}: {what}" if error.filename else what.rstrip(".")
        raise OSError(
            error.errno,
            f"{what}. What was finished is kept in {out}; once it can be written "
            "again, the same command goes on from there.",
        ) from error
    return show(board, out, as_json=as_json)


def show(board: Leaderboard, folder: Path, *, as_json: bool) -> int:
    """Print a leaderboard's final tables and where its page is; fails if some runs failed."""
    from nasbench.reports.retrained import retraining_sentences
    from nasbench.reports.terminal import terminal_table

    if as_json:
        print_json(board.model_dump(mode="json"))
    else:
        for panel in board.panels:
            click.echo(f"\n{panel.dataset} · {panel.source} · {panel.budget} · {panel.scored_by}, percent")
            columns, rows = terminal_table(panel)
            print_table(columns, rows, right=range(1, len(columns)), expendable=(4, 5, 7, 3, 6))
            told = retraining_sentences(panel.retraining) if panel.retraining is not None else []
            for line in (*panel.verdicts, *told, *(f"warning: {w}" for w in panel.warnings)):
                print_prose(line)
    say(f"page: {(folder / 'index.html').resolve()}")
    failed = sum(len(entry.failures) for panel in board.panels for entry in panel.entries)
    if failed:
        raise SomeRunsFailed(f"{failed} run(s) failed; the page shows which and why.")
    return 0
