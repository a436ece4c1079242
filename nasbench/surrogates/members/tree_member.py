"""What all members made of trees have in common: their forest answers, and is all there is to keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
import numpy.typing as npt

from nasbench.surrogates.inputs import Inputs
from nasbench.surrogates.members import Arrays, Floats
from nasbench.surrogates.trees import Forest


class TreeMember:
    """A forest whose leaf values add up to the targets; subclasses fit it."""

    most_rows = 1_000_000

    def __init__(self, forest: Forest) -> None:
        self.forest = forest

    def predict(self, inputs: Inputs) -> Floats:
        """Predict (n, k) targets."""
        return self.forest.predict(inputs.flat)

    def arrays(self) -> Arrays:
        """Return the trees."""
        return {"features": self.forest.features, "values": self.forest.values}

    @classmethod
    def load(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Self:
        """Make the member from its trees."""
        return cls(Forest(arrays["features"].astype(np.int32), arrays["values"].astype(np.float32)))
