"""NSGA-II: a population that spreads along the front of validation error against costs.

1. The first generation is ``population`` uniform draws.
2. Wait until the whole generation has been told; add it to the survivors of the last one.
3. Number the fronts of the pool: nobody dominates a member of the first, and so on. Fill the places of the
   next ``population`` survivors front by front; of the front that does not fit whole, take the members with
   the largest crowding distance.
4. Breed ``population`` children: two parents win a binary tournament each (the lower front, then the larger
   crowding distance); with probability ``crossover`` the child is their mix by the space's crossover, else a
   copy of the first; with probability ``mutation`` one elementary move of the space follows.
5. Propose the children and go to 2.

The objectives are the validation error and each cost named in ``costs``, which the run knows without
training. Deviations from Deb et al. 2002: the operators are the space's own, for a categorical code; a child
that is already among the survivors or its siblings is bred again (a few times, then taken as it is), because
a training costs more than a draw; a failed training has no error and takes no place. Free workers wait for
the end of a generation. The defaults are ours, for some hundred evaluations.

Source: Deb, Pratap, Agarwal and Meyarivan 2002, section III.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np

from nasbench.errors import BadOption
from nasbench.records import Code, Proposal, Trial
from nasbench.seeds import uniforms
from nasbench.spaces import Space
from nasbench.strategies.nondominated import crowding_distances, front_numbers
from nasbench.strategies.strategy import Card, Setting

_TRIES = 10  # to breed a child that is not yet there; our choice


class NSGA2:
    """Elitist non-dominated sorting genetic algorithm.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: Where the costs come from.
        costs: Names of one or more costs, as a list or as text separated by ``,`` or ``+``.
        population: Survivors, and children of a generation, >= 2.
        crossover: Probability that a child has two parents, in [0, 1].
        mutation: Probability that a child is moved once, in [0, 1].

    Raises:
        BadOption: An option is out of its range, or the run does not know one of the costs.
    """

    card: ClassVar[Card] = Card(family="evolution", paper="Deb et al. 2002", multi_objective=True)

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        costs: str | Sequence[str] = "parameters",
        population: int = 20,
        crossover: float = 0.9,
        mutation: float = 0.9,
    ) -> None:
        if type(population) is not int or population < 2:
            raise BadOption(f"population: expected a whole number >= 2, got {population!r}.")
        for name, chance in (("crossover", crossover), ("mutation", mutation)):
            if type(chance) not in (int, float) or not 0 <= chance <= 1:
                raise BadOption(f"{name}: expected a number in [0, 1], got {chance!r}.")
        self._cost_functions = _cost_functions(costs, setting)
        self._space = space
        self._draw = uniforms(rng)
        self._population = population
        self._crossover = crossover
        self._mutation = mutation
        self._queue = self._random_generation()  # last first
        self._n_running = 0
        self._pool: list[
            tuple[Code, tuple[float, ...]]
        ] = []  # survivors, then children told: code, objectives
        self._ranking: list[tuple[int, float]] = []  # of the survivors: front, minus crowding distance

    def ask(self, n: int) -> list[Proposal]:
        """Propose from the current generation; nothing while its last children are running."""
        if n and not self._queue and not self._n_running:
            self._survive()
            self._queue = self._children() if self._pool else self._random_generation()
        proposals: list[Proposal] = []
        while self._queue and len(proposals) < n:
            proposals.append(Proposal(self._queue.pop()))
        self._n_running += len(proposals)
        return proposals

    def _random_generation(self) -> list[Code]:
        return [self._space.sample_one(self._draw) for _ in range(self._population)]

    def tell(self, trials: Sequence[Trial]) -> None:
        """Add the trials that trained to the pool."""
        self._n_running -= len(trials)
        for trial in trials:
            if trial.valid_error is not None:
                code = trial.code
                self._pool.append((code, (trial.valid_error, *(cost(code) for cost in self._cost_functions))))

    def _survive(self) -> None:
        """Cut the pool down to its survivors and rank them."""
        if not self._pool:
            return
        objectives = np.array([point for _, point in self._pool])
        fronts = front_numbers(objectives)
        crowding = np.empty(len(fronts))
        for front in range(int(fronts.max()) + 1):
            members = fronts == front
            crowding[members] = crowding_distances(objectives[members])
        order = np.lexsort((-crowding, fronts))[: self._population].tolist()
        self._pool = [self._pool[i] for i in order]
        self._ranking = [(int(fronts[i]), -float(crowding[i])) for i in order]

    def _children(self) -> list[Code]:
        """Breed a generation."""
        known = {code for code, _ in self._pool}
        children = []
        for _ in range(self._population):
            for _ in range(_TRIES):
                child = self._child()
                if child not in known:
                    break
            known.add(child)
            children.append(child)
        return children

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
        """Hold one binary tournament."""
        draw, size = self._draw, len(self._pool)
        first, second = int(draw() * size), int(draw() * size)
        winner = first if self._ranking[first] <= self._ranking[second] else second
        return self._pool[winner][0]


def _cost_functions(costs: str | Sequence[str], setting: Setting) -> list[Callable[[Code], float]]:
    """Find the costs by name."""
    if isinstance(costs, str):
        costs = re.split(r"\s*[,+]\s*", costs.strip())
    is_names = isinstance(costs, list | tuple) and all(isinstance(name, str) and name for name in costs)
    if not is_names or not costs or len(set(costs)) != len(costs):
        raise BadOption(f"costs: expected one or more different names of costs, got {costs!r}.")
    missing = [name for name in costs if name not in setting.costs]
    if missing:
        known = ", ".join(sorted(setting.costs)) or "none"
        raise BadOption(f"costs: this run does not know {', '.join(missing)}. Known: {known}.")
    return [setting.costs[name] for name in costs]
