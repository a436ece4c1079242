"""Single path one-shot: uniform paths train the weights, then evolution searches by one-shot score.

1. For ``epochs`` epochs draw one architecture uniformly for each training minibatch and take one step of its
   weights. Nothing is reported before the weights are done; their seconds are paid by the first report.
2. Score ``population`` random architectures. A score is the error on images that trained no weights, with
   the statistics of all normalisations set anew for the architecture.
3. The ``select`` best of all scored so far are parents. Half of the next population are mutants, each
   decision of a parent redrawn with probability ``mutation_rate``; the other half are children of two parents
   that take each decision from either. An architecture is scored once: what was scored is drawn again, ten
   times for each place; places left go to random architectures.
4. After each of ``generations`` populations report the best so far; then the search is done.

Defaults: evolution as in the authors' code (population 50, 10 parents, mutation rate 0.1, 20 generations);
the paper trains for 150,000 steps on ImageNet, ``epochs`` is our choice.

Deviations from Guo et al. 2020: no limit of FLOPs; SGD as in ``training.supernets``.

Source: Guo et al. 2020, section 3 and Algorithm 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar

import numpy as np

from nasbench.records import Code
from nasbench.spaces import Space
from nasbench.strategies.one_shot import OneShotSearch, require_count, require_share
from nasbench.strategies.strategy import Card, Setting

_TRIES = 10  # draws for each place of a population


class SPOS(OneShotSearch):
    """Single path one-shot search.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: Gives the shared weights.
        epochs: Of the shared weights, >= 1.
        population: Architectures scored in each generation, >= 1.
        select: Parents, >= 1.
        mutation_rate: Probability that a decision of a mutant is redrawn, in [0, 1).
        generations: Populations after the weights are trained, the random one included, >= 1.

    Raises:
        BadOption: An option is out of its range, or the source has no shared weights.
        MissingExtra: torch is not installed.
    """

    card: ClassVar[Card] = Card(
        family="one-shot", paper="Guo et al. 2020", table="analogue", needs=("torch",)
    )

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        epochs: int = 300,
        population: int = 50,
        select: int = 10,
        mutation_rate: float = 0.1,
        generations: int = 20,
    ) -> None:
        require_count("population", population)
        require_count("select", select)
        require_share("mutation_rate", mutation_rate)
        require_count("generations", generations)
        super().__init__(space, rng=rng, setting=setting, epochs=epochs)
        self._population = population
        self._select = select
        self._mutation_rate = mutation_rate
        self._generations = generations
        self._scored: dict[Code, float] = {}

    def _search(self) -> Iterator[Code]:
        for _ in range(self._epochs):
            self._train_on_random_paths()
        parents: list[Code] = []
        for _ in range(self._generations):
            population = self._next_population(parents)
            if population:
                self._scored.update(zip(population, self._scores(population), strict=True))
            parents = sorted(self._scored, key=self._scored.__getitem__)[: self._select]
            yield parents[0]

    @property
    def _planned_reports(self) -> int:
        return self._generations

    def _next_population(self, parents: list[Code]) -> list[Code]:
        """Draw unscored architectures: mutants, children, and random ones for the places left."""
        chosen: dict[Code, None] = {}
        if parents:
            half = self._population // 2
            self._fill(chosen, half, lambda: self._mutant(self._one_of(parents)))
            self._fill(
                chosen,
                2 * half,
                lambda: self._space.crossover_one(self._one_of(parents), self._one_of(parents), self._draw),
            )
        self._fill(chosen, self._population, lambda: self._space.sample_one(self._draw))
        return list(chosen)

    def _fill(self, chosen: dict[Code, None], size: int, draw_one: Callable[[], Code]) -> None:
        """Add what ``draw_one`` draws until there are ``size``, or too many draws were in vain."""
        for _ in range(_TRIES * (size - len(chosen))):
            if len(chosen) == size:
                return
            code = draw_one()
            if code not in self._scored:
                chosen[code] = None

    def _one_of(self, codes: list[Code]) -> Code:
        return codes[int(self._draw() * len(codes))]

    def _mutant(self, parent: Code) -> Code:
        """Redraw each decision with the mutation rate."""
        return tuple(
            int(self._draw() * len(decision.choices)) if self._draw() < self._mutation_rate else value
            for decision, value in zip(self._space.decisions, parent, strict=True)
        )
