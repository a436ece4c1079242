"""Tables of the three spaces of NAS-Bench-1Shot1, cut out of one of NAS-Bench-101.

A row is the first code of a cell and answers for all codes of it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from nasbench.spaces import get_space
from nasbench.spaces.nb1shot1 import INPUTS, NB1Shot1Space
from nasbench.spaces.nb101 import NB101Space
from nasbench.spaces.nb101_canonical import Keys
from nasbench.store.data import TableData


def one_shot_tables(whole: TableData) -> list[TableData]:
    """Cut out what a table of ``nb101`` holds of each space; a space of which it holds nothing has no table.

    Args:
        whole: A table whose rows answer for their class.
    """
    keys = NB101Space().keys(whole.codes)
    order = np.argsort(keys)
    cut = (_cut(whole, keys[order], order, number) for number in INPUTS)
    return [table for table in cut if table is not None]


def _cut(
    whole: TableData,
    keys: Keys,
    rows: npt.NDArray[np.int64],
    number: int,
) -> TableData | None:
    """Take the rows of one space; ``keys`` are increasing, ``rows`` theirs."""
    space = get_space(f"nb1shot1-{number}")
    assert isinstance(space, NB1Shot1Space)
    codes = space.unrank(np.unique(space.classes))
    wanted = space.whole.keys(space.to_nb101(codes))
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    held = keys[at] == wanted
    if not held.any():
        return None
    chosen = rows[at[held]]
    return replace(
        whole,
        name=f"{space.name}-cifar10",
        info=replace(whole.info, space=space.name, notes=f"Cut out of {whole.name}. {whole.info.notes}"),
        codes=codes[held],
        curves={metric: curve[chosen] for metric, curve in whole.curves.items()},
        scalars={
            name: replace(scalar, values=scalar.values[chosen]) for name, scalar in whole.scalars.items()
        },
    )
