"""Runs made by hand, and a small simulator of searches on a made-up table of 64 architectures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from nasbench.comparison.bootstrap import Resampler
from nasbench.runs.columns import PURPOSES, STATUSES, RunColumns

EPOCHS = 12


def columns(
    valid: Sequence[float],
    *,
    seed: int = 0,
    test: Sequence[float] | None = None,
    seconds: Sequence[float] | float = 10.0,
    codes: Sequence[Sequence[int]] | None = None,
    epochs: Sequence[int] | int = EPOCHS,
    status: Sequence[str] | str = "ok",
    purpose: Sequence[str] | str = "search",
    end: str = "budget",
    reason: str = "",
) -> RunColumns:
    """Write a run by hand; a single value stands for every trial."""
    n = len(valid)
    statuses = [status] * n if isinstance(status, str) else status
    purposes = [purpose] * n if isinstance(purpose, str) else purpose
    charged = np.broadcast_to(np.asarray(seconds, dtype=np.float64), n).copy()
    return RunColumns(
        header={"seed": seed},
        end=end,
        reason=reason,
        number=np.arange(n, dtype=np.int32),
        codes=np.array([[i] for i in range(n)] if codes is None else codes, dtype=np.int8).reshape(
            n, -1 if n else 1
        ),
        epochs=np.broadcast_to(np.asarray(epochs, dtype=np.int32), n).copy(),
        replicate=np.zeros(n, dtype=np.int16),
        status=np.array([STATUSES.index(s) for s in statuses], dtype=np.int8),
        purpose=np.array([PURPOSES.index(p) for p in purposes], dtype=np.int8),
        valid_error=np.array(valid, dtype=np.float64),
        test_error=np.array(valid if test is None else test, dtype=np.float64),
        charged_seconds=charged,
        finished_seconds=np.cumsum(charged),
    )


@pytest.fixture
def make_run() -> Callable[..., RunColumns]:
    return columns


@pytest.fixture
def resampler() -> Resampler:
    return Resampler(2_000, 0)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20_240_817)
