"""What the strategy tests share: a way to run one on a known table, and a separable one."""

from __future__ import annotations

import heapq
from types import SimpleNamespace

import numpy as np
import pytest

from nasbench.records import Trial
from nasbench.spaces import Decision, ProductSpace
from nasbench.strategies.strategy import Setting
from nasbench.testing import toy_space as make_toy_space

EPOCHS = 200


def told(proposal, number, error, clock=0.0):
    """Answer one proposal."""
    return Trial(
        number=number,
        code=proposal.code,
        epochs=EPOCHS,
        replicate=0,
        status="failed" if error is None else "ok",
        valid_error=error,
        charged_seconds=1.0,
        finished_seconds=clock,
    )


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def search():
    """Run ``strategy`` for ``n`` trials on ``error_of`` with workers that finish out of order."""

    def run(strategy, error_of, n, workers=1):
        codes, running, clock, number = [], [], 0, 0
        while True:
            proposals = strategy.ask(min(workers - len(running), n - number)) if number < n else []
            for proposal in proposals:
                heapq.heappush(running, (clock + 1 + number * 7 % 5, number, proposal))
                codes.append(proposal.code)
                number += 1
            if not running:
                return codes
            clock, order, proposal = heapq.heappop(running)
            strategy.tell([told(proposal, order, error_of(proposal.code), clock)])

    return run


@pytest.fixture
def answer():
    return told


@pytest.fixture
def line():
    """Four decisions of five values; the error falls linearly to zero at (2, 2, 2, 2)."""
    space = ProductSpace("line", [Decision(f"d{i}", tuple("abcde")) for i in range(4)])
    return space, lambda code: sum(abs(value - 2) for value in code) / 8


@pytest.fixture
def planted(rng):
    """The toy space relaxed, with one best architecture and one step an epoch.

    ``setting`` offers ``relaxation`` itself, so that a test sees what was asked of it; ``errors`` are in
    lexicographic order and ``best`` is the lowest: each edge is best with one operation whatever the others.
    """
    pytest.importorskip("torch")
    from nasbench.surrogates.multilinear import MultilinearRelaxation

    best = (2, 0, 1)
    costs = rng.uniform(0.1, 0.3, size=(3, 3))
    costs[np.arange(3), best] = 0.0
    errors = costs[0][:, None, None] + costs[1][:, None] + costs[2]
    relaxation = MultilinearRelaxation(
        make_toy_space(), errors.ravel(), common_seconds=1.0, operation_seconds=[0, 1, 2], epoch_steps=1
    )
    setting = Setting(epochs=(EPOCHS,), relaxation=lambda rng: relaxation)
    return SimpleNamespace(setting=setting, relaxation=relaxation, errors=errors.ravel(), best=best)
