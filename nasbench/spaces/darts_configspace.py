"""DARTS cells as NAS-Bench-301 names them: dictionaries of a configuration space (Zela et al. 2022).

``inputs_node_{cell}_{3,4,5}`` holds the pair of states that a node takes, e.g. ``"0_2"``, and
``edge_{cell}_{0..13}`` the operation of each of the eight edges that are there; an edge that is not there has
no key. The edges of a cell are numbered by target, then by source: 0->2, 1->2, 0->3, 1->3, 2->3, 0->4, ...
Every key begins with ``NetworkSelectorDatasetInfo:darts:``.

Source: automl/nasbench301, nasbench301/configspace.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nasbench.errors import NotInSpace
from nasbench.records import Code
from nasbench.spaces import get_space
from nasbench.spaces.darts import DARTSSpace
from nasbench.spaces.darts_cell import INPUTS, PAIRS, STATES, Edge
from nasbench.spaces.darts_notation import CELLS

PREFIX = "NetworkSelectorDatasetInfo:darts:"
_NUMBER_OF_EDGE = {
    (source, state): number
    for number, (source, state) in enumerate((s, t) for t in range(INPUTS, STATES) for s in range(t))
}


def to_configspace(code: Sequence[int]) -> dict[str, str]:
    """Write an architecture of the space ``darts`` as a configuration.

    Raises:
        NotInSpace: ``code`` is no architecture of the space.
    """
    config = {}
    for cell, edges in zip(CELLS, _space().cells(code), strict=True):
        for node in range(len(PAIRS)):
            state, both = INPUTS + node, edges[2 * node : 2 * node + 2]
            if len(PAIRS[node]) > 1:
                config[f"{PREFIX}inputs_node_{cell}_{state}"] = "_".join(str(source) for _, source in both)
            for operation, source in both:
                config[f"{PREFIX}edge_{cell}_{_NUMBER_OF_EDGE[source, state]}"] = operation
    return config


def from_configspace(config: Mapping[str, Any]) -> Code:
    """Read an architecture from a configuration.

    Args:
        config: Keys with or without their common beginning; keys that are not of a cell are passed over.

    Raises:
        NotInSpace: A key of a cell is missing, holds none of its choices, or is of an edge that is not there.
    """
    given = {key.removeprefix(PREFIX): value for key, value in config.items()}
    wanted: set[str] = set()
    cells = []
    for cell in CELLS:
        edges: list[Edge] = []
        for node, pairs in enumerate(PAIRS):
            state, pair = INPUTS + node, pairs[0]
            if len(pairs) > 1:
                by_name = {f"{low}_{high}": (low, high) for low, high in pairs}
                key = f"inputs_node_{cell}_{state}"
                value = _value(given, key)
                wanted.add(key)
                if value not in by_name:
                    raise NotInSpace(f"configuration: {key}: expected {', '.join(by_name)}, got {value!r}.")
                pair = by_name[value]
            for source in pair:
                key = f"edge_{cell}_{_NUMBER_OF_EDGE[source, state]}"
                wanted.add(key)
                edges.append((_value(given, key), source))
        cells.append(edges)
    others = sorted(k for k in given if k.startswith(("edge_", "inputs_node_")) and k not in wanted)
    if others:
        raise NotInSpace(
            f"configuration: expected only edges between the states that the nodes take, got {others[0]} too."
        )
    return _space().of_cells(cells)


def _value(given: Mapping[str, Any], key: str) -> str:
    """Look a key up."""
    if key not in given:
        raise NotInSpace(f"configuration: expected a value for {key}, got none.")
    return str(given[key])


def _space() -> DARTSSpace:
    space = get_space("darts")
    assert isinstance(space, DARTSSpace)
    return space
