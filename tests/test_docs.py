"""The pages under docs/ that name commands, options or fields name ones that exist."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from nasbench.cli.app import COMMANDS, cli

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """List every command of the tree by its words."""
    if not isinstance(command, click.Group):
        return [path]
    context = click.Context(command)
    found = []
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        found += leaves(inner, (*path, name))
    return found


@pytest.mark.parametrize("path", leaves(cli), ids=" ".join)
def test_every_command_and_every_option_has_help(path):
    command: click.Command = cli
    context = click.Context(cli)
    for word in path:
        assert isinstance(command, click.Group)
        found = command.get_command(context, word)
        assert found is not None
        command = found
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{' '.join(path)} {parameter.name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_a_page_names_exist(page):
    text = page.read_text(encoding="utf-8")
    for word in re.findall(r"(?:^|`)nasbench ([a-z]+)", text, flags=re.MULTILINE):
        assert word in COMMANDS, f"{page.name}: nasbench {word}"
