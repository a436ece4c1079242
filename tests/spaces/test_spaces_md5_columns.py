"""MD5 of many texts at once: what the standard library gives for each."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from nasbench.spaces.md5_columns import md5_columns, pad, padded_words


def columns_of(texts):
    """Lay texts of one length out as columns of words, padded."""
    length = len(texts[0])
    rows = np.zeros((len(texts), 4 * padded_words(length)), dtype=np.uint8)
    rows[:, :length] = np.frombuffer(b"".join(texts), dtype=np.uint8).reshape(len(texts), length)
    words = np.ascontiguousarray(rows.view("<u4").T)
    pad(words, length)
    return words


def digests_of(words):
    return [digest.tobytes() for digest in md5_columns(words).T.astype("<u4")]


def wanted(texts):
    return [hashlib.md5(text).digest() for text in texts]


@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 98, 119, 120, 252])
def test_digests_are_those_of_the_standard_library(rng, length):
    texts = [rng.bytes(length) for _ in range(5)]
    assert digests_of(columns_of(texts)) == wanted(texts)


def test_more_texts_than_stand_in_one_block_of_columns():
    texts = [i.to_bytes(4, "little") for i in range(40_000)]
    digests = digests_of(columns_of(texts))
    some = (0, 32_767, 32_768, 39_999)
    assert [digests[i] for i in some] == wanted([texts[i] for i in some])


def test_texts_of_different_lengths_and_one_padded_length_go_together():
    words = np.concatenate([columns_of([b"abc"]), columns_of([b"abcde"])], axis=1)
    assert digests_of(words) == wanted([b"abc", b"abcde"])


def test_words_are_left_as_they_were():
    words = columns_of([b"abc"])
    before = words.copy()
    md5_columns(words)
    assert words.tolist() == before.tolist()


def test_no_text_has_no_digest():
    assert md5_columns(np.zeros((padded_words(7), 0), dtype=np.uint32)).shape == (4, 0)
