"""NAS-Bench-101 cells done by hand: plain loops over matrices that the fast forms are compared with."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np

from nasbench.spaces.nb101_graph import BIT

INCEPTION = (
    [
        [0, 1, 1, 1, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    [
        "input",
        "conv1x1-bn-relu",
        "conv3x3-bn-relu",
        "conv3x3-bn-relu",
        "conv3x3-bn-relu",
        "maxpool3x3",
        "output",
    ],
)
"""The cell of the authors' README."""
FIRST_OF_FILE = (
    [
        [0, 1, 0, 0, 1, 1, 0],
        [0, 0, 1, 0, 0, 0, 0],
        [0, 0, 0, 1, 0, 0, 1],
        [0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    [
        "input",
        "conv3x3-bn-relu",
        "maxpool3x3",
        "conv3x3-bn-relu",
        "conv3x3-bn-relu",
        "conv1x1-bn-relu",
        "output",
    ],
)
"""The cell of the lowest hash of the official file, with its hash and parameters."""
FIRST_HASH = "00005c142e6f48ac74fdcf73e3439874"
FIRST_PARAMETERS = 8_555_530


def matrix_of(graph):
    """Write a number as the 7 x 7 matrix it stands for."""
    matrix = np.zeros((7, 7), dtype=int)
    for (i, j), bit in BIT.items():
        matrix[i, j] = int(bool(graph & bit))
    return matrix


def kept_of(matrix):
    """List the vertices on paths from the first to the last, by following edges."""
    n = len(matrix)
    forward, backward = {0}, {n - 1}
    for _ in range(n):
        forward |= {j for i in forward for j in range(n) if matrix[i][j]}
        backward |= {i for j in backward for i in range(n) if matrix[i][j]}
    kept = sorted(forward & backward)
    return kept if 0 in kept and n - 1 in kept else []


def hash_of(matrix, operations):
    """Hash a pruned cell step by step."""
    label = {"input": -1, "output": -2, "conv3x3-bn-relu": 0, "conv1x1-bn-relu": 1, "maxpool3x3": 2}

    def digest(text):
        return hashlib.md5(text.encode()).hexdigest()

    n = len(matrix)
    hashes = [
        digest(f"({sum(matrix[v])}, {sum(row[v] for row in matrix)}, {label[operations[v]]})")
        for v in range(n)
    ]
    for _ in range(n):
        hashes = [
            digest(
                "".join(sorted(hashes[u] for u in range(n) if matrix[u][v]))
                + "|"
                + "".join(sorted(hashes[w] for w in range(n) if matrix[v][w]))
                + "|"
                + hashes[v]
            )
            for v in range(n)
        ]
    return digest(str(sorted(hashes)))


def orders_of(matrix, operations):
    """Yield a cell under every order of its interior vertices in which each edge points forward."""
    n = len(matrix)
    for order in itertools.permutations(range(1, n - 1)):
        places = [0, *order, n - 1]
        moved = np.asarray(matrix)[np.ix_(places, places)]
        if not np.tril(moved).any():
            yield moved, [operations[v] for v in places]
