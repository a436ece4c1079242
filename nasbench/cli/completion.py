"""``completion``: the script that makes a shell complete this program's commands and options."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print the completion script of SHELL.

    \b
    bash:  nasbench completion bash >> ~/.bashrc
    zsh:   nasbench completion zsh >> ~/.zshrc
    fish:  nasbench completion fish > ~/.config/fish/completions/nasbench.fish
    """  # noqa: D301 (\b tells click to leave the lines alone)
    from click.shell_completion import get_completion_class

    from nasbench.cli.app import cli

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"click has no completion for {shell}.")
    click.echo(found(cli, {}, "nasbench", "_NASBENCH_COMPLETE").source())
    return 0
