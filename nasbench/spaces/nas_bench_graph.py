"""The space of NAS-Bench-Graph (Qin et al. 2022): four computing nodes of a graph neural network as a tree.

Each computing node takes its input from one earlier node, node 0 being the raw features, and applies one
operation; every node that feeds no other goes to the output. There are nine such trees, and a code is the
tree followed by the operation of each node. Networks of nothing but skip connections are left out.

``canonical`` merges what the benchmark merges: nodes in another order, and skip connections that change
nothing, which it moves to the front. Our own algorithm, checked against the benchmark's look-up keys code by
code in the tests.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from nasbench.errors import NotInSpace
from nasbench.records import Code, Codes
from nasbench.spaces.drawing import Edge, Graph
from nasbench.spaces.product import ProductSpace
from nasbench.spaces.space import Decision, Draw

OPERATIONS = ("gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "skip")
OPERATIONS_OF_PROTEINS = ("gcn", "sage", "arma", "fc", "skip")
LINKS = ("0000", "0001", "0011", "0012", "0013", "0111", "0112", "0122", "0123")
"""The input of each computing node: one spelling for each of the nine trees, as the benchmark spells it."""
NODES = 4
_SKIP = "skip"


class NASBenchGraphSpace(ProductSpace):
    """Trees of four computing nodes with an operation each.

    Args:
        name: Name of the space.
        operations: Operations in the benchmark's order; ``skip`` is the last.
    """

    merges_isomorphs = True

    def __init__(self, name: str = "nas-bench-graph", operations: Sequence[str] = OPERATIONS) -> None:
        nodes = [Decision(f"operation {i}", tuple(operations)) for i in range(1, NODES + 1)]
        super().__init__(name, [Decision("links", LINKS), *nodes])
        self._operations = tuple(operations)
        self._last = len(operations) - 1  # skip
        self._of_a_tree = len(operations) ** NODES - 1  # codes of one tree; all-skip would be its last
        self._total = len(LINKS) * self._of_a_tree
        self.size = self._total

    # Membership ---------------------------------------------------------------------------------

    def contains(self, codes: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Say for each of (n, 5) codes whether it is an architecture of this space; (n,)."""
        array = self._array(codes)
        inside: npt.NDArray[np.bool_] = super().contains(array) & (array[:, 1:] != self._last).any(axis=1)
        return inside

    def check(self, code: Sequence[int]) -> Code:
        """Return the code as a tuple of ints.

        Raises:
            NotInSpace: Wrong length or value, or nothing but skip connections.
        """
        values = super().check(code)
        if all(value == self._last for value in values[1:]):
            raise NotInSpace(
                f"code: expected at least one operation besides {_SKIP} in space {self.name}, got {values}."
            )
        return values

    def allowed(self, prefix: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Forbid the last skip connection where all operations before it are skip connections; (choices,)."""
        mask = super().allowed(prefix)
        if len(prefix) == NODES and all(value == self._last for value in prefix[1:]):
            mask[self._last] = False
        return mask

    def canonical(self, codes: npt.ArrayLike) -> Codes:
        """Map (n, 5) codes to one code a network, the one under which the benchmark records it."""
        array = self._array(codes)
        skips = (array[:, 1:] == self._last) @ (1 << np.arange(NODES))
        kinds = array[:, 0] * 2**NODES + skips
        out = np.empty_like(array)
        places = len(self._operations) ** np.arange(NODES - 1, -1, -1)
        for kind in np.unique(kinds):
            rows = np.flatnonzero(kinds == kind)
            tree, orders = _reduced(*divmod(int(kind), 2**NODES))
            spelled = array[rows, 1:][:, orders]  # (rows, orders, nodes)
            first = (spelled @ places).argmin(axis=1)
            out[rows, 0] = tree
            out[rows, 1:] = spelled[np.arange(len(rows)), first]
        return out.astype(np.int8)

    def drawing(self, code: Sequence[int]) -> tuple[Graph, ...]:
        """Draw the tree, each operation on the edge into its node.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        tree, *operations = self.check(code)
        sources = [int(digit) for digit in LINKS[tree]]
        edges = [
            Edge(source, node, self._operations[operation])
            for node, (source, operation) in enumerate(zip(sources, operations, strict=True), start=1)
        ]
        edges += [Edge(node, NODES + 1) for node in range(1, NODES + 1) if node not in sources]
        names = ("features", *(f"node {node}" for node in range(1, NODES + 1)), "output")
        return (Graph("network", names, tuple(edges)),)

    # Moves --------------------------------------------------------------------------------------

    def sample(self, n: int, *, rng: np.random.Generator) -> Codes:
        """Draw n codes uniformly, (n, 5)."""
        return self.unrank(rng.integers(0, self._total, size=n))

    def sample_one(self, draw: Draw) -> Code:
        """Draw one code uniformly."""
        return tuple(self.unrank([int(draw() * self._total)])[0].tolist())

    def mutate(self, codes: npt.ArrayLike, *, rng: np.random.Generator) -> Codes:
        """Set one uniformly drawn decision of each code to a uniformly drawn other legal value."""
        array = self._array(codes).copy()
        rows = np.arange(len(array))
        where = rng.integers(0, len(self.decisions), size=len(array))
        others = (array[:, 1:] == self._last).sum(axis=1) - (array[rows, where] == self._last)
        barred = (where > 0) & (others == NODES - 1)  # one more skip and nothing else would be left
        value = rng.integers(0, self._limits[where] - 1 - barred)
        value += value >= array[rows, where]
        array[rows, where] = value
        return array.astype(np.int8)

    def mutate_one(self, code: Code, draw: Draw) -> Code:
        """Set one uniformly drawn decision to a uniformly drawn other legal value."""
        where = int(draw() * len(self.decisions))
        skips = sum(value == self._last for i, value in enumerate(code) if i not in (0, where))
        barred = where > 0 and skips == NODES - 1
        value = int(draw() * (self._counts[where] - 1 - barred))
        if value >= code[where]:
            value += 1
        return (*code[:where], value, *code[where + 1 :])

    def crossover(self, a: npt.ArrayLike, b: npt.ArrayLike, *, rng: np.random.Generator) -> Codes:
        """Take each decision from either parent; where nothing but skips would be left, the first parent."""
        mixed = super().crossover(a, b, rng=rng)
        return np.where(self.contains(mixed)[:, None], mixed, self._array(a)).astype(np.int8)

    def crossover_one(self, a: Code, b: Code, draw: Draw) -> Code:
        """Take each decision from either parent; where nothing but skips would be left, the first parent."""
        mixed = super().crossover_one(a, b, draw)
        return a if all(value == self._last for value in mixed[1:]) else mixed

    def neighbours(self, code: Sequence[int]) -> Codes:
        """List every architecture that differs in exactly one decision, (m, 5)."""
        near = super().neighbours(self.check(code))
        return near[self.contains(near)]

    # Order --------------------------------------------------------------------------------------

    def rank(self, codes: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Number (n, 5) codes in lexicographic order, (n,)."""
        array = self._array(codes)
        ranks: npt.NDArray[np.int64] = super().rank(array) - array[:, 0]  # one code a tree is left out
        return ranks

    def rank_one(self, code: Code) -> int:
        """Number one code in lexicographic order."""
        return super().rank_one(code) - code[0]

    def unrank(self, ranks: npt.ArrayLike) -> Codes:
        """Turn numbers in lexicographic order back into codes, (n, 5)."""
        number = np.asarray(ranks, dtype=np.int64).ravel()
        return super().unrank(number + number // self._of_a_tree)

    def enumerate(self, block: int = 65_536) -> Iterator[Codes]:
        """Yield every code once, in lexicographic order, in blocks of at most ``block`` rows."""
        for start in range(0, self._total, block):
            yield self.unrank(np.arange(start, min(start + block, self._total)))

    # Notation -----------------------------------------------------------------------------------

    def parse(self, text: str) -> Code:
        """Read ``0012|gcn|gin|fc|cheb``: the input of each node, then its operation.

        Nodes may come in any order in which inputs come first; they are put in the order of ``LINKS``.

        Raises:
            NotInSpace: Not of that form; the message names the rule.
        """
        links, *names = (part.strip() for part in text.strip().split("|"))
        if len(names) != NODES:
            raise NotInSpace(
                f"architecture: expected the inputs of {NODES} nodes and {NODES} operations separated by "
                f"'|' (0012|gcn|gin|fc|cheb), got {text!r}."
            )
        is_tree = len(links) == NODES and all(c in "0123"[: i + 1] for i, c in enumerate(links))
        if not is_tree:
            raise NotInSpace(
                f"architecture: expected for each of the {NODES} nodes an earlier one as its input, 0 "
                f"for the raw features (such as 0012), got {links!r}."
            )
        for name in names:
            if name not in self._operations:
                raise NotInSpace(
                    f"architecture: the operations of space {self.name} are {', '.join(self._operations)}, "
                    f"got {name!r}."
                )
        tree, orders = _spellings(tuple(int(c) for c in links))
        values = [self._operations.index(names[node]) for node in orders[0]]
        return self.check((tree, *values))

    def format(self, code: Sequence[int]) -> str:
        """Write ``0012|gcn|gin|fc|cheb``."""
        tree, *values = self.check(code)
        return "|".join([LINKS[tree], *(self._operations[value] for value in values)])


def key_of(code: Sequence[int], operations: Sequence[str] = OPERATIONS) -> int:
    """Return the number under which the benchmark records a canonical code: five decimal digits."""
    tree, *values = code
    digits = [OPERATIONS.index(operations[value]) for value in values]
    return int("".join(map(str, (tree, *digits))))


def code_of_key(key: int, operations: Sequence[str] = OPERATIONS) -> Code:
    """Turn the benchmark's number back into a code.

    Raises:
        NotInSpace: Not five digits 0 to 8, or an operation that is not among ``operations``.
    """
    digits = f"{key:05d}"
    if len(digits) != NODES + 1 or not set(digits) <= set("012345678"):
        raise NotInSpace(f"key: expected five digits 0 to 8, got {digits}.")
    tree, *places = map(int, digits)
    names = [OPERATIONS[place] for place in places]
    foreign = [name for name in names if name not in operations]
    if foreign:
        raise NotInSpace(f"key: expected operations among {', '.join(operations)}, got {foreign[0]}.")
    return (tree, *(operations.index(name) for name in names))


@functools.cache
def _spellings(parents: tuple[int, ...]) -> tuple[int, tuple[tuple[int, ...], ...]]:
    """Find the listed tree that a tree equals, and every order of its nodes that spells it so.

    Args:
        parents: Input of each node; nodes count from 1, and 0 is the raw features.

    Returns:
        Index into ``LINKS``, and orders: which node (from 0) comes at each place.
    """
    tree, found = -1, []
    for order in itertools.permutations(range(NODES)):
        place = {0: 0, **{node + 1: i + 1 for i, node in enumerate(order)}}
        spelled = "".join(str(place[parents[node]]) for node in order)
        if spelled in LINKS:
            tree = LINKS.index(spelled)
            found.append(order)
    return tree, tuple(found)


@functools.cache
def _reduced(tree: int, skips: int) -> tuple[int, tuple[tuple[int, ...], ...]]:
    """Move the skip connections that change nothing to the front of a tree, and spell what results.

    A skip connection changes nothing where another node takes its output, where its input has no other
    taker, or where it leads the raw features to the output. One that stands beside another taker of its
    input does change something: it leads that input to the output.

    Args:
        tree: Index into ``LINKS``.
        skips: Bit i set where node i (from 0) is a skip connection.
    """
    parents = {node + 1: int(c) for node, c in enumerate(LINKS[tree])}
    is_skip = {node: bool(skips >> (node - 1) & 1) for node in parents}
    moved: list[int] = []

    def changes_nothing(node: int) -> bool:
        rest = [other for other in parents if other not in moved and other != node]
        if any(parents[other] == node for other in rest):
            return True
        above = parents[node]
        if all(parents[other] != above for other in rest):
            return True
        while above and is_skip[above]:
            above = parents[above]
        return above == 0

    while movable := [n for n in parents if n not in moved and is_skip[n] and changes_nothing(n)]:
        node = movable[0]
        for other in parents:
            if parents[other] == node:
                parents[other] = parents[node]
        moved.append(node)
    for i, node in enumerate(moved):
        parents[node] = moved[i - 1] if i else 0
    for node in parents:
        if moved and node not in moved and parents[node] == 0:
            parents[node] = moved[-1]
    return _spellings(tuple(parents[node] for node in sorted(parents)))
