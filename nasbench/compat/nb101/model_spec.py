"""``ModelSpec``: a cell as matrix and operations, pruned when it is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nasbench.errors import NotInSpace
from nasbench.spaces.nb101_canonical import canonical_key
from nasbench.spaces.nb101_graph import BIT, INTERIOR, MOST_EDGES, VERTICES
from nasbench.spaces.nb101_hash import class_hash, graph_hash
from nasbench.spaces.nb101_notation import INPUT, OPERATIONS, OUTPUT

_NUMBER = {name: i for i, name in enumerate(OPERATIONS)}
_LABELS = {INPUT: -1, OUTPUT: -2}


class OutOfDomainError(NotInSpace):
    """A cell or a training length that NAS-Bench-101 does not have."""


class ModelSpec:
    """A cell, with the vertices removed that are on no path from the first to the last.

    Any number of vertices and any names of operations are taken; whether NAS-Bench-101 has the cell,
    ``NASBench.is_valid`` says.

    Args:
        matrix: (v, v) zeros and ones, upper triangular.
        ops: (v,) names of operations, that of the input and of the output included.
        data_format: Kept for scripts that give it; tells nothing here.

    Attributes:
        original_matrix, original_ops: As given.
        matrix, ops: What pruning leaves; None where no path joins input and output.
        valid_spec: Whether a path does.
        data_format: As given.

    Raises:
        NotInSpace: The matrix is not square, not upper triangular, or of another size than the operations; a
            ``ValueError``, as from the original.
    """

    def __init__(
        self,
        matrix: Sequence[Sequence[int]] | npt.NDArray[np.generic],
        ops: Sequence[str],
        data_format: str = "channels_last",
    ) -> None:
        original = np.array(matrix)
        size = len(ops)
        if original.ndim != 2 or original.shape[0] != original.shape[1]:
            raise NotInSpace(f"matrix: expected a square matrix, got shape {original.shape}.")
        if original.shape[0] != size:
            raise NotInSpace(
                f"ops: expected as many operations as vertices (= {len(original)}), got {size}: {list(ops)}."
            )
        rows: list[list[Any]] = original.tolist()
        for i, row in enumerate(rows):
            if any(row[: i + 1]):
                raise NotInSpace(
                    f"matrix: expected an upper triangular matrix, got an edge from {i} to itself or an "
                    "earlier vertex. Order the vertices so that every edge points forward."
                )
        self.original_matrix = original
        self.original_ops = list(ops)
        self.data_format = data_format
        self._key: int | None = None
        self._wrong: str | None = None
        kept = _on_paths(rows)
        self.valid_spec = bool(kept)
        self.matrix: npt.NDArray[Any] | None = None
        self.ops: list[str] | None = None
        if len(kept) == size:
            self.matrix, self.ops = original.copy(), list(ops)
        elif kept:
            self.matrix, self.ops = original[np.ix_(kept, kept)], [ops[v] for v in kept]

    def hash_spec(self, canonical_ops: Sequence[str] = OPERATIONS) -> str:
        """Return the published hash: 32 hexadecimal digits, the same for isomorphic cells.

        Args:
            canonical_ops: The operations in the order of their labels.

        Raises:
            OutOfDomainError: The cell is not connected, or has an operation outside ``canonical_ops``.
        """
        if self.matrix is None or self.ops is None:
            raise OutOfDomainError(_DISCONNECTED)
        if tuple(canonical_ops) == OPERATIONS and self.wrong() == "":
            return class_hash(self.key())
        label = {**{name: i for i, name in enumerate(canonical_ops)}, **_LABELS}
        inner = self.ops[1:-1]
        unknown = [name for name in inner if name not in canonical_ops]
        if unknown:
            raise OutOfDomainError(
                f"ops: expected operations among {', '.join(canonical_ops)}, got {unknown[0]!r}."
            )
        vertices = range(len(self.ops))
        edges = self.matrix.tolist()
        return graph_hash(
            [[u for u in vertices if edges[u][v]] for v in vertices],
            [[w for w in vertices if edges[v][w]] for v in vertices],
            [-1, *(label[name] for name in inner), -2],
        )

    def wrong(self) -> str:
        """Say why NAS-Bench-101 does not have this cell; ``""`` where it has."""
        if self._wrong is None:
            self._wrong = _what_is_wrong(self.matrix, self.ops)
        return self._wrong

    def key(self) -> int:
        """Return the number of the canonical cell; see ``spaces.nb101_canonical``.

        Raises:
            OutOfDomainError: NAS-Bench-101 does not have this cell.
        """
        if self._key is None:
            if self.wrong():
                raise OutOfDomainError(self.wrong())
            assert self.matrix is not None
            assert self.ops is not None
            last = len(self.ops) - 1
            graph = 0
            for i, row in enumerate(self.matrix.tolist()):
                for j in range(i + 1, last + 1):
                    if row[j]:
                        graph |= BIT[i, VERTICES - 1 if j == last else j]
            for name in self.ops[1:-1]:
                graph = graph << 2 | (3 - _NUMBER[name])
            for _ in range(INTERIOR - (last - 1)):
                graph = graph << 2 | 3
            self._key = canonical_key(graph)
        return self._key


_DISCONNECTED = "model_spec: expected a path from input to output, got none."


def _on_paths(rows: list[list[Any]]) -> list[int]:
    """List the vertices on paths from the first to the last, increasing; none where there is no path."""
    size = len(rows)
    reached = [False] * size
    reached[:1] = [True]
    for i, row in enumerate(rows):
        if reached[i]:
            for j in range(i + 1, size):
                if row[j]:
                    reached[j] = True
    if not reached or not reached[-1]:
        return []
    leads = [False] * size
    leads[-1] = True
    for i in range(size - 2, -1, -1):
        row = rows[i]
        leads[i] = any(leads[j] and row[j] for j in range(i + 1, size))
    return [v for v in range(size) if reached[v] and leads[v]]


def _what_is_wrong(matrix: npt.NDArray[Any] | None, ops: list[str] | None) -> str:
    if matrix is None or ops is None:
        return _DISCONNECTED
    size, edges = len(ops), int(np.count_nonzero(matrix))
    if size > VERTICES:
        return f"model_spec: expected at most {VERTICES} vertices once pruned, got {size}."
    if edges > MOST_EDGES:
        return f"model_spec: expected at most {MOST_EDGES} edges once pruned, got {edges}."
    if size < 2 or ops[0] != INPUT or ops[-1] != OUTPUT:
        return f"ops: expected {INPUT!r} first and {OUTPUT!r} last, got {ops[0]!r} and {ops[-1]!r}."
    for name in ops[1:-1]:
        if name not in _NUMBER:
            return f"ops: expected {', '.join(OPERATIONS)} between input and output, got {name!r}."
    return ""
