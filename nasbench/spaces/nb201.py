"""The NAS-Bench-201 cell (Dong and Yang 2020), called topology space in NATS-Bench (Dong et al. 2021).

Four nodes; each of the six edges i -> j, i < j, carries one of five operations; a node sums what its
edges bring. A code lists the operation of each edge in the order of the field's notation
``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``: edges 0->1, 0->2, 1->2, 0->3, 1->3, 2->3.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, NotInSpace
from nasbench.records import Code, Codes
from nasbench.spaces import four_nodes
from nasbench.spaces.drawing import Graph
from nasbench.spaces.product import ProductSpace
from nasbench.spaces.space import Decision

EDGES, NODES = four_nodes.EDGES, four_nodes.NODES
OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
_NONE, _SKIP = 0, 1
# Spelled as NATS-Bench spells them: how they sort decides which equal sums are recognised as equal.
_INPUT, _ZERO = "0", "#"
_EDGE_INDEX = {edge: i for i, edge in enumerate(EDGES)}
_TERM = re.compile(r"(?P<op>[a-z0-9_]+)~(?P<source>\d+)")

Algebra = Literal["zero-and-skip", "skip"]


class NB201Space(ProductSpace):
    """All 15,625 cells; the table keeps one row a code, though fewer networks differ.

    ``canonical`` maps a code to the lexicographically first code of its class under the zero-and-skip
    algebra, of which there are 6,466.
    """

    encodings: tuple[str, ...] = ("onehot", "adjacency", "path", "graph")

    def __init__(self) -> None:
        super().__init__("nb201", [Decision(f"{i}->{j}", OPERATIONS) for i, j in EDGES])

    def classes(self, algebra: Algebra = "zero-and-skip") -> npt.NDArray[np.int64]:
        """Name the class of every code by the rank of its first member, (15625,).

        A node is written as the sorted sum of what its in-edges bring: a ``skip_connect`` edge brings its
        source's expression unchanged, any other operation brings (source) operation. Under
        ``"zero-and-skip"`` a ``none`` edge brings zero, and so does any edge from a node that is nothing but
        zero: 6,466 classes. Under ``"skip"`` ``none`` is an operation like the others: 12,751 classes.
        Both are the published counts (Dong and Yang 2020; NATS-Bench's ``get_unique_str``), and both are
        cautious: zeros stay in a sum and nested sums are sorted level by level, so that cells of one class
        always are the same network, while some equal networks still fall into two classes.
        """
        if algebra not in ("zero-and-skip", "skip"):
            raise BadOption(f"algebra: expected 'zero-and-skip' or 'skip', got {algebra!r}.")
        return _classes(algebra)

    def canonical(self, codes: npt.ArrayLike) -> Codes:
        """Map (n, 6) codes to the first code of their class under the zero-and-skip algebra."""
        return self.unrank(_classes("zero-and-skip")[self.rank(codes)])

    def connected(self, codes: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Say for each of (n, 6) codes whether a path without ``none`` joins input and output; (n,)."""
        return four_nodes.connected(self._array(codes))

    def encode(self, codes: npt.ArrayLike, kind: str) -> npt.NDArray[np.float32]:
        """Encode (n, 6) codes.

        Args:
            codes: (n, 6) codes.
            kind: ``"onehot"`` (n, 30): indicators of the operation an edge.
                ``"adjacency"`` (n, 16): the field's 4 x 4 matrix of operation indices, row = target node,
                column = source node, flattened.
                ``"path"`` (n, 84): indicator of each operation sequence that some path from input to
                output spells; a path with a ``none`` edge does not exist (White et al. 2021; 4 sequences of
                one operation, 16 of two, 64 of three).
                ``"graph"`` (n, 4, 4, 5): one-hot operation of edge i -> j at [i, j]; zero where no edge is.

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
        """Read ``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``, or six digits such as ``421211``.

        Raises:
            NotInSpace: Not of that form; the message names the node and the rule.
        """
        text = text.strip()
        if re.fullmatch(r"\d+", text):
            return self.check([int(digit) for digit in text])
        groups = text.split("+")
        if len(groups) != NODES - 1:
            raise NotInSpace(
                f"architecture: expected {NODES - 1} nodes joined by '+' "
                f"(|op~0|+|op~0|op~1|+|op~0|op~1|op~2|), got {len(groups)} in {text!r}."
            )
        code = [0] * len(EDGES)
        for node, group in enumerate(groups, start=1):
            terms = group.strip().strip("|").split("|")
            if len(terms) != node:
                raise NotInSpace(
                    f"architecture: node {node} takes one operation from each of its {node} earlier nodes, "
                    f"got {len(terms)} in {group!r}."
                )
            for source, term in enumerate(terms):
                match = _TERM.fullmatch(term.strip())
                if match is None or int(match["source"]) != source:
                    raise NotInSpace(
                        f"architecture: node {node}, input {source}: expected 'operation~{source}', "
                        f"got {term!r}."
                    )
                if match["op"] not in OPERATIONS:
                    raise NotInSpace(
                        f"architecture: node {node}, input {source}: the operations are "
                        f"{', '.join(OPERATIONS)}, got {match['op']!r}."
                    )
                code[_EDGE_INDEX[source, node]] = OPERATIONS.index(match["op"])
        return tuple(code)

    def format(self, code: Sequence[int]) -> str:
        """Write ``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``."""
        values = self.check(code)
        nodes = []
        for node in range(1, NODES):
            terms = [f"{OPERATIONS[values[_EDGE_INDEX[source, node]]]}~{source}" for source in range(node)]
            nodes.append(f"|{'|'.join(terms)}|")
        return "+".join(nodes)


@functools.cache
def _classes(algebra: Algebra) -> npt.NDArray[np.int64]:
    """Compute ``NB201Space.classes`` by writing out the output node of every cell as an expression."""
    first: dict[str, int] = {}
    representative = np.empty(len(OPERATIONS) ** len(EDGES), dtype=np.int64)
    for rank, code in enumerate(itertools.product(range(len(OPERATIONS)), repeat=len(EDGES))):
        representative[rank] = first.setdefault(expression(code, algebra), rank)
    representative.setflags(write=False)
    return representative


def expression(code: Sequence[int], algebra: Algebra = "zero-and-skip") -> str:
    """Write out what the output node of a cell is: equal texts are the same network.

    Args:
        code: (6,) operation indices.
        algebra: As in ``NB201Space.classes``; the texts are those of NATS-Bench's ``get_unique_str``.
    """
    nodes = [_INPUT]
    edge = 0
    for node in range(1, NODES):
        terms = []
        for source in nodes[:node]:
            operation = code[edge]
            edge += 1
            if algebra == "zero-and-skip" and (operation == _NONE or source == _ZERO):
                terms.append(_ZERO)
            elif operation == _SKIP:
                terms.append(source)
            else:
                terms.append(f"({source})@{OPERATIONS[operation]}")
        nodes.append("+".join(sorted(terms)))
    return nodes[-1]
