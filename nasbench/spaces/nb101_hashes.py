"""The published hashes of many NAS-Bench-101 cells at once: the rounds of ``nb101_hash`` on whole arrays.

In each round the vertices of all cells that have as many sources and as many targets write texts of one
length, which are hashed together (``md5_columns``). Vertices are numbered so that those alike stand together,
texts and hashes are columns of words of 32 bits: little is moved but by whole rows.

Two hashes are put in order by their first eight bytes: that two differ and agree in these is not expected
among the few million that there are, and all 423,624 cells came out as one by one when they were compared.
"""

from __future__ import annotations

import itertools
import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import md5

import numpy as np
import numpy.typing as npt

from nasbench.spaces.md5_columns import DIGEST_BYTES, DIGEST_WORDS, Words, md5_columns, pad, padded_words
from nasbench.spaces.nb101_canonical import Keys, graphs_of, unpack_operations
from nasbench.spaces.nb101_graph import BIT, INTERIOR, PAIRS, VERTICES, kept_vertices

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]

_CELLS = 1 << 13
"""Cells at once; bounds the memory."""
_MOST_WORKERS = 4
_INPUT, _OUTPUT = -1, -2
_LABELS = (_OUTPUT, _INPUT, 0, 1, 2)
_HEX_WORDS = 2 * DIGEST_WORDS  # a digest in hexadecimal digits
_HEX_BYTES = 4 * _HEX_WORDS
_QUOTED_WORDS = _HEX_WORDS + 1  # with quotes, and what separates it in a list
_BAR = ord("|")
_HEX = np.frombuffer(
    "".join(f"{low:02x}{high:02x}" for high in range(256) for low in range(256)).encode(), "<u4"
)
"""Two bytes as a number -> their four digits as a number."""
_ONES = np.array([bin(kept).count("1") for kept in range(1 << INTERIOR)])


@dataclass(frozen=True, slots=True)
class _Alike:
    """The vertices of as many sources and as many targets, numbers ``start`` to ``start + m`` without end.

    Attributes:
        start: Number of the first.
        sources: (sources, m) numbers of vertices.
        targets: (targets, m) numbers of vertices.
    """

    start: int
    sources: Places
    targets: Places

    @property
    def end(self) -> int:
        """Number behind the last."""
        return self.start + int(self.sources.shape[1])

    @property
    def length(self) -> int:
        """Bytes of the text that each of them hashes."""
        return _HEX_BYTES * (len(self.sources) + len(self.targets) + 1) + 2


def class_hashes(keys: Keys) -> Bytes:
    """Hash the pruned cells of (n,) canonical keys, each worked out anew; (n, 16) bytes.

    Blocks of many cells are worked out beside each other, on up to four processors.
    """
    out = np.empty((len(keys), DIGEST_BYTES), dtype=np.uint8)
    sizes = _ONES[kept_vertices()[graphs_of(keys)]] + 2
    blocks: list[tuple[int, Places]] = []
    for size in range(2, VERTICES + 1):
        rows = np.flatnonzero(sizes == size)
        blocks += [(size, rows[start : start + _CELLS]) for start in range(0, len(rows), _CELLS)]

    def fill(block: tuple[int, Places]) -> None:
        size, rows = block
        out[rows] = _hashes(keys[rows], size)

    workers = min(_MOST_WORKERS, _processors(), len(blocks))
    if workers < 2:
        for block in blocks:
            fill(block)
    else:
        with ThreadPoolExecutor(workers) as pool:  # numpy lets other threads run while it works
            list(pool.map(fill, reversed(blocks)))
    return out


