"""One-shot model with path dropout: all operations are trained together, random architectures are scored.

1. Every training minibatch runs all operations of all edges, their outputs summed, but for those that path
   dropout takes out: each with the same probability, drawn anew for each minibatch. The probability rises
   linearly from 0 to r^(1/k), where k operations of an edge can be dropped; so at the end an edge loses all
   of them with probability r, ``dropped``. The choice ``none`` adds zeros and is never dropped; an edge that
   has no such choice keeps all its operations where it would lose them all.
2. Score ``samples`` random architectures with the trained weights: every operation but one of each edge is
   taken out, and in the space ``darts`` the edges that the architecture does not keep.
3. They are scored in ``rounds``; after each the best so far is reported. Nothing is reported before the
   weights are done; their seconds are paid by the first report.

Defaults are our choice, sized for small images.

Deviations from Bender et al. 2018: paths are dropped for a whole minibatch and not for parts of it; weight
decay is that of the recipe, on operations that are executed.

Source: Bender et al. 2018, section 3.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.records import Code
from nasbench.spaces import Space
from nasbench.spaces.mixture import Mixture
from nasbench.spaces.relaxed import NONE
from nasbench.strategies.one_shot import OneShotSearch, require_count, require_share
from nasbench.strategies.strategy import Card, Setting


class BenderOneShot(OneShotSearch):
    """One-shot model with path dropout.

    Args:
        space: The space to search; an operation named ``none`` is no path.
        rng: The only source of randomness.
        setting: Gives the shared weights.
        epochs: Of the shared weights, >= 1.
        dropped: Probability, at the end, that an edge loses all its operations, in [0, 1).
        samples: Architectures scored, >= 1.
        rounds: Equal parts in which they are scored, each with a report, in 1 to ``samples``.

    Raises:
        BadOption: An option is out of its range, or the source has no shared weights.
        MissingExtra: torch is not installed.
    """

    card: ClassVar[Card] = Card(
        family="one-shot", paper="Bender et al. 2018", table="analogue", needs=("torch",)
    )

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        epochs: int = 300,
        dropped: float = 0.1,
        samples: int = 1000,
        rounds: int = 20,
    ) -> None:
        require_share("dropped", dropped)
        require_count("samples", samples)
        require_count("rounds", rounds)
        if rounds > samples:
            raise BadOption(f"rounds: expected at most the {samples} samples, got {rounds}.")
        super().__init__(space, rng=rng, setting=setting, epochs=epochs)
        self._rng = rng
        self._dropped = dropped
        self._samples = samples
        self._rounds = rounds
        self._is_path = np.array([[n != NONE for n in names] for names in self._relaxation.form.names])

    def _search(self) -> Iterator[Code]:
        for epoch in range(self._epochs):
            for _ in range(self._relaxation.epoch_steps):
                self._relaxation.weight_step(self._kept(epoch))
        best: Code = ()
        least = math.inf
        for part in np.array_split(np.arange(self._samples), self._rounds):
            codes = [self._space.sample_one(self._draw) for _ in part]
            for code, error in zip(codes, self._scores(codes), strict=True):
                if error < least:
                    best, least = code, error
            yield best

    @property
    def _planned_reports(self) -> int:
        return self._rounds

    def _dropout(self, epoch: int) -> npt.NDArray[np.float64]:
        """Return the probability of each edge that one of its operations is dropped, (E, 1)."""
        share = epoch / max(1, self._epochs - 1)
        paths = np.maximum(1, self._is_path.sum(axis=1, keepdims=True))
        rate: npt.NDArray[np.float64] = share * self._dropped ** (1.0 / paths)
        return rate

    def _kept(self, epoch: int) -> Mixture:
        """Sum all operations but those that path dropout takes out of this minibatch."""
        import torch

        kept = self._rng.random(self._is_path.shape) >= self._dropout(epoch)
        kept |= ~self._is_path
        kept[~kept.any(axis=1)] = True
        return Mixture(torch.from_numpy(kept.astype(np.float64)))
