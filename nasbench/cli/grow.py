"""``surrogate grow``: train what a surrogate would learn most from, until it knows enough."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nasbench.cli.compare import AT_LEAST_ONE
from nasbench.cli.output import json_option, print_json, progress_bar, say
from nasbench.cli.populate import device_slots
from nasbench.units import format_error, format_seconds, parse_budget

if TYPE_CHECKING:
    from nasbench.populate.growing import Round


@click.command()
@click.argument("space")
@click.option("--data", required=True, help="Data set, e.g. digits.")
@click.option("--recipe", required=True, help="How to train (nasbench list recipes).")
@click.option(
    "--table", required=True, type=click.Path(path_type=Path, dir_okay=False), help="FILE.h5 that grows."
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="FILE.surrogate.h5."
)
@click.option("--budget", required=True, help="Of all trainings in the table: 500evals, 3600s, 0.1cpu-days.")
@click.option(
    "--choose",
    default="disagreement",
    show_default=True,
    help="random, disagreement (of the members) or strategies (what searches on it hand over).",
)
@click.option("--batch", default=40, show_default=True, type=AT_LEAST_ONE, help="Architectures a round.")
@click.option("--model", default="ensemble", show_default=True, help="See: nasbench list surrogates.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Of every draw.")
@click.option("--jobs", type=AT_LEAST_ONE, default=None, help="Workers in all; default: 1 a device.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, or cuda:0,cuda:1.")
@click.option("--timeout", default=3600.0, show_default=True, help="Seconds after which a training hangs.")
@click.option("--licence", default=None, help="Licence of the results, written into the table.")
@json_option
def grow(
    space: str,
    data: str,
    recipe: str,
    table: Path,
    out: Path,
    budget: str,
    choose: str,
    batch: int,
    model: str,
    seed: int,
    jobs: int | None,
    device: str,
    timeout: float,
    licence: str | None,
    as_json: bool,
) -> int:
    """Grow a table of SPACE and a surrogate of it, choosing what to train next.

    Ends where what the surrogate does not know is no more than the noise between two trainings, or with the
    budget. The same command again goes on from the table.

    \b
      nasbench surrogate grow nb201 --data digits --recipe digits-nb201 --table grown.h5 \\
        --out grown.surrogate.h5 --budget 300evals
    """  # noqa: D301
    from nasbench.populate.filling import Tally, fill, missing
    from nasbench.populate.growing import begin, check_choice, choose_next, look
    from nasbench.populate.job import Job, Task
    from nasbench.populate.live import open_live_trainer
    from nasbench.populate.local import LocalPool
    from nasbench.populate.target import Target
    from nasbench.spaces import get_space
    from nasbench.store.table import open_table
    from nasbench.surrogates.files import save
    from nasbench.surrogates.members import members_of
    from nasbench.training.recipes import get_recipe

    limit, way, chosen = parse_budget(budget), check_choice(choose), get_recipe(recipe)
    members_of(model)
    job = Job(space=get_space(space).name, data=data.strip(), recipe=chosen, epochs=chosen.epochs)
    slots = device_slots(device, jobs, None)
    rounds: list[Round] = []
    with (
        Target(table, job, name=table.stem, new_isomorphs="distinct", licence=licence) as target,
        LocalPool(job, open_live_trainer, devices=slots, time_limit=timeout) as pool,
        progress_bar("trainings") as update,
    ):

        def tell(tally: Tally) -> None:
            update(tally.done, tally.total, table.name)

        begin(target, pool, seed=seed, tell=tell)
        while True:
            made, now = look(target, model=model, seed=seed, batch=batch)
            content = save(made, out)
            rounds.append(now)
            say(_sentence(now, batch))
            left = batch
            if limit.evaluations is not None:
                left = min(batch, limit.evaluations - now.trainings)
            if now.is_enough or left < 1 or (limit.seconds is not None and now.seconds >= limit.seconds):
                break
            trained = [tuple(code) for code in open_table(table, target.name).codes.tolist()]
            codes = choose_next(made, content, trained, choice=way, batch=left, seed=seed)
            if not codes:
                say("the space has no architecture left to train")
                break
            fill(target, missing(target, [Task(code, 0) for code in codes]), pool, tell=tell)
    if as_json:
        print_json([dataclasses.asdict(one) for one in rounds])
    say(f"wrote {table} and {out}")
    return 0


def _sentence(now: Round, batch: int) -> str:
    """Say where the growth stands and what the next batch should bring."""
    noise = "not known" if now.noise is None else f"{format_error(now.noise)} points"
    text = (
        f"{now.architectures:,} architectures, {format_seconds(now.seconds)} of training: error "
        f"{format_error(now.error)} points on held-out ones, not known {format_error(now.unknown)}, "
        f"seed noise {noise}"
    )
    if now.is_enough:
        return f"{text}. Enough: training one anew would tell no more than asking."
    if now.expected is None:
        return text
    each = now.seconds / max(now.trainings, 1)
    return (
        f"{text}; {batch} more (about {format_seconds(batch * each)}) should bring it to "
        f"{format_error(now.expected)}"
    )
