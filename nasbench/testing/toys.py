"""Two small spaces that show the joints of the contract: a plain product, and one with masks.

They are what ``check_strategy`` searches where no space is given: small enough to enumerate by hand, and
between them they have every feature of a space that a strategy may trip over.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, NotInSpace
from nasbench.records import Code, Codes
from nasbench.spaces import Decision, Draw, ProductSpace, Space
from nasbench.strategies.strategy import Setting
from nasbench.surrogates.multilinear import MultilinearRelaxation

_ABSENT = 0


def toy_space() -> ProductSpace:
    """Make the product of 3 decisions with 3 choices each: 27 codes."""
    return ProductSpace("toy", [Decision(f"layer {i}", ("conv", "pool", "skip")) for i in range(3)])


def toy_setting() -> Setting:
    """Make the setting of a run with 27 epochs, measured after each, and two costs."""
    return Setting(
        epochs=tuple(range(1, 28)),
        costs={"parameters": lambda code: 100.0 + sum(code), "macs": lambda code: 1_000.0 * (1 + max(code))},
    )


def toy_relaxed_setting(space: Space) -> Setting:
    """Make the toy setting with a relaxation: errors drawn at random, epochs of three steps.

    For strategies that share weights or descend gradients; the space is a small product whose decisions have
    equally many choices.
    """

    def relaxation(rng: np.random.Generator) -> MultilinearRelaxation:
        size = space.size or 0
        prices = np.arange(len(space.decisions[0].choices), dtype=np.float64)
        return MultilinearRelaxation(
            space, rng.random(size), common_seconds=1.0, operation_seconds=prices, epoch_steps=3
        )

    return replace(toy_setting(), relaxation=relaxation)


class ToyChain(ProductSpace):
    """Chains of one to four layers, each conv or pool, padded with ``absent``: 2 + 4 + 8 + 16 = 30 codes.

    The first layer is never absent, and after an absent layer all are.
    """

    def __init__(self) -> None:
        super().__init__("toy-chain", [Decision(f"layer {i}", ("absent", "conv", "pool")) for i in range(4)])
        product = np.array(list(itertools.product(range(3), repeat=4)), dtype=np.int8)
        self._all: Codes = product[self.contains(product)]
        self._rows: list[Code] = [tuple(row) for row in self._all.tolist()]
        self._number = {row: i for i, row in enumerate(self._rows)}
        self.size = len(self._rows)

    def contains(self, codes: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Say for each of (n, 4) codes whether it is a chain; (n,)."""
        array = self._array(codes)
        absent = array == _ABSENT
        inside: npt.NDArray[np.bool_] = (
            super().contains(array) & ~absent[:, 0] & ~(absent[:, :-1] & ~absent[:, 1:]).any(axis=1)
        )
        return inside

    def check(self, code: Sequence[int]) -> Code:
        """Return the code as a tuple of ints.

        Raises:
            NotInSpace: Not a chain.
        """
        values = super().check(code)
        if not self.contains(np.array([values]))[0]:
            raise NotInSpace(
                f"code: expected a first layer, and nothing after an absent one, in space {self.name}, "
                f"got {values}."
            )
        return values

    def allowed(self, prefix: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Forbid absent for the first layer, and everything else after an absent one; (3,).

        Raises:
            BadOption: The prefix is already a whole code.
        """
        if len(prefix) >= len(self.decisions):
            raise BadOption(
                f"prefix: expected fewer than {len(self.decisions)} decisions, got {len(prefix)}."
            )
        if not prefix:
            return np.array([False, True, True])
        ended = prefix[-1] == _ABSENT
        return np.array([True, not ended, not ended])

    def sample(self, n: int, *, rng: np.random.Generator) -> Codes:
        """Draw n chains uniformly, (n, 4)."""
        chosen: Codes = self._all[rng.integers(0, len(self._all), size=n)]
        return chosen

    def mutate(self, codes: npt.ArrayLike, *, rng: np.random.Generator) -> Codes:
        """Replace each chain by one of its neighbours, drawn uniformly."""
        draw = rng.random
        return np.array(
            [self.mutate_one(tuple(row), draw) for row in self._array(codes).tolist()], dtype=np.int8
        )

    def crossover(self, a: npt.ArrayLike, b: npt.ArrayLike, *, rng: np.random.Generator) -> Codes:
        """Mix decision by decision, then end the chain at its first absent layer."""
        mixed = super().crossover(a, b, rng=rng)
        mixed[np.logical_or.accumulate(mixed == _ABSENT, axis=1)] = _ABSENT
        return mixed

    def neighbours(self, code: Sequence[int]) -> Codes:
        """List every chain that differs in one decision, (m, 4)."""
        near = super().neighbours(self.check(code))
        return near[self.contains(near)]

    def sample_one(self, draw: Draw) -> Code:
        """Draw one chain uniformly."""
        return self._rows[int(draw() * len(self._rows))]

    def mutate_one(self, code: Code, draw: Draw) -> Code:
        """Replace a chain by one of its neighbours, drawn uniformly."""
        near = self.neighbours(code)
        return tuple(near[int(draw() * len(near))].tolist())

    def crossover_one(self, a: Code, b: Code, draw: Draw) -> Code:
        """Mix decision by decision, then end the chain at its first absent layer."""
        mixed = super().crossover_one(a, b, draw)
        end = mixed.index(_ABSENT) if _ABSENT in mixed else len(mixed)
        return mixed[:end] + (_ABSENT,) * (len(mixed) - end)

    def rank(self, codes: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Number (n, 4) chains in lexicographic order, (n,)."""
        return np.array([self._number[tuple(row)] for row in self._array(codes).tolist()], dtype=np.int64)

    def rank_one(self, code: Code) -> int:
        """Number one chain in lexicographic order."""
        return self._number[code]

    def unrank(self, ranks: npt.ArrayLike) -> Codes:
        """Turn numbers in lexicographic order back into chains, (n, 4)."""
        rows: Codes = self._all[np.asarray(ranks, dtype=np.int64).ravel()]
        return rows

    def enumerate(self, block: int = 65_536) -> Iterator[Codes]:
        """Yield every chain once, in lexicographic order, in blocks of at most ``block`` rows."""
        for start in range(0, len(self._all), block):
            yield self._all[start : start + block]
