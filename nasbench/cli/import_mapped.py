"""``import csv`` and ``import jsonl``: any table by mapping."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nasbench.cli.output import json_option, print_json, print_prose, print_table, progress_bar, say
from nasbench.errors import BadOption, MissingExtra
from nasbench.units import format_error

if TYPE_CHECKING:
    from nasbench.store.imports.mapped import Imported
    from nasbench.store.imports.rows import Format

_SHOWN = 5
_ROLES = ("architecture", "replicate", "epoch", "dataset", "failed")
_CURVES = ("_error", "_loss", "_seconds")
_SCALAR = "scalar:"


def shared_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options of every import by mapping."""
    for option in reversed(
        (
            click.argument("file", type=click.Path(path_type=Path, dir_okay=False)),
            click.option(
                "--table",
                required=True,
                metavar="FILE.h5",
                type=click.Path(path_type=Path, dir_okay=False),
                help="The table file to write.",
            ),
            click.option(
                "--mapping",
                "mapping_file",
                metavar="FILE.toml",
                default=None,
                type=click.Path(path_type=Path, dir_okay=False),
                help="What the columns mean, as TOML; the options below add to it and win over it.",
            ),
            click.option("--name", default=None, help="Name of the table; default: that of FILE.h5."),
            click.option("--space", default=None, help="Space of the architectures (nasbench list spaces)."),
            click.option(
                "--map",
                "maps",
                multiple=True,
                metavar="WHAT=COLUMN",
                help="WHAT is architecture, replicate, epoch, dataset, failed, a curve such as valid_error "
                "or train_seconds, or a scalar such as parameters or scalar:latency_seconds. Repeatable.",
            ),
            click.option(
                "--unit",
                "units",
                multiple=True,
                metavar="WHAT=UNIT",
                help="error or accuracy (fractions), error percent, accuracy percent, seconds, minutes, "
                "hours, seconds an epoch; for a scalar any words. Repeatable.",
            ),
            click.option(
                "--epochs",
                default=None,
                type=click.IntRange(min=1),
                help="How long the trainings were, where no column says so.",
            ),
            click.option(
                "--about",
                "about",
                multiple=True,
                metavar="KEY=TEXT",
                help="dataset, device, device_kind (gpu, cpu or none), licence, source; also source_url, "
                "citation, notes, rows_answer_for. Repeatable.",
            ),
            click.option(
                "--missing",
                "missing",
                multiple=True,
                metavar="TEXT",
                help="A cell that means not measured, such as -1; empty cells, nan and null do anyway.",
            ),
            click.option(
                "--replicates-in-order",
                is_flag=True,
                help="The k-th row of an architecture is its k-th training repeat.",
            ),
            click.option(
                "--skip-damaged",
                is_flag=True,
                help="Leave out rows that make no sense and count them, instead of stopping at the first.",
            ),
            click.option("--replace", is_flag=True, help="Overwrite FILE.h5 if it is there."),
            click.option("--dry-run", is_flag=True, help="Say what was understood and write nothing."),
            json_option,
        )
    ):
        command = option(command)
    return command


@click.command("csv")
@click.option("--delimiter", default=None, help="Between two cells; default: a comma.")
@shared_options
def csv(**options: Any) -> int:
    """Import a CSV FILE: one row an architecture or a training, by a mapping of its columns.

    A start that was interrupted is continued.

    \b
    For example:
      nasbench import csv cells.csv --table cells.h5 --space nb201 --epochs 200 \\
        --map architecture=cell --map valid_error=val_acc --unit "valid_error=accuracy percent" \\
        --map train_seconds=hours --unit train_seconds=hours --map replicate=seed \\
        --about dataset=CIFAR-10 --about device="one V100" --about device_kind=gpu \\
        --about licence=CC-BY-4.0 --about source="our lab, 2024"
    """  # noqa: D301 (\b tells click to leave the lines alone)
    return _import("csv", **options)


@click.command("jsonl")
@shared_options
def jsonl(**options: Any) -> int:
    """Import a JSON-lines FILE: one object an architecture or a training, by a mapping of its fields.

    Fields inside objects and lists are named outer.inner and name[0]; docs/imports.md has examples. A start
    that was interrupted is continued.
    """
    return _import("jsonl", **options)


