"""``populate``: fill a table by training what it misses."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nasbench.cli.output import json_option, print_json, progress_bar, say
from nasbench.cli.populate_session import Session
from nasbench.errors import BadOption, SomeRunsFailed
from nasbench.units import format_seconds

if TYPE_CHECKING:
    from nasbench.populate.cluster import RayPool
    from nasbench.populate.local import LocalPool
    from nasbench.store.oneshot import OneShot
    from nasbench.training.recipe import Recipe

AT_LEAST_ONE = click.IntRange(min=1)
_SHARD = re.compile(r"(\d+)/(\d+)")


@click.command()
@click.argument("space")
@click.option("--data", required=True, help="Data set, e.g. digits.")
@click.option("--recipe", required=True, help="How to train (nasbench list recipes).")
@click.option(
    "--table",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="FILE.h5 to fill; one that is there is continued.",
)
@click.option("--name", default=None, help="Name of the table in the file; default: the file's name.")
@click.option("--all", "everything", is_flag=True, help="Train the whole space.")
@click.option("--sample", type=AT_LEAST_ONE, help="Train so many random architectures.")
@click.option(
    "--list", "list_file", type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Train the architectures of a file, one a line.",
)  # fmt: skip
@click.option(
    "--from-run", "from_run", type=click.Path(path_type=Path, exists=True),
    help="Train what runs handed over: a folder of compare or run, or one record.",
)  # fmt: skip
@click.option(
    "--strategy", "strategies", multiple=True, help="With --from-run: of this row only; may be repeated."
)
@click.option(
    "--take", "taken", multiple=True, metavar="TABLE",
    help="Take over the trainings of another table of the same recipe, such as one that compare --into made. "
    "Repeatable; enough alone.",
)  # fmt: skip
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Seed of the order.")
@click.option(
    "--isomorphs",
    type=click.Choice(["distinct", "once", "separate"]),
    default=None,
    help="Equal networks: train and keep one of each (distinct, the default), train one and give its results "
    "to all (once), or train all (separate, the default of --list and --from-run).",
)
@click.option("--distinct", is_flag=True, help="The same as --isomorphs distinct.")
@click.option(
    "--replicates", default=1, show_default=True, type=AT_LEAST_ONE, help="Trainings of each architecture."
)
@click.option("--epochs", type=AT_LEAST_ONE, default=None, help="Epochs to train; default: the recipe's.")
@click.option("--jobs", type=AT_LEAST_ONE, default=None, help="Workers in all; default: 1 a device.")
@click.option(
    "--device",
    default="cpu",
    show_default=True,
    help="cpu, cuda (every GPU of this machine), or cuda:0,cuda:1.",
)
@click.option("--per-device", type=AT_LEAST_ONE, default=None, help="Workers on each device.")
@click.option("--ray", "ray_address", default=None, metavar="ADDRESS", help="Train on a Ray cluster.")
@click.option(
    "--shard", default=None, metavar="I/N", help="Do the I-th of N parts, in a part file of its own."
)
@click.option(
    "--timeout", default=3600.0, show_default=True, type=click.FloatRange(min=0, min_open=True),
    help="Seconds after which a training counts as hanging.",
)  # fmt: skip
@click.option(
    "--tries", default=3, show_default=True, type=AT_LEAST_ONE, help="Crashes until a training is given up."
)
@click.option("--retry-quarantined", is_flag=True, help="Try again what was given up.")
@click.option(
    "--export-every", default=10.0, show_default=True, type=click.FloatRange(min=0),
    help="Minutes between two writings of FILE.h5; every training is safe in the ledger at once.",
)  # fmt: skip
@click.option("--export-only", is_flag=True, help="Write FILE.h5 from the ledger and train nothing.")
@click.option(
    "--oneshot", is_flag=True, help="Train a supernet and write every architecture's one-shot error."
)
@click.option(
    "--oneshot-epochs", default=300, show_default=True, type=AT_LEAST_ONE, help="Epochs of the supernet."
)
@click.option("--mixed-devices", is_flag=True, help="Let one table hold seconds of different hardware.")
@click.option("--licence", default=None, help="Licence of the results, written into the table.")
@click.option(
    "--dry-run", is_flag=True, help="Print plan and estimate; train a sample of three, keep nothing."
)
@json_option
def populate(
    space: str,
    data: str,
    recipe: str,
    table: Path,
    name: str | None,
    everything: bool,
    sample: int | None,
    list_file: Path | None,
    from_run: Path | None,
    strategies: tuple[str, ...],
    taken: tuple[str, ...],
    seed: int,
    isomorphs: Any,
    distinct: bool,
    replicates: int,
    epochs: int | None,
    jobs: int | None,
    device: str,
    per_device: int | None,
    ray_address: str | None,
    shard: str | None,
    timeout: float,
    tries: int,
    retry_quarantined: bool,
    export_every: float,
    export_only: bool,
    oneshot: bool,
    oneshot_epochs: int,
    mixed_devices: bool,
    licence: str | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Fill a table of SPACE by training what it misses.

    Every finished training is kept at once in a ledger beside the table; the same command again continues,
    from the ledger or from FILE.h5 alone. Exits 5 if trainings were given up.

    \b
      nasbench populate nb201 --data digits --recipe digits-small --table mine.h5 --sample 20 --jobs 2
      nasbench populate darts --data digits --recipe digits-darts --table mine.h5 --from-run DIR
      nasbench populate nb201 --data digits --recipe digits-small --table mine.h5 --oneshot
    """  # noqa: D301
    from nasbench.cli.populate_derived import Derived
    from nasbench.populate.cluster import RayPool
    from nasbench.populate.filling import missing
    from nasbench.populate.job import Job
    from nasbench.populate.live import open_live_trainer
    from nasbench.populate.local import LocalPool
    from nasbench.populate.oneshot import score_table
    from nasbench.populate.plan import listed, shuffled, tasks_of
    from nasbench.populate.plan import shard as shard_of
    from nasbench.populate.target import Target, part_path
    from nasbench.spaces import get_space
    from nasbench.store.bundled import find_table
    from nasbench.training.recipes import get_recipe

    chosen, of_space = get_recipe(recipe), get_space(space)
    if chosen.space != of_space.name:
        raise BadOption(
            f"recipe: expected one of space {of_space.name}, got {recipe!r}, which trains {chosen.space}. "
            "See: nasbench list recipes"
        )
    length = chosen.epochs if epochs is None else epochs
    if length > chosen.epochs:
        raise BadOption(f"epochs: expected 1 to {chosen.epochs}, the recipe's length, got {length}.")
    what = (everything, sample is not None, list_file is not None, from_run is not None)
    if oneshot and (any(what) or export_only or shard is not None or dry_run or ray_address is not None):
        raise BadOption(
            "oneshot: expected a table that is filled, and none of --all, --sample, --list, --from-run, "
            "--export-only, --shard, --dry-run and --ray. Fill the table first; --oneshot then scores all of "
            "its rows."
        )
    only_takes = bool(taken) and not any(what)
    if not (export_only or oneshot or only_takes) and sum(what) != 1:
        raise BadOption(
            "populate: expected one of --all, --sample N, --list FILE and --from-run DIR. Say what to train."
        )
    if taken and (oneshot or export_only or dry_run or shard is not None):
        raise BadOption(
            "take: expected none of --oneshot, --export-only, --dry-run and --shard with it: what it takes "
            "goes into the whole table. Take first, then go on."
        )
    if strategies and from_run is None:
        raise BadOption("strategy: expected --from-run DIR with it: it picks among rows of runs.")
    if oneshot:
        score = functools.partial(
            score_table, epochs=oneshot_epochs, seed=seed, device=device, mixed_devices=mixed_devices
        )
        return _score(table, name or table.stem, chosen, score, as_json=as_json)
    derived = None if from_run is None or export_only else Derived(from_run, of_space, strategies)
    job = Job(space=of_space.name, data=data.strip(), recipe=chosen, epochs=length)
    if distinct:
        isomorphs = "distinct"
    part = _parse_shard(shard)
    path = table if part is None else part_path(table, *part)
    with Target(
        path,
        job,
        name=name or table.stem,
        isomorphs=isomorphs,
        new_isomorphs="distinct" if list_file is None and derived is None else "separate",
        mixed_devices=mixed_devices,
        licence=licence,
        retry_quarantined=retry_quarantined,
        keeps=not dry_run,
    ) as target:
        for other in taken:
            found_there = target.take(find_table(other))
            say(f"took {found_there:,} trainings over from {other}")
        if export_only or only_takes:
            rows = target.export()
            say(f"wrote {path}: {rows:,} architectures" if rows else "nothing is finished: nothing written")
            return 0
        if derived is not None:
            codes = listed(of_space, map(of_space.format, derived.codes), isomorphs=target.isomorphs)
        elif list_file is None:
            codes = shuffled(of_space, isomorphs=target.isomorphs, seed=seed, n=sample)
        else:
            lines = list_file.read_text(encoding="utf-8").splitlines()
            codes = listed(of_space, lines, isomorphs=target.isomorphs)
        if part is not None:
            codes = shard_of(codes, *part)
            target.borrow(table, codes)
        tasks = tasks_of(codes, replicates=replicates)
        todo = missing(target, tasks)
        say(
            f"plan: {len(tasks):,} trainings ({len(codes):,} architectures x {replicates}), "
            f"{len(tasks) - len(todo):,} are there, {len(todo):,} to do; table {path}"
        )
        session = Session(target, todo, rows=len(codes), replicates=replicates)
        if not todo:
            target.export()
            say("nothing to do: the table holds all of it")
        else:
            if ray_address is None:
                devices = device_slots(device, jobs, per_device)[: len(todo)]
                pool: Callable[[], LocalPool | RayPool] = functools.partial(
                    LocalPool, job, open_live_trainer, devices=devices, time_limit=timeout
                )
            else:
                pool = functools.partial(
                    RayPool,
                    job,
                    open_live_trainer,
                    address=ray_address,
                    device=device.strip().lower(),
                    per_device=per_device or 1,
                    jobs=jobs,
                    time_limit=timeout,
                )
            session.run(pool, tries=tries, export_every=export_every * 60, dry_run=dry_run)
        found = None
        if derived is not None and not dry_run:
            found = derived.recorded(path, target.name, epochs=length)
        if as_json:
            print_json(session.summary() if found is None else {**session.summary(), "derived": found})
        if session.tally is not None and session.tally.quarantined:
            raise SomeRunsFailed(
                f"populate: {len(session.tally.quarantined)} trainings were given up; they are recorded as "
                "failed with their reason. To try them again add --retry-quarantined."
            )
    return 0


