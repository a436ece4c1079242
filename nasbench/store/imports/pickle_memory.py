"""What a pickle has memoised: what all items may share is kept, what belongs to one goes with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

_LET_GO = (dict, list, tuple, set, np.generic)


@dataclass(frozen=True, slots=True)
class Memoised:
    """Texts that a dictionary of numbers memoised, under numbers without a gap.

    Attributes:
        first: Number of the first.
        texts: The texts; those of one form are the same object.
    """

    first: int
    texts: tuple[str, ...]

    def get(self, number: int) -> str | None:
        """Return the text of a number, or None."""
        place = number - self.first
        return self.texts[place] if 0 <= place < len(self.texts) else None


class Memory:
    """Objects by the numbers under which a pickle refers to them.

    Attributes:
        shared: Texts and globals that any item may share.
        own: What else the item that is being read has memoised.
        texts: And those of its texts that came with dictionaries of numbers.
        following: The number that the next memoised object gets.
    """

    __slots__ = ("_once", "following", "own", "shared", "texts")

    def __init__(self) -> None:
        self.shared: dict[int, Any] = {}
        self.own: dict[int, Any] = {}
        self.texts: list[Memoised] = []
        self.following = 0
        self._once: dict[str, str] = {}

    def put(self, number: int, value: Any) -> None:
        """Keep an object under a number."""
        if type(value) is str:  # keys of epochs belong to one item alone
            if "@" in value:
                self.own[number] = value
            else:
                self.shared[number] = self._once.setdefault(value, value)
        elif isinstance(value, _LET_GO) or (type(value) is bytes and len(value) > 1):  # bytes of a number
            self.own[number] = value
        else:
            self.shared[number] = value
        if number >= self.following:
            self.following = number + 1

    def get(self, number: int) -> Any:
        """Return an object.

        Raises:
            LookupError: It was let go, or there never was one.
        """
        if number in self.shared:
            return self.shared[number]
        if number in self.own:
            return self.own[number]
        for some in self.texts:
            if (text := some.get(number)) is not None:
                return text
        raise LookupError(number)

    def let_go(self) -> None:
        """Forget what belongs to the item that was given."""
        self.own.clear()
        self.texts.clear()
