"""The macro space of TransNAS-Bench-101: its count by another way, its rule, its notation."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from nasbench.errors import NotInSpace
from nasbench.spaces import get_space

SPACE = get_space("transnas-macro")
ALL = np.concatenate(list(SPACE.enumerate()))


def test_there_are_3256_networks_counted_by_growing_them_module_by_module():
    # Networks of the length reached, by (doublings, halvings) so far.
    grown, total = Counter({(0, 0): 1}), 0
    for length in range(1, 7):
        longer: Counter[tuple[int, int]] = Counter()
        for (doubled, halved), n in grown.items():
            for doubles in (0, 1):
                for halves in (0, 1):
                    longer[doubled + doubles, halved + halves] += n
        grown = longer
        if length >= 4:
            total += sum(n for (d, h), n in grown.items() if 1 <= d <= 3 and 1 <= h <= 4)
    assert total == len(ALL) == SPACE.size == 3_256


def test_the_authors_notation_is_read_and_written():
    code = SPACE.parse("64-1234-basic")
    assert code == (1, 2, 3, 4, 0, 0)
    assert SPACE.format(code) == "64-1234-basic"
    assert SPACE.parse("1234") == code


def test_every_network_reads_back():
    for row in ALL.tolist():
        assert SPACE.parse(SPACE.format(row)) == tuple(row)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("64-111-basic", "expected 4 to 6 modules, each a digit of 1 to 4, got '111'"),
        ("64-1204-basic", "expected 4 to 6 modules, each a digit of 1 to 4, got '1204'"),
        ("64-1111-basic", "expected 4 to 6 modules that double the channels 1 to 3 times and halve"),
        ("64-4444-basic", "double the channels 1 to 3 times"),
        ("64-333331-basic", "halve the image 1 to 4 times"),
        ("64-1235-basic", "takes 0 to 4"),
        ("32-1234-basic", r"expected 64-MODULES-basic .* got '32-1234-basic'"),
    ],
)
def test_other_texts_are_refused(text, message):
    with pytest.raises(NotInSpace, match=message):
        SPACE.parse(text)


def test_a_module_behind_an_absent_one_is_refused():
    with pytest.raises(NotInSpace, match="expected 4 to 6 modules"):
        SPACE.check((1, 2, 3, 4, 0, 1))
