"""Random search: independent uniform draws, the floor that every other strategy has to beat.

1. Draw an architecture uniformly from the space's codes, with replacement.
2. Propose it; learn nothing from the answer.

Uniform over codes is not uniform over distinct networks where a space keeps isomorphic codes apart.

Source: Bergstra and Bengio 2012; as a NAS baseline Li and Talwalkar 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from nasbench.records import Proposal, Trial
from nasbench.seeds import uniforms
from nasbench.spaces import Space
from nasbench.strategies.strategy import Card


class RandomSearch:
    """Propose uniform draws for ever."""

    card: ClassVar[Card] = Card(family="random", paper="Li and Talwalkar 2019")

    def __init__(self, space: Space, *, rng: np.random.Generator) -> None:
        self._sample = space.sample_one
        self._draw = uniforms(rng)

    def ask(self, n: int) -> list[Proposal]:
        """Draw ``n`` architectures."""
        sample, draw = self._sample, self._draw
        return [Proposal(sample(draw)) for _ in range(n)]

    def tell(self, trials: Sequence[Trial]) -> None:
        """Ignore the answers."""
