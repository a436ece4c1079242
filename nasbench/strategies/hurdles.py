"""Progressive dynamic hurdles: evolution in which only models better than the average so far train longer.

The training lengths are steps s_0 < s_1 < ... up to the full length (the rungs of ``rungs.py``).

1. Train ``population`` uniformly drawn architectures for s_0; each joins the population when told.
2. Draw ``sample`` members uniformly with replacement; the one with the lowest validation error is parent.
   Train a child, the parent changed by one elementary move of the space, for s_0.
3. While the child's error is lower than the hurdle of its step, continue its training to the next step.
4. The child joins with the error of its last step. When the population is full, ``sample`` members are drawn
   again, and the worst of them leaves.
5. After each ``children`` children that joined, set the next hurdle: the mean error of the members that
   trained longest. Until then no model trains past that step.

Errors of members at different steps are compared as they are. The defaults are ours, for some hundred models,
and were picked among a dozen settings on ``digits-nb201``, so that a comparison on that table favours them a
little; the steps are as far apart as the rungs of Hyperband. Deviations: the elementary move is the space's
own, and the first population is random. With asynchronous workers a child is bred from whoever has joined so
far, and goes on as soon as it is told. A model whose training failed at any step does not join.

Source: So, Liang and Le 2019.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import numpy as np

from nasbench.errors import BadOption
from nasbench.records import Code, Proposal, Trial
from nasbench.seeds import uniforms
from nasbench.spaces import Space
from nasbench.strategies.rungs import rung_lengths
from nasbench.strategies.strategy import Card, Setting


class Member(NamedTuple):
    """A member of the population: the step it trained to, its error there and its code."""

    step: int
    error: float
    code: Code


class ProgressiveDynamicHurdles:
    """Tournament evolution with hurdles before longer training.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: What the run offers.
        eta: Each step trains ``eta`` times as long as the one before, >= 2.
        min_epochs: No training is shorter; None means the shortest length of the source.
        population: Members alive, >= 1.
        sample: Members drawn for each tournament, >= 1.
        children: Children that join before the next hurdle is set, >= 1.

    Raises:
        BadOption: An option is out of its range, or the source has one training length only.
    """

    card: ClassVar[Card] = Card(family="evolution", paper="So et al. 2019", multi_fidelity=True)

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        eta: int = 3,
        min_epochs: int | None = None,
        population: int = 30,
        sample: int = 5,
        children: int = 10,
    ) -> None:
        for name, whole in (("population", population), ("sample", sample), ("children", children)):
            if type(whole) is not int or whole < 1:
                raise BadOption(f"{name}: expected a whole number >= 1, got {whole!r}.")
        self._steps = rung_lengths(setting, eta=eta, min_epochs=min_epochs)
        self._sample_one = space.sample_one
        self._mutate_one = space.mutate_one
        self._draw = uniforms(rng)
        self._capacity = population
        self._tournament = sample
        self._children = children
        self._to_seed = population
        self._members: list[Member] = []
        self._hurdles: list[float] = []  # error to be below at step i, for going on to step i + 1
        self._joined = -population  # since the last hurdle; the first population are no children
        self._cleared: deque[tuple[int, Code, int]] = deque()  # (next step, code, number) to go on
        self._step_of: dict[int, int] = {}  # by number of the trial, while it runs
        self._proposed = 0

    def ask(self, n: int) -> list[Proposal]:
        """Propose models that took their hurdle, then random members, then children; always ``n``."""
        return [self._next() for _ in range(n)]

    def _next(self) -> Proposal:
        number, self._proposed = self._proposed, self._proposed + 1
        if self._cleared:
            step, code, continues = self._cleared.popleft()
            self._step_of[number] = step
            return Proposal(code, self._steps[step], continues=continues)
        self._step_of[number] = 0
        if self._to_seed or not self._members:
            self._to_seed = max(0, self._to_seed - 1)
            return Proposal(self._sample_one(self._draw), self._steps[0])
        parent = min(self._drawn(), key=self._error)
        return Proposal(self._mutate_one(self._members[parent].code, self._draw), self._steps[0])

    def _drawn(self) -> list[int]:
        """Draw the members of a tournament."""
        return [int(self._draw() * len(self._members)) for _ in range(self._tournament)]

    def _error(self, member: int) -> float:
        return self._members[member].error

    def tell(self, trials: Sequence[Trial]) -> None:
        """Let each model that trained go on or join."""
        for trial in trials:
            step = self._step_of.pop(trial.number)
            if trial.valid_error is None:
                continue
            if step < len(self._hurdles) and trial.valid_error < self._hurdles[step]:
                self._cleared.append((step + 1, trial.code, trial.number))
            else:
                self._join(Member(step, trial.valid_error, trial.code))

    def _join(self, member: Member) -> None:
        """Add a member, in the place of the worst of a tournament where the population is full."""
        if len(self._members) < self._capacity:
            self._members.append(member)
        else:
            self._members[max(self._drawn(), key=self._error)] = member
        self._joined += 1
        if self._joined >= self._children and len(self._hurdles) < len(self._steps) - 1:
            longest = max(each.step for each in self._members)
            errors = [each.error for each in self._members if each.step == longest]
            self._hurdles.append(sum(errors) / len(errors))
            self._joined = 0
