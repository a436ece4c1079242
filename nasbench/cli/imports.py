"""``import``: other people's result files, each format a command of its own that is imported when called."""

from __future__ import annotations

import click

from nasbench.cli.app import LazyGroup

FORMATS: dict[str, tuple[str, str]] = {}
"""Name of a format -> where its command is, and one line on it; in alphabetical order."""


@click.group("import", cls=LazyGroup, lazy=FORMATS)
def group() -> None:
    """Bring other people's results in as a table: nasbench import FORMAT PATH --table FILE.h5."""
