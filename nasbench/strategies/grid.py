"""Grid search: every architecture once, in a fixed order, whatever the answers are.

It is the floor for small spaces and the way to read a whole table; it learns nothing.

1. Walk the tree of decisions: at each decision take the values that ``space.allowed`` permits after the
   values taken so far, from the first to the last.
2. Propose each whole code met; with ``order="random"`` in an order drawn once, before the first proposal.
3. Stop when every code has been proposed.

Walking by ``allowed`` needs no list of the space, so that the lexicographic order starts at once on spaces
of any size; the random order has to hold every code and refuses spaces of more than 2**20.

Source: no paper; lexicographic (mixed radix) enumeration of a categorical product.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import ClassVar, Literal

import numpy as np

from nasbench.errors import BadOption
from nasbench.records import Code, Proposal, Trial
from nasbench.spaces import Space
from nasbench.strategies.strategy import Card

_MOST_HELD = 1 << 20  # codes; our choice, some tens of megabytes


class Grid:
    """Propose every code of the space once.

    Args:
        space: The space to walk.
        rng: The only source of randomness; used by ``order="random"`` alone.
        order: ``"lexicographic"``, or ``"random"``: a uniform permutation.

    Raises:
        BadOption: No such order, or a random order of a space with more than 2**20 codes.
    """

    card: ClassVar[Card] = Card(family="baseline", paper="", deterministic=True)

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        order: Literal["lexicographic", "random"] = "lexicographic",
    ) -> None:
        if order not in ("lexicographic", "random"):
            raise BadOption(f"order: expected 'lexicographic' or 'random', got {order!r}.")
        self._codes = walk(space)
        if order == "random":
            is_large = space.size is not None and space.size > _MOST_HELD
            codes = [] if is_large else list(islice(self._codes, _MOST_HELD + 1))
            if is_large or len(codes) > _MOST_HELD:
                raise BadOption(
                    f"order: expected a space of at most {_MOST_HELD} codes for 'random', got space "
                    f"{space.name} with more. Use order='lexicographic', or random-search."
                )
            self._codes = (codes[i] for i in rng.permutation(len(codes)).tolist())

    def ask(self, n: int) -> list[Proposal]:
        """Propose the next ``n`` codes; fewer, then none, at the end of the space."""
        return [Proposal(code) for code in islice(self._codes, n)]

    def tell(self, trials: Sequence[Trial]) -> None:
        """Ignore the answers."""


def walk(space: Space) -> Iterator[Code]:
    """Yield every code of a space once, in lexicographic order, by its masks alone."""
    length = len(space.decisions)
    stack: list[Code] = [()]
    while stack:
        prefix = stack.pop()
        if len(prefix) == length:
            yield prefix
            continue
        values = np.flatnonzero(space.allowed(prefix)).tolist()
        stack.extend((*prefix, value) for value in reversed(values))
