"""Genetic algorithm: generations bred by tournament selection, crossover and mutation, with elitism.

1. The first generation is ``population`` uniform draws.
2. Wait until the whole generation has been told.
3. The ``elite`` members with the lowest validation errors go over into the next generation as they are,
   with the errors they have.
4. Breed each other place: two parents win a tournament each (the lowest error of ``sample`` members drawn
   with replacement); with probability ``crossover`` the child is their mix by the space's crossover, else
   a copy of the first; with probability ``mutation`` one elementary move of the space follows.
5. Propose the children and go to 2.

The plain algorithm of the textbooks on a fixed-length code; there is no alignment of graphs and no
speciation. Free workers wait for the end of a generation. A failed training counts as the worst of all
errors. The defaults are ours, for some hundred evaluations. Equal errors are ranked by order of finish.

Source: Holland 1975 for crossover and mutation; Goldberg and Deb 1991 for tournament selection; De Jong 1975
for elitism.
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


class GeneticAlgorithm:
    """Generational genetic algorithm.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        population: Members of a generation, >= 2.
        elite: Best members that survive unchanged, in [0, population - 1].
        sample: Members drawn for each tournament, >= 1.
        crossover: Probability that a child has two parents, in [0, 1].
        mutation: Probability that a child is moved once, in [0, 1].

    Raises:
        BadOption: An option is out of its range.
    """

    card: ClassVar[Card] = Card(family="evolution", paper="Holland 1975")

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        population: int = 20,
        elite: int = 2,
        sample: int = 3,
        crossover: float = 0.9,
        mutation: float = 0.9,
    ) -> None:
        if type(population) is not int or population < 2:
            raise BadOption(f"population: expected a whole number >= 2, got {population!r}.")
        if type(elite) is not int or not 0 <= elite < population:
            raise BadOption(f"elite: expected a whole number in [0, {population - 1}], got {elite!r}.")
        if type(sample) is not int or sample < 1:
            raise BadOption(f"sample: expected a whole number >= 1, got {sample!r}.")
        for name, chance in (("crossover", crossover), ("mutation", mutation)):
            if type(chance) not in (int, float) or not 0 <= chance <= 1:
                raise BadOption(f"{name}: expected a number in [0, 1], got {chance!r}.")
        self._space = space
        self._draw = uniforms(rng)
        self._population = population
        self._n_elite = elite
        self._sample = sample
        self._crossover = crossover
        self._mutation = mutation
        self._queue = [space.sample_one(self._draw) for _ in range(population)]  # last first
        self._n_running = 0
        self._members: list[tuple[float, Code]] = []

    def ask(self, n: int) -> list[Proposal]:
        """Propose from the current generation; nothing while its last members are running."""
        if n and not self._queue and not self._n_running:
            self._breed()
        proposals: list[Proposal] = []
        while self._queue and len(proposals) < n:
            proposals.append(Proposal(self._queue.pop()))
        self._n_running += len(proposals)
        return proposals

    def _breed(self) -> None:
        """Start the next generation: keep the elite, queue the children."""
        self._queue = [self._child() for _ in range(self._population - self._n_elite)]
        self._members.sort(key=lambda member: member[0])
        del self._members[self._n_elite :]

    def _child(self) -> Code:
        """Breed one child."""
        draw = self._draw
        child = self._parent()
        if draw() < self._crossover:
            child = self._space.crossover_one(child, self._parent(), draw)
        if draw() < self._mutation:
            child = self._space.mutate_one(child, draw)
        return child

    def _parent(self) -> Code:
        """Hold one tournament."""
        draw, members = self._draw, self._members
        return min(
            (members[int(draw() * len(members))] for _ in range(self._sample)), key=lambda member: member[0]
        )[1]

    def tell(self, trials: Sequence[Trial]) -> None:
        """Add the trials to the current generation; one that failed with an infinite error."""
        self._n_running -= len(trials)
        for trial in trials:
            error = math.inf if trial.valid_error is None else trial.valid_error
            self._members.append((error, trial.code))
