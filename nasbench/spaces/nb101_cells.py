"""All NAS-Bench-101 cells, each once: every pruned graph with every labelling, reduced to its canonical cell.

By number of vertices, 2 to 7, there are 1, 6, 84, 2,441, 62,010 and 359,082 cells, 423,624 in all (Ying et
al. 2019, section 2.2).
"""

from __future__ import annotations

import numpy as np

from nasbench.errors import BadOption
from nasbench.spaces.nb101_canonical import Keys, canonical_keys, graphs_of, pack_operations, pruned_keys
from nasbench.spaces.nb101_graph import (
    INTERIOR,
    VERTICES,
    Graphs,
    kept_vertices,
    pruned_graphs,
    valid_graphs,
)
from nasbench.spaces.nb101_notation import OPERATIONS

_BLOCK = 1 << 16


def distinct_cells(vertices: int) -> Keys:
    """List the canonical keys of all cells of so many vertices, increasing.

    Turn them into codes with ``NB101Space.of_keys``.

    Args:
        vertices: 2 to 7, input and output included.

    Raises:
        BadOption: Not 2 to 7 vertices.
    """
    if not 2 <= vertices <= VERTICES:
        raise BadOption(f"vertices: expected 2 to {VERTICES}, got {vertices}.")
    graphs = full_graphs(vertices)
    alike = np.full(len(graphs), pack_operations(np.zeros((1, INTERIOR), dtype=np.int64))[0])
    # Graphs stand first in a key, so that any cell's canonical graph is that of its unlabelled graph.
    graphs = np.unique(graphs_of(canonical_keys(pruned_keys(graphs, alike))))
    interior = vertices - 2
    labels = np.zeros((len(OPERATIONS) ** interior, INTERIOR), dtype=np.int64)
    labels[:, :interior] = np.indices((len(OPERATIONS),) * interior).reshape(interior, len(labels)).T
    packed = pack_operations(labels)
    found = np.empty(0, dtype=np.int32)
    step = max(1, _BLOCK // len(packed))
    for start in range(0, len(graphs), step):
        block = graphs[start : start + step]
        keys = pruned_keys(np.repeat(block, len(packed)), np.tile(packed, len(block)))
        found = np.union1d(found, canonical_keys(keys))
    return found


def full_graphs(vertices: int) -> Graphs:
    """List the valid graphs of which pruning keeps everything: interior vertices 1 to ``vertices - 2``."""
    graphs = valid_graphs()
    interior = vertices - 2
    first = ((1 << interior) - 1) << (INTERIOR - interior)
    full: Graphs = graphs[(pruned_graphs()[graphs] == graphs) & (kept_vertices()[graphs] == first)]
    return full
