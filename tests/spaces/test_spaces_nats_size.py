"""The size space of NATS-Bench: its size, its order, its notation."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from nasbench.errors import NotInSpace
from nasbench.spaces import get_space
from nasbench.spaces.cards import CARDS
from nasbench.spaces.nats_size import CELL, CHANNELS


@pytest.fixture
def size():
    return get_space("nats-size")


def test_there_are_32768_architectures(size):
    assert size.size == 8**5 == 32_768
    assert sum(len(block) for block in size.enumerate()) == size.size


def test_the_rank_of_an_architecture_is_its_index_in_the_release(size):
    # The release lists the channels as itertools.product does: 8:8:8:8:8, 8:8:8:8:16, ...
    texts = [":".join(map(str, widths)) for widths in itertools.product(CHANNELS, repeat=5)]
    some = np.linspace(0, len(texts) - 1, 97, dtype=int).tolist()
    assert [size.rank_one(size.parse(texts[index])) for index in some] == some


@pytest.mark.parametrize("text", ["8:8:8:8:8", "64:64:64:64:64", "8:16:24:32:40"])
def test_notation_reads_back(size, text):
    assert size.format(size.parse(text)) == text
    assert size.parse(f" {text.replace(':', ' : ')} ") == size.parse(text)


@pytest.mark.parametrize("text", ["5:8:8:8:8", "8:8:8:8:7", "8:8:8:8:-8", "8:8:x:8:8", "72:8:8:8:8"])
def test_numbers_are_channels_and_never_indices(size, text):
    with pytest.raises(NotInSpace, match=r"takes 8, 16, 24, 32, 40, 48, 56, 64 channels, got '"):
        size.parse(text)


@pytest.mark.parametrize("text", ["8:8:8:8", "8:8:8:8:8:8"])
def test_another_number_of_layers_is_refused(size, text):
    with pytest.raises(NotInSpace, match="expected 5 values"):
        size.parse(text)


def test_an_architecture_has_35_neighbours(size):
    assert len(size.neighbours(size.parse("8:8:8:8:8"))) == 5 * 7


def test_the_cell_is_one_of_nb201():
    nb201 = get_space("nb201")
    assert nb201.format(nb201.parse(CELL)) == CELL


def test_the_card_states_the_size(size):
    assert re.search(r"\b32,768\b", CARDS["nats-size"].counts[0])
