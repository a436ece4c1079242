"""The notation of the field for DARTS cells: ``Genotype(normal=[('sep_conv_3x3', 0), ...], ...)``.

It is a Python expression in every repository that uses it; here it is taken apart as a syntax tree in which
nothing but that one form is known, and nothing is ever evaluated.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from nasbench.errors import NotInSpace
from nasbench.spaces.darts_cell import INPUTS, STATES, Edge

CELLS = ("normal", "reduce")
_FIELDS = ("normal", "normal_concat", "reduce", "reduce_concat")
_FORM = "Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=range(2, 6), reduce=[...], ...)"
_LONGEST = 4_000  # characters; a genotype has about 500
_CHARACTERS = re.compile(r"[\w\s()\[\],='\"]*")
_NODES = list(range(INPUTS, STATES))


def write_genotype(cells: Sequence[Sequence[Edge]]) -> str:
    """Write the edges of the normal and of the reduction cell."""
    parts = []
    for name, edges in zip(CELLS, cells, strict=True):
        parts += [f"{name}={list(edges)!r}", f"{name}_concat=range({INPUTS}, {STATES})"]
    return f"Genotype({', '.join(parts)})"


def read_genotype(text: str) -> list[list[Edge]]:
    """Read the edges of the normal and of the reduction cell, in the order written.

    Lists may be tuples, the fields may come without their names in the order of the field's ``Genotype``, and
    the nodes that are put side by side may be a list or a range, or be left out: they are always all four.

    Raises:
        NotInSpace: Not of that form, or not all four nodes are put side by side.
    """
    fields = _fields(text)
    cells = []
    for name in CELLS:
        if name not in fields:
            raise NotInSpace(f"architecture: expected {_FORM}, got no {name}.")
        edges = fields[name]
        if not isinstance(edges, ast.List | ast.Tuple):
            raise NotInSpace(f"architecture: {name}: expected a list of edges, got {_shown(edges)}.")
        cells.append([_edge(edge, name) for edge in edges.elts])
        side_by_side = fields.get(f"{name}_concat")
        if side_by_side is not None and sorted(_whole_numbers(side_by_side)) != _NODES:
            raise NotInSpace(
                f"architecture: {name}_concat: expected range({INPUTS}, {STATES}), all nodes of the cell, "
                f"got {_shown(side_by_side)}."
            )
    return cells


def _fields(text: str) -> dict[str, ast.expr]:
    """Name the arguments of ``Genotype(...)``."""
    refused = NotInSpace(f"architecture: expected {_FORM}, got {text[:80]!r}.")
    if len(text) > _LONGEST or _CHARACTERS.fullmatch(text) is None:
        raise refused
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise refused from None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Genotype"):
        raise refused
    if len(call.args) > len(_FIELDS) or any(k.arg not in _FIELDS for k in call.keywords):
        raise refused
    given = dict(zip(_FIELDS, call.args, strict=False))
    for keyword in call.keywords:
        if keyword.arg is None or keyword.arg in given:
            raise refused
        given[keyword.arg] = keyword.value
    return given


def _edge(tree: ast.expr, cell: str) -> Edge:
    """Read ``('operation', state)``."""
    if isinstance(tree, ast.List | ast.Tuple) and len(tree.elts) == 2:
        operation, state = (part.value if isinstance(part, ast.Constant) else None for part in tree.elts)
        if isinstance(operation, str) and type(state) is int:
            return operation, state
    raise NotInSpace(f"architecture: {cell}: expected ('operation', state) as an edge, got {_shown(tree)}.")


def _whole_numbers(tree: ast.expr) -> list[int]:
    """Read ``[2, 3, 4, 5]`` or ``range(2, 6)``; nothing where it is neither."""
    is_range = isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "range"
    parts = tree.args if is_range else getattr(tree, "elts", [])  # type: ignore[attr-defined]
    numbers = [p.value for p in parts if isinstance(p, ast.Constant) and type(p.value) is int]
    if is_range:
        return list(range(*numbers)) if len(numbers) == 2 and max(numbers) <= STATES else []
    return numbers


def _shown(tree: ast.expr) -> str:
    return ast.unparse(tree)[:80]
