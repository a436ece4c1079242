"""``surrogate``: fit, info, validate, study, grow."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nasbench.cli.grow import grow
from nasbench.cli.output import json_option, print_json, print_table, progress_bar, say
from nasbench.cli.surrogate_validation import study, validate
from nasbench.units import format_error

if TYPE_CHECKING:
    from nasbench.surrogates.surrogate import Surrogate


@click.group("surrogate")
def group() -> None:
    """Fit, look into or validate surrogates: models of a table that answer for its whole space."""


group.add_command(validate)
group.add_command(study)
group.add_command(grow)


@group.command()
@click.argument("table")
@click.option("--model", default="ensemble", show_default=True, help="See: nasbench list surrogates.")
@click.option(
    "--out",
    default=None,
    type=click.Path(path_type=Path, dir_okay=False),
    help="FILE.surrogate.h5; default: TABLE-MODEL.surrogate.h5 here.",
)
@click.option(
    "--fraction", type=float, default=None, help="Share of the table to use, in (0, 1]; default: all."
)
@click.option("--rows", type=int, default=None, help="Number of architectures to use, instead.")
@click.option("--seed", type=int, default=0, show_default=True, help="Draws architectures and members.")
@json_option
def fit(
    table: str,
    model: str,
    out: Path | None,
    fraction: float | None,
    rows: int | None,
    seed: int,
    as_json: bool,
) -> int:
    """Fit a surrogate on TABLE and write it to a file.

    \b
    For example:
      nasbench surrogate fit digits-nb201 --fraction 0.1 --out tenth.surrogate.h5
      nasbench compare --source tenth.surrogate.h5 --strategies random-search,tpe \\
        --seeds 10 --budget 100evals --out on-the-surrogate
    """  # noqa: D301 (\b tells click to leave the lines alone)
    from nasbench.store.bundled import find_table
    from nasbench.surrogates.files import save
    from nasbench.surrogates.fitting import fit_surrogate
    from nasbench.surrogates.names import ENDING

    found = find_table(table)
    target = out if out is not None else Path(f"{found.name}-{model}{ENDING}")
    with progress_bar("members") as update:
        made = fit_surrogate(
            found,
            model=model,
            fraction=fraction,
            rows=rows,
            seed=seed,
            name=target.name.removesuffix(ENDING),
            on_member=lambda done, total: update(done, total, model),
        )
    content = save(made, target)
    _show(made, content, as_json=as_json)
    say(f"wrote {target}; use it wherever a source is asked for: --source {target}")
    return 0


@group.command()
@click.argument("surrogate")
@json_option
def info(surrogate: str, as_json: bool) -> int:
    """Say what SURROGATE (FILE.surrogate.h5 or a name) was fitted on, and how good it is."""
    from nasbench.surrogates.bundled import find_surrogate
    from nasbench.surrogates.files import load

    found, content = load(find_surrogate(surrogate))
    _show(found, content, as_json=as_json)
    return 0


def _show(surrogate: Surrogate, content: str, *, as_json: bool) -> None:
    """Print the card."""
    card = surrogate.card
    if as_json:
        print_json({**dataclasses.asdict(card), "epochs": list(surrogate.epochs), "content_hash": content})
        return
    noise = "not known: too few architectures trained more than once"
    if surrogate.noise is not None:
        middle = surrogate.noise.deviations[0, -1].mean()
        noise = (
            f"{format_error(float(middle), digits=2)} points (sd) on average, from "
            f"{surrogate.noise.architectures:,} "
            "architectures trained more than once"
        )
    rows: list[tuple[str, Any]] = [
        ("surrogate", card.name),
        ("space", card.space),
        ("dataset", card.dataset),
        ("fitted on", f"{card.table.partition('@')[0]}, {card.architectures:,} architectures"),
        ("held out", f"{card.held_out:,} of them, which calibrate the spread"),
        ("members", ", ".join(card.members)),
        ("epochs", f"{surrogate.epochs[0]} to {surrogate.epochs[-1]}"),
        ("seed noise", noise),
    ]
    for metric, values in card.quality.items():
        rows.append(
            (
                metric,
                f"R2 {values['r2']:.3f}, mean absolute error {format_error(values['mae'], digits=2)} points, "
                f"Kendall tau {values['kendall_tau']:.3f} on the held-out",
            )
        )
    rows += [("reference device", card.device), ("licence", card.licence), ("content hash", content)]
    print_table(["", ""], [(name, str(value)) for name, value in rows])