def _processors() -> int:
    """Count the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _hashes(keys: Keys, size: int) -> Bytes:
    """Hash (n,) cells that all have ``size`` vertices; (n, 16)."""
    numbers, groups = _numbered(_edges(keys, size))
    labels = np.full((len(keys), size), _INPUT)
    labels[:, 1:-1] = unpack_operations(keys)[:, : size - 2]
    labels[:, -1] = _OUTPUT
    of_number = np.empty(numbers.size, dtype=np.int64)
    of_number[numbers.reshape(-1)] = labels.reshape(-1)
    digests = np.empty((DIGEST_WORDS, numbers.size), dtype=np.uint32)
    by_words: dict[int, list[_Alike]] = defaultdict(list)
    for group in groups:
        digests[:, group.start : group.end] = _first(group)[:, of_number[group.start : group.end]]
        by_words[padded_words(group.length)].append(group)
    texts = {n: np.zeros((n, sum(g.end - g.start for g in some)), np.uint32) for n, some in by_words.items()}
    for _ in range(size):
        written, order = _written(digests), _order(digests)
        for n, some in by_words.items():
            _write_texts(texts[n], some, written, order)
            digests[:, some[0].start : some[-1].end] = md5_columns(texts[n])
    final = _last(digests, numbers)
    return np.ascontiguousarray(final.T, dtype="<u4").view(np.uint8)


def _edges(keys: Keys, size: int) -> npt.NDArray[np.bool_]:
    """Say which edges the cells have, (n, size, size); the dropped vertices of canonical cells come last."""
    edges = np.zeros((len(keys), VERTICES, VERTICES), dtype=bool)
    graphs = graphs_of(keys)
    for i, j in PAIRS:
        edges[:, i, j] = graphs & BIT[i, j] != 0
    kept = [*range(size - 1), VERTICES - 1]
    return edges[:, kept][:, :, kept]


def _numbered(edges: npt.NDArray[np.bool_]) -> tuple[Places, list[_Alike]]:
    """Number the vertices of all cells, those alike in a row and those of longer texts behind.

    Returns:
        (n, size) numbers, and the groups in the order of their numbers.
    """
    n, size = edges.shape[:2]
    into = edges.transpose(0, 2, 1).reshape(n * size, size)
    out_of = edges.reshape(n * size, size)
    edges_in, edges_out = into.sum(axis=1), out_of.sum(axis=1)
    kind = ((edges_in + edges_out) * VERTICES + edges_in).astype(np.int16)
    order = np.argsort(kind, kind="stable")
    numbers = np.empty(n * size, dtype=np.int64)
    numbers[order] = np.arange(n * size)
    starts = [*np.flatnonzero(np.diff(kind[order], prepend=-1)).tolist(), n * size]
    groups = []
    for start, end in itertools.pairwise(starts):
        where = order[start:end]
        cells = where // size * size
        around = [np.nonzero(rows[where])[1].reshape(len(where), -1).T + cells for rows in (into, out_of)]
        groups.append(_Alike(start, *(numbers[vertices] for vertices in around)))
    return numbers.reshape(n, size), groups


def _first(group: _Alike) -> Words:
    """Hash a vertex of each label before the first round; (4, 5), by label from -2 to 2."""
    texts = [f"({len(group.targets)}, {len(group.sources)}, {label})" for label in _LABELS]
    digests = b"".join(md5(text.encode()).digest() for text in texts)
    words = np.frombuffer(digests, dtype="<u4").reshape(len(_LABELS), DIGEST_WORDS).T
    return np.roll(words, _OUTPUT, axis=1)  # so that a label is its own index


def _written(digests: Words) -> Words:
    """Write (4, n) digests in hexadecimal digits, (8, n)."""
    written = np.empty((_HEX_WORDS, digests.shape[1]), dtype=np.uint32)
    for i, word in enumerate(digests):
        np.take(_HEX, word & np.uint32(0xFFFF), out=written[2 * i], mode="clip")
        np.take(_HEX, word >> np.uint32(16), out=written[2 * i + 1], mode="clip")
    return written


def _order(digests: Words) -> npt.NDArray[np.uint64]:
    """Give (4, n) digests numbers by which they are sorted, (n,)."""
    high, low = (word.byteswap().astype(np.uint64) for word in digests[:2])
    order: npt.NDArray[np.uint64] = high << np.uint64(32) | low
    return order


def _write_texts(texts: Words, groups: list[_Alike], written: Words, order: npt.NDArray[np.uint64]) -> None:
    """Write what the vertices of some groups hash next, (padded words, m), padded.

    A text is the digits of the sources, a bar, those of the targets, moved by one byte, a bar, and their own,
    moved by two.
    """
    column = 0
    for group in groups:
        text = texts[:, column : column + group.end - group.start]
        column += group.end - group.start
        first, second = len(group.sources) * _HEX_WORDS, len(group.targets) * _HEX_WORDS
        second += first
        last = second + _HEX_WORDS
        for k, vertices in enumerate(_sorted(group.sources, order)):
            np.take(written, vertices, axis=1, out=text[k * _HEX_WORDS : (k + 1) * _HEX_WORDS], mode="clip")
        text[first] = _BAR
        for k, vertices in enumerate(_sorted(group.targets, order)):
            digits = np.take(written, vertices, axis=1, mode="clip")
            at = first + k * _HEX_WORDS
            _append(text[at : at + _HEX_WORDS + 1], digits, 8)
        text[second] |= _BAR << 8
        _append(text[second : last + 1], written[:, group.start : group.end], 16)
        text[last + 1 :] = 0
        pad(text, group.length)


def _append(text: Words, digits: Words, bits: int) -> None:
    """Write (8, m) digits into (9, m) words, of which the first ``bits`` are there already."""
    moved = digits * np.uint32(1 << bits)
    text[0] |= moved[0]
    np.right_shift(digits, np.uint32(32 - bits), out=text[1:])
    text[1:-1] |= moved[1:]


def _sorted(around: Places, order: npt.NDArray[np.uint64]) -> Places:
    """Sort the vertices in each column of (k, m) by their digests."""
    if len(around) < 2:
        return around
    if len(around) == 2:
        turned = order[around[0]] > order[around[1]]
        return np.where(turned, around[::-1], around)
    return np.take_along_axis(around, np.argsort(order[around], axis=0), axis=0)


def _last(digests: Words, numbers: Places) -> Words:
    """Hash the sorted vertices of (n, size) ``numbers`` as a list is written; (4, n)."""
    n, size = numbers.shape
    written = _written(digests)
    length = size * 4 * _QUOTED_WORDS
    texts = np.zeros((padded_words(length), n), dtype=np.uint32)
    for k, vertices in enumerate(_sorted(np.ascontiguousarray(numbers.T), _order(digests))):
        text = texts[k * _QUOTED_WORDS : (k + 1) * _QUOTED_WORDS]
        text[0] = int.from_bytes(b" '" if k else b"['", "little")
        _append(text, np.take(written, vertices, axis=1, mode="clip"), 16)
        text[-1] |= int.from_bytes(b"']" if k == size - 1 else b"',", "little") << 16
    pad(texts, length)
    return md5_columns(texts)
