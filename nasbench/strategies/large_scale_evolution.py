"""Large-scale evolution: workers hold pairwise tournaments, the loser dies and the winner breeds.

1. Fill a population with ``population`` uniform draws.
2. Draw two different members uniformly. The one with the higher validation error is removed at once.
3. The other stays, and its copy is mutated: by one elementary move of the space or, with probability
   ``retrain``, by none.
4. Propose the copy; once told, it joins the population. Repeat from 2.

Members and running children together are always ``population``. Nothing waits for a generation: a free worker
gets a child as soon as two members are there. A failed training joins with the worst of all errors, and dies
in its first tournament against one that trained.

What is left out, and makes this an analogue everywhere: in the paper a child inherits its parent's weights,
its genes include the learning rate, and the population starts from networks of a single layer. Two of the
reported eleven mutations change weights and not the architecture (identity: keep training; reset weights:
train anew). Without inheritance both mean that the same architecture is trained again, which ``retrain``
stands for; on a table this may meet another training repeat. Its default is about one in eleven. The
default population is ours, for some hundred evaluations; the paper's is 1,000.

Which mutations there are is the space's: on ``chain-skip-6`` an elementary move alters the height, width or
number of filters of a layer, or adds or removes a skip connection, as four of the paper's do. None inserts or
removes a layer.

Source: Real et al. 2017, section 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from nasbench.errors import BadOption
from nasbench.records import Code, Proposal, Trial
from nasbench.seeds import uniforms
from nasbench.spaces import Space
from nasbench.strategies.strategy import Card


class LargeScaleEvolution:
    """Asynchronous pairwise tournaments.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        population: Members alive and children running together, >= 2.
        retrain: Probability that a child is its parent, trained again, in [0, 1].

    Raises:
        BadOption: An option is out of its range.
    """

    card: ClassVar[Card] = Card(
        family="evolution", paper="Real et al. 2017", table="analogue", live="analogue"
    )

    def __init__(
        self, space: Space, *, rng: np.random.Generator, population: int = 20, retrain: float = 0.09
    ) -> None:
        if type(population) is not int or population < 2:
            raise BadOption(f"population: expected a whole number >= 2, got {population!r}.")
        if type(retrain) not in (int, float) or not 0 <= retrain <= 1:
            raise BadOption(f"retrain: expected a number in [0, 1], got {retrain!r}.")
        self._sample_one = space.sample_one
        self._mutate_one = space.mutate_one
        self._draw = uniforms(rng)
        self._retrain = retrain
        self._to_seed = population
        self._members: list[tuple[float, Code]] = []

    def ask(self, n: int) -> list[Proposal]:
        """Propose random members until the population was proposed once, then one child a tournament."""
        proposals: list[Proposal] = []
        while len(proposals) < n:
            if self._to_seed:
                self._to_seed -= 1
                proposals.append(Proposal(self._sample_one(self._draw)))
            elif len(self._members) < 2:
                break  # the rest of the population is running
            else:
                parent = self._tournament()
                is_retrained = self._draw() < self._retrain
                proposals.append(Proposal(parent if is_retrained else self._mutate_one(parent, self._draw)))
        return proposals

    def _tournament(self) -> Code:
        """Remove the worse of two members and return the better."""
        draw, members = self._draw, self._members
        first = int(draw() * len(members))
        second = int(draw() * (len(members) - 1))
        second += second >= first
        winner, loser = (first, second) if members[first][0] <= members[second][0] else (second, first)
        parent = members[winner][1]
        members[loser] = members[-1]
        members.pop()
        return parent

    def tell(self, trials: Sequence[Trial]) -> None:
        """Add every child; one that failed with an infinite error."""
        for trial in trials:
            error = math.inf if trial.valid_error is None else trial.valid_error
            self._members.append((error, trial.code))
