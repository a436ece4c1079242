"""The best architectures of a row, by what its searches were told."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.comparison.best_found import best_found
from nasbench.errors import BadOption


def test_the_lowest_errors_over_all_runs_come_first_and_each_architecture_once(make_run):
    one = make_run([0.3, 0.1, 0.2], codes=[[0], [1], [2]])
    other = make_run([0.25, 0.15], codes=[[0], [3]])
    assert best_found([one, other], 3, epochs=12) == [((1,), 0.1), ((3,), 0.15), ((2,), 0.2)]
    assert best_found([other, one], 9, epochs=12)[-1] == ((0,), 0.25)  # the lowest that it was told with


def test_the_order_of_runs_and_equal_errors_do_not_matter(make_run):
    one, other = make_run([0.1], codes=[[2]]), make_run([0.1], codes=[[1]])
    assert best_found([one, other], 1, epochs=12) == best_found([other, one], 1, epochs=12) == [((1,), 0.1)]


def test_only_whole_trainings_count(make_run):
    run = make_run(
        [0.1, 0.2, np.nan, 0.4],
        codes=[[0], [1], [2], [3]],
        epochs=[3, 12, 12, 12],
        status=["ok", "stopped", "failed", "ok"],
    )
    assert best_found([run], 5, epochs=12) == [((3,), 0.4)]
    assert best_found([make_run([])], 5, epochs=12) == []


def test_equal_networks_are_one(make_run):
    run = make_run([0.1, 0.2, 0.3], codes=[[5], [4], [1]])
    assert best_found([run], 2, epochs=12, standing=lambda codes: codes // 2) == [((2,), 0.1), ((0,), 0.3)]


def test_none_at_all_is_refused(make_run):
    with pytest.raises(BadOption, match="best: expected a number of architectures >= 1, got 0"):
        best_found([make_run([0.1])], 0, epochs=12)
