"""The NAS-Bench-ASR space (Mehrotra et al. 2021): a cell of three nodes for speech recognition.

Node k applies one of six operations to what node k - 1 gives (node 0 is the input) and adds, by a skip
connection each, what any of the nodes 0 to k - 1 gives. The last node is the output. A code lists node by
node the operation and the skip connections, from the earliest node on: 2 + 3 + 4 values. It is written as the
authors write it, ``[[linear, 1], [conv5, 0, 1], [zero, 1, 0, 0]]``, operations by name or by number.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nasbench.errors import NotInSpace
from nasbench.records import Code, Codes
from nasbench.spaces.drawing import Edge, Graph
from nasbench.spaces.product import ProductSpace
from nasbench.spaces.space import Decision

OPERATIONS = ("linear", "conv5", "conv5d2", "conv7", "conv7d2", "zero")
NODES = 3
_ZERO = OPERATIONS.index("zero")
_STARTS = (0, 2, 5)  # where each node begins in a code
_INPUT, _OUTPUT = 0, NODES + 1  # vertices of the authors' graph; 1 to 3 are the operations
_CHARACTERS = re.compile(r"[\w\s,\[\]()'\"]*")
_NODE = re.compile(r"[\[(]([^\[\]()]*)[\])]")

_Vertices = tuple[int, ...]
_Edges = frozenset[tuple[int, int]]


class NBASRSpace(ProductSpace):
    """All 13,824 cells, of which the published table keeps 8,242.

    ``canonical`` maps a code to the lexicographically first of its class, and the classes are the authors':
    two cells are one where their graphs of operations are isomorphic after ``zero`` and all that is then on
    no way from input to output are removed. In that graph a skip connection carries what the *operation* of
    its node gives, without what is added behind it, although the authors' network adds it; so some cells of
    one class are different networks, such as ``[[zero, 1], [conv5, 0, 1], ...]`` and ``[[zero, 1], [conv5, 0,
    0], ...]``.
    """

    merges_isomorphs = True
    encodings: tuple[str, ...] = ("onehot", "adjacency")

    def __init__(self) -> None:
        decisions = []
        for node in range(1, NODES + 1):
            decisions.append(Decision(f"node {node} operation", OPERATIONS))
            decisions += [Decision(f"skip {source}->{node}", ("no", "yes")) for source in range(node)]
        super().__init__("nb-asr", decisions)

    def canonical(self, codes: npt.ArrayLike) -> Codes:
        """Map (n, 9) codes to the first code of their class."""
        return self.unrank(_first_of_class()[self.rank(codes)])

    def encode(self, codes: npt.ArrayLike, kind: str) -> npt.NDArray[np.float32]:
        """Encode (n, 9) codes.

        Args:
            codes: (n, 9) codes.
            kind: ``"onehot"`` (n, 30), or ``"adjacency"`` (n, 34): the 4 x 4 matrix of skip connections, row
                = target, column = source, flattened, then the indicators of the three operations.

        Raises:
            BadOption: No such encoding.
        """
        array = self._array(codes)
        if kind != "adjacency":
            return super().encode(array, kind)
        n = len(array)
        matrix = np.zeros((n, NODES + 1, NODES + 1), dtype=np.float32)
        chosen = np.zeros((n, NODES, len(OPERATIONS)), dtype=np.float32)
        for node, start in enumerate(_STARTS):
            matrix[:, node + 1, : node + 1] = array[:, start + 1 : start + 2 + node]
            chosen[np.arange(n), node, array[:, start]] = 1.0
        return np.concatenate([matrix.reshape(n, -1), chosen.reshape(n, -1)], axis=1, dtype=np.float32)

    def drawing(self, code: Sequence[int]) -> tuple[Graph, ...]:
        """Draw the cell; ``zero`` is left out.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        values = self.check(code)
        edges = []
        for node, start in enumerate(_STARTS, start=1):
            if values[start] != _ZERO:
                edges.append(Edge(node - 1, node, OPERATIONS[values[start]]))
            skips = values[start + 1 : start + 1 + node]
            edges += [Edge(source, node, "skip") for source, is_there in enumerate(skips) if is_there]
        return (Graph("cell", ("input", "node 1", "node 2", "output"), tuple(edges)),)

    def parse(self, text: str) -> Code:
        """Read ``[[linear, 1], [conv5, 0, 1], [zero, 1, 0, 0]]``, or the choices separated by ``:``.

        Raises:
            NotInSpace: Not of that form; the message names the node and the rule.
        """
        text = text.strip()
        if ":" in text:
            return super().parse(text)
        nodes = _NODE.findall(text) if _CHARACTERS.fullmatch(text) else []
        if len(nodes) != NODES:
            raise NotInSpace(
                f"architecture: expected {NODES} nodes such as [[linear, 1], [conv5, 0, 1], "
                f"[zero, 1, 0, 0]], got {text!r}."
            )
        values: list[int] = []
        for node, inside in enumerate(nodes, start=1):
            operation, *skips = (part.strip(" '\"") for part in inside.split(","))
            if len(skips) != node or not set(skips) <= {"0", "1"}:
                raise NotInSpace(
                    f"architecture: node {node}: expected an operation and {node} times 0 or 1, "
                    f"got {inside!r}."
                )
            if operation not in OPERATIONS and not operation.isdecimal():
                raise NotInSpace(
                    f"architecture: node {node}: the operations are {', '.join(OPERATIONS)}, "
                    f"got {operation!r}."
                )
            number = int(operation) if operation.isdecimal() else OPERATIONS.index(operation)
            values += [number, *map(int, skips)]
        return self.check(values)

    def format(self, code: Sequence[int]) -> str:
        """Write ``[[linear, 1], [conv5, 0, 1], [zero, 1, 0, 0]]``."""
        values = self.check(code)
        nodes = []
        for node, start in enumerate(_STARTS, start=1):
            skips = map(str, values[start + 1 : start + 1 + node])
            nodes.append(f"[{', '.join([OPERATIONS[values[start]], *skips])}]")
        return f"[{', '.join(nodes)}]"


