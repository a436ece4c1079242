"""What a strategy is: something that proposes architectures and is told how they did.

Constructed as ``Name(space, *, rng, **options)``. It may hold any state, draws only from ``rng``, and
never learns which source answers, what the budget is, or any test error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np

from nasbench.records import Proposal, Trial
from nasbench.spaces import Space

Mode = Literal["faithful", "analogue", "degenerate", "no"]


@dataclass(frozen=True, slots=True)
class Card:
    """What a list of strategies prints of one of them.

    Attributes:
        family: ``"baseline"``, ``"random"``, ``"evolution"``, ``"local search"``, ``"reinforcement
            learning"``, ``"Bayesian optimisation"``, ...
        paper: Lastname Year of the source, or ``""``.
        table: What running it against a table or surrogate means (design law 7).
        live: What running it against live training means.
        needs: Names of the extras it needs, e.g. ``("torch",)``.
        deterministic: True where the seed changes nothing (grid, fixed).
    """

    family: str
    paper: str
    table: Mode = "faithful"
    live: Mode = "faithful"
    needs: tuple[str, ...] = field(default=())
    deterministic: bool = False


@runtime_checkable
class Strategy(Protocol):
    """The ask/tell face; see also the five-line function form in ``function.py``."""

    card: ClassVar[Card]

    def ask(self, n: int) -> list[Proposal]:
        """Propose at most ``n`` trials. ``[]`` with nothing running means the strategy is done."""
        ...

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn finished trials, in order of (simulated) finish. Failed ones have ``valid_error`` None."""
        ...


StrategyFactory = Callable[..., Strategy]
"""Called as ``factory(space, rng=rng, **options)``."""


def make(factory: StrategyFactory, space: Space, *, rng: np.random.Generator, **options: Any) -> Strategy:
    """Construct a strategy; kept as one place so that the call is the same everywhere."""
    return factory(space, rng=rng, **options)
