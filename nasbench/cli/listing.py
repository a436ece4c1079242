"""``list``: spaces, tables, strategies, recipes, surrogates."""

from __future__ import annotations

import importlib.metadata
import re
from typing import Any

import click

from nasbench.cli.output import json_option, print_json, print_table


@click.group("list")
def group() -> None:
    """List what there is."""


def _show(rows: list[dict[str, Any]], columns: list[str], *, as_json: bool, expendable: str = "") -> int:
    """Print rows; ``expendable`` names the columns that a narrow terminal may lose, in that order."""
    if as_json:
        print_json(rows)
    else:
        cells = [[str(row[column]) for column in columns] for row in rows]
        print_table(columns, cells, expendable=[columns.index(name) for name in expendable.split()])
    return 0


@group.command()
@json_option
def spaces(as_json: bool) -> int:
    """List the spaces: what can be built."""
    from nasbench.spaces import SPACES
    from nasbench.spaces.catalogue import row

    rows = [row(name) for name in SPACES]
    columns = ["name", "decisions", "architectures", "encodings", "source"]
    return _show(rows, columns, as_json=as_json, expendable="encodings source")


@group.command()
@json_option
def tables(as_json: bool) -> int:
    """List the tables that are found by name: what has been measured."""
    from nasbench.store.bundled import find_table, list_tables

    rows = []
    for name in list_tables():
        table = find_table(name)
        rows.append(
            {
                "name": name,
                "space": table.space.name,
                "dataset": table.info.dataset,
                "architectures": f"{len(table):,}",
                "replicates": table.replicates,
                "epochs": ", ".join(map(str, table.epochs))
                if len(table.epochs) < 7
                else f"1 to {table.epochs[-1]}",
                "device": table.info.device_kind,
            }
        )
    columns = ["name", "space", "dataset", "architectures", "replicates", "epochs", "device"]
    return _show(rows, columns, as_json=as_json, expendable="device epochs replicates")


@group.command()
@json_option
def strategies(as_json: bool) -> int:
    """List the strategies: who proposes."""
    from nasbench.strategies.catalogue import catalogue

    entries = catalogue()
    rows: list[dict[str, Any]] = [entry.row() for entry in entries]
    _show(
        rows,
        ["name", "family", "paper", "table", "live", "multi-fidelity", "multi-objective", "needs"],
        as_json=as_json,
        expendable="multi-objective needs live multi-fidelity table",
    )
    needed = {extra for entry in entries for extra in entry.card.needs}
    absent = sorted(extra for extra in needed if not _is_installed(extra))
    if absent and not as_json:
        click.echo(f"Not all needs are installed here: pip install 'nasbench[{','.join(absent)}]'")
    return 0


def _is_installed(extra: str) -> bool:
    """Say whether every package that an extra of this program names is installed."""
    try:
        wanted = importlib.metadata.requires("nasbench") or []
    except importlib.metadata.PackageNotFoundError:
        return True  # run from a checkout that is not installed: nothing says what the extra names
    for line in wanted:
        package = re.fullmatch(rf"([\w.-]+).*;.*extra == ['\"]{extra}['\"].*", line)
        if package is None:
            continue
        try:
            importlib.metadata.distribution(package[1])
        except importlib.metadata.PackageNotFoundError:
            return False
    return True


@group.command()
@json_option
def recipes(as_json: bool) -> int:
    """List the training recipes of live sources."""
    from nasbench.training.recipes import RECIPES

    rows = [
        {
            "name": name,
            "space": recipe.space,
            "epochs": recipe.epochs,
            "batch": recipe.batch_size,
            "optimizer": recipe.optimizer,
            "rate": recipe.learning_rate,
            "channels": recipe.channels,
            "hash": recipe.recipe_hash[:12],
        }
        for name, recipe in RECIPES.items()
    ]
    columns = ["name", "space", "epochs", "batch", "rate", "channels", "hash"]
    return _show(rows, columns, as_json=as_json, expendable="channels batch rate")


@group.command()
@json_option
def surrogates(as_json: bool) -> int:
    """List the models that a surrogate can be fitted with, and the surrogates that are found by name."""
    from nasbench.surrogates.bundled import find_surrogate, list_surrogates
    from nasbench.surrogates.files import load
    from nasbench.surrogates.members import MODELS

    rows = [{"name": name, "kind": "model", "what": ", ".join(members)} for name, members in MODELS.items()]
    for name in list_surrogates():
        card = load(find_surrogate(name))[0].card
        told = f"{card.space}, {card.dataset}, fitted on {card.architectures:,} architectures"
        rows.append({"name": name, "kind": "fitted", "what": told})
    return _show(rows, ["name", "kind", "what"], as_json=as_json)
