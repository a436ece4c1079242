"""NAS-Bench-Macro: its count, the identities that do nothing, and its notation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nasbench.errors import NotInSpace
from nasbench.spaces import get_space
from nasbench.spaces.nb_macro import LAYERS, STAGES

SPACE = get_space("nb-macro")
ALL = np.concatenate(list(SPACE.enumerate()))


def network(code):
    """Leave out of each stage the identities that do nothing."""
    values, stages = iter(code), []
    for layers in STAGES:
        first, *behind = itertools.islice(values, layers)
        stages.append((first, *(block for block in behind if block)))
    return tuple(stages)


def test_there_are_6561_codes():
    assert len(ALL) == SPACE.size == 3**LAYERS == 6_561


def test_classes_are_the_networks_that_differ():
    canonical = [tuple(row) for row in SPACE.canonical(ALL).tolist()]
    by_class: dict[tuple[int, ...], set[tuple[tuple[int, ...], ...]]] = {}
    for code, first in zip(ALL.tolist(), canonical, strict=True):
        by_class.setdefault(first, set()).add(network(code))
    assert all(len(networks) == 1 for networks in by_class.values())
    assert len(by_class) == len(set().union(*by_class.values())) == 3 * 3 * (3 * 7) * (3 * 7) == 3_969


def test_canonical_is_the_first_code_of_its_class():
    first: dict[tuple[tuple[int, ...], ...], list[int]] = {}
    for code in ALL.tolist():
        first.setdefault(network(code), code)
    assert SPACE.canonical(ALL).tolist() == [first[network(code)] for code in ALL.tolist()]


def test_an_identity_moves_behind_the_first_layer_only():
    moved, stays = (np.array([SPACE.parse(text)]) for text in ("22212220", "00000000"))
    assert SPACE.format(SPACE.canonical(moved)[0]) == "22212202"
    assert SPACE.format(SPACE.canonical(stays)[0]) == "00000000"
    assert SPACE.format(SPACE.canonical(np.array([SPACE.parse("02002000")]))[0]) == "02002000"


def test_the_authors_notation_is_read_and_written():
    code = SPACE.parse(" 22212220 ")
    assert code == (2, 2, 2, 1, 2, 2, 2, 0)
    assert SPACE.format(code) == "22212220"
    assert SPACE.parse("mb6_k5:mb6_k5:2:mb3_k3:2:2:2:identity") == code


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2221222", "expected 8 decisions for space nb-macro, got 7"),
        (
            "22212223",
            r"decision 'layer 7' of space nb-macro takes 0 to 2 \(identity, mb3_k3, mb6_k5\), got 3",
        ),
        ("2221222x", "expected 8 digits of 0 to 2, such as 22212220, got '2221222x'"),
        ("", "expected 8 digits"),
    ],
)
def test_other_texts_are_refused(text, message):
    with pytest.raises(NotInSpace, match=message):
        SPACE.parse(text)
