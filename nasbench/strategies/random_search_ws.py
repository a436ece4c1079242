"""Random search with weight sharing: uniform paths train the weights, random samples are scored by them.

1. For each training minibatch draw one architecture uniformly and take one step of its weights.
2. After each epoch draw ``samples`` architectures, score them with the shared weights, and report the best.
3. After the last epoch draw and score ``last_samples``; the best of these is the answer.

Defaults: 1,000 last samples as in the authors' code. Epochs, and the smaller rounds before, which the paper
does not have, are our choice: they give the search a curve.

Deviations from Li and Talwalkar 2019: every sample is scored at once on the images that ``score`` takes, in
place of a first round on one minibatch whose ten best are scored again; there is one last round, however
long the training.

Source: Li and Talwalkar 2019, section 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from nasbench.records import Code
from nasbench.spaces import Space
from nasbench.strategies.one_shot import OneShotSearch, require_count
from nasbench.strategies.strategy import Card, Setting


class RandomSearchWS(OneShotSearch):
    """Random search with weight sharing.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: Gives the shared weights.
        epochs: Of the shared weights, >= 1.
        samples: Architectures drawn after each epoch, >= 1.
        last_samples: Architectures drawn after the last epoch, >= 1.

    Raises:
        BadOption: An option is no whole number >= 1, or the source has no shared weights.
        MissingExtra: torch is not installed.
    """

    card: ClassVar[Card] = Card(
        family="one-shot", paper="Li and Talwalkar 2019", table="analogue", needs=("torch",)
    )

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        epochs: int = 300,
        samples: int = 20,
        last_samples: int = 1000,
    ) -> None:
        require_count("samples", samples)
        require_count("last_samples", last_samples)
        super().__init__(space, rng=rng, setting=setting, epochs=epochs)
        self._samples = samples
        self._last_samples = last_samples

    def _search(self) -> Iterator[Code]:
        for epoch in range(self._epochs):
            self._train_on_random_paths()
            samples = self._samples if epoch + 1 < self._epochs else self._last_samples
            yield self._best_of([self._space.sample_one(self._draw) for _ in range(samples)])