def _score(path: Path, name: str, recipe: Recipe, score: Callable[..., OneShot], *, as_json: bool) -> int:
    """Train a supernet for a table and write its one-shot errors into it.

    Raises:
        BadOption: No such table, or one of another recipe.
    """
    from nasbench.evaluation.retraining import recipe_of
    from nasbench.populate.oneshot import add_column
    from nasbench.store.agreement import one_shot_agreement
    from nasbench.store.table import open_table

    if not path.is_file():
        raise BadOption(f"table: expected one to score, got no file {str(path)!r}. Fill it first.")
    table = open_table(path, name)
    held = recipe_of(table.info, name=table.name)
    if held != recipe:
        raise BadOption(
            f"recipe: table {table.name} was trained by recipe {held.recipe_hash[:12]}, got "
            f"{recipe.recipe_hash[:12]}. A supernet is trained as the table was."
        )
    with progress_bar("oneshot") as bar:
        column = score(table, tell=lambda what, done, of: bar(done, of, what))
    content_hash = add_column(path, table.name, column)
    found = next(one for one in one_shot_agreement(open_table(path, table.name)) if one.name == column.name)
    say(
        f"wrote {path}: {column.name} of {len(table):,} architectures; Kendall tau with their own errors "
        f"{'none' if found.ranks.kendall is None else f'{found.ranks.kendall:.3f}'}; training took "
        f"{format_seconds(column.train_seconds)}, scoring {format_seconds(column.score_seconds)} each"
    )
    if as_json:
        print_json(
            {
                "table": str(path),
                "name": table.name,
                "column": column.name,
                "kendall": found.ranks.kendall,
                "train_seconds": column.train_seconds,
                "score_seconds": column.score_seconds,
                "content_hash": content_hash,
            }
        )
    return 0


