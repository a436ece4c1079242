"""One-shot errors for a table: a supernet is trained once and scores every architecture of the table.

1. Every minibatch trains the weights of one architecture drawn uniformly, for so many epochs
   (``training.supernets``).
2. Every row of the table is scored by the trained weights. Where a row answers for a class of equal
   networks, its own code is scored: shared weights may say another thing of another code of the class.

The same table, recipe, epochs and seed give the same errors on a CPU; the seconds are measured anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from nasbench.errors import BadOption
from nasbench.evaluation.provenance import provenance_here
from nasbench.evaluation.retraining import open_live_of
from nasbench.seeds import generator, uniforms
from nasbench.store.data import TableData
from nasbench.store.files import kebab, table_names
from nasbench.store.oneshot import OneShot
from nasbench.store.table import Table, open_table
from nasbench.store.writer import write_tables
from nasbench.strategies.relaxation import path as path_of

SAMPLING = "one architecture a minibatch, uniform"
EPOCHS = 300
"""As long as the one-shot strategies train unless they are told otherwise."""
_BLOCK = 100  # architectures scored between two signs of progress

Tell = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and of how much."""


def score_table(
    table: Table,
    *,
    epochs: int = EPOCHS,
    seed: int = 0,
    device: str = "cpu",
    mixed_devices: bool = False,
    tell: Tell | None = None,
) -> OneShot:
    """Train a supernet as a table was trained, and score every row.

    Args:
        table: Trained by a recipe of this program, of a space that has a supernet.
        epochs: Of the shared weights, >= 1.
        seed: Of the supernet.
        device: Where it trains; of the kind whose seconds the table counts.
        mixed_devices: Accept another hardware of that kind than the table's reference device.
        tell: Told of progress.

    Raises:
        BadOption: There is no such supernet, the table cannot be trained for here, or this is other hardware
            than the table's.
        MissingExtra: torch or the data are absent.
        Diverged: The supernet's loss or output is not finite.
    """
    live = open_live_of(table, device=device)
    if live.relaxation is None:
        raise BadOption(
            f"space: expected one that has a supernet, got {table.space.name} of table {table.name}."
        )
    if live.info.device != table.info.reference_device and not mixed_devices:
        raise BadOption(
            f"device: table {table.name} counts seconds of {table.info.reference_device}, got "
            f"{live.info.device}. Allow the supernet's seconds with --mixed-devices; the column says which."
        )
    rng = generator(seed, "oneshot")
    supernet = live.relaxation(rng)
    draw = uniforms(rng)
    supernet.plan(epochs)
    for epoch in range(epochs):
        for _ in range(supernet.epoch_steps):
            code = table.space.sample_one(draw)
            supernet.weight_step(path_of(supernet.form, code))
        if tell is not None:
            tell("epochs", epoch + 1, epochs)
    train_seconds = supernet.seconds
    parts = []
    for start in range(0, len(table), _BLOCK):
        parts.append(supernet.score(table.codes[start : start + _BLOCK]))
        if tell is not None:
            tell("architectures", min(start + _BLOCK, len(table)), len(table))
    return OneShot(
        errors=np.concatenate(parts),
        recipe_hash=live.recipe.recipe_hash,
        epochs=epochs,
        seed=seed,
        sampling=SAMPLING,
        train_seconds=train_seconds,
        score_seconds=(supernet.seconds - train_seconds) / len(table),
        made_by=provenance_here(device),
    )


def add_column(path: Path, name: str, column: OneShot) -> str:
    """Write a column into a table of a file, aside and renamed; other tables of the file are kept.

    Args:
        path: The file.
        name: Name of the table in it.
        column: One value for each row; replaces one of the same seed.

    Returns:
        The table's new content hash.

    Raises:
        FormatError: The table has changed its rows since it was scored.
    """
    tables: list[TableData] = [open_table(path, inner).data() for inner in table_names(path)]
    changed = [
        replace(data, scalars={**data.scalars, column.name: column.scalar()})
        if kebab(data.name) == kebab(name)
        else data
        for data in tables
    ]
    write_tables(path, changed)
    return open_table(path, name).content_hash
