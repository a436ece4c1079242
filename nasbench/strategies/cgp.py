"""The (1+lambda) evolution strategy of Cartesian genetic programming, with forced and neutral mutation.

A change of genes that leaves the network as it was is neutral. Two codes are the same network where
``space.canonical`` maps them to one code; a space that merges nothing has no neutral changes, and the parent
then stays as it is in step 4.

1. Propose one uniform draw; its answer makes it the parent.
2. Forced mutation: change each gene (decision) of the parent with probability ``mutation_rate`` to
   a uniformly drawn other value, and draw again until the network is another. Propose ``offspring`` such
   children.
3. Wait for all of them. If the best has a strictly lower validation error than the parent, it is the parent.
4. Else neutral mutation: change each gene of the parent with probability ``mutation_rate``, but take back
   each change that would alter the network. The parent keeps its error; it is not trained again.
5. Go to 2.

Two children, "strictly lower" and a rate of 0.05 are the settings of the authors' published code, for grids
of several hundred genes; the rate here is 1 / (number of decisions) where that is more, so that a short code
is changed too. Deviations: the grid of function nodes is whatever space is searched (an analogue: there
a gene is inactive when no path joins its node to the output, here neutral changes are found by comparing
canonical codes), mutants outside the space are drawn again, and a first parent that fails is replaced.

Source: Suganuma, Shirakawa and Nagao 2017, section 3; their published code for the settings.
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

_LEAST_RATE = 0.05  # of mutation, where a code has more than 20 genes; the authors' exp_main.py
_TRIES = 200  # mutants drawn before elementary moves of the space are tried, as many; our choice


class CGP:
    """One parent, a few children, neutral drift.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        offspring: Children of a generation, >= 1 (lambda in the paper).
        mutation_rate: Probability that a gene is changed, in (0, 1]; None takes the larger of 0.05 and
            1 / (number of decisions).

    Raises:
        BadOption: An option is out of its range.
    """

    card: ClassVar[Card] = Card(
        family="evolution", paper="Suganuma et al. 2017", table="analogue", live="analogue"
    )

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        offspring: int = 2,
        mutation_rate: float | None = None,
    ) -> None:
        if type(offspring) is not int or offspring < 1:
            raise BadOption(f"offspring: expected a whole number >= 1, got {offspring!r}.")
        if mutation_rate is None:
            mutation_rate = max(_LEAST_RATE, 1 / len(space.decisions))
        if type(mutation_rate) not in (int, float) or not 0 < mutation_rate <= 1:
            raise BadOption(f"mutation_rate: expected a number in (0, 1], got {mutation_rate!r}.")
        self._space = space
        self._draw = uniforms(rng)
        self._counts = [len(decision.choices) for decision in space.decisions]
        self._offspring = offspring
        self._rate = mutation_rate
        self._to_ask = 1  # the first parent, then the children of each generation
        self._running = 0
        self._parent: Code | None = None
        self._error = math.inf
        self._network: Code | None = None  # of the parent
        self._best: tuple[float, Code] | None = None  # of the children told so far

    def ask(self, n: int) -> list[Proposal]:
        """Propose from the current generation; nothing while its last children are running."""
        proposals = []
        for _ in range(min(n, self._to_ask)):
            if self._parent is None:
                proposals.append(Proposal(self._space.sample_one(self._draw)))
            else:
                proposals.append(Proposal(self._forced(self._parent)))
        self._to_ask -= len(proposals)
        self._running += len(proposals)
        return proposals

    def tell(self, trials: Sequence[Trial]) -> None:
        """Remember the best child; when the last has been told, end the generation."""
        for trial in trials:
            self._running -= 1
            error = trial.valid_error
            if error is not None and (self._best is None or error < self._best[0]):
                self._best = (error, trial.code)
            if not self._running and not self._to_ask:
                self._end_generation()

    def _end_generation(self) -> None:
        """Choose the next parent."""
        if self._best is not None and (self._parent is None or self._best[0] < self._error):
            self._error, self._parent = self._best
            self._network = self._network_of(self._parent)
        elif self._parent is not None:
            self._parent = self._neutral(self._parent)
        self._best = None
        self._to_ask = 1 if self._parent is None else self._offspring

    def _forced(self, parent: Code) -> Code:
        """Mutate the parent into another network."""
        draw, child = self._draw, parent
        for attempt in range(2 * _TRIES):
            if attempt < _TRIES:
                child = tuple([self._other(i, x) if draw() < self._rate else x for i, x in enumerate(parent)])
            else:
                child = self._space.mutate_one(parent, draw)
            if child != parent and self._network_of(child) not in (None, self._network):
                break
        return child

    def _neutral(self, parent: Code) -> Code:
        """Mutate the parent within its network."""
        for i in range(len(parent)):
            if self._draw() < self._rate:
                drifted = (*parent[:i], self._other(i, parent[i]), *parent[i + 1 :])
                if self._network_of(drifted) == self._network:
                    parent = drifted
        return parent

    def _other(self, gene: int, value: int) -> int:
        """Draw another value of a gene; the same where it has no other."""
        other = int(self._draw() * (self._counts[gene] - 1))
        return other + (other >= value) if self._counts[gene] > 1 else value

    def _network_of(self, code: Code) -> Code | None:
        """Name the network by its canonical code; None where the code is outside the space."""
        codes = np.array([code])
        if not self._space.contains(codes)[0]:
            return None
        return tuple(self._space.canonical(codes)[0].tolist())
