"""The published hash of a NAS-Bench-101 cell, by which the official files name it.

1. A vertex starts with the MD5 of the text ``(edges out, edges in, label)``; the label of an operation is its
   index, that of the input -1 and that of the output -2.
2. As many times as the pruned cell has vertices, each vertex takes the MD5 of the sorted hashes of its
   sources, ``|``, the sorted hashes of its targets, ``|``, and its own hash.
3. The cell's hash is the MD5 of the sorted list of its vertices' hashes, as Python writes it.

All in hexadecimal digits. Isomorphic cells have the same hash; the canonical form of the space itself needs
no hash (``nb101_canonical``) and is what everything but a look-up in an official file goes by.

Source: Ying et al. 2019, section 2.2, and the authors' code (google-research/nasbench).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nasbench.spaces.nb101_canonical import Keys, canonical_key, canonical_keys
from nasbench.spaces.nb101_graph import BIT, INTERIOR, VERTICES, kept_vertices

try:  # Python's own MD5 answers a short text in half the time of OpenSSL's; not every build has it
    from _md5 import md5  # type: ignore[import-not-found]  # not in typeshed
except ImportError:
    from hashlib import md5

HASH_BYTES = 16
_LABELS = (-1, -2)  # of the input and of the output
_REMEMBERED = 1 << 17


def graph_hash(
    sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], labels: Sequence[int]
) -> str:
    """Hash a labelled graph; 32 hexadecimal digits.

    Args:
        sources: For each vertex the vertices that feed it.
        targets: For each vertex the vertices that it feeds.
        labels: Of each vertex.
    """
    around = list(zip(sources, targets, strict=True))
    hashes = [
        _first(len(out_of), len(into), label) for (into, out_of), label in zip(around, labels, strict=True)
    ]
    for _ in labels:
        hashes = [
            md5(f"{_joined(hashes, into)}|{_joined(hashes, out_of)}|{own}".encode()).hexdigest()
            for (into, out_of), own in zip(around, hashes, strict=True)
        ]
    final: str = md5(str(sorted(hashes)).encode()).hexdigest()
    return final


def _joined(hashes: list[str], vertices: Sequence[int]) -> str:
    """Join the hashes of some vertices, sorted; nearly always there are one or two."""
    n = len(vertices)
    if n == 1:
        return hashes[vertices[0]]
    if n == 2:
        one, other = hashes[vertices[0]], hashes[vertices[1]]
        return one + other if one < other else other + one
    return "".join(sorted([hashes[vertex] for vertex in vertices]))


@functools.cache
def _first(edges_out: int, edges_in: int, label: int) -> str:
    """Hash a vertex before the first round; there are few different ones."""
    digest: str = md5(f"({edges_out}, {edges_in}, {label})".encode()).hexdigest()
    return digest


def key_hash(key: int) -> str:
    """Hash the pruned cell of one key (see ``nb101_canonical``); remembered for all isomorphic cells."""
    return _class_hash(canonical_key(key))


@functools.lru_cache(maxsize=_REMEMBERED)
def _class_hash(key: int) -> str:
    graph = key >> (2 * INTERIOR)
    kept, sources, targets = _neighbours(graph)
    labels = [3 - ((key >> (2 * (INTERIOR - v))) & 3) for v in kept]
    return graph_hash(sources, targets, [_LABELS[0], *labels, _LABELS[1]])


@functools.lru_cache(maxsize=_REMEMBERED)
def _neighbours(graph: int) -> tuple[list[int], list[list[int]], list[list[int]]]:
    """List the kept interior vertices of a pruned graph, and sources and targets of all kept ones."""
    mask = int(kept_vertices()[graph])
    kept = [v for v in range(1, INTERIOR + 1) if mask >> (INTERIOR - v) & 1]
    vertices = [0, *kept, VERTICES - 1]
    sources: list[list[int]] = [[] for _ in vertices]
    targets: list[list[int]] = [[] for _ in vertices]
    for a, i in enumerate(vertices):
        for b, j in enumerate(vertices[a + 1 :], start=a + 1):
            if graph & BIT[i, j]:
                targets[a].append(b)
                sources[b].append(a)
    return kept, sources, targets


def key_hashes(keys: Keys) -> npt.NDArray[np.void]:
    """Hash the pruned cells of (n,) keys, each class of isomorphic ones once; (n,) of 16 bytes."""
    distinct, which = np.unique(canonical_keys(keys), return_inverse=True)
    digests = b"".join(bytes.fromhex(_class_hash(key)) for key in distinct.tolist())
    found: npt.NDArray[np.void] = np.frombuffer(digests, dtype=f"V{HASH_BYTES}")[which.reshape(-1)]
    return found
