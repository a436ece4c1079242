"""How NAS-Bench-101 cells are written: matrix and operations, and short texts of both.

* A matrix of zeros and ones, upper triangular, and a list of operations, ``input`` first and ``output`` last:
  what ``ModelSpec`` of the authors takes.
* ``110-01-1:conv3x3,maxpool3x3``: the rows of the upper triangle, and the operations between input and
  output; what a space writes, and safe in a shell.
* ``0110001100010000 input,conv3x3-bn-relu,maxpool3x3,output``: the whole matrix row by row and all
  operations, as the records of the official files have them.

A cell of fewer than seven vertices becomes a code by isolated vertices, with the first operation, right
before its output; a code that ends in such vertices is written without them. So every code reads back as
itself, vertices that pruning would drop included.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nasbench.errors import NotInSpace
from nasbench.records import Code
from nasbench.spaces.nb101_graph import INTERIOR, PAIRS, VERTICES

INPUT, OUTPUT = "input", "output"
OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
_SHORT = ("conv3x3", "conv1x1", "maxpool3x3")
_NUMBER = {name: i for names in (OPERATIONS, _SHORT) for i, name in enumerate(names)}
_TRIANGLE = re.compile(r"[01]+(-[01]+)*")
_EDGE_OF = {pair: e for e, pair in enumerate(PAIRS)}
_FORMS = (
    "110-01-1:conv3x3,maxpool3x3 (rows of the upper triangle, operations between input and output) or "
    "0100 input,output (whole matrix, all operations)"
)


def code_of(matrix: Sequence[Sequence[int]] | npt.NDArray[np.generic], operations: Sequence[str]) -> Code:
    """Return the code of a matrix and its operations, whether or not the graph is valid.

    Args:
        matrix: (v, v) zeros and ones, 2 <= v <= 7, nothing on or below the diagonal.
        operations: (v,) names, ``input`` first and ``output`` last.

    Raises:
        NotInSpace: Another shape, an entry that is neither 0 nor 1, an edge that points backward, or an
            operation that is none; the message names the rule.
    """
    rows = np.asarray(matrix)
    vertices = len(operations)
    if not 2 <= vertices <= VERTICES:
        raise NotInSpace(
            f"operations: expected 2 to {VERTICES} vertices with input and output, got {vertices}."
        )
    if rows.shape != (vertices, vertices):
        raise NotInSpace(
            f"matrix: expected shape (v, v) (= ({vertices}, {vertices})) for {vertices} operations, got "
            f"{rows.shape}."
        )
    wrong = (rows != 0) & (rows != 1)
    if wrong.any():
        i, j = np.argwhere(wrong)[0].tolist()
        raise NotInSpace(f"matrix: expected zeros and ones, got {rows[i, j]} at [{i}, {j}].")
    backward = np.argwhere(np.tril(rows) != 0)
    if len(backward):
        i, j = backward[0].tolist()
        raise NotInSpace(
            f"matrix: expected an upper triangular matrix, got an edge from {i} to {j}. Order the vertices "
            "so that every edge points forward."
        )
    if (operations[0], operations[-1]) != (INPUT, OUTPUT):
        raise NotInSpace(
            f"operations: expected {INPUT!r} first and {OUTPUT!r} last, got {operations[0]!r} and "
            f"{operations[-1]!r}."
        )
    numbers = [0] * INTERIOR
    for v, name in enumerate(operations[1:-1]):
        if name not in _NUMBER:
            raise NotInSpace(
                f"operations: expected {', '.join(OPERATIONS)} between input and output, got {name!r}."
            )
        numbers[v] = _NUMBER[name]
    edges = [0] * len(PAIRS)
    for i, j in np.argwhere(rows == 1).tolist():
        edges[_EDGE_OF[i, VERTICES - 1 if j == vertices - 1 else j]] = 1
    return (*edges, *numbers)


def matrix_of(code: Sequence[int], kept: Sequence[int]) -> tuple[npt.NDArray[np.int8], list[str]]:
    """Return matrix and operations of a code.

    Args:
        code: (26,) a code.
        kept: The interior vertices to show, increasing; the others must have no edges.
    """
    place = {vertex: at for at, vertex in enumerate((0, *kept, VERTICES - 1))}
    matrix = np.zeros((len(place), len(place)), dtype=np.int8)
    for (i, j), edge in zip(PAIRS, code[: len(PAIRS)], strict=True):
        if edge:
            matrix[place[i], place[j]] = 1
    names = [OPERATIONS[code[len(PAIRS) + v - 1]] for v in kept]
    return matrix, [INPUT, *names, OUTPUT]


def read_cell(text: str) -> Code:
    """Read a cell in one of the forms of this module; the code need not be valid.

    Raises:
        NotInSpace: None of the forms, or as ``code_of``.
    """
    cell, colon, names = text.strip().partition(":")
    if not colon:
        cell, _, names = text.strip().partition(" ")
    operations = [name.strip() for name in names.split(",")] if names.strip() else []
    cell = cell.strip()
    if _TRIANGLE.fullmatch(cell) is None:
        raise NotInSpace(f"architecture: expected {_FORMS}, got {text!r}.")
    rows = cell.split("-")
    if operations[:1] == [INPUT]:
        vertices = len(operations)
        if len(rows) != 1 or len(cell) != vertices**2:
            raise NotInSpace(
                f"architecture: expected {vertices**2} digits for the matrix of {vertices} vertices, got "
                f"{cell!r}."
            )
        digits = [[int(digit) for digit in cell[i * vertices : (i + 1) * vertices]] for i in range(vertices)]
        return code_of(digits, operations)
    vertices = len(rows) + 1
    lengths = [len(row) for row in rows]
    if lengths != list(range(vertices - 1, 0, -1)):
        raise NotInSpace(
            "architecture: expected the rows of an upper triangle, each shorter by one and the last of one "
            f"digit, got {cell!r}."
        )
    if len(operations) != vertices - 2:
        raise NotInSpace(
            f"architecture: expected {vertices - 2} operations for the {vertices} vertices of {cell!r}, got "
            f"{len(operations)}: {names!r}."
        )
    matrix = np.zeros((vertices, vertices), dtype=np.int8)
    for i, row in enumerate(rows):
        matrix[i, i + 1 :] = [int(digit) for digit in row]
    return code_of(matrix, [INPUT, *operations, OUTPUT])


def write_cell(code: Sequence[int]) -> str:
    """Write a code as ``110-01-1:conv3x3,maxpool3x3``, without the isolated vertices at its end."""
    interior = INTERIOR
    while interior and _is_padding(code, interior):
        interior -= 1
    kept = range(1, interior + 1)
    matrix, _ = matrix_of(code, kept)
    rows = ("".join(map(str, row[i + 1 :])) for i, row in enumerate(matrix[:-1].tolist()))
    names = ",".join(_SHORT[code[len(PAIRS) + v - 1]] for v in kept)
    return "-".join(rows) + (f":{names}" if names else "")


def _is_padding(code: Sequence[int], vertex: int) -> bool:
    """Say whether a vertex has the first operation and no edges."""
    joined = any(edge and vertex in pair for pair, edge in zip(PAIRS, code[: len(PAIRS)], strict=True))
    return not joined and code[len(PAIRS) + vertex - 1] == 0
