"""Fixed architectures: propose the ones that were named, as often as asked, and nothing else.

It measures a known network (a hand-made cell, the answer of somebody's search) under the same clock,
charging and report as a search. Each repeat leaves the choice of the training repeat to the evaluator.

1. Read the named architectures in the space's notation.
2. Propose them in the order given, once.
3. Start again until each was proposed ``repeats`` times, then stop.

Source: no paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import ClassVar

import numpy as np

from nasbench.errors import BadOption
from nasbench.records import Proposal, Trial
from nasbench.spaces import Space
from nasbench.strategies.strategy import Card


class Fixed:
    """Propose named architectures.

    Args:
        space: The space that reads the names.
        rng: Not used: the seed changes nothing.
        architecture: One architecture in the space's notation.
        architectures: Several of them; give this or ``architecture``.
        repeats: Times each is proposed, >= 1.

    Raises:
        BadOption: Neither or both of the two were given, none is named, or ``repeats`` is below 1.
        NotInSpace: A name is not an architecture of the space.
    """

    card: ClassVar[Card] = Card(family="baseline", paper="", deterministic=True)

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        architecture: str | None = None,
        architectures: Sequence[str] | None = None,
        repeats: int = 1,
    ) -> None:
        if (architecture is None) == (architectures is None):
            raise BadOption(
                "architecture: expected either architecture (one) or architectures (a list), "
                f"got {'neither' if architecture is None else 'both'}."
            )
        if isinstance(architectures, str):
            raise BadOption(
                f"architectures: expected a list of architectures, got the text {architectures!r}. "
                "Use architecture for one."
            )
        names = [architecture] if architecture is not None else list(architectures or ())
        if not names:
            raise BadOption("architectures: expected at least one architecture, got an empty list.")
        if type(repeats) is not int or repeats < 1:
            raise BadOption(f"repeats: expected a whole number >= 1, got {repeats!r}.")
        codes = [space.parse(str(name)) for name in names]
        self._codes = (code for _ in range(repeats) for code in codes)

    def ask(self, n: int) -> list[Proposal]:
        """Propose the next ``n`` of the list; none once each was proposed ``repeats`` times."""
        return [Proposal(code) for code in islice(self._codes, n)]

    def tell(self, trials: Sequence[Trial]) -> None:
        """Ignore the answers."""
