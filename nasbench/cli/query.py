"""``query``: one architecture of one source."""

from __future__ import annotations

from typing import Any

import click

from nasbench.cli.output import json_option, print_json
from nasbench.errors import NotMeasured
from nasbench.units import format_error


@click.command()
@click.argument("source")
@click.argument("architecture")
@click.option("--epochs", type=int, default=None, help="Training length; default: the source's longest.")
@click.option("--replicate", type=int, default=None, help="One training repeat; default: all of them.")
@click.option("--device", default=None, help="Device of live sources, e.g. cuda.")
@json_option
def query(
    source: str,
    architecture: str,
    epochs: int | None,
    replicate: int | None,
    device: str | None,
    as_json: bool,
) -> int:
    """Ask SOURCE for one ARCHITECTURE, in the space's own notation.

    \b
    For example:
      nasbench query nb201-cifar10 \\
        "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|"
    """  # noqa: D301 (\b tells click to leave the lines alone)
    from nasbench.evaluation.opening import open_source

    opened = open_source(source, device=device)
    code = opened.space.parse(architecture)
    length = epochs if epochs is not None else opened.epochs[-1]
    repeats = range(opened.replicates_of(code)) if replicate is None else [replicate]
    rows: list[dict[str, Any]] = []
    for repeat in repeats:
        answer = opened.answer(code, epochs=length, replicate=repeat)
        rows.append(
            {
                "replicate": repeat,
                "status": answer.status,
                "valid_error": answer.valid_error,
                "test_error": answer.test_error,
                "train_seconds": answer.train_seconds,
            }
        )
        if opened.is_live:
            break
    if not rows:
        raise NotMeasured(f"code: source {opened.info.name} holds no training of {architecture}.")
    if as_json:
        print_json(
            {
                "source": opened.info.label,
                "architecture": opened.space.format(code),
                "code": list(code),
                "epochs": length,
                "trainings": rows,
            }
        )
        return 0
    click.echo(f"{opened.space.format(code)}  ({opened.info.label}, {length} epochs)")
    for row in rows:
        shown = [f"replicate {row['replicate']}: "]
        for name in ("valid_error", "test_error"):
            if row[name] is not None:
                shown.append(f"{name} {format_error(row[name], digits=3)} %  ")
        if opened.info.device_kind != "none":
            shown.append(f"train_seconds {row['train_seconds']:.1f} s on {opened.info.device}")
        click.echo(
            "".join(shown).rstrip() if row["status"] == "ok" else f"replicate {row['replicate']}: failed"
        )
    return 0
