"""The NASNet space (Zoph et al. 2018): a normal and a reduction cell of five blocks.

States 0 and 1 are the outputs of the cell before the last and of the last cell, 2 to 6 those of the blocks. A
block applies one of thirteen operations to each of two earlier states, which may be the same, and adds the
results or puts them side by side. All states of blocks that no block takes are put side by side as the output
of the cell. A code lists block by block the two states, the two operations and how they are combined, first
of the normal, then of the reduction cell: 50 values.

The authors' code keeps a cell as lists of operations and states; ours writes both down as NAS-Bench-201 does:
``sep_conv_5x5~1+sep_conv_3x3~0|...`` with blocks joined by ``|``, ``+`` where a block adds and ``&`` where it
puts side by side, and the reduction cell behind ``//``. Operations have the names of the DARTS code, in which
NASNet-A and AmoebaNet-A are commonly written.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nasbench.errors import NotInSpace
from nasbench.records import Code, Codes
from nasbench.spaces.drawing import Edge, Graph
from nasbench.spaces.product import ProductSpace
from nasbench.spaces.space import Decision

OPERATIONS = (
    "skip_connect",
    "conv_3x1_1x3",
    "conv_7x1_1x7",
    "dil_conv_3x3",
    "avg_pool_3x3",
    "max_pool_3x3",
    "max_pool_5x5",
    "max_pool_7x7",
    "conv_1x1",
    "conv_3x3",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "sep_conv_7x7",
)
COMBINATIONS = ("add", "concat")
CELLS = ("normal", "reduce")
INPUTS, BLOCKS = 2, 5
_STATES = INPUTS + BLOCKS
_VALUES = 5  # of a block: two states, two operations, how they are combined
LENGTH = BLOCKS * _VALUES
"""Values of a cell's code."""
_SIGNS = {"+": 0, "&": 1}
_BLOCK = re.compile(r"(\w+)~(\d+)([+&])(\w+)~(\d+)")

_ORDERS = np.array(list(itertools.permutations(range(BLOCKS))))  # (120, 5), the block at each place
_STATE_IN = np.concatenate(  # (120, 7), the state that each state becomes in each order
    [np.tile(np.arange(INPUTS), (len(_ORDERS), 1)), INPUTS + np.argsort(_ORDERS, axis=1)], axis=1
)
_COUNTS = [n for b in range(BLOCKS) for n in (INPUTS + b, INPUTS + b, len(OPERATIONS), len(OPERATIONS), 2)]
_PLACES = np.array([math.prod(_COUNTS[i + 1 :]) for i in range(LENGTH)], dtype=np.int64)
_AT_ONCE = 512  # cells brought into canonical form together, so that all orders stay in a few megabytes


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a cell.

    Attributes:
        states: The two states it takes.
        operations: What it makes of each of them.
        combination: ``"add"`` or ``"concat"``.
    """

    states: tuple[int, int]
    operations: tuple[str, str]
    combination: str


KNOWN = {
    "nasnet-a": (
        "sep_conv_5x5~1+sep_conv_3x3~0|sep_conv_5x5~0+sep_conv_3x3~0|avg_pool_3x3~1+skip_connect~0|"
        "avg_pool_3x3~0+avg_pool_3x3~0|sep_conv_3x3~1+skip_connect~1//"
        "sep_conv_5x5~1+sep_conv_7x7~0|max_pool_3x3~1+sep_conv_7x7~0|avg_pool_3x3~1+sep_conv_5x5~0|"
        "skip_connect~3+avg_pool_3x3~2|sep_conv_3x3~2+max_pool_3x3~1"
    ),
    "amoebanet-a": (
        "avg_pool_3x3~0+max_pool_3x3~1|sep_conv_3x3~0+sep_conv_5x5~2|sep_conv_3x3~0+avg_pool_3x3~3|"
        "sep_conv_3x3~1+skip_connect~1|skip_connect~0+avg_pool_3x3~1//"
        "avg_pool_3x3~0+sep_conv_3x3~1|max_pool_3x3~0+sep_conv_7x7~2|sep_conv_7x7~0+avg_pool_3x3~1|"
        "max_pool_3x3~0+max_pool_3x3~1|conv_7x1_1x7~0+sep_conv_3x3~5"
    ),
}
"""Published architectures by name, as they stand in quark0/darts, cnn/genotypes.py."""


class NASNetSpace(ProductSpace):
    """All (2^5 (2 3 4 5 6)^2 13^10)^2 pairs of cells.

    ``canonical`` maps a code to the lexicographically first code of its class, in which the two sides of a
    block and the blocks of a cell stand in another order. It merges nothing else.
    """

    def __init__(self) -> None:
        decisions = []
        for cell in CELLS:
            for block in range(BLOCKS):
                states = tuple(map(str, range(INPUTS + block)))
                at = f"{cell} {INPUTS + block}"
                decisions += [Decision(f"{at} {side} state", states) for side in ("first", "second")]
                decisions += [Decision(f"{at} {side} operation", OPERATIONS) for side in ("first", "second")]
                decisions.append(Decision(f"{at} combination", COMBINATIONS))
        super().__init__("nasnet", decisions)

    def cells(self, code: Sequence[int]) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
        """List the blocks of the normal and of the reduction cell.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        values = self.check(code)
        blocks = [
            Block((a, b), (OPERATIONS[x], OPERATIONS[y]), COMBINATIONS[c])
            for a, b, x, y, c in zip(*[iter(values)] * _VALUES, strict=True)
        ]
        return tuple(blocks[:BLOCKS]), tuple(blocks[BLOCKS:])

    def canonical(self, codes: npt.ArrayLike) -> Codes:
        """Map (n, 50) codes to the first code of their class."""
        array = self._array(codes)
        cells = array.reshape(-1, LENGTH)
        parts = [_first(cells[start : start + _AT_ONCE]) for start in range(0, len(cells), _AT_ONCE)]
        return np.concatenate([np.zeros((0, LENGTH), np.int8), *parts]).reshape(array.shape)

    def drawing(self, code: Sequence[int]) -> tuple[Graph, ...]:
        """Draw the normal and the reduction cell.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        drawn = []
        for name, blocks in zip(("normal cell", "reduction cell"), self.cells(code), strict=True):
            names = ["c_{k-2}", "c_{k-1}", *(f"block {n}" for n in range(BLOCKS)), "c_{k}"]
            edges = []
            for state, block in enumerate(blocks, start=INPUTS):
                names[state] += f" ({block.combination})"
                edges += [Edge(s, state, o) for s, o in zip(block.states, block.operations, strict=True)]
            edges += [Edge(state, _STATES) for state in unused_states(blocks)]
            drawn.append(Graph(name, tuple(names), tuple(edges)))
        return tuple(drawn)

    def parse(self, text: str) -> Code:
        """Read ``sep_conv_5x5~1+sep_conv_3x3~0|...//...``.

        Also ``nasnet-a``, ``amoebanet-a``, and the choices separated by ``:``.

        Raises:
            NotInSpace: None of these; the message names cell, block and rule.
        """
        text = text.strip()
        text = KNOWN.get(text.lower().replace("_", "-"), text)
        if ":" in text:
            return super().parse(text)
        cells = text.split("//")
        if len(cells) != len(CELLS):
            raise NotInSpace(
                f"architecture: expected a normal and a reduction cell joined by '//', or one of "
                f"{', '.join(KNOWN)}, got {text!r}."
            )
        values: list[int] = []
        for name, cell in zip(CELLS, cells, strict=True):
            blocks = cell.split("|")
            if len(blocks) != BLOCKS:
                raise NotInSpace(
                    f"architecture: {name} cell: expected {BLOCKS} blocks joined by '|', got {len(blocks)}."
                )
            for state, block in enumerate(blocks, start=INPUTS):
                values += _read_block(f"{name} cell, block {state}", state, block.strip())
        return tuple(values)

    def format(self, code: Sequence[int]) -> str:
        """Write ``sep_conv_5x5~1+sep_conv_3x3~0|...//...``."""
        signs = dict(zip(COMBINATIONS, _SIGNS, strict=True))
        return "//".join(
            "|".join(
                f"{b.operations[0]}~{b.states[0]}{signs[b.combination]}{b.operations[1]}~{b.states[1]}"
                for b in blocks
            )
            for blocks in self.cells(code)
        )


