"""The opcodes that plain values are pickled with: what ``pickle_items`` tells them by."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

read_double = struct.Struct(">d").unpack_from
read_number = struct.Struct("<I").unpack_from
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
MEMOIZE, PUT, SHORT_TEXT, TEXT, DOUBLE = b"\x94r\x8cXG"
OPEN, PAIR, CALL = b"(\x86R"
SMALL = {ord("K"): 1, ord("M"): 2}
MEMORISING = frozenset((MEMOIZE, PUT))
WRITING = frozenset((TEXT, SHORT_TEXT))
REFERENCES = frozenset(b"hj")
CLOSING = frozenset(b"uet\x90\x91")
CONTAINERS = frozenset((dict, list, tuple))
EMPTY: dict[int, Callable[[], Any]] = {ord("}"): dict, ord("]"): list, ord(")"): tuple, 0x8F: set}
TUPLES = {b"\x85": 1, b"\x86": 2, b"\x87": 3}
