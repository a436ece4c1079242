"""CRC-32C of many texts at once: published values, and the same as byte by byte."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nb101_file import crc32c, masked

from nasbench.store.imports.crc32c import masked_crcs


def unmasked(crc):
    turned = (int(crc) - 0xA282EAD8) & 0xFFFFFFFF
    return (turned >> 17 | turned << 15) & 0xFFFFFFFF


def crcs_of(texts):
    data = np.frombuffer(b"".join(texts), dtype=np.uint8)
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    return masked_crcs(data, np.cumsum(lengths) - lengths, lengths)


@pytest.mark.parametrize(
    ("text", "crc"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_values_are_those_of_rfc_3720(text, crc):
    assert unmasked(crcs_of([text])[0]) == crc == crc32c(text)


@given(st.lists(st.binary(max_size=70), max_size=12))
def test_many_texts_of_all_lengths_are_as_one_by_one(texts):
    expected = [struct.unpack("<I", masked(text))[0] for text in texts]
    assert crcs_of(texts).tolist() == expected


def test_long_texts_are_done_in_parts(rng, monkeypatch):
    monkeypatch.setattr("nasbench.store.imports.crc32c._BLOCK_BYTES", 2_500)  # two texts a part
    texts = [rng.bytes(n) for n in (1_000, 1, 0, 999)] * 4
    assert crcs_of(texts).tolist() == [struct.unpack("<I", masked(text))[0] for text in texts]
