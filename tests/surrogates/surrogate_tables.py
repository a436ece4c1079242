"""Tables made up for surrogates."""

from __future__ import annotations

import numpy as np

from nasbench.spaces import get_space
from nasbench.store.data import TableData
from nasbench.store.info import TableInfo

EPOCHS = (2, 4, 8)
NOISE = 0.02
INFO = TableInfo(
    space="nb201",
    dataset="made up",
    reference_device="one core",
    device_kind="cpu",
    licence="CC0",
    source="made up for a test",
    recipe={"epochs": 8},
)


def planted_errors(codes):
    """Additive in the operations, (n,): what every model can learn."""
    worth = np.array([0.09, 0.05, 0.03, 0.0, 0.06])
    return 0.1 + worth[codes].sum(axis=1)


def made_up(*, n=400, replicates=2, noise=NOISE, info=INFO, seed=3):
    """Additive errors that fall over the epochs, with noise of a known size; seconds by number of 3x3."""
    rng = np.random.default_rng(seed)
    codes = get_space("nb201").unrank(rng.permutation(15_625)[:n])
    final = planted_errors(codes)
    fall = np.array([0.2, 0.1, 0.0])
    mean = final[:, None, None] + fall
    valid = mean + noise * rng.standard_normal((n, replicates, 1)) + 0 * mean
    test = mean + noise * rng.standard_normal((n, replicates, 1)) + 0 * mean
    seconds = (1.0 + (codes == 3).sum(axis=1))[:, None, None] * np.array(EPOCHS) * np.ones((1, replicates, 1))
    curves = {"valid_error": valid, "test_error": test, "train_seconds": seconds}
    return TableData("made-up", info, codes, EPOCHS, {k: v.astype(np.float32) for k, v in curves.items()})
