"""The published hash of a NAS-Bench-101 cell, by which the official files name it.

1. A vertex starts with the MD5 of the text ``(edges out, edges in, label)``; the label of an operation is its
   index, that of the input -1 and that of the output -2.
2. As many times as the pruned cell has vertices, each vertex takes the MD5 of the sorted hashes of its
   sources, ``|``, the sorted hashes of its targets, ``|``, and its own hash.
3. The cell's hash is the MD5 of the sorted list of its vertices' hashes, as Python writes it.

All in hexadecimal digits. Where many are asked for, they are looked up in a stored table of all
(``nb101_hash_table``). Isomorphic cells have the same hash; the canonical form of the space itself needs
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
from nasbench.spaces.nb101_hash_table import HASH_BYTES, STORED
from nasbench.spaces.nb101_hashes import class_hashes

try:  # Python's own MD5 answers a short text in half the time of OpenSSL's; not every build has it
    from _md5 import md5  # type: ignore[import-not-found]  # not in typeshed
except ImportError:
    from hashlib import md5

_LABELS = (-1, -2)  # of the input and of the output
_REMEMBERED = 1 << 17
_MANY = 2_000
"""Classes from which on whole arrays are no slower than one by one."""


Around = tuple[int, Sequence[int], int, Sequence[int]]
"""The sources and the targets of a vertex, before each where to look when there is one or none; else -1."""


def graph_hash(
    sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], labels: Sequence[int]
) -> str:
    """Hash a labelled graph; 32 hexadecimal digits.

    Args:
        sources: For each vertex the vertices that feed it.
        targets: For each vertex the vertices that it feeds.
        labels: Of each vertex.
    """
    firsts = [
        _first(len(out_of), len(into), label)
        for into, out_of, label in zip(sources, targets, labels, strict=True)
    ]
    return _rounds(_around(sources, targets), firsts)


def _around(sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> list[Around]:
    """Prepare the rounds of a graph; behind its last vertex they keep an empty text."""
    n = len(sources)

    def single(vertices: Sequence[int]) -> int:
        return n if not vertices else vertices[0] if len(vertices) == 1 else -1

    return [
        (single(into), into, single(out_of), out_of) for into, out_of in zip(sources, targets, strict=True)
    ]


def _rounds(around: list[Around], hashes: list[str]) -> str:
    """Hash a graph from the first hashes of its vertices; the inner loop of a hash, so nothing is called."""
    for _ in around:
        hashes.append("")
        following: list[str] = []
        for (source, into, target, out_of), own in zip(around, hashes, strict=False):
            if source >= 0:
                before = hashes[source]
            elif len(into) == 2:
                one, other = hashes[into[0]], hashes[into[1]]
                before = one + other if one < other else other + one
            else:
                before = "".join(sorted([hashes[vertex] for vertex in into]))
            if target >= 0:
                after = hashes[target]
            elif len(out_of) == 2:
                one, other = hashes[out_of[0]], hashes[out_of[1]]
                after = one + other if one < other else other + one
            else:
                after = "".join(sorted([hashes[vertex] for vertex in out_of]))
            following.append(md5(f"{before}|{after}|{own}".encode()).hexdigest())
        hashes = following
    final: str = md5(str(sorted(hashes)).encode()).hexdigest()
    return final


@functools.cache
def _first(edges_out: int, edges_in: int, label: int) -> str:
    """Hash a vertex before the first round; there are few different ones."""
    digest: str = md5(f"({edges_out}, {edges_in}, {label})".encode()).hexdigest()
    return digest


def key_hash(key: int) -> str:
    """Hash the pruned cell of one key (see ``nb101_canonical``); remembered for all isomorphic cells."""
    return class_hash(canonical_key(key))


@functools.lru_cache(maxsize=_REMEMBERED)
def class_hash(key: int) -> str:
    """Hash the pruned cell of one canonical key; remembered."""
    table = STORED.before(1)
    return (table and table.find(key)) or worked_out(key)


def worked_out(key: int) -> str:
    """Hash the pruned cell of one key by the steps, and remember nothing."""
    kept, around, degrees = _neighbours(key >> (2 * INTERIOR))
    labels = [3 - ((key >> (2 * (INTERIOR - v))) & 3) for v in kept]
    labels = [_LABELS[0], *labels, _LABELS[1]]
    return _rounds(around, [_first(*degree, label) for degree, label in zip(degrees, labels, strict=True)])


@functools.lru_cache(maxsize=_REMEMBERED)
def _neighbours(graph: int) -> tuple[list[int], list[Around], list[tuple[int, int]]]:
    """List the kept interior vertices of a pruned graph; of all kept what is around, edges out and in."""
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
    degrees = [(len(out_of), len(into)) for into, out_of in zip(sources, targets, strict=True)]
    return kept, _around(sources, targets), degrees


def key_hashes(keys: Keys) -> npt.NDArray[np.void]:
    """Hash the pruned cells of (n,) keys, each class of isomorphic ones once; (n,) of 16 bytes."""
    if STORED.table is not None:
        found, is_canonical = STORED.table.find_many(keys)
        if not is_canonical.all():
            other = ~is_canonical
            found[other] = _hashes_of_classes(*np.unique(canonical_keys(keys[other]), return_inverse=True))
        return found
    distinct, which = np.unique(keys, return_inverse=True)
    found = _hashes_of_classes(*np.unique(canonical_keys(distinct), return_inverse=True))
    return found[which.reshape(-1)]


def _hashes_of_classes(classes: Keys, which: npt.NDArray[np.intp]) -> npt.NDArray[np.void]:
    """Hash distinct canonical keys and repeat each as often as it is in ``which``."""
    if len(classes) < _MANY:
        digests = b"".join(bytes.fromhex(class_hash(key)) for key in classes.tolist())
    elif (table := STORED.before(len(classes))) is not None:
        digests = table.find_many(classes)[0].tobytes()
    else:
        digests = class_hashes(classes).tobytes()
    found: npt.NDArray[np.void] = np.frombuffer(digests, dtype=f"V{HASH_BYTES}")[which.reshape(-1)]
    return found
