"""From architectures to rows of a table, one at a time or by the million."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.records import Code, Codes
from nasbench.spaces import Space

# Spaces up to this many codes get an array from rank to row; it also keeps ranks exact in float32 (2**24).
ARRAY_LIMIT = 2**22
_BLOCK = 8_192


class RowIndex:
    """Finds the row of an architecture.

    Where the space is small enough, by its lexicographic rank: the rank itself where the table holds the
    whole space in order, an array from rank to row where it does not. In larger spaces by searching the
    sorted ranks of the table's rows, or, where ranks go beyond 64 bits, by a dictionary of bytes.

    Args:
        space: The table's space.
        codes: (n, L) the table's codes, sorted.
        by_class: Find the row of a code's canonical class, not of the code itself.
    """

    def __init__(self, space: Space, codes: Codes, *, by_class: bool = False) -> None:
        self._space = space
        self._by_class = False
        self._is_dense = False
        self._row_of_rank: npt.NDArray[np.int32] | None = None
        self._sorted: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | None = None  # ranks, their rows
        self._row_of_bytes: dict[bytes, int] = {}
        self._places: npt.NDArray[np.float32] | None = None
        if space.size is not None and space.size <= ARRAY_LIMIT:
            ranks = space.rank(codes)
            if int(ranks.max()) < ARRAY_LIMIT:
                if by_class:
                    self._row_of_rank = self._rows_by_class(codes)
                    self._prepare_product(codes, ranks)
                    return
                self._is_dense = len(ranks) == space.size and bool((ranks == np.arange(len(ranks))).all())
                self._row_of_rank = np.full(int(ranks.max()) + 1, -1, dtype=np.int32)
                self._row_of_rank[ranks] = np.arange(len(ranks))
                self._prepare_product(codes, ranks)
                return
        self._by_class = by_class
        known = space.canonical(codes) if by_class else codes
        try:
            ranks = space.rank(known)
        except BadOption:  # more codes than 64 bits can number
            self._row_of_bytes = {code.tobytes(): row for row, code in enumerate(known)}
            return
        rows = np.argsort(ranks, kind="stable")
        self._sorted = ranks[rows], rows

    def _rows_by_class(self, codes: Codes) -> npt.NDArray[np.int32]:
        """Make the array from the rank of any code to the row of its class; -1 where there is none."""
        assert self._space.size is not None
        row_of_class = np.full(self._space.size, -1, dtype=np.int32)
        row_of_class[self._space.rank(self._space.canonical(codes))] = np.arange(len(codes))
        blocks = [self._space.rank(self._space.canonical(block)) for block in self._space.enumerate()]
        return row_of_class[np.concatenate(blocks)]

    def _prepare_product(self, codes: Codes, ranks: npt.NDArray[np.int64]) -> None:
        """Where the space is a plain product, ranks are one matrix product: exact in float32 up to 2**24."""
        counts = [len(decision.choices) for decision in self._space.decisions]
        if math.prod(counts) != self._space.size:
            return
        places = np.array([math.prod(counts[i + 1 :]) for i in range(len(counts))], dtype=np.float32)
        if (codes.astype(np.float32) @ places == ranks).all():
            self._places = places
            self._limits = np.tile(np.array(counts, dtype=np.uint8), _BLOCK)

    def row(self, code: Code) -> int:
        """Return the row of one code of the space, or -1."""
        if self._by_class:
            code = tuple(self._space.canonical([code])[0].tolist())
        if self._sorted is not None:
            return int(self._search(np.array([self._space.rank_one(code)]))[0])
        if self._row_of_rank is None:
            return self._row_of_bytes.get(np.array(code, dtype=np.int8).tobytes(), -1)
        rank = self._space.rank_one(code)
        return int(self._row_of_rank[rank]) if rank < len(self._row_of_rank) else -1

    def rows(self, codes: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return the rows of (n, L) codes, (n,); -1 where the table has none.

        Raises:
            NotInSpace: A code does not belong to the space; the message names the rule it breaks.
        """
        array = np.asarray(codes)
        if (
            self._places is not None
            and array.dtype == np.int8
            and array.ndim == 2
            and array.flags.c_contiguous
        ):
            ranks = self._product_ranks(array)
        else:
            inside = self._space.contains(array)
            if not inside.all():
                self._refuse(array[int(np.argmin(inside))])
            if self._row_of_rank is None:
                known_as = self._space.canonical(array) if self._by_class else array
                if self._sorted is not None:
                    return self._search(self._space.rank(known_as))
                small = np.ascontiguousarray(known_as, dtype=np.int8)
                get = self._row_of_bytes.get
                return np.array([get(code.tobytes(), -1) for code in small], dtype=np.int64)
            ranks = self._space.rank(array)
        if self._is_dense:
            return ranks
        assert self._row_of_rank is not None
        known = ranks < len(self._row_of_rank)
        return np.where(known, self._row_of_rank[np.where(known, ranks, 0)], -1).astype(np.int64)

    def _search(self, ranks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Find the rows of (n,) ranks among the sorted ones; -1 where there is none."""
        assert self._sorted is not None
        known, rows = self._sorted
        at = np.minimum(np.searchsorted(known, ranks), len(known) - 1)
        return np.where(known[at] == ranks, rows[at], -1)

    def _product_ranks(self, codes: Codes) -> npt.NDArray[np.int64]:
        """Check and rank (n, L) codes block by block, so that the work stays in the cache; (n,)."""
        assert self._places is not None
        n, length = codes.shape
        if length != len(self._places):
            self._space.contains(codes)  # raises, naming the shape
        ranks = np.empty(n, dtype=np.int64)
        wide = np.empty((min(n, _BLOCK), length), dtype=np.float32)
        product = np.empty(len(wide), dtype=np.float32)
        flat = codes.view(np.uint8).reshape(-1)  # negative values become large ones
        for start in range(0, n, _BLOCK):
            m = min(_BLOCK, n - start)
            block = flat[start * length : (start + m) * length]
            if (block >= self._limits[: m * length]).any():
                inside = self._space.contains(codes[start : start + m])
                self._refuse(codes[start + int(np.argmin(inside))])
            wide[:m] = codes[start : start + m]
            np.dot(wide[:m], self._places, out=product[:m])
            ranks[start : start + m] = product[:m]
        return ranks

    def _refuse(self, code: npt.NDArray[np.generic]) -> None:
        """Let the space name the rule that a code breaks; it raises NotInSpace."""
        self._space.check(code.tolist())
