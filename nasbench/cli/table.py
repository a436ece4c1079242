"""``table``: info, verify, diff, merge, export."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import click

from nasbench.cli.output import json_option, print_json, print_table, say
from nasbench.cli.table_report import report
from nasbench.errors import BadOption, Mismatch
from nasbench.units import DeviceKind, days_label, format_error, format_seconds


@click.group("table")
def group() -> None:
    """Look into, verify, compare or export tables.

    TABLE is a name (nasbench list tables), FILE.h5, or FILE.h5:NAME where a file holds several.
    """


group.add_command(report)


@group.command()
@click.argument("table")
@json_option
def info(table: str, as_json: bool) -> int:
    """Say what TABLE holds."""
    from nasbench.store.bundled import find_table
    from nasbench.store.summary import table_summary
    from nasbench.store.table import listed

    summary = table_summary(find_table(table))
    if as_json:
        print_json(summary)
        return 0
    attributes: dict[str, Any] = summary["attributes"]
    best = summary["best"]
    noise = summary["replicate_std"]
    rows = [
        ("table", summary["name"]),
        ("space", f"{attributes['space']} ({summary['space_size']:,} architectures)"),
        ("dataset", attributes["dataset"]),
        ("architectures", f"{summary['architectures']:,}"),
        (
            "training repeats",
            ", ".join(f"{n:,} with {k}" for k, n in sorted(summary["replicate_histogram"].items())),
        ),
        ("failed trainings", str(summary["failed_trainings"])),
        ("epochs", listed(summary["epochs"])),
        ("curves", ", ".join(summary["metrics"])),
        ("scalars", ", ".join(summary["scalars"])),
        *(
            (
                one["name"],
                f"{one['architectures']:,} architectures by the shared weights of a supernet, "
                f"{one['epochs']} epochs, seed {one['seed']}, {format_seconds(one['train_seconds'])}",
            )
            for one in summary["one_shot"]
        ),
        ("noise between repeats", "–" if noise is None else f"{format_error(noise, digits=3)} points (sd)"),
        (
            "best by mean",
            "–"
            if best is None
            else f"{best['architecture']}  {format_error(best['valid_error'], digits=3)} % validation error",
        ),
        *_times(attributes["device_kind"], summary),
        ("reference device", attributes["reference_device"]),
        ("licence", attributes["licence"]),
        ("citation", attributes["citation"]),
        ("content hash", attributes["content_hash"]),
    ]
    print_table(["", ""], rows)
    return 0


def _times(device_kind: DeviceKind, summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Say what the trainings took, where the source recorded it."""
    if device_kind == "none":
        return [("training time", "none recorded; train_seconds counts epochs")]
    label = days_label(device_kind)
    return [
        (label, f"{_days(summary['days_one_training_each'])} for one training of each architecture"),
        (f"{label}, all", f"{_days(summary['days_all_trainings'])} for every recorded training"),
    ]


def _days(amount: float) -> str:
    return f"{amount:,.1f}" if amount >= 10 else f"{amount:.3g}"


@group.command()
@click.argument("table")
@json_option
def verify(table: str, as_json: bool) -> int:
    """Recompute the hashes of TABLE (or of every table of FILE.h5) and check every number.

    Exits 3 and names what does not hold.
    """
    from nasbench.store.bundled import find_table
    from nasbench.store.verify import verify_table

    if table.endswith(".h5"):
        path, name = Path(table), None
    else:
        found = find_table(table)
        path, name = found.path, found.name
    findings = verify_table(path, name)
    if as_json:
        print_json({"table": table, "holds": not findings, "findings": [str(f) for f in findings]})
    if findings:
        for finding in findings[1:]:
            say(f"also: {finding}")
        raise Mismatch(f"{path}: {findings[0]}")
    if not as_json:
        click.echo(f"{table}: holds")
    return 0


@group.command()
@click.argument("first")
@click.argument("second")
@json_option
def diff(first: str, second: str, as_json: bool) -> int:
    """Say what differs between two tables of one space. Exits 1 if anything does."""
    from nasbench.store.bundled import find_table
    from nasbench.store.diff import diff_tables

    difference = diff_tables(find_table(first), find_table(second))
    if as_json:
        print_json({"equal": difference.is_equal, **dataclasses.asdict(difference)})
        return 0 if difference.is_equal else 1
    if difference.is_equal:
        click.echo("equal")
        return 0
    for name, (a, b) in difference.attributes.items():
        click.echo(f"attribute {name}: {str(a)[:100]!r} against {str(b)[:100]!r}")
    for where, architectures in (("first", difference.only_a), ("second", difference.only_b)):
        if architectures:
            shown = ", ".join(architectures[:3]) + (", ..." if len(architectures) > 3 else "")
            click.echo(f"only in the {where}: {len(architectures):,} architectures ({shown})")
    for where, epochs in (("first", difference.epochs_only_a), ("second", difference.epochs_only_b)):
        if epochs:
            click.echo(f"only in the {where}: epochs {', '.join(map(str, epochs))}")
    for name, cells in difference.cells.items():
        if cells:
            click.echo(
                f"{name}: {cells.changed:,} cells changed (largest difference {cells.max_abs:.6g}), "
                f"{cells.only_a:,} only in the first, {cells.only_b:,} only in the second"
            )
    return 1


@group.command()
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("parts", nargs=-1, required=True)
@click.option("--name", default=None, help="Name of the table; default: the first part's.")
@click.option("--mixed-devices", is_flag=True, help="Let one table hold seconds of different hardware.")
@json_option
def merge(out: Path, parts: tuple[str, ...], name: str | None, mixed_devices: bool, as_json: bool) -> int:
    """Join the tables PARTS (FILE.h5 or FILE.h5:TABLE) into the file OUT.

    Exits 3 if two parts hold different errors for one training. To add to a table that is there, name it as
    OUT and as the first part.
    """
    from nasbench.store.merge import merge_tables

    joined = merge_tables(out, parts, name=name, mixed_devices=mixed_devices)
    if as_json:
        print_json(dataclasses.asdict(joined))
        return 0
    shared = f"; {joined.shared:,} were in more than one part" if joined.shared else ""
    click.echo(
        f"{out}: {joined.name}, {joined.architectures:,} architectures, {joined.trainings:,} "
        f"trainings{shared}"
    )
    return 0


@group.command()
@click.argument("table")
@click.option("--out", default="-", help="FILE.csv or FILE.parquet; - for CSV on standard output.")
@click.option(
    "--layout",
    type=click.Choice(["long", "wide"]),
    default="long",
    show_default=True,
    help="A row a training, or a row an architecture.",
)
def export(table: str, out: str, layout: str) -> int:
    """Write TABLE as CSV or Parquet."""
    from nasbench.store.bundled import find_table
    from nasbench.store.export import export_csv, export_parquet

    found = find_table(table)
    if out == "-":
        export_csv(found, sys.stdout, layout=layout)  # type: ignore[arg-type]
        return 0
    if not out.endswith((".csv", ".parquet")):
        raise BadOption(f"out: expected FILE.csv, FILE.parquet or - (standard output), got {out!r}.")
    if not Path(out).parent.is_dir():
        raise BadOption(f"out: there is no folder {str(Path(out).parent)!r}. Make it first.")
    if out.endswith(".parquet"):
        if layout != "long":
            raise BadOption("layout: Parquet is written in the long layout only, got 'wide'. Use FILE.csv.")
        export_parquet(found, out)
    else:
        export_csv(found, out, layout=layout)  # type: ignore[arg-type]
    say(f"wrote {out}")
    return 0
