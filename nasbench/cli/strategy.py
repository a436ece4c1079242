"""``new strategy`` and ``check strategy``."""

from __future__ import annotations

from pathlib import Path

import click

from nasbench.cli.output import json_option, print_json
from nasbench.errors import BadOption

_TEMPLATE = '''"""{title}: say in one sentence what it does.

1. Propose ...
2. When told, ...

Source: Lastname Year.
"""

from nasbench.records import Proposal
from nasbench.seeds import uniforms
from nasbench.strategies import Card


class {title}:
    """Keeps the best architecture told so far and proposes it with one decision changed."""

    card = Card(family="own code", paper="")

    def __init__(self, space, *, rng, explore: float = 0.2):
        self.space = space
        self.draw = uniforms(rng)  # the only source of randomness: one uniform in [0, 1) a call
        self.explore = explore
        self.best = None  # (validation error, code)

    def ask(self, n):
        """Propose at most n trials; [] with nothing running ends the search."""
        proposals = []
        for _ in range(n):
            if self.best is None or self.draw() < self.explore:
                code = self.space.sample_one(self.draw)
            else:
                code = self.space.mutate_one(self.best[1], self.draw)
            proposals.append(Proposal(code))
        return proposals

    def tell(self, trials):
        """Learn finished trials, in order of finish; a failed one has valid_error None."""
        for trial in trials:
            if trial.valid_error is None:
                continue
            if self.best is None or trial.valid_error < self.best[0]:
                self.best = (trial.valid_error, trial.code)
'''


@click.group()
def new() -> None:
    """Write a file to start from."""


@new.command("strategy")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def new_strategy(file: Path) -> int:
    """Write a commented strategy to FILE.py, ready to compare."""
    if file.suffix != ".py":
        raise BadOption(f"file: expected a name that ends in .py, got {str(file)!r}.")
    title = "".join(part.capitalize() for part in file.stem.replace("-", "_").split("_"))
    if not title.isidentifier():
        raise BadOption(f"file: {file.stem!r} cannot name a class. Use letters, digits and underscores.")
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(_TEMPLATE.format(title=title))
    except FileExistsError:
        raise BadOption(f"file: {file} is there already; it is not overwritten. Give another name.") from None
    click.echo(f"wrote {file}")
    click.echo(f"check it:   nasbench check strategy {file}:{title}")
    click.echo(
        f"compare it: nasbench compare --source nb201-cifar10 --strategies random-search,{file}:{title} "
        "--seeds 30 --budget 2gpu-days --out mine"
    )
    return 0


@click.group()
def check() -> None:
    """Check that something keeps its contract."""


@check.command("strategy")
@click.argument("name")
@click.option(
    "--space",
    "space_name",
    default=None,
    help="Check every rule on this space; default: every rule on toys, what a space can break on all known.",
)
@json_option
def check_strategy_command(name: str, space_name: str | None, as_json: bool) -> int:
    """Check a strategy (a name, FILE.py:Name or module:Name) on small made-up tables."""
    from nasbench.spaces import SPACES, get_space
    from nasbench.strategies.loading import load_strategy
    from nasbench.testing import SPACE_RULES, check_strategy

    factory = load_strategy(name)
    passed: dict[str, list[str]] = {}
    if space_name:
        passed[get_space(space_name).name] = check_strategy(factory, get_space(space_name))
    else:
        passed["toy"] = check_strategy(factory)
        for known in SPACES:
            passed[known] = check_strategy(factory, get_space(known), rules=SPACE_RULES)
    if as_json:
        print_json({"strategy": name, "passed": passed})
        return 0
    for where, rules in passed.items():
        for rule in rules:
            click.echo(f"ok  {where}: {rule}")
    click.echo(f"{name} keeps the contract.")
    return 0
