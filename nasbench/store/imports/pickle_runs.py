"""Runs of numbers in a pickle: pairs of a key and a double that follow each other in one form of opcodes.

Dictionaries by epoch are written so. A pattern finds the end of a run, and a layout reads all of it at once.
"""

from __future__ import annotations

import functools
import operator
import re
from itertools import repeat
from typing import Any

import numpy as np

from nasbench.store.imports.pickle_memory import Memory

BEGIN_RUNS = frozenset((b"K", b"M", b"h", b"j", b"\x8c", b"X"))
"""Opcodes that make a key, and so may begin a run."""
RUN_KEYS = {ord("K"): 2, ord("M"): 3, ord("h"): 2, ord("j"): 5}
"""Opcodes of keys whose pairs may come in runs, by the bytes they take."""


@functools.cache
def form_of_run(op: bytes, length: bytes) -> tuple[re.Pattern[bytes] | None, np.dtype[Any]]:
    """Return the pattern and the layout of a run whose keys are made by one opcode."""
    value = [("double", "S1"), ("value", ">f8")]
    key: list[tuple[str, str]]
    if op in (b"K", b"M", b"h", b"j"):
        kind = {b"K": "u1", b"M": "<u2", b"h": "u1", b"j": "<u4"}[op]
        key, written = [("op", "S1"), ("key", kind)], re.escape(op) + b".{%d}" % np.dtype(kind).itemsize
    elif op == b"\x8c" and length:
        n = length[0]
        key = [("op", "S1"), ("length", "u1"), ("key", f"S{n}"), ("memoise", "S1")]
        written = b"\x8c" + re.escape(length) + b"[^\x00]{%d}\x94" % n
    elif op == b"X" and length:
        n = length[0]
        key = [("op", "S1"), ("length", "<u4"), ("key", f"S{n}"), ("put", "S1"), ("number", "<u4")]
        written = b"X" + re.escape(length) + b"\x00\x00\x00[^\x00]{%d}r.{4}" % n
    else:
        return None, np.dtype("u1")
    if op in (b"\x8c", b"X") and n == 0:
        return None, np.dtype("u1")
    return re.compile(b"(?:%sG.{8})+" % written, re.DOTALL), np.dtype([*key, *value])


def decoded(keys: list[bytes]) -> list[str]:
    """Read texts, all at once unless a line ends within one."""
    texts = b"\n".join(keys).decode("utf-8", "surrogatepass").split("\n")
    return texts if len(texts) == len(keys) else [key.decode("utf-8", "surrogatepass") for key in keys]


def read_run(buffer: bytes, at: int, op: bytes, memory: Memory) -> tuple[list[Any], int] | None:
    """Read pairs of a key and a double, as many as follow each other in one form.

    Args:
        buffer: Bytes of the pickle.
        at: Where the first key begins.
        op: The opcode that makes it.
        memory: What was memoised; keys that are texts join it.

    Returns:
        Keys and doubles in turn, and where the run ends; None where no pair of a form begins.

    Raises:
        LookupError: A key refers to what is not memoised.
    """
    length = buffer[at + 1 : at + 2] if op in (b"\x8c", b"X") else b""
    pattern, dtype = form_of_run(op, length)
    if pattern is None or (match := pattern.match(buffer, at)) is None:
        return None
    pairs = np.frombuffer(match.group(), dtype=dtype)
    keys: list[Any] = pairs["key"].tolist()
    if length:
        keys = decoded(keys)
        following = memory.following
        named = "number" in (dtype.names or ())
        numbers = pairs["number"].tolist() if named else range(following, following + len(keys))
        if all(map(operator.contains, keys, repeat("@"))):
            memory.own.update(zip(numbers, keys, strict=True))
        else:
            for number, key in zip(numbers, keys, strict=True):
                memory.put(number, key)
        memory.following = max(following, numbers[-1] + 1)
    elif op in (b"h", b"j"):
        try:
            keys = list(map(memory.own.__getitem__, keys))
        except KeyError:
            keys = list(map(memory.get, keys))
    run: list[Any] = [None] * (2 * len(keys))
    run[::2], run[1::2] = keys, pairs["value"].tolist()
    return run, match.end()
