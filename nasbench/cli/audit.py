"""``audit``: the same search on a table and live, side by side."""

from __future__ import annotations

import re
from pathlib import Path

import click

from nasbench.cli.compare import parse_strategy
from nasbench.cli.output import json_option, print_json, print_prose, progress_bar, say
from nasbench.errors import BadOption, Mismatch
from nasbench.units import format_error


@click.command()
@click.argument("strategy")
@click.option("--table", required=True, help="Table to audit: a name, FILE.h5 or FILE.h5:NAME.")
@click.option(
    "--live", is_flag=True, help="Against live training by the table's own recipe (the only way yet)."
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Seed of the search.")
@click.option(
    "--budget",
    default="30evals",
    show_default=True,
    help="What each search may spend; evaluations compare best.",
)
@click.option("--device", default=None, help="Where to train, e.g. cuda; default: the CPU.")
@click.option(
    "--out",
    default=None,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of page, JSON and both run records; default: nasbench-audit-TABLE-STRATEGY.",
)
@json_option
def audit(
    strategy: str,
    table: str,
    live: bool,
    seed: int,
    budget: str,
    device: str | None,
    out: Path | None,
    as_json: bool,
) -> int:
    """Run STRATEGY on a table and on live training from one seed, and compare the two searches.

    The same command again goes on from what was trained. Exits 3 where they part by more than the noise
    between the table's own repeats explains.

    \b
    For example:
      nasbench audit regularized-evolution --table digits-nb201 --live --budget 30evals
    """  # noqa: D301 (\b tells click to leave the lines alone)
    from nasbench.reports.audit import audit as compare
    from nasbench.reports.audit_page import PAGE, write_audit
    from nasbench.store.bundled import find_table

    if not live:
        raise BadOption("live: expected what to hold the table against, got nothing. Add --live.")
    row = parse_strategy(strategy)
    found = find_table(table)
    name = re.sub(r"[^a-z0-9]+", "-", f"{found.name}-{strategy}".lower()).strip("-")
    folder = out if out is not None else Path(f"nasbench-audit-{name}")
    with progress_bar("audit") as progress:
        made = compare(
            row["name"],
            found,
            seed=seed,
            budget=budget,
            options=row["options"],
            device=device,
            folder=folder,
            progress=progress,
        )
    write_audit(made, folder)
    if as_json:
        print_json(made.as_dict())
    else:
        for sentence in made.judgement.sentences:
            print_prose(sentence)
        if made.median_time_ratio is not None:
            print_prose(f"A training took {made.median_time_ratio:.2f} times its recorded seconds (median).")
        for where, incumbent in zip(("on the table", "live"), made.incumbents, strict=True):
            if incumbent is not None:
                test = "–" if incumbent.test_error is None else f"{format_error(incumbent.test_error)} %"
                print_prose(f"found {where}: {incumbent.architecture}, test error {test}")
    say(f"page: {(folder / PAGE).resolve()}")
    if not made.judgement.agrees:
        raise Mismatch(made.judgement.unexplained[0])
    return 0
