"""An architecture unlike all fitted ones is flagged, one like them is not."""

from __future__ import annotations

import numpy as np

from nasbench.surrogates.support import REFERENCE, fit_support


def test_distances_count_differing_decisions(rng):
    fitted = np.zeros((5, 6), dtype=np.int8)
    support = fit_support(fitted, fitted, rng=rng)
    assert support.distances(np.array([[0, 0, 0, 0, 0, 0], [1, 0, 0, 2, 0, 0]], dtype=np.int8)).tolist() == [
        0,
        2,
    ]


def test_beyond_what_held_out_ones_show_is_far(rng):
    fitted = rng.integers(0, 2, (400, 12)).astype(np.int8)
    held = rng.integers(0, 2, (100, 12)).astype(np.int8)
    support = fit_support(fitted, held, rng=rng)
    assert support.is_far(held).mean() <= 0.01
    assert support.is_far(np.full((1, 12), 4, dtype=np.int8)).all()


def test_the_reference_is_bounded(rng):
    fitted = rng.integers(0, 5, (3_000, 6)).astype(np.int8)
    assert len(fit_support(fitted, fitted[:50], rng=rng).reference) == REFERENCE
