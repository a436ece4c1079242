"""bzip2 files come out as they went in, in pieces, and a cut one says so."""

from __future__ import annotations

import bz2
import io

import numpy as np
import pytest

from nasbench.store.imports import bzip2
from nasbench.store.imports.bzip2 import Unpacked


def pieces(packed):
    reader, found = Unpacked(io.BytesIO(packed)), []
    while piece := reader.read():
        found.append(piece)
    assert reader.read() == b""  # and stays at its end
    return found


@pytest.fixture
def text(rng):
    return rng.integers(0, 50, 400_000, dtype=np.uint8).tobytes()


def test_a_file_comes_out_in_pieces(text, monkeypatch):
    monkeypatch.setattr(bzip2, "_PACKED", 20_000)
    found = pieces(bz2.compress(text, 1))
    assert b"".join(found) == text
    assert len(found) > 3


def test_several_streams_are_one_file(text):
    packed = bz2.compress(text[:1_000]) + bz2.compress(b"") + bz2.compress(text[1_000:])
    assert b"".join(pieces(packed)) == text


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_streams_may_end_anywhere_in_a_piece(text, size, monkeypatch):
    monkeypatch.setattr(bzip2, "_PACKED", size)
    packed = bz2.compress(text[:500]) + bz2.compress(text[500:900])
    assert b"".join(pieces(packed)) == text[:900]


def test_what_follows_the_last_stream_is_passed_over_as_bzip2_does(text):
    packed = bz2.compress(text[:1_000]) + b"no stream of bzip2"
    assert b"".join(pieces(packed)) == text[:1_000] == bz2.decompress(packed)


def test_a_cut_file_says_so(text):
    reader = Unpacked(io.BytesIO(bz2.compress(text)[:-10]))
    with pytest.raises(EOFError, match="the file ends within its compressed data"):
        list(iter(reader.read, b""))


def test_an_empty_file_is_a_cut_one():
    with pytest.raises(EOFError):
        Unpacked(io.BytesIO(b"")).read()


def test_damage_is_an_error(text):
    packed = bytearray(bz2.compress(text))
    packed[len(packed) // 2] ^= 255
    reader = Unpacked(io.BytesIO(bytes(packed)))
    with pytest.raises(OSError, match="Invalid data stream"):
        list(iter(reader.read, b""))
    with pytest.raises(OSError, match="Invalid data stream"):
        Unpacked(io.BytesIO(b"no stream of bzip2 at all")).read()
