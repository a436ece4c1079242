"""The command tree, and what every command has in common: errors, exit codes, interruption."""

from __future__ import annotations

import difflib
import importlib
import os
import shlex
import sys
from typing import Any

import click

from nasbench import __version__
from nasbench.errors import NasbenchError

COMMANDS: dict[str, tuple[str, str]] = {
    "compare": ("nasbench.cli.compare:compare", "Run strategies against a source and make a leaderboard."),
    "run": ("nasbench.cli.compare:run_suite_file", "Run a suite file and make its leaderboard."),
    "report": ("nasbench.cli.compare:report", "Make the pages of a finished folder again."),
    "leaderboard": ("nasbench.cli.leaderboard:group", "Build, verify or reproduce a leaderboard."),
    "table": ("nasbench.cli.table:group", "Look into, verify, compare or export tables."),
    "surrogate": ("nasbench.cli.surrogate:group", "Fit, look into or validate surrogates of tables."),
    "import": ("nasbench.cli.imports:group", "Bring other people's results in as a table."),
    "populate": ("nasbench.cli.populate:populate", "Fill a table by training what it misses."),
    "audit": ("nasbench.cli.audit:audit", "Run one search on a table and live, and compare."),
    "query": ("nasbench.cli.query:query", "Ask a source for one architecture."),
    "show": ("nasbench.cli.show:show", "Draw one architecture."),
    "list": ("nasbench.cli.listing:group", "List spaces, tables, strategies, recipes or surrogates."),
    "new": ("nasbench.cli.strategy:new", "Write a commented strategy file to start from."),
    "check": ("nasbench.cli.strategy:check", "Check that a strategy keeps its contract."),
    "doctor": ("nasbench.cli.doctor:doctor", "Say what works on this machine and how to mend the rest."),
    "completion": ("nasbench.cli.completion:completion", "Print the completion script of a shell."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def __init__(self, *args: Any, lazy: dict[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands in the order of the table."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in self._lazy:
            return None
        module, _, attribute = self._lazy[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in self._lazy.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a reader of its output that went away (``| head``) ends it quietly."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # silences the flush at exit too
            return 0

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve a command; an unknown one names the near ones."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], list(self._lazy), n=2, cutoff=0.5)
            if not near:
                raise
            guess = " or ".join(near)
            raise click.UsageError(f"No command {args[0]!r}. Did you mean {guess}?", ctx) from error


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="nasbench")
def cli() -> None:
    """Compare neural-architecture-search strategies on tables, surrogates and live training.

    \b
    To begin:
      nasbench compare --source nb201-cifar10 \\
        --strategies random-search,regularized-evolution \\
        --seeds 30 --budget 2gpu-days --out first
    """  # noqa: D301 (\b tells click to leave the lines alone)


def run(arguments: list[str]) -> int:
    """Run one command line; returns the exit status.

    0 ok, 1 failure, 2 usage, 3 verification mismatch, 4 missing extra or data, 5 some runs failed,
    130 interrupted.
    """
    try:
        result = cli.main(args=arguments, prog_name="nasbench", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Abort:
        return _interrupted(arguments)
    except KeyboardInterrupt:
        return _interrupted(arguments)
    except NasbenchError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)
        click.echo(f"error: {what}", err=True)
        return 1
    return result if isinstance(result, int) else 0


def _interrupted(arguments: list[str]) -> int:
    """Say what an interruption left, and how to go on."""
    first, pair = arguments[:1], arguments[:2]
    keeps = first in (["compare"], ["run"], ["populate"], ["audit"]) or pair in (
        ["leaderboard", "build"],
        ["import", "csv"],
        ["import", "jsonl"],
        ["import", "nas-bench-graph"],
        ["import", "nats"],
        ["import", "nb101"],
        ["import", "nb201"],
    )
    if keeps and "--dry-run" not in arguments:
        again = shlex.join(["nasbench", *arguments])
        click.echo(f"interrupted: what was finished is kept. To go on: {again}", err=True)
    else:
        click.echo("interrupted.", err=True)
    return 130