def unused_states(blocks: Sequence[Block]) -> list[int]:
    """List the states of blocks that no block takes: they make the output of the cell."""
    taken = {state for block in blocks for state in block.states}
    return [state for state in range(INPUTS, INPUTS + len(blocks)) if state not in taken]


def _read_block(where: str, state: int, text: str) -> list[int]:
    """Read ``operation~state+operation~state``."""
    match = _BLOCK.fullmatch(text)
    if match is None:
        raise NotInSpace(
            f"architecture: {where}: expected operation~state+operation~state, or & for +, got {text!r}."
        )
    first, a, sign, second, b = match.groups()
    for operation in (first, second):
        if operation not in OPERATIONS:
            raise NotInSpace(
                f"architecture: {where}: the operations are {', '.join(OPERATIONS)}, got {operation!r}."
            )
    for source in (int(a), int(b)):
        if source >= state:
            raise NotInSpace(f"architecture: {where}: expected states 0 to {state - 1}, got {source}.")
    return [int(a), int(b), OPERATIONS.index(first), OPERATIONS.index(second), _SIGNS[sign]]


def _first(cells: npt.NDArray[np.int64]) -> Codes:
    """Map (n, 25) cells to the first cell that differs in the order of blocks and of their sides only."""
    blocks = cells.reshape(-1, BLOCKS, _VALUES)
    states, operations, combination = blocks[..., 0:2], blocks[..., 2:4], blocks[..., 4]
    by_order = _ORDERS[:, None, :, None]
    moved = np.take_along_axis(_STATE_IN[:, states], by_order, axis=2)  # (120, n, 5, 2)
    applied = np.take_along_axis(operations[None], by_order, axis=2)
    combined = np.take_along_axis(combination[None], by_order[..., 0], axis=2)
    possible = (moved < (INPUTS + np.arange(BLOCKS))[:, None]).all(axis=(2, 3))
    turned = np.argsort(moved * len(OPERATIONS) + applied, axis=3)
    moved, applied = (np.take_along_axis(part, turned, axis=3) for part in (moved, applied))
    codes = np.concatenate([moved, applied, combined[..., None]], axis=3).reshape(len(_ORDERS), -1, LENGTH)
    rank = np.where(possible, codes @ _PLACES, np.iinfo(np.int64).max).min(axis=0)
    first: Codes = (rank[:, None] // _PLACES % np.array(_COUNTS)).astype(np.int8)
    return first
