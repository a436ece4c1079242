"""The opcodes that plain values are pickled with: what ``pickle_items`` tells them by."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

DOUBLE = struct.Struct(">d").unpack_from
CONSTANTS = {b"N": None, b"\x88": True, b"\x89": False}
FIXED = {b"K": 1, b"M": 2, b"J": 4}  # whole numbers by the bytes they take
TEXTS = {
    b"\x8c": 1,
    b"X": 4,
    b"\x8d": 8,
    b"U": 1,
    b"T": 4,
    b"C": 1,
    b"B": 4,
    b"\x8e": 8,
}  # bytes of the length
BYTES = frozenset((b"C", b"B", b"\x8e"))
MEMOIZE, PUT, SHORT_TEXT, TEXT, BYTE = b"\x94r\x8cXK"
OPEN, DICTIONARY, PAIR, CALL, DOUBLE_FOLLOWS = b"(}\x86RG"
MEMORISING = frozenset((MEMOIZE, PUT))
WRITING = frozenset((TEXT, SHORT_TEXT))
REFERENCES = frozenset(b"hj")
CLOSING = frozenset(b"uet\x90\x91")
CONTAINERS = frozenset((dict, list, tuple))
EMPTY: dict[bytes, Callable[[], Any]] = {b"}": dict, b"]": list, b")": tuple, b"\x8f": set}
TUPLES = {b"\x85": 1, b"\x86": 2, b"\x87": 3}
