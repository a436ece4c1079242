"""NAS-Bench-101 cells as text and as matrix with operations."""

from __future__ import annotations

import re

import numpy as np
import pytest
from nb101_by_hand import FIRST_OF_FILE, INCEPTION

from nasbench.errors import NotInSpace
from nasbench.spaces import get_space
from nasbench.spaces.nb101_notation import code_of, read_cell

SPACE = get_space("nb101")


def test_inception_cell_is_written_as_triangle_and_operations():
    code = SPACE.of_cell(*INCEPTION)
    text = "111010-00001-0001-100-01-1:conv1x1,conv3x3,conv3x3,conv3x3,maxpool3x3"
    assert SPACE.format(code) == text
    assert SPACE.parse(text) == code
    matrix, operations = SPACE.cell(code)
    assert matrix.tolist() == INCEPTION[0]
    assert operations == INCEPTION[1]


def test_whole_matrices_as_in_the_official_file_are_read():
    matrix, operations = FIRST_OF_FILE
    digits = "".join(str(entry) for row in matrix for entry in row)
    assert SPACE.parse(f"{digits} {','.join(operations)}") == SPACE.of_cell(matrix, operations)
    assert SPACE.parse(f"{digits}:{','.join(operations)}") == SPACE.of_cell(matrix, operations)
    assert SPACE.parse("0100 input,output") == SPACE.parse("1")


def test_smallest_cell_is_one_digit():
    code = SPACE.parse("1")
    assert SPACE.format(code) == "1"
    matrix, operations = SPACE.cell(code)
    assert (matrix.tolist(), operations) == ([[0, 1], [0, 0]], ["input", "output"])


def test_loose_vertices_are_written_and_read_back():
    code = SPACE.parse("1001-010-00-1:conv1x1,maxpool3x3,conv3x3")
    assert SPACE.format(code) == "1001-010-00-1:conv1x1,maxpool3x3,conv3x3"
    matrix, operations = SPACE.cell(code)
    assert operations == ["input", "conv1x1-bn-relu", "conv3x3-bn-relu", "output"]
    assert matrix.tolist() == [[0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]]


def test_long_and_short_names_are_the_same():
    assert SPACE.parse("10-1:conv3x3-bn-relu") == SPACE.parse("10-1:conv3x3")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "architecture: expected 110-01-1:conv3x3,maxpool3x3 (rows of the upper triangle"),
        ("|skip~0|", "architecture: expected 110-01-1"),
        ("11-1-1:conv3x3,conv3x3", "each shorter by one and the last of one digit, got '11-1-1'"),
        ("11-1", "expected 1 operations for the 3 vertices of '11-1', got 0: ''"),
        ("11-1:conv3x3,conv3x3", "expected 1 operations for the 3 vertices of '11-1', got 2"),
        (
            "11-1:conv5x5",
            "operations: expected conv3x3-bn-relu, conv1x1-bn-relu, maxpool3x3 between input and",
        ),
        ("010 input,output", "expected 4 digits for the matrix of 2 vertices, got '010'"),
        ("0011 input,output", "expected an upper triangular matrix, got an edge from 1 to 0"),
        ("0100:input,conv3x3", "expected 'input' first and 'output' last, got 'input' and 'conv3x3'"),
        ("00-1:conv3x3", "code: expected a path from input to output, got none in 00-1:conv3x3"),
        (
            "111110-11110-1110-110-10-1:conv3x3,conv3x3,conv3x3,conv3x3,conv3x3",
            "code: expected at most 9 edges on paths from input to output, got more",
        ),
        ("1111111-111111-11111-1111-111-11-1:" + ",".join(["conv3x3"] * 6), "expected 2 to 7 vertices"),
    ],
)
def test_wrong_texts_are_refused_by_the_rule_they_break(text, rule):
    with pytest.raises(NotInSpace, match=re.escape(rule)):
        SPACE.parse(text)


@pytest.mark.parametrize(
    ("matrix", "operations", "rule"),
    [
        (np.zeros((2, 3)), ["input", "output"], r"matrix: expected shape \(v, v\) \(= \(2, 2\)\) for 2"),
        ([[0, 2], [0, 0]], ["input", "output"], r"matrix: expected zeros and ones, got 2 at \[0, 1\]"),
        ([[0, 0.5], [0, 0]], ["input", "output"], "matrix: expected zeros and ones, got 0.5"),
        ([[1, 1], [0, 0]], ["input", "output"], "got an edge from 0 to 0"),
        ([[0]], ["input"], "operations: expected 2 to 7 vertices with input and output, got 1"),
        ([[0, 1], [0, 0]], ["output", "input"], "expected 'input' first and 'output' last"),
    ],
)
def test_wrong_matrices_are_refused_by_the_rule_they_break(matrix, operations, rule):
    with pytest.raises(NotInSpace, match=rule):
        code_of(matrix, operations)


def test_reading_alone_asks_for_no_valid_cell():
    code = read_cell("0")
    assert len(code) == 26
    with pytest.raises(NotInSpace, match="expected a path"):
        SPACE.check(code)
