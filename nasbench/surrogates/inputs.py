"""What a model sees of an architecture: indicators of its choices and paths, or its graph."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from nasbench.records import Codes
from nasbench.spaces import Space

MOST_PATHS = 1_000
"""Path encodings of more columns are left out: they cost more than they tell."""


class Inputs:
    """Architectures as models see them; each form is computed when it is asked for.

    Args:
        space: Their space.
        codes: (n, L) architectures.
        kinds: Encodings whose indicators stand side by side in ``flat``.
    """

    def __init__(self, space: Space, codes: Codes, kinds: tuple[str, ...]) -> None:
        self.space = space
        self.codes = codes
        self.kinds = kinds

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def flat(self) -> npt.NDArray[np.float32]:
        """Indicators, (n, d), each 0 or 1."""
        if len(self.kinds) == 1:
            return self.space.encode(self.codes, self.kinds[0])
        parts = [self.space.encode(self.codes, kind).reshape(len(self.codes), -1) for kind in self.kinds]
        return np.concatenate(parts, axis=1)

    @cached_property
    def real(self) -> npt.NDArray[np.float64]:
        """The indicators in double precision: processors differ far behind what is kept of an answer."""
        return self.flat.astype(np.float64)

    @cached_property
    def graph(self) -> npt.NDArray[np.float32]:
        """One-hot operation of edge i -> j at [i, j], (n, nodes, nodes, operations)."""
        return self.space.encode(self.codes, "graph")

    def take(self, rows: npt.NDArray[np.int64]) -> Inputs:
        """Return the architectures of these rows."""
        return Inputs(self.space, self.codes[rows], self.kinds)


def kinds_for(space: Space) -> tuple[str, ...]:
    """Choose the encodings of a space: its choices, and its counts, or its paths where they are few."""
    if "counts" in space.encodings:
        return ("onehot", "counts")
    if "path" in space.encodings:
        one = space.sample(1, rng=np.random.default_rng(0))
        if space.encode(one, "path").size <= MOST_PATHS:
            return ("onehot", "path")
    return ("onehot",)
