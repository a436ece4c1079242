"""Spaces that are given by the list of their codes: few of the combinations of choices are architectures.

Moves change one decision and stay inside the list; masks permit what the list can still continue.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, NotInSpace
from nasbench.records import Code, Codes
from nasbench.spaces.product import ProductSpace
from nasbench.spaces.space import Decision, Draw


class ListedSpace(ProductSpace):
    """The members of a product that a list names; each must have another one decision away.

    Args:
        name: Name of the space, kebab-case.
        decisions: The decisions in order.
        members: (m, L) codes, in lexicographic order, each once.
        rule: What sets a member apart, for messages: "expected <rule>".

    Raises:
        BadOption: A member has no other one decision away, or they are out of order.
    """

    def __init__(
        self, name: str, decisions: Sequence[Decision], members: npt.ArrayLike, *, rule: str
    ) -> None:
        super().__init__(name, decisions)
        self._members = self._array(members).astype(np.int8)
        self._rows: list[Code] = [tuple(row) for row in self._members.tolist()]
        self._number = {row: number for number, row in enumerate(self._rows)}
        self._in_product = super().rank(self._members)  # increasing, as the members are
        self._rule = rule
        self._next: dict[Code, npt.NDArray[np.bool_]] = {}  # prefix -> values that may follow
        for row in self._rows:
            for i, value in enumerate(row):
                if row[:i] not in self._next:
                    self._next[row[:i]] = np.zeros(self._counts[i], dtype=np.bool_)
                self._next[row[:i]][value] = True
        self._near = self._neighbourhoods()
        self._n_near = (self._near >= 0).sum(axis=1)
        if (np.diff(self._in_product) <= 0).any() or not self._n_near.all():
            raise BadOption(
                f"members: expected the codes of space {name} in lexicographic order, each once and each "
                "with another that differs in one decision, got others."
            )
        self.size = len(self._rows)

    # Membership ---------------------------------------------------------------------------------

    def contains(self, codes: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Say for each of (n, L) codes whether it is listed; (n,)."""
        array = self._array(codes)
        inside = super().contains(array)
        inside[inside] = np.isin(super().rank(array[inside]), self._in_product)
        return inside

    def check(self, code: Sequence[int]) -> Code:
        """Return the code as a tuple of ints.

        Raises:
            NotInSpace: Wrong length, a value that its decision does not have, or not a member.
        """
        values = super().check(code)
        if values not in self._number:
            raise NotInSpace(f"code: expected {self._rule}, in space {self.name}, got {values}.")
        return values

    def allowed(self, prefix: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Say which values the next decision may take so that some member begins like this; (choices,).

        Raises:
            BadOption: The prefix is already a whole code, or no member begins with it.
        """
        if len(prefix) >= len(self._counts):
            raise BadOption(f"prefix: expected fewer than {len(self._counts)} decisions, got {len(prefix)}.")
        key = tuple(map(int, prefix))
        if key not in self._next:
            raise BadOption(f"prefix: expected the beginning of a code of space {self.name}, got {key}.")
        return self._next[key].copy()

    # Moves --------------------------------------------------------------------------------------

    def sample(self, n: int, *, rng: np.random.Generator) -> Codes:
        """Draw n members uniformly, (n, L)."""
        drawn: Codes = self._members[rng.integers(0, len(self._members), size=n)]
        return drawn

    def mutate(self, codes: npt.ArrayLike, *, rng: np.random.Generator) -> Codes:
        """Replace each of (n, L) members by a uniformly drawn member that differs in one decision."""
        rows = self.rank(codes)
        taken = (rng.random(len(rows)) * self._n_near[rows]).astype(np.int64)
        return self.unrank(self._near[rows, taken])

    def crossover(self, a: npt.ArrayLike, b: npt.ArrayLike, *, rng: np.random.Generator) -> Codes:
        """Mix as ``crossover_one`` does, (n, L)."""
        first, second = self._array(a), self._array(b)
        takes_first = rng.random(first.shape) < 0.5
        mixed = np.where(takes_first, first, second).astype(np.int8)
        for row in np.flatnonzero(~self.contains(mixed)).tolist():
            a_row, b_row = tuple(first[row].tolist()), tuple(second[row].tolist())
            mixed[row] = self._mixed(a_row, b_row, takes_first[row].tolist())
        return mixed

    def neighbours(self, code: Sequence[int]) -> Codes:
        """List every member that differs in exactly one decision, (m, L), in lexicographic move order."""
        number = self._number[self.check(code)]
        return self.unrank(self._near[number, : self._n_near[number]])

    def sample_one(self, draw: Draw) -> Code:
        """Draw one member uniformly."""
        return self._rows[int(draw() * len(self._rows))]

    def mutate_one(self, code: Code, draw: Draw) -> Code:
        """Replace a member by a uniformly drawn member that differs in one decision."""
        number = self._number[code]
        return self._rows[int(self._near[number, int(draw() * self._n_near[number])])]

    def crossover_one(self, a: Code, b: Code, draw: Draw) -> Code:
        """Take each decision from either parent with equal chance.

        Where no member continues with the value drawn, the other parent's is taken, and where none continues
        with that either, the first value that one continues with.
        """
        return self._mixed(a, b, [draw() < 0.5 for _ in a])

    def _neighbourhoods(self) -> npt.NDArray[np.int64]:
        """Number the neighbours of every member, in lexicographic move order, padded with -1; (m, most)."""
        found = []
        for i, count in enumerate(self._counts):
            for value in range(count):
                moved = self._members.copy()
                moved[:, i] = value
                is_other = self.contains(moved) & (self._members[:, i] != value)
                found.append(np.where(is_other, self.rank(moved), -1))
        table = np.stack(found, axis=1)
        order = np.argsort(table < 0, axis=1, kind="stable")
        table = np.take_along_axis(table, order, axis=1)
        most = int((table >= 0).sum(axis=1).max())
        return table[:, :most]

    def _mixed(self, a: Code, b: Code, takes_first: Sequence[bool]) -> Code:
        child: Code = ()
        for x, y, first in zip(a, b, takes_first, strict=True):
            mask = self._next[child]
            wanted = [x, y] if first else [y, x]
            child = (*child, next((v for v in wanted if mask[v]), int(np.argmax(mask))))
        return child

    # Order --------------------------------------------------------------------------------------

    def rank(self, codes: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Number (n, L) members in lexicographic order, (n,)."""
        return np.searchsorted(self._in_product, super().rank(codes)).astype(np.int64)

    def rank_one(self, code: Code) -> int:
        """Number one member in lexicographic order."""
        return self._number[code]

    def unrank(self, ranks: npt.ArrayLike) -> Codes:
        """Turn numbers in lexicographic order back into members, (n, L)."""
        rows: Codes = self._members[np.asarray(ranks, dtype=np.int64).ravel()]
        return rows

    def enumerate(self, block: int = 65_536) -> Iterator[Codes]:
        """Yield every member once, in lexicographic order, in blocks of at most ``block`` rows."""
        for start in range(0, len(self._members), block):
            yield self._members[start : start + block].copy()
