"""Spaces that are a plain product: every combination of choices is an architecture.

Gives all moves of the ``Space`` protocol for any list of decisions; a named space adds its notation,
its canonical form and its graph encodings.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, NotInSpace
from nasbench.records import Code, Codes
from nasbench.spaces.space import Decision, Draw


class ProductSpace:
    """The product of its decisions' choices.

    Args:
        name: Name of the space, kebab-case.
        decisions: The decisions in order; each has at least one choice and at most 127.
    """

    merges_isomorphs = False
    encodings: tuple[str, ...] = ("onehot",)

    def __init__(self, name: str, decisions: Sequence[Decision]) -> None:
        self.name = name
        self.decisions = tuple(decisions)
        counts = [len(d.choices) for d in self.decisions]
        self._counts = counts
        self._limits = np.array(counts, dtype=np.int64)
        self.size: int | None = math.prod(counts)
        places = [1] * len(counts)
        for i in range(len(counts) - 2, -1, -1):
            places[i] = places[i + 1] * counts[i + 1]
        self._places = places
        self._movable = [i for i, count in enumerate(counts) if count > 1]

    # Membership ---------------------------------------------------------------------------------

    def _array(self, codes: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """View codes as (n, L) integers.

        Raises:
            NotInSpace: Not an (n, L) array of whole numbers.
        """
        array = np.asarray(codes)
        if array.ndim != 2 or array.shape[1] != len(self._counts) or array.dtype.kind not in "iu":
            raise NotInSpace(
                f"codes: expected whole numbers of shape (n, L) (= (n, {len(self._counts)})) for space "
                f"{self.name}, got {array.dtype} of shape {array.shape}."
            )
        return array.astype(np.int64, copy=False)

    def contains(self, codes: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Say for each of (n, L) codes whether every value is one of its decision's choices; (n,)."""
        array = self._array(codes)
        inside: npt.NDArray[np.bool_] = np.asarray(((array >= 0) & (array < self._limits)).all(axis=1))
        return inside

    def check(self, code: Sequence[int]) -> Code:
        """Return the code as a tuple of ints.

        Raises:
            NotInSpace: Wrong length, or a value that its decision does not have.
            TypeError: A value is not a whole number (1.0 is none).
        """
        values = tuple(map(operator.index, code))
        if len(values) != len(self._counts):
            raise NotInSpace(
                f"code: expected {len(self._counts)} decisions for space {self.name}, got {len(values)}."
            )
        for value, decision in zip(values, self.decisions, strict=True):
            if not 0 <= value < len(decision.choices):
                raise NotInSpace(
                    f"code: decision {decision.name!r} of space {self.name} takes 0 to "
                    f"{len(decision.choices) - 1} ({', '.join(decision.choices)}), got {value}."
                )
        return values

    def canonical(self, codes: npt.ArrayLike) -> Codes:
        """Return the codes themselves: a plain product merges nothing."""
        return self._array(codes).astype(np.int8)

    def allowed(self, prefix: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Say which values the next decision may take: all of them, whatever came before.

        Raises:
            BadOption: The prefix is already a whole code.
        """
        if len(prefix) >= len(self._counts):
            raise BadOption(f"prefix: expected fewer than {len(self._counts)} decisions, got {len(prefix)}.")
        return np.ones(self._counts[len(prefix)], dtype=np.bool_)

    # Moves over arrays --------------------------------------------------------------------------

    def sample(self, n: int, *, rng: np.random.Generator) -> Codes:
        """Draw n codes uniformly, (n, L)."""
        return rng.integers(0, self._limits, size=(n, len(self._counts))).astype(np.int8)

    def mutate(self, codes: npt.ArrayLike, *, rng: np.random.Generator) -> Codes:
        """Set one uniformly drawn decision of each code to a uniformly drawn other value."""
        array = self._array(codes).copy()
        rows = np.arange(len(array))
        where = np.array(self._movable, dtype=np.int64)[rng.integers(0, len(self._movable), size=len(array))]
        value = rng.integers(0, self._limits[where] - 1)
        value += value >= array[rows, where]
        array[rows, where] = value
        return array.astype(np.int8)

    def crossover(self, a: npt.ArrayLike, b: npt.ArrayLike, *, rng: np.random.Generator) -> Codes:
        """Take each decision from either parent with equal chance (uniform crossover)."""
        first, second = self._array(a), self._array(b)
        return np.where(rng.random(first.shape) < 0.5, first, second).astype(np.int8)

    def neighbours(self, code: Sequence[int]) -> Codes:
        """List every code that differs in exactly one decision, (m, L), in lexicographic move order."""
        base = self.check(code)
        out = []
        for i, count in enumerate(self._counts):
            for value in range(count):
                if value != base[i]:
                    out.append((*base[:i], value, *base[i + 1 :]))
        return np.array(out, dtype=np.int8).reshape(len(out), len(base))

    # Moves one code at a time -------------------------------------------------------------------

    def sample_one(self, draw: Draw) -> Code:
        """Draw one code uniformly."""
        return tuple([int(draw() * count) for count in self._counts])

    def mutate_one(self, code: Code, draw: Draw) -> Code:
        """Set one uniformly drawn decision to a uniformly drawn other value."""
        movable = self._movable
        where = movable[int(draw() * len(movable))]
        value = int(draw() * (self._counts[where] - 1))
        if value >= code[where]:
            value += 1
        return (*code[:where], value, *code[where + 1 :])

    def crossover_one(self, a: Code, b: Code, draw: Draw) -> Code:
        """Take each decision from either parent with equal chance (uniform crossover)."""
        return tuple([x if draw() < 0.5 else y for x, y in zip(a, b, strict=True)])

    # Order --------------------------------------------------------------------------------------

    def rank(self, codes: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Number (n, L) codes in lexicographic order (mixed radix), (n,).

        Raises:
            BadOption: The space has more than 2**63 codes; use ``rank_one``.
        """
        if self._places and self._places[0] * self._counts[0] > 2**63:
            raise BadOption(f"rank: space {self.name} has more than 2**63 codes; use rank_one.")
        ranks: npt.NDArray[np.int64] = self._array(codes) @ np.array(self._places, dtype=np.int64)
        return ranks

    def rank_one(self, code: Code) -> int:
        """Number one code in lexicographic order."""
        rank = 0
        for value, count in zip(code, self._counts, strict=True):
            rank = rank * count + value
        return rank

    def unrank(self, ranks: npt.ArrayLike) -> Codes:
        """Turn numbers in lexicographic order back into codes, (n, L)."""
        number = np.asarray(ranks, dtype=np.int64).reshape(-1, 1)
        codes = number // np.array(self._places, dtype=np.int64) % self._limits
        return codes.astype(np.int8)

    def enumerate(self, block: int = 65_536) -> Iterator[Codes]:
        """Yield every code once, in lexicographic order, in blocks of at most ``block`` rows."""
        total = math.prod(self._counts)
        for start in range(0, total, block):
            yield self.unrank(np.arange(start, min(start + block, total)))

    # Encodings and notation ---------------------------------------------------------------------

    def encode(self, codes: npt.ArrayLike, kind: str) -> npt.NDArray[np.float32]:
        """Encode as ``"onehot"``: (n, sum of choices), one block of indicators a decision.

        Raises:
            BadOption: No such encoding in this space.
        """
        if kind != "onehot":
            raise BadOption(f"kind: space {self.name} encodes as {', '.join(self.encodings)}, got {kind!r}.")
        array = self._array(codes)
        offsets = np.concatenate([[0], np.cumsum(self._limits)[:-1]])
        out = np.zeros((len(array), int(self._limits.sum())), dtype=np.float32)
        out[np.arange(len(array))[:, None], array + offsets] = 1.0
        return out

    def parse(self, text: str) -> Code:
        """Read values separated by ``:``, each a choice's name or its index.

        Raises:
            NotInSpace: Wrong number of values, or a value that its decision does not have.
        """
        parts = [part.strip() for part in text.strip().split(":")]
        if len(parts) != len(self.decisions):
            raise NotInSpace(
                f"architecture: expected {len(self.decisions)} values separated by ':' for space "
                f"{self.name}, got {len(parts)} in {text!r}."
            )
        values = []
        for part, decision in zip(parts, self.decisions, strict=True):
            if part in decision.choices:
                values.append(decision.choices.index(part))
            elif part.isdecimal():
                values.append(int(part))
            else:
                raise NotInSpace(
                    f"architecture: decision {decision.name!r} of space {self.name} takes "
                    f"{', '.join(decision.choices)}, got {part!r}."
                )
        return self.check(values)

    def format(self, code: Sequence[int]) -> str:
        """Write the choices' names separated by ``:``."""
        values = self.check(code)
        return ":".join(d.choices[v] for d, v in zip(self.decisions, values, strict=True))
