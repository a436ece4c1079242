"""Regularized (aging) evolution: a queue in which the young replace the old, whatever their error.

1. Fill a population with ``population`` uniform draws.
2. Draw ``sample`` members uniformly with replacement; the one with the lowest validation error is parent.
3. Propose the parent changed by one elementary move of the space.
4. When a child is told, add it and remove the oldest member.
5. Repeat from 2.

The defaults are the small population used with tables of a few hundred evaluations (NATS-Bench's settings,
10 and 3); the paper's own, for 20,000 models, are ``population=100, sample=25``.

Deviations from Real et al. 2019: the elementary move is the space's own (on ``nb201`` one edge drawn
uniformly gets another operation; NATS-Bench draws the node first, which favours edge 0->1), and there is
no identity mutation. With asynchronous workers a child is bred from whoever has been told so far.

Source: Real, Aggarwal, Huang and Le 2019, Algorithm 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from nasbench.errors import BadOption
from nasbench.records import Code, Proposal, Trial
from nasbench.seeds import uniforms
from nasbench.spaces import Space
from nasbench.strategies.strategy import Card


class RegularizedEvolution:
    """Aging evolution.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        population: Members alive, >= 1 (paper: 100).
        sample: Members drawn for each tournament, >= 1 (paper: 25).

    Raises:
        BadOption: An option is not a whole number >= 1.
    """

    card: ClassVar[Card] = Card(family="evolution", paper="Real et al. 2019")

    def __init__(
        self, space: Space, *, rng: np.random.Generator, population: int = 10, sample: int = 3
    ) -> None:
        if {type(population), type(sample)} != {int} or min(population, sample) < 1:
            raise BadOption(
                f"population, sample: expected whole numbers >= 1, got {population} and {sample}."
            )
        self._sample_one = space.sample_one
        self._mutate_one = space.mutate_one
        self._draw = uniforms(rng)
        self._capacity = population
        self._tournament = sample
        self._to_seed = population
        self._oldest = 0
        self._members: list[tuple[float, Code]] = []

    def ask(self, n: int) -> list[Proposal]:
        """Propose random members until the population was proposed once, then children."""
        proposals = []
        for _ in range(n):
            if self._to_seed or not self._members:
                self._to_seed = max(0, self._to_seed - 1)
                proposals.append(Proposal(self._sample_one(self._draw)))
            else:
                proposals.append(Proposal(self._mutate_one(self._parent(), self._draw)))
        return proposals

    def _parent(self) -> Code:
        """Hold one tournament."""
        draw, members = self._draw, self._members
        size = len(members)
        best_error, best = members[int(draw() * size)]
        for _ in range(self._tournament - 1):
            error, code = members[int(draw() * size)]
            if error < best_error:
                best_error, best = error, code
        return best

    def tell(self, trials: Sequence[Trial]) -> None:
        """Add the children that trained, each in the place of the oldest member."""
        members = self._members
        for trial in trials:
            if trial.valid_error is None:
                continue
            if len(members) < self._capacity:
                members.append((trial.valid_error, trial.code))
            else:
                members[self._oldest] = (trial.valid_error, trial.code)
                self._oldest = (self._oldest + 1) % self._capacity
