"""The three spaces of NAS-Bench-1Shot1 (Zela, Siems and Hutter 2020), made for weight sharing.

Four or five interior vertices, each with one of the three operations of NAS-Bench-101, and for every vertex
and the output a fixed number of inputs among the vertices before it; nine edges in all. Results are those of
the NAS-Bench-101 cell that is left after pruning, so that a vertex that feeds nothing is no part of the
network.

How many architectures there are depends on what is counted, and the published counts mix conventions:

======================================================  ======  ======  =========
counted                                                      1       2          3
======================================================  ======  ======  =========
codes: inputs and operations of every vertex            14,580  29,160  1,312,200
the same, operations only of vertices that feed some     6,240  16,632    363,648
graphs whose kept vertices lie all on one path           2,487   3,609     24,066
cells of NAS-Bench-101                                   2,685   7,773     55,854
======================================================  ======  ======  =========

The codes are what this space holds. The second row is the authors' count with loose ends, except for space 2,
for which the first row is reported; the third is their generator without loose ends, which grows a graph from
the output backward along one chain of vertices and so misses graphs that branch.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, NotInSpace
from nasbench.records import Code, Codes
from nasbench.spaces.drawing import Graph
from nasbench.spaces.nb101 import NB101Space
from nasbench.spaces.nb101_encodings import GRAPH_OPERATIONS
from nasbench.spaces.nb101_graph import INTERIOR, PAIRS, VERTICES
from nasbench.spaces.nb101_notation import OPERATIONS, read_cell, write_cell
from nasbench.spaces.product import ProductSpace
from nasbench.spaces.space import Decision

INPUTS = {1: (1, 2, 2, 2, 2), 2: (1, 1, 2, 2, 3), 3: (1, 1, 1, 2, 2, 2)}
"""Number of inputs of each interior vertex and, last, of the output, by the number of the space."""
NETWORKS = {1: 2_685, 2: 7_773, 3: 55_854}
"""Cells of NAS-Bench-101 in each space; a test counts them again."""
_EDGE_OF = {pair: e for e, pair in enumerate(PAIRS)}
_OUTPUT = VERTICES - 1


class NB1Shot1Space(ProductSpace):
    """The architectures of one of the three spaces.

    A code takes for each interior vertex its inputs, where there is a choice, and its operation, and then the
    output's inputs. ``canonical`` maps a code to the first code of the same NAS-Bench-101 cell.

    Args:
        number: 1, 2 or 3.

    Raises:
        BadOption: No such number.
    """

    merges_isomorphs = True
    encodings: tuple[str, ...] = ("onehot", "adjacency", "path", "graph")
    graph_operations = GRAPH_OPERATIONS

    def __init__(self, number: int) -> None:
        if number not in INPUTS:
            raise BadOption(f"number: expected 1, 2 or 3, got {number!r}.")
        self._inputs = INPUTS[number]
        interior = len(self._inputs) - 1
        self._vertices = [*range(1, interior + 1), _OUTPUT]  # in the matrix of NAS-Bench-101
        self._choices = [
            list(itertools.combinations(range(len(self._vertices[:place]) + 1), count))
            for place, count in enumerate(self._inputs)
        ]
        decisions: list[Decision] = []
        self._input_place: list[int | None] = []  # decision of each vertex's inputs; None: there is no choice
        self._operation_place: list[int] = []
        for vertex, choices in zip(self._vertices, self._choices, strict=True):
            self._input_place.append(len(decisions) if len(choices) > 1 else None)
            name = "output" if vertex == _OUTPUT else f"vertex {vertex}"
            if len(choices) > 1:
                decisions.append(Decision(f"{name} inputs", tuple("_".join(map(str, c)) for c in choices)))
            if vertex != _OUTPUT:
                self._operation_place.append(len(decisions))
                decisions.append(Decision(name, OPERATIONS))
        super().__init__(f"nb1shot1-{number}", decisions)
        self.networks = NETWORKS[number]
        self.whole = NB101Space()

    def to_nb101(self, codes: npt.ArrayLike) -> Codes:
        """Turn (n, L) codes into codes of the space ``nb101``, loose ends included; (n, 26)."""
        array = self._array(codes)
        out = np.zeros((len(array), len(PAIRS) + INTERIOR), dtype=np.int8)
        for vertex, choices, place in zip(self._vertices, self._choices, self._input_place, strict=True):
            for value, inputs in enumerate(choices):
                rows = slice(None) if place is None else array[:, place] == value
                for source in inputs:
                    out[rows, _EDGE_OF[source, vertex]] = 1
        for vertex, place in enumerate(self._operation_place):
            out[:, len(PAIRS) + vertex] = array[:, place]
        return out

    def of_nb101(self, code: Sequence[int]) -> Code:
        """Return the code of a cell of ``nb101`` that has all vertices of this space in their places.

        Raises:
            NotInSpace: A vertex has another number of inputs.
        """
        values = self.whole.check(code)
        found = [0] * len(self.decisions)
        for vertex, choices, place in zip(self._vertices, self._choices, self._input_place, strict=True):
            inputs = tuple(u for u in range(vertex) if values[_EDGE_OF[u, vertex]])
            if inputs not in choices:
                name = "the output" if vertex == _OUTPUT else f"vertex {vertex}"
                raise NotInSpace(
                    f"architecture: space {self.name} gives {name} {len(choices[0])} of the vertices "
                    f"0 to {max(map(max, choices))} as inputs, got {', '.join(map(str, inputs)) or 'none'}."
                )
            if place is not None:
                found[place] = choices.index(inputs)
        for vertex, place in enumerate(self._operation_place):
            found[place] = values[len(PAIRS) + vertex]
        if tuple(self.to_nb101([found])[0].tolist()) != values:
            raise NotInSpace(
                f"architecture: expected {len(self._vertices) - 1} interior vertices in space {self.name}, "
                f"got {write_cell(values)}."
            )
        return tuple(found)

    def drawing(self, code: Sequence[int]) -> tuple[Graph, ...]:
        """Draw the NAS-Bench-101 cell, without loose ends.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        return self.whole.drawing(self.to_nb101([self.check(code)])[0].tolist())

    def canonical(self, codes: npt.ArrayLike) -> Codes:
        """Map (n, L) codes to the first code of the same NAS-Bench-101 cell."""
        return self.unrank(self.classes[self.rank(codes)])

    @cached_property
    def classes(self) -> npt.NDArray[np.int64]:
        """Name the cell of every code by the rank of its first code, (size,)."""
        keys = np.concatenate([self.whole.keys(self.to_nb101(codes)) for codes in self.enumerate()])
        _, first, which = np.unique(keys, return_index=True, return_inverse=True)
        classes: npt.NDArray[np.int64] = first[which.reshape(-1)]
        return classes

    def encode(self, codes: npt.ArrayLike, kind: str) -> npt.NDArray[np.float32]:
        """Encode (n, L) codes.

        Args:
            codes: (n, L) codes.
            kind: ``"onehot"``: indicators of the choice a decision; ``"adjacency"``, ``"path"`` or
                ``"graph"``: those of the NAS-Bench-101 cell, see ``NB101Space.encode``.

        Raises:
            BadOption: No such encoding.
        """
        if kind == "onehot" or kind not in self.encodings:
            return super().encode(codes, kind)
        return self.whole.encode(self.to_nb101(codes), kind)

    def parse(self, text: str) -> Code:
        """Read the notation of ``nb101``: ``11000-0100-...:conv3x3,...`` with all vertices of this space.

        Raises:
            NotInSpace: Not of that form, or a vertex has another number of inputs.
        """
        return self.of_nb101(read_cell(text))

    def format(self, code: Sequence[int]) -> str:
        """Write the upper triangle row by row and the operations, loose ends included."""
        return write_cell(self.to_nb101([self.check(code)])[0].tolist())
