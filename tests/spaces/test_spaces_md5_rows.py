"""MD5 of many texts at once: what the standard library gives for each."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from nasbench.spaces.md5_rows import md5_rows, padded


@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 98, 119, 120, 252])
def test_digests_are_those_of_the_standard_library(rng, length):
    texts = rng.integers(0, 256, (5, length), dtype=np.uint8)
    rows = padded(5, length)
    rows[:, :length] = texts
    wanted = [hashlib.md5(text.tobytes()).digest() for text in texts]
    assert [digest.tobytes() for digest in md5_rows(rows)] == wanted


def test_more_texts_than_stand_in_one_block_of_columns():
    rows = padded(20_000, 4)
    rows[:, :4] = np.arange(20_000, dtype="<u4").view(np.uint8).reshape(-1, 4)
    digests = md5_rows(rows)
    for i in (0, 16_383, 16_384, 19_999):
        assert digests[i].tobytes() == hashlib.md5(i.to_bytes(4, "little")).digest()


def test_texts_of_different_lengths_and_one_padded_length_go_together():
    rows = np.concatenate([padded(1, 3), padded(1, 5)])
    rows[0, :3], rows[1, :5] = list(b"abc"), list(b"abcde")
    wanted = [hashlib.md5(text).digest() for text in (b"abc", b"abcde")]
    assert [digest.tobytes() for digest in md5_rows(rows)] == wanted


def test_no_text_has_no_digest():
    assert md5_rows(padded(0, 7)).shape == (0, 16)