def _graph(code: Sequence[int]) -> tuple[_Vertices, _Edges]:
    """Draw the authors' graph: its useful operations, input and output left out, and its edges.

    Vertex k holds operation k; the next vertex is fed by it, and by the operations that its node's skip
    connections name.
    """
    operations = {k: code[start] for k, start in enumerate(_STARTS, start=1)}
    edges = {(k, k + 1) for k in range(NODES + 1)}
    for k, start in enumerate(_STARTS, start=1):
        edges |= {(source, k + 1) for source in range(k) if code[start + 1 + source]}
    zeros = {k for k, operation in operations.items() if operation == _ZERO}
    edges = {(a, b) for a, b in edges if a not in zeros and b not in zeros}
    forward, backward = {_INPUT}, {_OUTPUT}
    for b in range(1, _OUTPUT + 1):
        if any((a, b) in edges for a in forward):
            forward.add(b)
    for a in range(_OUTPUT - 1, -1, -1):
        if any((a, b) in edges for b in backward):
            backward.add(a)
    kept = forward & backward
    inner = tuple(sorted(kept - {_INPUT, _OUTPUT}))
    return inner, frozenset((a, b) for a, b in edges if a in kept and b in kept)


@functools.cache
def _first_of_class() -> npt.NDArray[np.int64]:
    """Number for each code, in lexicographic order, the first code of its class; (13824,)."""
    counts = [n for node in range(1, NODES + 1) for n in (len(OPERATIONS), *[2] * node)]
    first: dict[object, int] = {}
    numbers = np.empty(len(OPERATIONS) ** NODES * 2 ** (1 + 2 + 3), dtype=np.int64)
    for number, code in enumerate(itertools.product(*map(range, counts))):
        inner, edges = _graph(code)
        drawings = []
        for order in itertools.permutations(inner):
            place = {_INPUT: 0, _OUTPUT: NODES + 1, **{vertex: i + 1 for i, vertex in enumerate(order)}}
            named = tuple(code[_STARTS[vertex - 1]] for vertex in order)
            drawings.append((named, tuple(sorted((place[a], place[b]) for a, b in edges))))
        numbers[number] = first.setdefault(min(drawings), number)
    numbers.setflags(write=False)
    return numbers
