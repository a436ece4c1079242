"""Runs of pairs of a key and a double: where they end, what they hold."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from nasbench.store.imports.pickle_runs import decoded, form_of_run


def double(value):
    return b"G" + struct.pack(">d", value)


@pytest.mark.parametrize(
    ("op", "keys"),
    [
        (b"K", [b"\x00", b"\xff"]),
        (b"M", [b"\x00\x01", b"\x01\x01"]),
        (b"h", [b"\x07", b"\x09"]),
        (b"j", [b"\x00\x01\x00\x00", b"\x01\x01\x00\x00"]),
    ],
)
def test_a_run_ends_where_the_form_changes(op, keys):
    pattern, layout = form_of_run(op, b"")
    data = b"".join(op + key + double(i / 3) for i, key in enumerate(keys))
    match = pattern.match(data + op + keys[0] + b"N")
    assert match.group() == data
    pairs = np.frombuffer(data, dtype=layout)
    assert pairs["value"].tolist() == [0.0, 1 / 3]
    assert pairs["key"].tolist() == [int.from_bytes(key, "little") for key in keys]


def test_texts_of_one_length_are_keys_of_a_run():
    pattern, layout = form_of_run(b"\x8c", b"\x02")
    data = b"".join(b"\x8c\x02" + key + b"\x94" + double(0.5) for key in (b"a1", b"b2"))
    assert pattern.match(data + b"\x8c\x03abc\x94" + double(0.5)).group() == data
    assert np.frombuffer(data, dtype=layout)["key"].tolist() == [b"a1", b"b2"]


@pytest.mark.parametrize(("op", "length"), [(b"}", b""), (b"\x8c", b""), (b"\x8c", b"\x00"), (b"X", b"\x00")])
def test_other_opcodes_and_empty_texts_make_no_run(op, length):
    assert form_of_run(op, length)[0] is None


def test_texts_are_read_at_once_even_with_lines_in_them():
    assert decoded([b"a@1", "é@".encode()]) == ["a@1", "é@"]
    assert decoded([b"a\n1", b"b\n2"]) == ["a\n1", "b\n2"]
