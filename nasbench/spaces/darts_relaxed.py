"""The DARTS space relaxed: 14 edges a cell, from every earlier state to every node, eight operations on each.

The eighth operation is ``none``, which no architecture has: it is what an edge carries that is not kept. An
architecture is read off from strengths as its authors do: an edge is as strong as its strongest operation but
``none``; every node keeps its two strongest edges, and on each the strongest operation but ``none``.

Edges stand in the authors' order: the normal cell and then the reduction cell, node by node, earlier states
first. Operations stand in theirs: ``none``, and then those of the space.

Source: Liu et al. 2019, section 2.4 and the authors' code.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nasbench.records import Code
from nasbench.spaces.darts_cell import INPUTS, LENGTH, NODES, OPERATIONS, STATES, cell_of, unpack
from nasbench.spaces.darts_notation import CELLS
from nasbench.spaces.relaxed import NONE, require_strengths

CELL_EDGES = tuple((source, target) for target in range(INPUTS, STATES) for source in range(target))
"""Source and target state of the 14 edges of a cell."""
MIXED = (NONE, *OPERATIONS)
"""Names of the eight operations of every edge."""

_FIRST = np.array([CELL_EDGES.index((0, INPUTS + node)) for node in range(NODES)])  # edge of each node
_KEPT = 2


class DARTSRelaxed:
    """The 28 edges of a pair of cells; attributes as ``relaxed.RelaxedSpace``."""

    names: tuple[tuple[str, ...], ...] = (MIXED,) * (len(CELLS) * len(CELL_EDGES))
    kept: int | None = _KEPT

    def __init__(self) -> None:
        self.nodes = tuple(
            tuple(range(start, start + INPUTS + node))
            for cell in range(len(CELLS))
            for node, start in enumerate((cell * len(CELL_EDGES) + _FIRST).tolist())
        )
        self.choosable = np.ones((len(self.names), len(MIXED)), dtype=np.bool_)
        self.choosable[:, 0] = False

    def chosen(self, codes: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Indicate the operation on every edge of (n, 22) codes, (n, 28, 8); ``none`` where none is kept."""
        array = np.asarray(codes, dtype=np.int64)
        sources, operations = unpack(array.reshape(-1, LENGTH))  # (2 n, 4 nodes, 2) each
        on = np.zeros((len(sources), len(CELL_EDGES)), dtype=np.int64)
        np.put_along_axis(
            on, (_FIRST[:, None] + sources).reshape(len(on), -1), 1 + operations.reshape(len(on), -1), 1
        )
        indicated: npt.NDArray[np.bool_] = np.eye(len(MIXED), dtype=np.bool_)[on.reshape(len(array), -1)]
        return indicated

    def architecture(self, strengths: npt.ArrayLike) -> Code:
        """Keep the two strongest edges of each node and their strongest operations, the first of equals.

        Raises:
            BadOption: The strengths are not of shape (28, 8).
        """
        rows = require_strengths(strengths, self.choosable.shape)[:, 1:]
        strongest, strength = rows.argmax(axis=1), rows.max(axis=1)
        values: list[int] = []
        for cell, name in enumerate(CELLS):
            edges = []
            for node in self.nodes[cell * NODES : (cell + 1) * NODES]:
                kept = sorted(sorted(range(len(node)), key=lambda at: -strength[node[at]])[:_KEPT])
                edges += [(OPERATIONS[strongest[node[source]]], source) for source in kept]
            values += cell_of(edges, name)
        return tuple(values)
