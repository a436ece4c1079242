"""How commands print: data on stdout, talk on stderr; tables for people, JSON for programs."""

from __future__ import annotations

import contextlib
import json
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

json_option = click.option("--json", "as_json", is_flag=True, help="Print data as JSON on standard output.")


def print_json(data: Any) -> None:
    """Print data as JSON."""
    click.echo(json.dumps(data, indent=1, sort_keys=True, default=str))


def say(message: str) -> None:
    """Say something to the person; standard error, so that data can be piped."""
    click.echo(message, err=True)


def print_prose(line: str) -> None:
    """Print one line of text, broken between words to the width of a terminal; whole where it is piped."""
    if sys.stdout.isatty():
        width = console().width
        line = textwrap.fill(line, width=width, subsequent_indent="  ", break_on_hyphens=False)
    click.echo(line)


def console() -> Console:
    """Make the console for tables; it honours NO_COLOR, FORCE_COLOR and the terminal's width."""
    from rich.console import Console

    return Console(highlight=False)


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[int] = (),
    expendable: Sequence[int] = (),
) -> None:
    """Print rows under a header, as wide as the terminal allows.

    Args:
        columns: Header of each column.
        rows: Cells, one string a column.
        right: Columns to align right.
        expendable: Columns to leave out, in this order, until the table fits the terminal; what is left out
            is said on standard error.
    """
    from rich import box
    from rich.table import Table

    terminal = console()
    widths = [max(len(name), *(len(row[i]) for row in rows), 0) for i, name in enumerate(columns)]
    kept = list(range(len(columns)))
    dropped = []
    for i in expendable:
        if sum(widths[k] + 2 for k in kept) <= terminal.width:
            break
        kept.remove(i)
        dropped.append(columns[i])
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        show_header=any(columns),
        padding=(0, 1, 0, 0),
    )
    tight = sum(widths[k] + 2 for k in kept) > terminal.width
    for i in kept:
        whole = not (tight and widths[i] == max(widths[k] for k in kept))
        table.add_column(
            columns[i], justify="right" if i in right else "left", no_wrap=whole, overflow="fold"
        )
    for row in rows:
        table.add_row(*[row[i].replace("[", "\\[") for i in kept])
    with terminal.capture() as printed:
        terminal.print(table)
    click.echo("\n".join(line.rstrip() for line in printed.get().splitlines()))
    if dropped:
        say(f"(too narrow for: {', '.join(dropped)}; see --json or the page)")


@contextlib.contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int, str], None]]:
    """Show a progress bar on standard error; nothing where that is not a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _total, _label: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(what, total=None)

        def update(done: int, total: int, label: str) -> None:
            bar.update(task, completed=done, total=total, description=f"{what} · {label[:40]}")

        yield update
