"""Hyperband: successive halving in brackets that begin with ever fewer architectures and longer trainings.

How short a training still tells good from bad is not known beforehand, so every answer is tried in turn.

1. Choose the rungs R eta^-k (see ``rungs.py``).
2. Run a bracket of successive halving over all rungs, then one without the shortest, and so on down to
   plain random search at the full length; ``formula`` says how many architectures each begins with.
3. Begin again at 2.

Defaults: ``eta=3``, as in HpBandSter, and the paper's bracket sizes; ``formula="hpbandster"`` gives those of
HpBandSter. Architectures are drawn from the space. With several workers the next bracket begins while a rung
waits for its last answers (see ``bracket.py``).

Source: Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar 2018, Algorithm 1.
"""

from __future__ import annotations

from itertools import cycle
from typing import ClassVar

import numpy as np

from nasbench.spaces import Space
from nasbench.strategies.bracket import BracketStrategy
from nasbench.strategies.rungs import Formula, hyperband_brackets, rung_lengths
from nasbench.strategies.strategy import Card, Setting


class Hyperband(BracketStrategy):
    """Hyperband on architectures drawn at random.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: What the run offers.
        eta: One of ``eta`` architectures goes on to ``eta`` times the epochs, >= 2.
        min_epochs: No training is shorter; None means the shortest length of the source.
        formula: ``"paper"`` or ``"hpbandster"``, see ``rungs.py``.

    Raises:
        BadOption: An option is out of its range, or the source has one training length only.
    """

    card: ClassVar[Card] = Card(family="multi-fidelity", paper="Li et al. 2018", multi_fidelity=True)

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        eta: int = 3,
        min_epochs: int | None = None,
        formula: Formula = "paper",
    ) -> None:
        lengths = rung_lengths(setting, eta=eta, min_epochs=min_epochs)
        brackets = hyperband_brackets(lengths, eta=eta, formula=formula)
        super().__init__(space, rng=rng, brackets=cycle(brackets))
