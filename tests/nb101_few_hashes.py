"""A stored table of hashes of the small NAS-Bench-101 cells only, which is made in a moment."""

from __future__ import annotations

import hashlib
import sys

import numpy as np

from nasbench.spaces import nb101_hash as hashing
from nasbench.spaces import nb101_hash_table as table
from nasbench.spaces.nb101_cells import distinct_cells

FEW = 5
"""Vertices up to which the cells are in the table."""


def keys():
    return np.sort(np.concatenate([distinct_cells(vertices) for vertices in range(2, FEW + 1)]))


def right_content():
    """The file as it should be, worked out one by one."""
    digests = [bytes.fromhex(hashing.worked_out(key)) for key in keys().tolist()]
    return keys().astype("<i4").tobytes() + b"".join(digests)


def take_few(sha256, change=setattr):
    """Let this process store few hashes, and forget what it knows."""
    change(table, "VERTICES", FEW)
    change(table, "SHA256", sha256)
    for module in (table, hashing, sys.modules.get("nasbench.store.imports.nb101")):
        if module is not None:
            change(module, "STORED", table.StoredHashes())
    hashing.class_hash.cache_clear()


def sha256_of(content):
    return hashlib.sha256(content).hexdigest()
