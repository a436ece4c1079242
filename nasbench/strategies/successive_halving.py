"""Successive halving: train many for a short time, keep the best 1/eta, train those eta times longer.

1. Draw ``size`` architectures from the space and train them for the shortest rung (see ``rungs.py``).
2. Continue the training of the best ``1/eta`` of them to the next rung; repeat up to the full length.
3. Begin again at 1 with new architectures, until the budget ends.

Defaults: ``eta=3``, and ``size`` such that one architecture reaches the full length. Deviation: Jamieson and
Talwalkar split one given budget equally over the rungs; here a bracket has a given size and is repeated.
With several workers the next bracket begins while a rung waits for its last answers (see ``bracket.py``).

Source: Jamieson and Talwalkar 2016; Li et al. 2018 for brackets with a promotion by eta.
"""

from __future__ import annotations

from itertools import repeat
from typing import ClassVar

import numpy as np

from nasbench.errors import BadOption
from nasbench.spaces import Space
from nasbench.strategies.bracket import BracketStrategy
from nasbench.strategies.rungs import halving_bracket, rung_lengths
from nasbench.strategies.strategy import Card, Setting


class SuccessiveHalving(BracketStrategy):
    """Repeated brackets of successive halving.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: What the run offers.
        eta: One of ``eta`` architectures goes on to ``eta`` times the epochs, >= 2.
        min_epochs: No training is shorter; None means the shortest length of the source.
        size: New architectures of a bracket, at least eta^(rungs - 1), which None means.

    Raises:
        BadOption: An option is out of its range, or the source has one training length only.
    """

    card: ClassVar[Card] = Card(
        family="multi-fidelity", paper="Jamieson and Talwalkar 2016", multi_fidelity=True
    )

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        eta: int = 3,
        min_epochs: int | None = None,
        size: int | None = None,
    ) -> None:
        lengths = rung_lengths(setting, eta=eta, min_epochs=min_epochs)
        smallest = eta ** (len(lengths) - 1)
        if size is None:
            size = smallest
        elif type(size) is not int or size < smallest:
            raise BadOption(
                f"size: expected a whole number >= eta^(rungs - 1) (= {smallest}), so that one architecture "
                f"trains in full, got {size!r}."
            )
        bracket = halving_bracket(lengths, eta=eta, size=size)
        super().__init__(space, rng=rng, brackets=repeat(bracket))
