"""The affine-invariant ensemble sampler: walkers that propose by stretching towards one another.

Each walker moves along the line through itself and a walker of the other half,

    proposal = other + z (walker - other),  z drawn from g(z) ~ 1 / sqrt(z) on [1/2, 2],

and accepts with probability min(1, z^(d-1) p(proposal) / p(walker)), so that a density is sampled equally
well however it is stretched, and no step size has to be set.

Here the d coordinates are split into blocks that move one after another, each with its own z and its own
acceptance (a Metropolis step on the block given the rest, and so still exact): in tens of dimensions a
move of all coordinates at once is nearly always refused.

Source: Goodman and Weare 2010; halves in turn as in Foreman-Mackey et al. 2013 (emcee).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_STRETCH = 2.0  # a of both papers


class Target(Protocol):
    """A density with the walkers that sample it.

    Attributes:
        blocks: Where the walkers stand: one array (walkers, coordinates) for each block; the number of
            walkers is even.
    """

    blocks: list[Array]

    def change(self, block: int, rows: slice, proposal: Array) -> Array:
        """Return the change of the walkers' log densities if one block becomes ``proposal``; (m,)."""
        ...

    def accept(self, block: int, rows: slice, accepted: npt.NDArray[np.bool_]) -> None:
        """Move the walkers ``rows`` where ``accepted`` (m,) to the proposal asked last."""
        ...


def sweep(target: Target, rng: np.random.Generator) -> float:
    """Let every walker move once in every block.

    Args:
        target: The density; its walkers are moved.
        rng: The only source of randomness.

    Returns:
        The share of proposals accepted.
    """
    half = len(target.blocks[0]) // 2
    n_accepted = 0
    for rows, others in ((slice(0, half), slice(half, 2 * half)), (slice(half, 2 * half), slice(0, half))):
        for block in range(len(target.blocks)):
            values = target.blocks[block]
            z = ((_STRETCH - 1.0) * rng.random(half) + 1.0) ** 2 / _STRETCH
            other = values[others][rng.integers(0, half, size=half)]
            proposal = other + z[:, None] * (values[rows] - other)
            gain = (values.shape[1] - 1) * np.log(z) + target.change(block, rows, proposal)
            accepted = gain > -rng.exponential(size=half)  # -exponential is the log of a uniform
            target.accept(block, rows, accepted)
            n_accepted += int(accepted.sum())
    return n_accepted / (2 * half * len(target.blocks))
