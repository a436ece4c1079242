"""Spaces that a table declares for itself: a plain product of named choices, carried as text in the file.

A registered space is code; a declared one is data, so that results of a space that this program does not know
can be imported, opened anywhere and searched without writing any.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from nasbench.errors import FormatError, NotInSpace
from nasbench.records import Code
from nasbench.spaces.product import ProductSpace
from nasbench.spaces.space import Decision

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_KEYS = ("decisions", "name", "separator")
_MOST_CHOICES = 127


class DeclaredSpace(ProductSpace):
    """A product of choices, written as the choices' names in order with a separator between them.

    Names are read as they are, never as indices, so that a wrong name in a file is found.

    Args:
        name: Name of the space, kebab-case.
        decisions: The decisions in order.
        separator: Text between two choices; may be empty where every choice is one character.

    Raises:
        FormatError: A name, a decision or a choice is not what it should be; the message says which.
    """

    def __init__(self, name: str, decisions: Sequence[Decision], separator: str = ":") -> None:
        _check(name, decisions, separator)
        super().__init__(name, decisions)
        self.separator = separator

    @property
    def definition(self) -> str:
        """The whole declaration as canonical JSON; ``read_definition`` makes an equal space of it."""
        about = {
            "name": self.name,
            "separator": self.separator,
            "decisions": [{"name": d.name, "choices": list(d.choices)} for d in self.decisions],
        }
        return json.dumps(about, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def parse(self, text: str) -> Code:
        """Read the choices' names, separated as declared.

        Raises:
            NotInSpace: Wrong number of choices, or a name that its decision does not have.
        """
        clean = text.strip()
        return self.code_of(clean.split(self.separator) if self.separator else list(clean))

    def code_of(self, names: Sequence[str]) -> Code:
        """Turn the names of choices, one a decision, into a code.

        Raises:
            NotInSpace: As ``parse``.
        """
        if len(names) != len(self.decisions):
            raise NotInSpace(
                f"architecture: expected {len(self.decisions)} choices for space {self.name}, got "
                f"{len(names)} in {self.separator.join(names)!r}."
            )
        values = []
        for name, decision in zip(names, self.decisions, strict=True):
            if name.strip() not in decision.choices:
                raise NotInSpace(
                    f"architecture: decision {decision.name!r} of space {self.name} takes "
                    f"{', '.join(decision.choices)}, got {name.strip()!r}."
                )
            values.append(decision.choices.index(name.strip()))
        return tuple(values)

    def format(self, code: Sequence[int]) -> str:
        """Write the choices' names, separated as declared."""
        values = self.check(code)
        return self.separator.join(d.choices[v] for d, v in zip(self.decisions, values, strict=True))


def read_definition(text: str) -> DeclaredSpace:
    """Make the space that a definition describes.

    Raises:
        FormatError: Not a definition; the message names the field.
    """
    try:
        about = json.loads(text)
    except ValueError as error:
        raise FormatError(f"space_definition: expected JSON, got {text!r:.60} ({error}).") from error
    return declare(about)


def declare(about: Any) -> DeclaredSpace:
    """Make a space of plain data.

    Args:
        about: ``name``; ``decisions``, each with ``name`` and ``choices``; and ``separator`` (default ``:``).

    Raises:
        FormatError: A field is missing, unknown or not what it should be.
    """
    if not isinstance(about, Mapping) or not {"name", "decisions"} <= set(about) <= set(_KEYS):
        raise FormatError(
            f"space: expected name, decisions and perhaps separator, got {about!r:.80}. See docs/imports.md."
        )
    decisions = about["decisions"]
    if not isinstance(decisions, list) or not all(
        isinstance(d, Mapping) and set(d) == {"name", "choices"} and isinstance(d["choices"], list)
        for d in decisions
    ):
        raise FormatError(
            f"space.decisions: expected a list of {{name, choices}}, got {decisions!r:.80}. "
            "See docs/imports.md."
        )
    made = [Decision(str(d["name"]), tuple(str(choice) for choice in d["choices"])) for d in decisions]
    return DeclaredSpace(str(about["name"]), made, str(about.get("separator", ":")))


def _check(name: str, decisions: Sequence[Decision], separator: str) -> None:
    if not _NAME.fullmatch(name):
        raise FormatError(f"space.name: expected lower-case words joined by hyphens, got {name!r}.")
    names = [decision.name for decision in decisions]
    if not names or len(set(names)) != len(names) or not all(names):
        raise FormatError(f"space.decisions: expected at least one, each of another name, got {names}.")
    for decision in decisions:
        choices = decision.choices
        if not 1 <= len(choices) <= _MOST_CHOICES or len(set(choices)) != len(choices):
            raise FormatError(
                f"space.decisions: {decision.name}: expected 1 to {_MOST_CHOICES} choices that differ, got "
                f"{', '.join(choices) or 'none'}."
            )
        for choice in choices:
            whole = len(choice) == 1 if not separator else bool(choice) and separator not in choice
            if not whole or choice != choice.strip():
                wanted = f"text without {separator!r}" if separator else "one character without a separator"
                raise FormatError(
                    f"space.decisions: {decision.name}: expected each choice to be {wanted} and without "
                    f"outer spaces, got {choice!r}. Declare another separator, or spell it otherwise."
                )
