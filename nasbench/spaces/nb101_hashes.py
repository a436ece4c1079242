"""The published hashes of many NAS-Bench-101 cells at once: the rounds of ``nb101_hash`` on whole arrays.

In each round the vertices of all cells that have as many sources and as many targets write texts of one
length, which are hashed together (``md5_rows``).

Two hashes are put in order by their first eight bytes: that two differ and agree in these is not expected
among the few million that there are, and all 423,624 cells came out as one by one when they were compared.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from nasbench.spaces.md5_rows import DIGEST_BYTES, Bytes, md5_rows, padded
from nasbench.spaces.nb101_canonical import Keys, graphs_of, unpack_operations
from nasbench.spaces.nb101_graph import BIT, INTERIOR, PAIRS, VERTICES, kept_vertices

_HEX_BYTES = 2 * DIGEST_BYTES
_HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), dtype="<u2")
_CELLS = 1 << 14
"""Cells at once; bounds the memory."""
_INPUT, _OUTPUT = -1, -2

Places = npt.NDArray[np.int64]


def class_hashes(keys: Keys) -> Bytes:
    """Hash the pruned cells of (n,) canonical keys, each worked out anew; (n, 16) bytes."""
    out = np.empty((len(keys), DIGEST_BYTES), dtype=np.uint8)
    sizes = _ONES[kept_vertices()[graphs_of(keys)]] + 2
    for size in range(2, VERTICES + 1):
        rows = np.flatnonzero(sizes == size)
        for start in range(0, len(rows), _CELLS):
            some = rows[start : start + _CELLS]
            out[some] = _hashes(keys[some], size)
    return out


_ONES = np.array([bin(kept).count("1") for kept in range(1 << INTERIOR)])


def _hashes(keys: Keys, size: int) -> Bytes:
    """Hash (n,) cells that all have ``size`` vertices; (n, 16)."""
    edges = _edges(keys, size)
    labels = np.full((len(keys), size), _INPUT)
    labels[:, 1:-1] = unpack_operations(keys)[:, : size - 2]
    labels[:, -1] = _OUTPUT
    groups = list(_groups(edges))
    digests = np.empty((len(keys) * size, DIGEST_BYTES), dtype=np.uint8)
    for where, sources, targets in groups:
        digests[where] = _first(labels.reshape(-1)[where], sources.shape[1], targets.shape[1])
    for _ in range(size):
        written, order = _written(digests), _order(digests)
        by_blocks: dict[int, list[tuple[Places, Bytes]]] = {}
        for where, sources, targets in groups:
            texts = _texts(written, order, where, sources, targets)
            by_blocks.setdefault(texts.shape[1], []).append((where, texts))
        digests = np.empty_like(digests)
        for alike in by_blocks.values():  # of one padded length, whatever their own
            digests[np.concatenate([where for where, _ in alike])] = md5_rows(
                np.concatenate([texts for _, texts in alike])
            )
    return _last(digests.reshape(len(keys), size, DIGEST_BYTES))


def _edges(keys: Keys, size: int) -> npt.NDArray[np.bool_]:
    """Say which edges the cells have, (n, size, size); the dropped vertices of canonical cells come last."""
    edges = np.zeros((len(keys), VERTICES, VERTICES), dtype=bool)
    graphs = graphs_of(keys)
    for i, j in PAIRS:
        edges[:, i, j] = graphs & BIT[i, j] != 0
    kept = [*range(size - 1), VERTICES - 1]
    return edges[:, kept][:, :, kept]


def _groups(edges: npt.NDArray[np.bool_]) -> Iterator[tuple[Places, Places, Places]]:
    """Gather the vertices of all cells by how many sources and targets they have.

    Yields:
        For each group of m: the vertices (m,), their sources (m, sources), their targets (m, targets); a
        vertex is counted through all cells.
    """
    n, size = edges.shape[:2]
    into = edges.transpose(0, 2, 1).reshape(n * size, size)
    out_of = edges.reshape(n * size, size)
    kind = into.sum(axis=1) * VERTICES + out_of.sum(axis=1)
    for one in np.unique(kind).tolist():
        where = np.flatnonzero(kind == one)
        begins = (where // size * size)[:, None]
        yield (
            where,
            begins + np.nonzero(into[where])[1].reshape(len(where), one // VERTICES),
            begins + np.nonzero(out_of[where])[1].reshape(len(where), one % VERTICES),
        )


def _first(labels: npt.NDArray[np.int64], edges_in: int, edges_out: int) -> Bytes:
    """Hash vertices before the first round; (m, 16)."""
    out = np.empty((len(labels), DIGEST_BYTES), dtype=np.uint8)
    for label in np.unique(labels).tolist():
        text = f"({edges_out}, {edges_in}, {label})".encode()
        row = padded(1, len(text))
        row[0, : len(text)] = np.frombuffer(text, dtype=np.uint8)
        out[labels == label] = md5_rows(row)
    return out


def _written(digests: Bytes) -> npt.NDArray[np.void]:
    """Write (m, 16) digests in hexadecimal digits, (m,) of 32 bytes."""
    written: npt.NDArray[np.void] = _HEX[digests].view(f"V{_HEX_BYTES}")[:, 0]
    return written


def _order(digests: Bytes) -> npt.NDArray[np.uint64]:
    """Give (m, 16) digests numbers by which they are sorted, (m,)."""
    return digests.view(">u8")[:, 0].astype(np.uint64)


def _texts(
    written: npt.NDArray[np.void],
    order: npt.NDArray[np.uint64],
    where: Places,
    sources: Places,
    targets: Places,
) -> Bytes:
    """Write what the vertices of one group hash next; (m, padded length)."""
    at, length = 0, _HEX_BYTES * (sources.shape[1] + targets.shape[1] + 1) + 2
    texts = padded(len(where), length)
    for around in (sources, targets):
        end = at + _HEX_BYTES * around.shape[1]
        texts[:, at:end] = _bytes(written[_sorted(around, order)])
        texts[:, end] = ord("|")
        at = end + 1
    texts[:, at:length] = _bytes(written[where[:, None]])
    return texts


def _sorted(around: Places, order: npt.NDArray[np.uint64]) -> Places:
    """Sort the vertices in each row of (m, k) by their digests."""
    if around.shape[1] < 2:
        return around
    if around.shape[1] == 2:
        turned = order[around[:, 0]] > order[around[:, 1]]
        return np.where(turned[:, None], around[:, ::-1], around)
    return np.take_along_axis(around, np.argsort(order[around], axis=1), axis=1)


def _bytes(written: npt.NDArray[np.void]) -> Bytes:
    """Join the digits in each row of (m, k), (m, 32 k)."""
    return np.ascontiguousarray(written).view(np.uint8).reshape(len(written), -1)


def _last(digests: Bytes) -> Bytes:
    """Hash the sorted vertices of (n, size, 16) as a list is written; (n, 16)."""
    n, size = digests.shape[:2]
    flat = digests.reshape(n * size, DIGEST_BYTES)
    places = _sorted(np.arange(n * size).reshape(n, size), _order(flat))
    texts = padded(n, size * (_HEX_BYTES + 4))
    quoted = texts[:, : size * (_HEX_BYTES + 4)].reshape(n, size, _HEX_BYTES + 4)
    quoted[:, :, :2] = np.frombuffer(b" '", dtype=np.uint8)
    quoted[:, :, 2:-2] = _written(flat)[places][:, :, None].view(np.uint8)
    quoted[:, :, -2:] = np.frombuffer(b"',", dtype=np.uint8)
    quoted[:, 0, 0] = ord("[")
    quoted[:, -1, -1] = ord("]")
    texts[:, : size * (_HEX_BYTES + 4)] = quoted.reshape(n, -1)
    return md5_rows(texts)