def _import(
    kind: Format,
    *,
    file: Path,
    table: Path,
    mapping_file: Path | None,
    skip_damaged: bool,
    replace: bool,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> int:
    from nasbench.store.imports.half_done import HalfDone, half_done_path
    from nasbench.store.imports.mapped import read_mapped, require_new
    from nasbench.store.imports.mapping import parse_mapping
    from nasbench.store.writer import write_tables

    about = _mapping(mapping_file, table, **options)
    mapping = parse_mapping(about)
    if not dry_run:
        require_new(table, replace_it=replace)
    half_done = None if dry_run else HalfDone(half_done_path(table), say=say)
    with progress_bar(f"import {kind}") as progress:
        found = read_mapped(
            file, kind, mapping, skip_damaged=skip_damaged, half_done=half_done, progress=progress
        )
    if not as_json:
        _print_understood(found)
    if half_done is None:
        say(f"dry run: {table} is not written")
    else:
        write_tables(table, found.tables)
        half_done.remove()
        say(f"wrote {table}; look at it with: nasbench table info {table}")
    if as_json:
        print_json(found.as_dict())
    return 0


def _mapping(
    mapping_file: Path | None,
    table: Path,
    *,
    name: str | None,
    space: str | None,
    maps: tuple[str, ...],
    units: tuple[str, ...],
    epochs: int | None,
    about: tuple[str, ...],
    missing: tuple[str, ...],
    replicates_in_order: bool,
    delimiter: str | None = None,
) -> dict[str, Any]:
    """Join the mapping file and the options; the options win."""
    joined = {} if mapping_file is None else _read_toml(mapping_file)
    for key, value in (("name", name), ("space", space), ("epochs", epochs), ("delimiter", delimiter)):
        if value is not None:
            joined[key] = value
    if replicates_in_order:
        joined["replicates"] = "in order"
    joined.setdefault("name", table.stem.lower().replace("_", "-"))
    if missing:
        known = joined.get("missing", [])
        joined["missing"] = [*known, *missing] if isinstance(known, list) else known
    architecture = []
    for target, column in (_pair("map", text) for text in maps):
        if target == "architecture":
            architecture.append(column)
        elif target in _ROLES:
            _inner(joined, "columns")[target] = column
        else:
            _entry(joined, target)["column"] = column
    if architecture:
        _inner(joined, "columns")["architecture"] = architecture
    for target, unit in (_pair("unit", text) for text in units):
        _entry(joined, target)["unit"] = unit
    for key, text in (_pair("about", text) for text in about):
        _inner(joined, "about")[key] = text
    return joined


def _entry(joined: dict[str, Any], target: str) -> dict[str, Any]:
    """Find or make what a mapping says of a curve or scalar; a name with ``scalar:`` is a scalar's."""
    is_scalar = target.startswith(_SCALAR) or not target.endswith(_CURVES)
    kind = "scalars" if is_scalar else "curves"
    return _inner(_inner(joined, kind), target.removeprefix(_SCALAR))


def _inner(outer: dict[str, Any], key: str) -> dict[str, Any]:
    """Find or make a table inside a mapping.

    Raises:
        BadOption: Something else is there.
    """
    inner = outer.setdefault(key, {})
    if not isinstance(inner, dict):
        raise BadOption(f"mapping: {key}: expected a table, got {inner!r}. See docs/imports.md.")
    return inner


def _pair(option: str, text: str) -> tuple[str, str]:
    """Read ``name=value``.

    Raises:
        BadOption: There is no equals sign, or nothing on one side of it.
    """
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals and value):
        raise BadOption(f"{option}: expected NAME=VALUE, got {text!r}.")
    return name, value


def _read_toml(path: Path) -> dict[str, Any]:
    """Read a mapping file.

    Raises:
        MissingExtra: It is not there.
        BadOption: It is not TOML.
    """
    try:
        return copy.deepcopy(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise MissingExtra(f"mapping: expected a TOML file, got {str(path)!r}, which is not there.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadOption(f"mapping: expected TOML in {path}, got something else ({error}).") from None


def _print_understood(found: Imported) -> None:
    """Say what was understood of the file, before anything is written."""
    written, read = found.example
    print_prose(f"{found.rows:,} rows; the first architecture {written!r} was read as {read}")
    rows = []
    for curve in found.curves:
        is_error = curve.target.endswith("_error")
        ends = [
            f"{format_error(v, digits=3)} %" if is_error else f"{v:.6g}" for v in (curve.least, curve.most)
        ]
        rows.append((curve.target, curve.column, curve.unit, f"{curve.values:,}", *ends))
    print_table(["curve", "column", "in", "values", "least", "most"], rows, right=(3, 4, 5))
    for table in found.as_dict()["tables"]:
        epochs = table["epochs"]
        lengths = str(epochs[0]) if len(epochs) == 1 else f"{len(epochs)} lengths to {epochs[-1]}"
        print_prose(
            f"table {table['name']}: {table['architectures']:,} architectures of {table['space']}, "
            f"{table['trainings']:,} trainings (up to {table['replicates']} each), epochs: {lengths}, "
            f"scalars: {', '.join(table['scalars']) or 'none'}"
        )
    if found.unused:
        more = f" and {len(found.unused) - _SHOWN} more" if len(found.unused) > _SHOWN else ""
        print_prose(f"not used: {', '.join(found.unused[:_SHOWN])}{more}")
    if found.empty_rows:
        print_prose(f"rows without any number: {found.empty_rows:,}")
    if found.doubled:
        print_prose(f"values that another row had already said: {found.doubled:,}")
    if found.damaged:
        print_prose(f"damaged rows left out: {len(found.damaged):,}")
        for line, why in found.damaged[:_SHOWN]:
            print_prose(f"  line {line}: {why}")
    for caution in found.cautions:
        say(f"look here: {caution}")
