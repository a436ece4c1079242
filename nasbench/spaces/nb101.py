"""The NAS-Bench-101 cell (Ying et al. 2019): a graph of at most seven vertices and nine edges.

A code holds the 21 possible edges of a matrix of seven vertices, row by row, then the operations of the five
interior vertices, as the authors' notebook draws and mutates cells. Vertices on no path from input to output
stay in the code, where a mutation may bring them back; they are no part of the network. A code is in the
space where pruning leaves a path and at most nine edges. Which network a code is, its canonical code says:
423,624 of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from nasbench.records import Code, Codes
from nasbench.spaces.drawing import Edge, Graph
from nasbench.spaces.nb101_canonical import (
    Keys,
    canonical_key,
    canonical_keys,
    graphs_of,
    pack_operations,
    pruned_keys,
    unpack_operations,
)
from nasbench.spaces.nb101_encodings import (
    GRAPH_OPERATIONS,
    adjacency_encoding,
    graph_encoding,
    path_encoding,
)
from nasbench.spaces.nb101_graph import (
    BIT,
    INTERIOR,
    PAIRS,
    kept_vertices,
    pruned_graphs,
    valid_before,
    valid_graphs,
)
from nasbench.spaces.nb101_moves import (
    EDGES,
    LABELLINGS,
    NB101Codes,
    edges_of_graphs,
    graph_of_code,
    graphs_of_codes,
)
from nasbench.spaces.nb101_notation import OPERATIONS, code_of, matrix_of, read_cell, write_cell

CODES = 1_538_083 * 3**INTERIOR
"""Valid graphs of seven vertices times operations; a test counts them again."""
CELLS = 423_624
"""Networks that differ (Ying et al. 2019, section 2.2); a test counts them again."""

_PLACES = np.array([len(OPERATIONS) ** k for k in range(INTERIOR - 1, -1, -1)], dtype=np.int64)


class NB101Space(NB101Codes):
    """All 373,754,169 codes of 423,624 cells.

    ``canonical`` maps a code to one code for all isomorphic cells: pruned, its vertices in a fixed order (see
    ``nb101_canonical``), isolated vertices with the first operation at the end. It is exact, and so needs no
    hash.

    How codes are drawn and moved, and which there are, ``nb101_moves`` says.
    """

    merges_isomorphs = True
    networks = CELLS
    encodings: tuple[str, ...] = ("onehot", "adjacency", "path", "graph")
    graph_operations = GRAPH_OPERATIONS

    def __init__(self) -> None:
        super().__init__()
        self.size = CODES

    # Codes and cells ----------------------------------------------------------------------------

    def keys(self, codes: npt.ArrayLike) -> Keys:
        """Write the canonical cells of (n, 26) codes as (n,) numbers, equal where cells are isomorphic.

        Raises:
            NotInSpace: One of the codes is not in the space.
        """
        array = self._array(codes)
        if len(array) == 1:
            return np.array([self.key(tuple(array[0].tolist()))], dtype=np.int32)
        inside = self.contains(array)
        if not inside.all():
            self.check(array[int(np.argmin(inside))].tolist())
        return canonical_keys(pruned_keys(graphs_of_codes(array), pack_operations(array[:, EDGES:])))

    def key(self, code: Code) -> int:
        """Write the canonical cell of one code as a number.

        Raises:
            NotInSpace: Not a code of the space.
        """
        code = self.check(code)
        graph, packed = graph_of_code(code), 0
        kept = int(kept_vertices()[graph])
        for v, operation in enumerate(code[EDGES:]):
            is_kept = kept >> (INTERIOR - 1 - v) & 1
            packed = packed << 2 | (3 - operation if is_kept else 3)
        return canonical_key(int(pruned_graphs()[graph]) << 2 * INTERIOR | packed)

    def of_keys(self, keys: Keys) -> Codes:
        """Return the canonical codes of (n,) ``keys``, (n, 26)."""
        return np.concatenate([edges_of_graphs(graphs_of(keys)), unpack_operations(keys)], axis=1)

    def canonical(self, codes: npt.ArrayLike) -> Codes:
        """Map (n, 26) codes to the codes of their canonical cells.

        Raises:
            NotInSpace: One of the codes is not in the space.
        """
        return self.of_keys(self.keys(codes))

    def cell(self, code: Sequence[int]) -> tuple[npt.NDArray[np.int8], list[str]]:
        """Return the pruned matrix and operations of a code, as the authors' ``ModelSpec`` has them.

        Raises:
            NotInSpace: Not a code of the space.
        """
        values = self.check(code)
        graph = graph_of_code(values)
        pruned = int(pruned_graphs()[graph])
        mask = int(kept_vertices()[graph])
        kept = [v for v in range(1, INTERIOR + 1) if mask >> (INTERIOR - v) & 1]
        edges = [int(pruned & BIT[pair] != 0) for pair in PAIRS]
        return matrix_of((*edges, *values[EDGES:]), kept)

    def of_cell(
        self, matrix: Sequence[Sequence[int]] | npt.NDArray[np.generic], operations: Sequence[str]
    ) -> Code:
        """Return the code of a matrix and its operations; nothing is pruned.

        Raises:
            NotInSpace: As ``nb101_notation.code_of``, no path from input to output, or too many edges.
        """
        return self.check(code_of(matrix, operations))

    def drawing(self, code: Sequence[int]) -> tuple[Graph, ...]:
        """Draw the pruned cell.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        matrix, operations = self.cell(code)
        edges = tuple(Edge(i, j) for i, j in np.argwhere(matrix).tolist())
        return (Graph("cell", tuple(operations), edges),)

    # Order --------------------------------------------------------------------------------------

    def rank(self, codes: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Number (n, 26) codes of the space in lexicographic order, without gaps; (n,)."""
        array = self._array(codes)
        before = valid_before()[graphs_of_codes(array)].astype(np.int64)
        ranks: npt.NDArray[np.int64] = before * len(LABELLINGS) + array[:, EDGES:] @ _PLACES
        return ranks

    def rank_one(self, code: Code) -> int:
        """Number one code of the space in lexicographic order, without gaps."""
        label = 0
        for value in code[EDGES:]:
            label = label * len(OPERATIONS) + value
        return int(valid_before()[graph_of_code(code)]) * len(LABELLINGS) + label

    def unrank(self, ranks: npt.ArrayLike) -> Codes:
        """Turn numbers in lexicographic order back into codes, (n, 26)."""
        number = np.asarray(ranks, dtype=np.int64).reshape(-1)
        edges = edges_of_graphs(valid_graphs()[number // len(LABELLINGS)])
        operations = number[:, None] % len(LABELLINGS) // _PLACES % len(OPERATIONS)
        return np.concatenate([edges, operations.astype(np.int8)], axis=1)

    def enumerate(self, block: int = 65_536) -> Iterator[Codes]:
        """Yield every code once, in lexicographic order, in blocks; ``nb101_cells`` lists distinct cells."""
        for start in range(0, CODES, block):
            yield self.unrank(np.arange(start, min(start + block, CODES)))

    # Encodings and notation ---------------------------------------------------------------------

    def encode(self, codes: npt.ArrayLike, kind: str) -> npt.NDArray[np.float32]:
        """Encode (n, 26) codes.

        Args:
            codes: (n, 26) codes of the space.
            kind: ``"onehot"`` (n, 57): indicators of the choice a decision, dropped vertices included.
                ``"adjacency"`` (n, 36): the 21 edges, then indicators of the five operations, dropped
                vertices included (White et al. 2020, one-hot adjacency).
                ``"path"`` (n, 364): indicator of each sequence of operations that some path from input to
                output spells (White et al. 2021; one empty sequence, 3 of one operation, 9, 27, 81, 243).
                ``"graph"`` (n, 12, 12, 4): one-hot operation of edge i -> j at [i, j] of the pruned cell,
                drawn with its operations on edges: the input 0, every interior vertex v as an edge from
                2 v - 1 to 2 v, the output 11; the cell's own edges are ``skip_connect``.
                ``graph_operations`` names the operations.

        Raises:
            BadOption: No such encoding.
            NotInSpace: One of the codes is not in the space.
        """
        if kind not in self.encodings[1:]:
            return super().encode(codes, kind)
        array = self._array(codes)
        inside = self.contains(array)
        if not inside.all():
            self.check(array[int(np.argmin(inside))].tolist())
        graphs = graphs_of_codes(array)
        if kind == "adjacency":
            return adjacency_encoding(graphs, array[:, EDGES:])
        encode = path_encoding if kind == "path" else graph_encoding
        return encode(pruned_graphs()[graphs], array[:, EDGES:])

    def parse(self, text: str) -> Code:
        """Read ``110-01-1:conv3x3,maxpool3x3``, or a whole matrix as in ``0100 input,output``.

        Raises:
            NotInSpace: Neither of these, or no valid cell; the message names the rule.
        """
        return self.check(read_cell(text))

    def format(self, code: Sequence[int]) -> str:
        """Write ``110-01-1:conv3x3,maxpool3x3``: the upper triangle row by row, and the operations."""
        return write_cell(self.check(code))


__all__ = ["CELLS", "CODES", "NB101Space"]
