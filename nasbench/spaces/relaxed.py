"""How a space looks once it is relaxed: edges that each carry all operations, and the way to codes and back.

A relaxation mixes O operations on each of E edges. A space says here which operations an architecture puts on
which edges, and which architecture is read off from strengths of all of them. Where every decision is one
edge with one operation, as in NAS-Bench-201, both are the obvious thing (``PlainRelaxed``); a space whose
decisions say something else brings a form of its own by a method ``relaxed``, as ``darts`` does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.records import Code
from nasbench.spaces.space import Space

NONE, SKIP = "none", "skip_connect"
"""What the field calls the operation that brings nothing, and the one that changes nothing."""


@runtime_checkable
class RelaxedSpace(Protocol):
    """The edges of a space and the operations on them.

    Attributes:
        names: E rows of O names: the operations of each edge.
        nodes: Edges that lead into one node, node by node; an edge that is in none competes with no other.
        kept: How many edges of each node an architecture keeps; None where it keeps all.
        choosable: (E, O): operations that an architecture can be read off to have on an edge it keeps.
    """

    names: tuple[tuple[str, ...], ...]
    nodes: tuple[tuple[int, ...], ...]
    kept: int | None
    choosable: npt.NDArray[np.bool_]

    def chosen(self, codes: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Indicate the operation on every edge of (n, L) codes, (n, E, O): one an edge.

        An edge that an architecture does not keep carries ``none``.

        Raises:
            NotInSpace: The codes have another shape.
        """
        ...

    def architecture(self, strengths: npt.ArrayLike) -> Code:
        """Read an architecture off from strengths (E, O) of the operations, the first of equals.

        Raises:
            BadOption: The strengths have another shape.
        """
        ...


class PlainRelaxed:
    """A space whose every decision is one edge with one operation.

    Args:
        space: Its decisions have equally many choices, at least two.

    Raises:
        BadOption: They have not.
    """

    kept: int | None = None

    def __init__(self, space: Space) -> None:
        if not is_plain(space):
            raise BadOption(
                "space: expected decisions with equally many choices, at least two, all combinations of "
                f"which are architectures, got {space.name}."
            )
        self.names = tuple(decision.choices for decision in space.decisions)
        self.nodes = _nodes([decision.name for decision in space.decisions])
        self.choosable = np.ones((len(self.names), len(self.names[0])), dtype=np.bool_)

    def chosen(self, codes: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Indicate the operation on every edge of (n, E) codes, (n, E, O)."""
        operations = np.eye(len(self.names[0]), dtype=np.bool_)
        indicated: npt.NDArray[np.bool_] = operations[np.asarray(codes, dtype=np.int64)]
        return indicated

    def architecture(self, strengths: npt.ArrayLike) -> Code:
        """Take the strongest operation of each edge of (E, O) strengths, the first of equals.

        Raises:
            BadOption: The strengths have another shape.
        """
        rows = require_strengths(strengths, self.choosable.shape)
        return tuple(int(choice) for choice in rows.argmax(axis=1))


def require_strengths(strengths: npt.ArrayLike, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Return strengths as an array.

    Raises:
        BadOption: They are not of this shape (E, O).
    """
    rows = np.asarray(strengths, dtype=np.float64)
    if rows.shape != shape:
        raise BadOption(f"strengths: expected shape (E, O) (= {shape}), got {rows.shape}.")
    return rows


def is_plain(space: Space) -> bool:
    """Say whether all combinations of equally many choices at each decision are architectures."""
    counts = {len(decision.choices) for decision in space.decisions}
    if len(counts) != 1 or min(counts) < 2:
        return False
    return space.size == math.prod(len(decision.choices) for decision in space.decisions)


def relaxed_form(space: Space) -> RelaxedSpace | None:
    """Return the form of a space, its own or the plain one; None where it has neither."""
    own = getattr(space, "relaxed", None)
    if own is not None:
        form: RelaxedSpace = own()
        return form
    return PlainRelaxed(space) if is_plain(space) else None


def _nodes(names: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """Group edges named ``i->j`` by the node that they lead into."""
    edges: dict[str, list[int]] = {}
    for edge, name in enumerate(names):
        match = re.fullmatch(r"\d+->(\d+)", name)
        if match is not None:
            edges.setdefault(match[1], []).append(edge)
    return tuple(tuple(group) for group in edges.values())
