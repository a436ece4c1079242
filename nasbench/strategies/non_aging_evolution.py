"""Non-aging evolution: regularized evolution's twin, in which the bad make room and not the old.

1. Fill a population with ``population`` uniform draws.
2. Draw ``sample`` members uniformly with replacement; the one with the lowest validation error is parent.
3. Propose the parent changed by one elementary move of the space.
4. When a child is told, draw ``sample`` members in the same way; the child takes the place of the worst.
5. Repeat from 2.

With ``worst_of="population"`` step 4 removes the worst of all members and the child, so that the population
always holds the best that were ever told. Either way a member whose error was low by luck lives on and
breeds, which is what aging prevents.

Steps 1 to 3 and the defaults are those of ``regularized_evolution``, whose code they are. Deviation from Real
et al. 2019: there the sample that gave the parent also gives the member to remove; here another is drawn when
the child is told, because with asynchronous workers the first may be gone by then.

Source: Real, Aggarwal, Huang and Le 2019, section "Evolutionary Algorithm".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

import numpy as np

from nasbench.errors import BadOption
from nasbench.records import Trial
from nasbench.spaces import Space
from nasbench.strategies.regularized_evolution import RegularizedEvolution
from nasbench.strategies.strategy import Card


class NonAgingEvolution(RegularizedEvolution):
    """Tournament selection in which the worst member is removed.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        population: Members alive, >= 1.
        sample: Members drawn for each tournament, >= 1.
        worst_of: Where the member to remove is looked for: ``"sample"`` (the paper's) or ``"population"``.

    Raises:
        BadOption: ``population`` or ``sample`` is not a whole number >= 1, or there is no such ``worst_of``.
    """

    card: ClassVar[Card] = Card(family="evolution", paper="Real et al. 2019")

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        population: int = 10,
        sample: int = 3,
        worst_of: Literal["sample", "population"] = "sample",
    ) -> None:
        if worst_of not in ("sample", "population"):
            raise BadOption(f"worst_of: expected 'sample' or 'population', got {worst_of!r}.")
        super().__init__(space, rng=rng, population=population, sample=sample)
        self._samples = worst_of == "sample"

    def tell(self, trials: Sequence[Trial]) -> None:
        """Add the children that trained, each in the place of the worst member."""
        members = self._members
        for trial in trials:
            error = trial.valid_error
            if error is None:
                continue
            if len(members) < self._capacity:
                members.append((error, trial.code))
                continue
            worst = self._worst()
            if self._samples or error <= members[worst][0]:
                members[worst] = (error, trial.code)

    def _worst(self) -> int:
        """Find the index of the member to remove."""
        draw, members = self._draw, self._members
        size = len(members)
        candidates: Iterable[int] = range(size)
        if self._samples:
            candidates = [int(draw() * size) for _ in range(self._tournament)]
        return max(candidates, key=lambda index: members[index][0])
