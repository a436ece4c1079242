"""From canonical keys and published hashes to rows of a table, one at a time."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from nasbench.spaces.nb101 import NB101Space
from nasbench.spaces.nb101_canonical import Keys
from nasbench.spaces.nb101_hash import key_hashes
from nasbench.spaces.nb101_hash_table import HASH_BYTES
from nasbench.store.imports.nb101 import HASH_SCALARS
from nasbench.store.table import Table


class Rows:
    """Finds rows; what it needs for that is made ready when it is first asked.

    Args:
        table: A table of the space ``nb101``.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._known: dict[int, int] = {}

    @cached_property
    def keys(self) -> Keys:
        """(n,) canonical key of each row."""
        return NB101Space().keys(self._table.codes)

    @cached_property
    def _by_key(self) -> tuple[Keys, npt.NDArray[np.int64]]:
        order = np.argsort(self.keys)
        return self.keys[order], order

    @cached_property
    def hashes(self) -> npt.NDArray[np.void]:
        """(n,) published hash of each row, 16 bytes; computed where the table does not hold them."""
        if set(HASH_SCALARS) <= set(self._table.scalars):
            halves = [self._table.scalar(name) for name in HASH_SCALARS]
            whole = np.ascontiguousarray(np.stack(halves, axis=1).astype(">i8"))
            stored: npt.NDArray[np.void] = whole.view(f"V{HASH_BYTES}").reshape(-1)
            return stored
        return key_hashes(self.keys)

    @cached_property
    def _by_hash(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        high = self.hashes.view(">u8").reshape(-1, 2)[:, 0].astype(np.uint64)
        order = np.argsort(high, kind="stable")
        return high[order], order

    def hash_order(self) -> npt.NDArray[np.int64]:
        """(n,) rows in the order of their hashes."""
        return self._by_hash[1]

    def of_key(self, key: int) -> int:
        """Return the row of a cell, or -1."""
        row = self._known.get(key)
        if row is None:
            keys, rows = self._by_key
            at = int(np.searchsorted(keys, key))
            row = int(rows[at]) if at < len(keys) and keys[at] == key else -1
            self._known[key] = row
        return row

    def hashes_of(self, keys: Keys) -> npt.NDArray[np.void]:
        """Return the published hashes of (n,) cells: those of the table's rows, others computed."""
        known, rows = self._by_key
        at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        found = self.hashes[rows[at]]
        missing = known[at] != keys
        found[missing] = key_hashes(keys[missing])
        return found

    def of_hash(self, digest: bytes) -> int:
        """Return the row of a published hash, or -1."""
        high, rows = self._by_hash
        wanted = np.uint64(int.from_bytes(digest[:8], "big"))
        at = int(np.searchsorted(high, wanted))
        while at < len(high) and high[at] == wanted:
            if self.hashes[rows[at]].tobytes() == digest:
                return int(rows[at])
            at += 1
        return -1
