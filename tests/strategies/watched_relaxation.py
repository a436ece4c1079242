"""A relaxation of a planted table that notes what a search does with it."""

from __future__ import annotations

import numpy as np

from nasbench.spaces import Decision, ProductSpace
from nasbench.strategies import Setting
from nasbench.surrogates.multilinear import MultilinearRelaxation

NONE, BEST = 0, (2, 1, 3, 2)


def planted_space():
    """Four edges with four operations, 256 architectures."""
    names = ("none", "skip_connect", "conv", "pool")
    return ProductSpace("planted", [Decision(f"e{i}", names) for i in range(4)])


def planted_error(code):
    """Count the edges that differ from the best architecture; a little more for larger values."""
    return 0.2 * sum(a != b for a, b in zip(code, BEST, strict=True)) + 0.001 * sum(code)


class WatchedRelaxation(MultilinearRelaxation):
    """Notes the weights of every weight step, what was scored, and the epochs planned."""

    def __init__(self, space, error_of=planted_error):
        errors = np.array([error_of(code) for block in space.enumerate() for code in block.tolist()])
        prices = np.arange(len(space.decisions[0].choices), dtype=np.float64)
        super().__init__(space, errors, common_seconds=1.0, operation_seconds=prices, epoch_steps=5)
        self.steps, self.scored, self.planned = [], [], None

    def plan(self, epochs):
        self.planned = epochs

    def weight_step(self, mixture):
        self.steps.append(mixture.weights.numpy().copy())
        return super().weight_step(mixture)

    def score(self, codes):
        self.scored += [tuple(code) for code in np.asarray(codes).tolist()]
        return super().score(codes)


def watched(space=None, error_of=planted_error):
    """Return a setting, and the list to which it adds the relaxations that it makes."""
    made = []
    space = space or planted_space()

    def relaxation(rng):
        made.append(WatchedRelaxation(space, error_of))
        return made[-1]

    return Setting(epochs=(10,), relaxation=relaxation), made


def reports(strategy):
    """Ask until the strategy is done."""
    proposals = []
    while asked := strategy.ask(3):
        assert len(asked) == 1
        proposals += asked
    assert strategy.ask(1) == []
    return proposals
