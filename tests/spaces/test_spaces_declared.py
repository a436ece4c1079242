"""Spaces that a table declares: strict notation, a definition that makes the same space again, refusals."""

from __future__ import annotations

import json
import re

import pytest

from nasbench.errors import FormatError, NotInSpace, UnknownName
from nasbench.spaces import Decision, get_space, space_of
from nasbench.spaces.declared import DeclaredSpace, declare, read_definition
from nasbench.testing import check_space
from nasbench.testing.space import RULES

WIDTHS = [Decision("depth", ("1", "0")), Decision("width", ("16", "32", "64"))]


@pytest.fixture
def space():
    return DeclaredSpace("widths", WIDTHS)


def test_a_declared_space_keeps_the_contract(space):
    assert check_space(space) == list(RULES)


def test_names_are_read_as_names_even_where_they_look_like_indices(space):
    assert space.parse("0:16") == (1, 0)
    assert space.format((1, 0)) == "0:16"
    with pytest.raises(NotInSpace, match="decision 'width' of space widths takes 16, 32, 64, got '1'"):
        space.parse("1:1")


def test_choices_of_one_character_need_no_separator():
    space = declare(
        {"name": "macro", "separator": "", "decisions": [{"name": "a", "choices": ["0", "1"]}] * 1}
    )
    assert space.parse(" 1 ") == (1,)
    with pytest.raises(NotInSpace, match="expected 1 choices for space macro, got 2 in '11'"):
        space.parse("11")


def test_a_definition_makes_the_same_space_again(space):
    again = read_definition(space.definition)
    assert (again.name, again.decisions, again.separator) == (space.name, space.decisions, space.separator)
    assert again.definition == space.definition


def test_a_declaration_wins_over_the_registry_and_must_fit_its_name(space):
    assert space_of("widths", space.definition).decisions == space.decisions
    assert space_of("widths", space.definition) is space_of("widths", space.definition)
    assert space_of("nb201") is get_space("nb201")
    with pytest.raises(UnknownName, match="no space is named 'widths'"):
        space_of("widths")
    with pytest.raises(FormatError, match="expected one of space 'depths', got one of 'widths'"):
        space_of("depths", space.definition)


def declaration(**changed):
    about = {"name": "w", "decisions": [{"name": "a", "choices": ["x", "y"]}]}
    return {**about, **changed}


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ([], "space: expected name, decisions and perhaps separator, got []"),
        ({"name": "w"}, "space: expected name, decisions and perhaps separator"),
        (declaration(colour=1), "space: expected name, decisions and perhaps separator"),
        (declaration(decisions={}), "space.decisions: expected a list of {name, choices}, got {}"),
        (declaration(decisions=[{"name": "a"}]), "space.decisions: expected a list of {name, choices}"),
        (
            declaration(name="My Space"),
            "space.name: expected lower-case words joined by hyphens, got 'My Space'",
        ),
        (declaration(decisions=[]), "space.decisions: expected at least one, each of another name, got []"),
        (
            declaration(decisions=[{"name": "a", "choices": ["x"]}, {"name": "a", "choices": ["x"]}]),
            "each of another name, got ['a', 'a']",
        ),
        (
            declaration(decisions=[{"name": "a", "choices": []}]),
            "a: expected 1 to 127 choices that differ, got none",
        ),
        (declaration(decisions=[{"name": "a", "choices": ["x", "x"]}]), "choices that differ, got x, x"),
        (
            declaration(decisions=[{"name": "a", "choices": ["x:y"]}]),
            "to be text without ':' and without outer",
        ),
        (declaration(decisions=[{"name": "a", "choices": [" x"]}]), "without outer spaces, got ' x'"),
        (
            declaration(separator="", decisions=[{"name": "a", "choices": ["xy"]}]),
            "one character without a sep",
        ),
    ],
)
def test_what_is_no_declaration_is_refused_by_its_field(about, message):
    with pytest.raises(FormatError, match=re.escape(message)):
        read_definition(json.dumps(about))


def test_a_damaged_definition_is_refused():
    with pytest.raises(FormatError, match=re.escape("space_definition: expected JSON, got '{'")):
        read_definition("{")
