"""The DARTS space (Liu et al. 2019): a normal and a reduction cell, as in NAS-Bench-301 (Zela et al. 2022).

A cell is described in ``darts_cell``; the operation ``none`` is not among the seven, and the two edges into a
node come from different states, as in every genotype that the field's searches write. A code is the code of
the normal cell followed by that of the reduction cell, 22 values: (1 * 3 * 6 * 10 * 7**8)**2 = 1.08e18 codes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nasbench.errors import NotInSpace
from nasbench.records import Code, Codes
from nasbench.spaces import darts_cell
from nasbench.spaces.darts_cell import INPUTS, LENGTH, NODES, OPERATIONS, PAIRS, STATES, Edge
from nasbench.spaces.darts_counts import COLUMNS, counts
from nasbench.spaces.darts_genotypes import GENOTYPES
from nasbench.spaces.darts_notation import CELLS, read_genotype, write_genotype
from nasbench.spaces.darts_relaxed import DARTSRelaxed
from nasbench.spaces.drawing import Edge as DrawnEdge
from nasbench.spaces.drawing import Graph
from nasbench.spaces.product import ProductSpace
from nasbench.spaces.space import Decision

_SKIP = OPERATIONS.index("skip_connect")

# The graph: two stems, then a normal, a reduction and a normal cell, each of four nodes and an output.
_ROW = ("normal", "reduce", "normal")
_GRAPH_NODES = INPUTS + len(_ROW) * (NODES + 1)
_OUTPUTS = [INPUTS + (NODES + 1) * cell + NODES for cell in range(len(_ROW))]
_INPUTS = [(0, 1), (1, _OUTPUTS[0]), (_OUTPUTS[0], _OUTPUTS[1])]

# Paths: every way back from a node to an input of its cell is a node and, at each step, one of two edges.
_END = np.repeat(np.arange(INPUTS, STATES), 2**NODES)
_TURNS = np.tile((np.arange(2**NODES)[:, None] >> np.arange(NODES)) & 1, (NODES, 1))
_WORDS_SHORTER = np.cumsum([0, *(len(OPERATIONS) ** k for k in range(1, NODES + 1))])
_WORDS = int(_WORDS_SHORTER[-1])


class DARTSSpace(ProductSpace):
    """All pairs of cells; the table keeps one row a code, though fewer networks differ.

    ``canonical`` maps a code to the lexicographically first code of its class, in which the nodes of a cell
    stand in another order: 382,128,166**2 = 1.46e17 classes.
    """

    encodings: tuple[str, ...] = ("onehot", "adjacency", "path", "counts", "graph")

    def __init__(self) -> None:
        decisions = []
        for cell in CELLS:
            for state, pairs in enumerate(PAIRS, start=INPUTS):
                if len(pairs) > 1:
                    named = tuple(f"{low}_{high}" for low, high in pairs)
                    decisions.append(Decision(f"{cell} {state} inputs", named))
                decisions += [
                    Decision(f"{cell} {state} operation on {which}", OPERATIONS)
                    for which in ("lower", "higher")
                ]
        super().__init__("darts", decisions)

    def cells(self, code: Sequence[int]) -> tuple[tuple[Edge, ...], tuple[Edge, ...]]:
        """List the eight edges of the normal and of the reduction cell.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        values = self.check(code)
        return darts_cell.edges_of(values[:LENGTH]), darts_cell.edges_of(values[LENGTH:])

    def of_cells(self, cells: Sequence[Sequence[Edge]]) -> Code:
        """Return the code of a normal and a reduction cell, each of eight edges, two a node in any order.

        Raises:
            NotInSpace: They are no cells of the space; the message names cell, node and rule.
        """
        normal, reduction = (darts_cell.cell_of(edges, n) for n, edges in zip(CELLS, cells, strict=True))
        return (*normal, *reduction)

    def canonical(self, codes: npt.ArrayLike) -> Codes:
        """Map (n, 22) codes to the first code of their class: both cells with their nodes in first order."""
        array = self._array(codes)
        return darts_cell.canonical(array.reshape(-1, LENGTH)).reshape(array.shape)

    def encode(self, codes: npt.ArrayLike, kind: str) -> npt.NDArray[np.float32]:
        """Encode (n, 22) codes.

        Args:
            codes: (n, 22) codes.
            kind: ``"onehot"`` (n, 150): indicators of the choice a decision.
                ``"adjacency"`` (n, 72): for each cell its 6 x 6 matrix of operation numbers counted from 1,
                0 where no edge is, row = target state, column = source state, flattened.
                ``"path"`` (n, 11200): for each cell and each of its two inputs an indicator of every sequence
                of operations that some path from that input to a node spells (White et al. 2021; 7 sequences
                of one operation, 49 of two, 343 of three, 2,401 of four; not truncated). Every node is part
                of the output, so a path may end at each.
                ``"counts"`` (n, 296): indicators of how many of each operation the cells have and how deep
                they are (``darts_counts``).
                ``"graph"`` (n, 17, 17, 7): one-hot operation of edge i -> j at [i, j], zero where no edge
                is, of the network that shows every wire of both cells: input 0, a second stem 1, and in a row
                a normal, a reduction and a normal cell of four nodes and an output each. An output takes its
                nodes, and the second stem the first, by ``skip_connect``; the last output is the network's.
                The first decision names the operations.

        Raises:
            BadOption: No such encoding.
        """
        array = self._array(codes)
        if kind not in ("adjacency", "path", "counts", "graph"):
            return super().encode(array, kind)
        sources, operations = darts_cell.unpack(array.reshape(-1, LENGTH))
        if kind == "path":
            return _paths(sources, operations).reshape(len(array), 2 * INPUTS * _WORDS)
        if kind == "counts":
            return counts(sources, operations).reshape(len(array), 2 * COLUMNS)
        if kind == "adjacency":
            matrix = np.zeros((len(sources), STATES, STATES), dtype=np.float32)
            cell, node, _ = np.indices(sources.shape)
            matrix[cell, INPUTS + node, sources] = operations + 1
            return matrix.reshape(len(array), 2 * STATES * STATES)
        return _graph(sources.reshape(-1, 2, NODES, 2), operations.reshape(-1, 2, NODES, 2))

    def drawing(self, code: Sequence[int]) -> tuple[Graph, ...]:
        """Draw the normal and the reduction cell, with the names that the field's figures have.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        names = ("c_{k-2}", "c_{k-1}", *(f"node {n}" for n in range(NODES)), "c_{k}")
        drawn = []
        for name, edges in zip(("normal cell", "reduction cell"), self.cells(code), strict=True):
            shown = [DrawnEdge(s, INPUTS + e // 2, operation) for e, (operation, s) in enumerate(edges)]
            shown += [DrawnEdge(state, STATES) for state in range(INPUTS, STATES)]
            drawn.append(Graph(name, names, tuple(shown)))
        return tuple(drawn)

    def parse(self, text: str) -> Code:
        """Read ``Genotype(normal=[...], normal_concat=..., reduce=[...], reduce_concat=...)``.

        Also a name of ``darts_genotypes.GENOTYPES``, such as ``darts-v2``, or the 22 choices separated by
        ``:``, each by its name or its index.

        Raises:
            NotInSpace: None of these; the message names cell, node and rule.
        """
        text = text.strip()
        known = GENOTYPES.get(text.lower().replace("_", "-"))
        if known is not None:
            text = known.genotype
        if "(" in text:
            return self.of_cells(read_genotype(text))
        if ":" in text:
            return super().parse(text)
        raise NotInSpace(
            f"architecture: expected Genotype(normal=[...], normal_concat=..., reduce=[...], "
            f"reduce_concat=...), {len(self.decisions)} choices separated by ':', or one of "
            f"{', '.join(GENOTYPES)}, got {text!r}."
        )

    def relaxed(self) -> DARTSRelaxed:
        """Return the edges and operations that a relaxation mixes."""
        return DARTSRelaxed()

    def format(self, code: Sequence[int]) -> str:
        """Write ``Genotype(normal=[...], normal_concat=range(2, 6), reduce=[...], ...)``."""
        return write_genotype(self.cells(code))


def _graph(sources: npt.NDArray[np.int64], operations: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Draw the row of cells of (n, 2 cells, 4 nodes, 2) sources and operations."""
    graph = np.zeros((len(sources), _GRAPH_NODES, _GRAPH_NODES, len(OPERATIONS)), dtype=np.float32)
    graph[:, 0, 1, _SKIP] = 1.0
    for name, inputs, output in zip(_ROW, _INPUTS, _OUTPUTS, strict=True):
        cell = CELLS.index(name)
        nodes = np.arange(output - NODES, output)
        states = np.concatenate([inputs, nodes])
        row, node, _ = np.indices(sources[:, cell].shape)
        graph[row, states[sources[:, cell]], nodes[node], operations[:, cell]] = 1.0
        graph[:, nodes, output, _SKIP] = 1.0
    return graph


def _paths(sources: npt.NDArray[np.int64], operations: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Indicate the sequences of operations from either input, (n, 2 * (7 + 49 + 343 + 2401))."""
    n = len(sources)
    cell = np.arange(n)[:, None]
    at = np.tile(_END, (n, 1))  # (n, 64), where each way back stands
    word = np.zeros_like(at)
    length = np.zeros_like(at)
    for step in range(NODES):
        walks = at >= INPUTS
        node, edge = np.maximum(at - INPUTS, 0), _TURNS[:, step]
        word += walks * operations[cell, node, edge] * len(OPERATIONS) ** step
        length += walks
        at = np.where(walks, sources[cell, node, edge], at)
    out = np.zeros((n, INPUTS * _WORDS), dtype=np.float32)
    out[cell, at * _WORDS + _WORDS_SHORTER[length - 1] + word] = 1.0
    return out
