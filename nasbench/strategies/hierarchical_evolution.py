"""Evolution as in hierarchical representations: a population that only grows, and large tournaments.

1. Make ``population`` first members: each is a trivial architecture (in the space ``hierarchical`` chains of
   identities, elsewhere the first legal value of every decision) after ``scrambling`` elementary moves drawn
   at random.
2. Draw 5 % of the members told so far with replacement, and at least five; the one with the lowest
   validation error is parent.
3. Propose the parent changed by one elementary move of the space; once told, add it. Nobody is removed.
4. Repeat from 2.

With ``repeats`` above 1 every architecture is proposed that often in a row and its fitness is the mean error
of the trainings that did not fail; on a table a repeat may meet another training of the same architecture.

The tournament's 5 % is the paper's. The default population is ours, for some hundred evaluations, and so are
the five that keep some selection among so few, and the default scrambling of 10 moves a decision: on a plain
product it leaves a decision untouched in at most one case of 20,000. On the space
``hierarchical``, the paper's own, a mutation draws a level, a motif of it and an edge, and gives that edge
another value; where a space has no levels it is the space's own elementary move.

Source: Liu, Simonyan, Vinyals, Fernando and Kavukcuoglu 2018, section 3.
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

_SHARE = 0.05  # of the members, in a tournament; Liu et al. 2018
_LEAST_SAMPLE = 5  # members in a tournament while 5 % are fewer; our choice
_MOVES_A_DECISION = 10  # of the default scrambling; our choice


class HierarchicalEvolution:
    """Asynchronous tournament selection without removal.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        population: First members, >= 1.
        scrambling: Random moves from the trivial architecture to each first member, >= 1; None takes 10 for
            each decision.
        repeats: Trainings of each architecture, >= 1.

    Raises:
        BadOption: An option is not a whole number >= 1.
    """

    card: ClassVar[Card] = Card(family="evolution", paper="Liu et al. 2018")

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        population: int = 20,
        scrambling: int | None = None,
        repeats: int = 1,
    ) -> None:
        if scrambling is None:
            scrambling = _MOVES_A_DECISION * len(space.decisions)
        options = {"population": population, "scrambling": scrambling, "repeats": repeats}
        for name, value in options.items():
            if type(value) is not int or value < 1:
                raise BadOption(f"{name}: expected a whole number >= 1, got {value!r}.")
        self._mutate_one = space.mutate_one
        self._draw = uniforms(rng)
        self._trivial = trivial_code(space)
        self._to_seed = population
        self._scrambling = scrambling
        self._repeats = repeats
        self._current: Code = ()  # being proposed
        self._to_repeat = 0  # proposals of it that are left
        self._heard: dict[int, list[float]] = {}  # architecture, by order of proposal -> errors so far
        self._members: list[tuple[float, Code]] = []

    def ask(self, n: int) -> list[Proposal]:
        """Propose first members until there were enough, then children."""
        proposals = []
        for _ in range(n):
            if not self._to_repeat:
                self._current = self._next()
                self._to_repeat = self._repeats
            self._to_repeat -= 1
            proposals.append(Proposal(self._current))
        return proposals

    def _next(self) -> Code:
        """Make the next architecture."""
        if self._to_seed or not self._members:
            self._to_seed = max(0, self._to_seed - 1)
            code = self._trivial
            for _ in range(self._scrambling):
                code = self._mutate_one(code, self._draw)
            return code
        return self._mutate_one(self._parent(), self._draw)

    def _parent(self) -> Code:
        """Hold one tournament."""
        draw, members = self._draw, self._members
        size = len(members)
        sample = max(_LEAST_SAMPLE, round(_SHARE * size))
        return min((members[int(draw() * size)] for _ in range(sample)), key=lambda member: member[0])[1]

    def tell(self, trials: Sequence[Trial]) -> None:
        """Add each architecture whose last repeat was told, unless all its trainings failed."""
        for trial in trials:
            architecture = trial.number // self._repeats
            errors = self._heard.setdefault(architecture, [])
            errors.append(math.nan if trial.valid_error is None else trial.valid_error)
            if len(errors) == self._repeats:
                trained = [error for error in self._heard.pop(architecture) if not math.isnan(error)]
                if trained:
                    self._members.append((sum(trained) / len(trained), trial.code))


def trivial_code(space: Space) -> Code:
    """Take the architecture that a space calls ``trivial``, else the first legal value of every decision."""
    named: Code | None = getattr(space, "trivial", None)
    if named is not None:
        return named
    code: Code = ()
    for _ in space.decisions:
        code = (*code, int(np.argmax(space.allowed(code))))
    return code
