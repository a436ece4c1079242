"""DEHB: Hyperband whose rungs are subpopulations of differential evolution.

An architecture is decoded from a vector in [0, 1]^L, one number a decision: the unit interval is cut into as
many equal bins as there are legal choices, and the number falls into one. Each rung's training length has a
population of vectors of its own, as large as the largest rung that Hyperband has there.

1. First iteration of Hyperband: ordinary brackets of successive halving. The first rung of a bracket visits
   the slots of its population in turn and trains the random vector of a slot that has none told yet, else an
   offspring (3); a promoted architecture continues its training and competes for the next slot of its new
   population (4).
2. Later iterations have the same rungs, but every place in them is an offspring for the next slot in turn.
3. Offspring: parents are the best of the population one rung lower in the bracket, as many as this rung has
   places (in its first rung: of the same population), filled up to three from all populations. The mutant is
   r1 + F (r2 - r3) of three different parents; components outside [0, 1] are drawn anew; each component of
   the offspring comes from the mutant with probability CR, one of them always, else from the slot's vector.
4. When told, the offspring takes the slot if its error is not higher than the slot's.

Defaults are those of Awad et al.'s code: eta 3, F 0.5, CR 0.5, bracket sizes of HpBandSter. Deviations: a
bracket promotes the best of its own rung, where that code promotes from the whole population what is not yet
in the next one; after the first iteration no rung waits for the one before, since a population always has
parents; the numbers of a decision are binned over the choices that ``space.allowed`` leaves. A failed
training never takes a slot.

Source: Awad, Mallik and Hutter 2021; Storn and Price 1997 for rand/1/bin.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.records import Code, Proposal, Trial
from nasbench.spaces import Space
from nasbench.strategies.bracket import Brackets
from nasbench.strategies.rungs import Formula, Rung, hyperband_brackets, rung_lengths
from nasbench.strategies.strategy import Card, Setting

_Array = npt.NDArray[np.float64]
_N_PARENTS = 3  # of a mutant, all different


def mutant(parents: _Array, factor: float, *, rng: np.random.Generator) -> _Array:
    """Add the scaled difference of two parents to a third (rand/1); (n >= 3, L) gives (L,)."""
    first, second, third = parents[rng.choice(len(parents), _N_PARENTS, replace=False)]
    moved: _Array = first + factor * (second - third)
    return moved


def inside(vector: _Array, *, rng: np.random.Generator) -> _Array:
    """Draw each component outside [0, 1] anew; (L,)."""
    return np.where((vector < 0.0) | (vector > 1.0), rng.random(len(vector)), vector)


def crossed(target: _Array, mutated: _Array, rate: float, *, rng: np.random.Generator) -> _Array:
    """Take components of the mutant with probability ``rate``, and at least one (bin); (L,)."""
    taken = rng.random(len(target)) < rate
    taken[rng.integers(len(target))] = True
    return np.where(taken, mutated, target)


def decode(space: Space, vector: _Array) -> Code:
    """Read a vector of (L,) numbers in [0, 1] as an architecture."""
    code: Code = ()
    for number in vector.tolist():
        legal = [value for value, is_legal in enumerate(space.allowed(code).tolist()) if is_legal]
        code = (*code, legal[min(int(number * len(legal)), len(legal) - 1)])
    return code


class Population:
    """The vectors of one training length.

    Args:
        size: Number of slots.
        n_decisions: L.
        rng: Draws the first vectors.

    Attributes:
        vectors: (size, L).
        errors: (size,); inf where none was told.
    """

    def __init__(self, size: int, n_decisions: int, *, rng: np.random.Generator) -> None:
        self.vectors: _Array = rng.random((size, n_decisions))
        self.errors: _Array = np.full(size, math.inf)
        self._turn = 0

    def next_slot(self) -> int:
        """Go round the slots."""
        slot = self._turn
        self._turn = (slot + 1) % len(self.errors)
        return slot

    def best(self, n: int) -> _Array:
        """Give the n vectors with the lowest errors, (n, L), or all where there are fewer."""
        return self.vectors[np.argsort(self.errors, kind="stable")[:n]]

    def select(self, slot: int, vector: _Array, error: float) -> None:
        """Put an offspring into a slot unless it is worse than what is there."""
        if error <= self.errors[slot]:
            self.vectors[slot] = vector
            self.errors[slot] = error


class _Offspring(NamedTuple):
    """A vector in training and the slot that it competes for."""

    epochs: int
    slot: int
    vector: _Array


class _Turn(NamedTuple):
    """A place in a rung after the first iteration."""

    epochs: int
    parents_from: int
    n_parents: int


def _turns(brackets: Sequence[Sequence[Rung]]) -> Iterator[_Turn]:
    """Go through the places of the brackets, for ever."""
    for bracket in cycle(brackets):
        lower = bracket[0].epochs
        for epochs, size in bracket:
            for _ in range(size):
                yield _Turn(epochs, lower, size)
            lower = epochs


class DEHB:
    """Differential evolution Hyperband.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: What the run offers.
        eta: One of ``eta`` architectures goes on to ``eta`` times the epochs, >= 2.
        min_epochs: No training is shorter; None means the shortest length of the source.
        formula: ``"paper"`` or ``"hpbandster"``, see ``rungs.py``.
        mutation_factor: F, in [0, 2].
        crossover_rate: CR, in [0, 1].

    Raises:
        BadOption: An option is out of its range, or the source has one training length only.
    """

    card: ClassVar[Card] = Card(family="evolution", paper="Awad et al. 2021", multi_fidelity=True)

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        eta: int = 3,
        min_epochs: int | None = None,
        formula: Formula = "hpbandster",
        mutation_factor: float = 0.5,
        crossover_rate: float = 0.5,
    ) -> None:
        for name, number, highest in (
            ("mutation_factor", mutation_factor, 2),
            ("crossover_rate", crossover_rate, 1),
        ):
            if type(number) not in (int, float) or not 0 <= number <= highest:
                raise BadOption(f"{name}: expected a number in [0, {highest}], got {number!r}.")
        lengths = rung_lengths(setting, eta=eta, min_epochs=min_epochs)
        brackets = hyperband_brackets(lengths, eta=eta, formula=formula)
        self._space = space
        self._rng = rng
        self._factor = mutation_factor
        self._rate = crossover_rate
        self._first_iteration = Brackets(iter(brackets))
        self._turns = _turns(brackets)
        self._populations = {
            epochs: Population(
                max(rung.size for bracket in brackets for rung in bracket if rung.epochs == epochs),
                len(space.decisions),
                rng=rng,
            )
            for epochs in lengths
        }
        self._proposed = 0
        self._in_halving: dict[int, _Array] = {}  # vectors of the first iteration, by number of the trial
        self._running: dict[int, _Offspring] = {}

    def ask(self, n: int) -> list[Proposal]:
        """Propose the first iteration, and offspring when it waits or is over; always ``n``."""
        return [self._next() for _ in range(n)]

    def _next(self) -> Proposal:
        number, self._proposed = self._proposed, self._proposed + 1
        place = self._first_iteration.next(number)
        if place is None:
            epochs, parents_from, n_parents = next(self._turns)
            slot = self._populations[epochs].next_slot()
            vector = self._offspring(epochs, slot, self._populations[parents_from].best(n_parents))
            self._running[number] = _Offspring(epochs, slot, vector)
            return Proposal(decode(self._space, vector), epochs)
        epochs, code, continues = place
        population = self._populations[epochs]
        slot = population.next_slot()
        if continues is not None:
            vector = self._in_halving[continues]
        elif population.errors[slot] == math.inf:
            vector = population.vectors[slot].copy()
        else:
            vector = self._offspring(epochs, slot, population.best(len(population.errors)))
        self._in_halving[number] = vector
        self._running[number] = _Offspring(epochs, slot, vector)
        return Proposal(decode(self._space, vector) if code is None else code, epochs, continues=continues)

    def _offspring(self, epochs: int, slot: int, parents: _Array) -> _Array:
        """Cross the vector of a slot with a mutant of the parents."""
        missing = _N_PARENTS - len(parents)
        if missing > 0:
            everybody = np.concatenate([population.vectors for population in self._populations.values()])
            more = everybody[self._rng.integers(len(everybody), size=missing)]
            parents = np.concatenate([parents, more])
        mutated = inside(mutant(parents, self._factor, rng=self._rng), rng=self._rng)
        return crossed(self._populations[epochs].vectors[slot], mutated, self._rate, rng=self._rng)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Let each trial that trained compete for its slot."""
        for trial in trials:
            epochs, slot, vector = self._running.pop(trial.number)
            if trial.number in self._in_halving:
                self._first_iteration.tell(trial)
            if trial.valid_error is not None:
                self._populations[epochs].select(slot, vector, trial.valid_error)