def _parse_shard(text: str | None) -> tuple[int, int] | None:
    """Read ``I/N``.

    Raises:
        BadOption: Not of that form.
    """
    if text is None:
        return None
    match = _SHARD.fullmatch(text.strip())
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise BadOption(f"shard: expected I/N with I from 1 to N, got {text!r}.")
    return int(match[1]), int(match[2])


def device_slots(device: str, jobs: int | None, per_device: int | None) -> list[str]:
    """Name the device of each worker.

    Raises:
        BadOption: Both kinds of device, or both ways to count workers.
    """
    if jobs is not None and per_device is not None:
        raise BadOption("jobs: expected --jobs or --per-device, got both. --jobs is the number in all.")
    names = [part.strip().lower() for part in device.split(",") if part.strip()]
    if names == ["cuda"]:
        names = _all_gpus()
    if len({name.partition(":")[0] for name in names}) != 1:
        raise BadOption(f"device: expected cpu, cuda, or GPUs such as cuda:0,cuda:1, got {device!r}.")
    count = jobs if jobs is not None else len(names) * (per_device or 1)
    return [names[i % len(names)] for i in range(count)]


def _all_gpus() -> list[str]:
    """Name every GPU of this machine; ``cuda`` where there is none, for the worker to refuse."""
    from nasbench.training import require_torch

    require_torch("Live training")
    import torch

    return [f"cuda:{i}" for i in range(torch.cuda.device_count())] or ["cuda"]
