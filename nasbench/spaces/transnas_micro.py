"""The micro space of TransNAS-Bench-101 (Duan et al. 2021): a cell of four nodes with four operations.

The cell is that of NAS-Bench-201 without pooling; it fills a fixed skeleton, 41414 in the notation of the
macro space: five modules of two cells, of which the first, third and fifth halve the image and double the
channels. There every edge out of the input does so, and ``skip_connect`` is a factorised reduction. An
architecture is written as the authors write it, ``64-41414-1_02_333``: at each node the operations on what
nodes 0, 1, 2 bring.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nasbench.errors import NotInSpace
from nasbench.records import Code, Codes
from nasbench.spaces import four_nodes
from nasbench.spaces.drawing import Graph
from nasbench.spaces.four_nodes import EDGES, NODES, NONE, PATHS
from nasbench.spaces.product import ProductSpace
from nasbench.spaces.space import Decision

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3")
MODULES = (4, 1, 4, 1, 4)
"""The skeleton in the numbers of the macro space: 1 keeps the shape, 4 doubles channels, halves the image."""
_TEXT = re.compile(r"(?:64-41414-)?([0-9])_([0-9]{2})_([0-9]{3})")
_SWAPPED = [EDGES.index(edge) for edge in ((0, 2), (0, 1), (1, 2), (0, 3), (2, 3), (1, 3))]  # nodes 1 and 2
_INNER = EDGES.index((1, 2))


class TransNASMicroSpace(ProductSpace):
    """All 4,096 cells; the published table keeps one row a code, though fewer networks differ.

    ``canonical`` maps a code to the lexicographically first code of its class, of which there are 1,948:
    edges on no path from input to output do nothing, and nodes 1 and 2 may be exchanged where no edge joins
    them. Nothing else is merged: a skip connection on the way from the input is a reduction with weights of
    its own in every other module.
    """

    encodings: tuple[str, ...] = ("onehot", "adjacency", "path", "graph")

    def __init__(self) -> None:
        super().__init__("transnas-micro", [Decision(f"{i}->{j}", OPERATIONS) for i, j in EDGES])

    def canonical(self, codes: npt.ArrayLike) -> Codes:
        """Map (n, 6) codes to the first code of their class."""
        array = self._array(codes).copy()
        live = array != NONE
        useful = np.zeros_like(live)
        for path in PATHS:
            useful[:, path] |= live[:, path].all(axis=1)[:, None]
        array[~useful] = NONE
        swapped = array[:, _SWAPPED]
        swaps = (array[:, _INNER] == NONE) & (self.rank(swapped) < self.rank(array))
        array[swaps] = swapped[swaps]
        return array.astype(np.int8)

    def encode(self, codes: npt.ArrayLike, kind: str) -> npt.NDArray[np.float32]:
        """Encode (n, 6) codes.

        Args:
            codes: (n, 6) codes.
            kind: ``"onehot"`` (n, 24); ``"adjacency"`` (n, 16), ``"path"`` (n, 39) and ``"graph"`` (n, 4, 4,
                4) as in ``four_nodes``.

        Raises:
            BadOption: No such encoding.
        """
        array = self._array(codes)
        if kind == "adjacency":
            return four_nodes.adjacency(array)
        if kind == "graph":
            return four_nodes.graph(array, len(OPERATIONS))
        if kind == "path":
            return four_nodes.paths(array, len(OPERATIONS))
        return super().encode(array, kind)

    def drawing(self, code: Sequence[int]) -> tuple[Graph, ...]:
        """Draw the cell; edges that carry ``none`` are left out.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        return four_nodes.draw(self.check(code), OPERATIONS)

    def parse(self, text: str) -> Code:
        """Read ``64-41414-1_02_333``, or the cell alone.

        Raises:
            NotInSpace: Not of that form, or not one of the operations 0 to 3.
        """
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise NotInSpace(
                f"architecture: expected 64-41414-CELL with one digit of 0 to {len(OPERATIONS) - 1} for each "
                f"edge into nodes 1 to {NODES - 1}, such as 64-41414-1_02_333, got {text!r}."
            )
        return self.check([int(digit) for digit in "".join(match.groups())])

    def format(self, code: Sequence[int]) -> str:
        """Write ``64-41414-1_02_333``."""
        digits = "".join(map(str, self.check(code)))
        return f"64-41414-{digits[0]}_{digits[1:3]}_{digits[3:]}"
