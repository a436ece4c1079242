"""``surrogate validate`` and ``surrogate study``: may a surrogate be trusted, and from how much data on."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nasbench.cli.compare import AT_LEAST_ONE, parse_strategies
from nasbench.cli.output import json_option, print_json, print_prose, print_table, progress_bar, say
from nasbench.errors import BadOption
from nasbench.units import format_error

if TYPE_CHECKING:
    from nasbench.records import Codes
    from nasbench.reports.surrogate_page import Study
    from nasbench.store.table import Table
    from nasbench.surrogates.surrogate import Surrogate

_STRATEGIES = (
    "random-search,local-search,regularized-evolution[population=20,sample=5],tpe,genetic-algorithm,reinforce"
)


_NOBODY = "none of them (the sample)"


def _suite_options(command: Any) -> Any:
    """Add the options of a suite that is run on the table and on the surrogate."""
    for option in (
        click.option("--jobs", default=1, show_default=True, type=AT_LEAST_ONE, help="Processes."),
        click.option("--budget", default="150evals", show_default=True, help="Of one run of the suite."),
        click.option("--seeds", default=30, show_default=True, type=AT_LEAST_ONE, help="Runs of a strategy."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("surrogate")
@click.option("--table", default=None, help="Table to hold it against; default: the one it was fitted on.")
@click.option(
    "--records",
    default=None,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Leaderboard folder on that table, or live by its recipe: each strategy is left out in turn.",
)
@click.option("--strategies", default=None, help="Run these on the table and on the surrogate, and compare.")
@_suite_options
@click.option(
    "--out",
    default=None,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the page; default: nasbench-surrogate-NAME, or none with --json.",
)
@json_option
def validate(
    surrogate: str,
    table: str | None,
    records: Path | None,
    strategies: str | None,
    seeds: int,
    budget: str,
    jobs: int,
    out: Path | None,
    as_json: bool,
) -> int:
    """Hold SURROGATE against recorded trainings that it has not seen.

    \b
    For example:
      nasbench surrogate validate tenth.surrogate.h5 --strategies random-search,tpe
    """  # noqa: D301 (\b tells click to leave the lines alone)
    from dataclasses import replace

    from nasbench.store.bundled import find_table
    from nasbench.surrogates.bundled import find_surrogate
    from nasbench.surrogates.files import load
    from nasbench.surrogates.validation import leave_out
    from nasbench.surrogates.validation import validate as validated

    path = find_surrogate(surrogate)
    found, content = load(path)
    held = find_table(table if table is not None else found.card.table.partition("@")[0])
    result = validated(found, held, content_hash=content)
    if records is not None:
        proposed = _proposed(records, held)
        result = replace(result, left_out=leave_out(held, proposed, model=found.card.model))
    command = ["nasbench", "surrogate", "validate", surrogate]
    for name, value in (("table", table), ("records", records), ("strategies", strategies)):
        command += [f"--{name}", str(value)] if value is not None else []
    if strategies is not None:
        command += ["--seeds", str(seeds), "--budget", budget]
    folder = out if out is not None or as_json else Path(f"nasbench-surrogate-{found.card.name}")
    study = _study(
        f"Surrogate {found.card.name}",
        [result],
        [path] if strategies is not None else [],
        held,
        strategies or "",
        seeds,
        budget,
        jobs,
        shlex.join(command),
    )
    return _shown(study, [found], held, folder, as_json=as_json)


@click.command()
@click.argument("table")
@click.option("--model", default="ensemble", show_default=True, help="See: nasbench list surrogates.")
@click.option("--fractions", default="0.01,0.05,0.1,0.5", show_default=True, help="Shares of the table.")
@click.option("--seed", default=0, show_default=True, help="Of the fits.")
@click.option("--strategies", default=_STRATEGIES, show_default=True, help="Run on the table and on each.")
@_suite_options
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the page, and of the fitted surrogates.",
)
@json_option
def study(
    table: str,
    model: str,
    fractions: str,
    seed: int,
    strategies: str,
    seeds: int,
    budget: str,
    jobs: int,
    out: Path,
    as_json: bool,
) -> int:
    """Fit surrogates on shares of TABLE, and see from where on they may be trusted.

    Each is held against what it has not seen, and the same suite is run on the table and on each of them.
    """
    from nasbench.store.bundled import find_table
    from nasbench.surrogates.files import load, save
    from nasbench.surrogates.fitting import fit_surrogate
    from nasbench.surrogates.names import ENDING
    from nasbench.surrogates.validation import validate as validated

    held = find_table(table)
    shares = sorted(_shares(fractions))
    out.mkdir(parents=True, exist_ok=True)
    paths, made, results = [], [], []
    with progress_bar("surrogates") as update:
        for i, share in enumerate(shares):
            update(i, len(shares), f"{share:g} of {held.name}")
            name = f"{held.name}-{share:g}"
            path = out / f"{name}{ENDING}"
            save(fit_surrogate(held, model=model, fraction=share, seed=seed, name=name), path)
            fitted, content = load(path)
            paths.append(path)
            made.append(fitted)
            results.append(validated(fitted, held, content_hash=content))
    command = ["nasbench", "surrogate", "study", table, "--model", model, "--fractions", fractions]
    command += ["--seed", str(seed), "--strategies", strategies, "--seeds", str(seeds), "--budget", budget]
    title = f"Surrogates of {held.name}"
    told = _study(
        title, results, paths, held, strategies, seeds, budget, jobs, shlex.join([*command, "--out", "DIR"])
    )
    return _shown(told, made, held, out, as_json=as_json)


def _study(
    title: str,
    validations: list[Any],
    paths: list[Path],
    table: Table,
    strategies: str,
    seeds: int,
    budget: str,
    jobs: int,
    command: str,
) -> Study:
    """Run the suite on the table and on the surrogates of ``paths``, if there are any."""
    import tempfile

    from nasbench.reports.publish import publish
    from nasbench.reports.surrogate_page import Study
    from nasbench.reports.surrogate_ranks import compare_ranks
    from nasbench.runs.suite import parse_suite

    if not paths:
        return Study(title, validations, command, {}, ())
    rows = parse_strategies(strategies)
    data = {
        "name": "ranks",
        "sources": [str(table.path) + ":" + table.name, *(str(path.resolve()) for path in paths)],
        "strategies": rows,
        "seeds": seeds,
        "budget": budget,
    }
    with tempfile.TemporaryDirectory() as folder, progress_bar("runs") as update:
        board = publish(parse_suite(data, where="suite"), Path(folder) / "board", jobs=jobs, progress=update)
    finals, ranks = compare_ranks(board)
    said = (
        f"{len(finals)} strategies, {seeds} seeds each, {budget} a run, first on {table.name} itself, "
        "then on each "
        "surrogate."
    )
    return Study(title, validations, command, finals, ranks, said)


def _shown(
    study: Study, surrogates: list[Surrogate], table: Table, folder: Path | None, *, as_json: bool
) -> int:
    """Write the page, and print what it says."""
    from nasbench.reports.surrogate_page import write_study

    if as_json:
        print_json(study.as_dict())
    else:
        _print(study)
    if folder is not None:
        page = write_study(study, surrogates, table, folder)[0]
        say(f"page: {page.resolve()}")
    return 0


def _print(study: Study) -> None:
    """Print the main numbers, one line a surrogate."""
    rows = []
    for i, one in enumerate(study.validations):
        found = one.metrics["valid_error"]
        held = next(interval for interval in found.intervals if interval.level == 0.9)
        ranked = study.ranks[i].kendall_tau if study.ranks else None
        rows.append(
            [
                one.surrogate,
                f"{one.fitted:,}",
                f"{found.at_the_end['kendall_tau']:.3f}",
                f"{found.among_the_best['kendall_tau']:.3f}",
                format_error(found.at_the_end["mae"]),
                f"{held.coverage:.3f}",
                "–" if ranked is None else f"{ranked:.2f}",
            ]
        )
    header = [
        "surrogate",
        "fitted on",
        "tau",
        "tau, best 5 %",
        "MAE (points)",
        "0.9 held",
        "tau of strategies",
    ]
    print_table(header, rows, right=[1, 2, 3, 4, 5, 6], expendable=(3, 5))
    for left in study.validations[-1].left_out:
        print_prose(
            f"without {left.strategy}: tau {left.numbers['kendall_tau']:.3f} on the {left.asked:,} "
            "architectures that only "
            "it proposed"
        )


def _proposed(folder: Path, table: Table) -> dict[str, Codes]:
    """Read who proposed what from the records of a leaderboard on a table, or of the trainings in it.

    Raises:
        BadOption: None of its panels is about the table.
    """
    import numpy as np

    from nasbench.reports.publish import RECORDS
    from nasbench.runs.packing import distinct_codes, read_records

    for panel in read_records(folder / RECORDS).panels:
        is_live = _trains_for(panel.source, table)
        if is_live or panel.source["name"] == table.name:
            found = {entry.label: distinct_codes(entry.runs) for entry in panel.entries}
            proposed = {label: np.asarray(codes, dtype=np.int8) for label, codes in found.items()}
            if is_live:  # the rest of such a table is a sample of its own
                rows = [table.rows(codes) for codes in proposed.values() if len(codes)]
                others = np.setdiff1d(np.arange(len(table)), np.concatenate(rows))
                if len(others):
                    proposed[_NOBODY] = np.asarray(table.codes[others])
            return proposed
    raise BadOption(
        f"records: expected a leaderboard on {table.name}, got {folder}, which has none, nor live runs by "
        "its recipe."
    )


def _trains_for(source: Mapping[str, Any], table: Table) -> bool:
    """Say whether a live source made trainings such as a table holds: same space, data and recipe."""
    from nasbench.evaluation.retraining import recipe_of

    if source["kind"] != "trainer" or source["space"] != table.space.name:
        return False
    try:
        recipe = recipe_of(table.info, name=table.name)
    except BadOption:
        return False
    same: bool = source["extra"].get("recipe_hash") == recipe.recipe_hash
    return same and source["dataset"] == table.info.dataset


def _shares(text: str) -> list[float]:
    """Read shares separated by commas.

    Raises:
        BadOption: One is no number.
    """
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise BadOption(f"fractions: expected numbers separated by commas, got {text!r}.") from None
