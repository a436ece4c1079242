"""NAS-Bench-ASR: its count, the authors' classes by their own hash, notation, drawing."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from nasbench.errors import NotInSpace
from nasbench.spaces import get_space
from nasbench.spaces.drawing import drawing
from nasbench.spaces.nb_asr import OPERATIONS

SPACE = get_space("nb-asr")
ALL = np.concatenate(list(SPACE.enumerate()))
TEXT = "[[linear, 1], [conv5, 0, 1], [zero, 1, 0, 0]]"
ZERO = OPERATIONS.index("zero")


def matrix_of(code):
    """Write the adjacency matrix and the labels of the authors' graph, with all that is useless removed."""
    nodes = (code[0:2], code[2:5], code[5:9])
    labels = [-1, *(node[0] for node in nodes), -2]
    matrix = np.eye(5, k=1, dtype=int)
    for target, (_, *skips) in enumerate(nodes, start=2):
        matrix[: len(skips), target] |= np.array(skips)
    for vertex in (1, 2, 3):
        if labels[vertex] == ZERO:
            matrix[vertex, :] = matrix[:, vertex] = 0
    ways = np.linalg.matrix_power(matrix + np.eye(5, dtype=int), 5) > 0
    useful = np.flatnonzero(ways[0] & ways[:, 4])
    return matrix[np.ix_(useful, useful)], [labels[vertex] for vertex in useful]


def hashed(code):
    """Hash a cell as the authors do, by the scheme of NAS-Bench-101."""
    matrix, labels = matrix_of(code)
    names = [
        hashlib.md5(str((int(out), int(into), label)).encode()).hexdigest()
        for out, into, label in zip(matrix.sum(axis=1), matrix.sum(axis=0), labels, strict=True)
    ]
    for _ in range(len(labels)):
        names = [
            hashlib.md5(
                (
                    "".join(sorted(names[w] for w in np.flatnonzero(matrix[:, v])))
                    + "|"
                    + "".join(sorted(names[w] for w in np.flatnonzero(matrix[v])))
                    + "|"
                    + names[v]
                ).encode()
            ).hexdigest()
            for v in range(len(labels))
        ]
    return hashlib.md5(str(sorted(names)).encode()).hexdigest()


def test_there_are_13824_codes_and_8242_classes():
    assert len(ALL) == SPACE.size == 6**3 * 2**6 == 13_824
    assert len(np.unique(SPACE.canonical(ALL), axis=0)) == 8_242


@pytest.mark.slow
def test_classes_are_those_of_the_authors_hash():
    canonical = [tuple(row) for row in SPACE.canonical(ALL).tolist()]
    hashes = [hashed(code) for code in ALL.tolist()]
    assert len(set(hashes)) == len(set(canonical)) == len(set(zip(canonical, hashes, strict=True))) == 8_242


def test_canonical_is_the_first_code_of_its_class():
    canonical = SPACE.canonical(ALL)
    assert (SPACE.rank(canonical) <= np.arange(len(ALL))).all()
    assert np.array_equal(SPACE.canonical(canonical), canonical)


def test_the_authors_classes_merge_some_networks_that_differ():
    # The skip connection 1->2 carries the input on, for node 1 gives what its own skip connection brings; the
    # authors' graph has it leave the removed operation, and forgets it.
    with_it, without = (
        "[[zero, 1], [conv5, 0, 1], [conv5, 0, 0, 0]]",
        "[[zero, 1], [conv5, 0, 0], [conv5, 0, 0, 0]]",
    )
    first = SPACE.canonical([SPACE.parse(with_it), SPACE.parse(without)])
    assert first[0].tolist() == first[1].tolist()


def test_the_authors_notation_is_read_and_written():
    code = SPACE.parse(f" {TEXT} ")
    assert code == (0, 1, 1, 0, 1, 5, 1, 0, 0)
    assert SPACE.format(code) == TEXT
    assert SPACE.parse("((0, 1), (1, 0, 1), (5, 1, 0, 0))") == code
    assert SPACE.parse("[['linear', 1], ['conv5', 0, 1], ['zero', 1, 0, 0]]") == code
    assert SPACE.parse(":".join(d.choices[v] for d, v in zip(SPACE.decisions, code, strict=True))) == code


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[linear, 1], [conv5, 0, 1]]", r"expected 3 nodes such as \[\[linear, 1\]"),
        ("__import__('os') + [[linear, 1]]", "expected 3 nodes"),
        (TEXT.replace("conv5, 0, 1", "conv5, 0"), "node 2: expected an operation and 2 times 0 or 1"),
        (TEXT.replace("conv5, 0, 1", "conv5, 0, 2"), "node 2: expected an operation and 2 times 0 or 1"),
        (TEXT.replace("conv5", "conv3"), "node 2: the operations are linear, .* got 'conv3'"),
        (TEXT.replace("conv5", "6"), "decision 'node 2 operation' of space nb-asr takes 0 to 5"),
    ],
)
def test_other_texts_are_refused(text, message):
    with pytest.raises(NotInSpace, match=message):
        SPACE.parse(text)


def test_adjacency_holds_skips_and_operations():
    row = SPACE.encode(np.array([SPACE.parse(TEXT)]), "adjacency")[0]
    assert row[:16].reshape(4, 4).tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]]
    assert np.flatnonzero(row[16:]).tolist() == [0, 6 + 1, 12 + 5]


def test_the_drawing_leaves_zero_out():
    (graph,) = drawing(SPACE, SPACE.parse(TEXT))
    assert {(e.source, e.target, e.label) for e in graph.edges} == {
        (0, 1, "linear"),
        (0, 1, "skip"),
        (1, 2, "conv5"),
        (1, 2, "skip"),
        (0, 3, "skip"),
    }
