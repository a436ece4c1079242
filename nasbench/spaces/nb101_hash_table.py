"""The published hashes of all 423,624 NAS-Bench-101 cells, worked out once and kept in the user's cache.

Most of a hash is 49 MD5 sums; a look-up takes none. The file holds the canonical keys, increasing, as numbers
of 32 bits, then the hashes in the same order, 16 bytes each: 8.5 MB. What it holds is a fact, so the SHA-256
of the right file stands here, and a file with another one is removed and never used.

Working out all takes as long as hashing about 200,000 cells one by one, and reading the file as long as a few
hundred. So the file is looked for once that many were asked for in a process, and made once as many were
worked out as making it costs: whoever needs few pays nothing, and nobody pays more than twice.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from array import array
from bisect import bisect_left
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nasbench.cache import cache_folder
from nasbench.spaces.nb101_canonical import Keys
from nasbench.spaces.nb101_cells import distinct_cells
from nasbench.spaces.nb101_graph import VERTICES
from nasbench.spaces.nb101_hashes import class_hashes

HASH_BYTES = 16
SHA256 = "b461c7ff339d2113e33a3426e62afae464e0523edf7cd1cd6ed8f0bd7f2ad281"
"""Of the whole file; a test works it out again."""
FILE = f"module-hashes-{SHA256[:12]}.bin"
READ_AFTER = 300
"""Hashes worked out in this process from which on reading the file costs no more."""
MAKE_AFTER = 200_000
"""Hashes worked out in this process from which on working out all costs no more."""
_KEY_BYTES = 4


class HashTable:
    """Finds hashes by canonical keys.

    Args:
        content: The bytes of the file, verified.
    """

    def __init__(self, content: bytes) -> None:
        cells = len(content) // (_KEY_BYTES + HASH_BYTES)
        self._content = content
        self._digests_start = _KEY_BYTES * cells
        self._keys = np.frombuffer(content, dtype="<i4", count=cells).astype(np.int32, copy=False)
        self._one_by_one = array("i", self._keys.tobytes())  # faster for one than numpy
        self._digests = np.frombuffer(content, dtype=f"V{HASH_BYTES}", offset=self._digests_start)

    def find(self, key: int) -> str | None:
        """Return the hash of one canonical key, 32 hexadecimal digits; None where it is none."""
        row = bisect_left(self._one_by_one, key)
        if row == len(self._one_by_one) or self._one_by_one[row] != key:
            return None
        start = self._digests_start + HASH_BYTES * row
        return self._content[start : start + HASH_BYTES].hex()

    def find_many(self, keys: Keys) -> tuple[npt.NDArray[np.void], npt.NDArray[np.bool_]]:
        """Return the (n,) hashes of (n,) keys, 16 bytes each, and which keys are canonical.

        Where a key is none, the hash is of another one.
        """
        rows = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return self._digests[rows], self._keys[rows] == keys


class StoredHashes:
    """Decides when the table is read and made; one in a process."""

    def __init__(self) -> None:
        self.table: HashTable | None = None
        self._worked_out = 0
        self._is_looked_for = False
        self._making = threading.Lock()

    def before(self, hashes: int) -> HashTable | None:
        """Return the table if it is there, or worth having before so many more hashes are worked out."""
        if self.table is None:
            self._worked_out += hashes
            if self._worked_out > MAKE_AFTER:
                return self.make()
            if self._worked_out > READ_AFTER and not self._is_looked_for:
                self._is_looked_for = True
                self.table = read_table()
        return self.table

    def make(self) -> HashTable:
        """Return the table; read or make it where that was not done before."""
        with self._making:
            if self.table is None:
                self.table = read_table() or make_table()
        return self.table


STORED = StoredHashes()


def table_path() -> Path:
    """Name the file in the user's cache; it may not be there."""
    return cache_folder() / "nb101" / FILE


def read_table() -> HashTable | None:
    """Read the file; None where it is not there. A wrong one is removed."""
    path = table_path()
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(content).hexdigest() != SHA256:
        with contextlib.suppress(OSError):
            path.unlink()
        return None
    return HashTable(content)


def make_table() -> HashTable:
    """Work out all hashes, and keep them for later processes where the cache can be written.

    Takes five to ten seconds of one processor, less on several, and, for a moment, 200 MB.
    """
    keys = np.sort(np.concatenate([distinct_cells(vertices) for vertices in range(2, VERTICES + 1)]))
    content = keys.astype("<i4").tobytes() + class_hashes(keys).tobytes()
    assert hashlib.sha256(content).hexdigest() == SHA256, "numpy of this machine works out MD5 wrongly"
    _keep(content)
    return HashTable(content)


def _keep(content: bytes) -> None:
    """Write the file aside and rename it; whoever writes at the same time writes the same."""
    path = table_path()
    aside = path.with_name(f"{FILE}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(content)
        os.replace(aside, path)
    except OSError:  # no cache: the hashes last as long as the process
        with contextlib.suppress(OSError):
            aside.unlink()
