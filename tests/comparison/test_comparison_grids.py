import numpy as np
import pytest

from nasbench.comparison.grids import evaluations_grid, seconds_grid
from nasbench.errors import BadOption


def test_seconds_are_even_in_the_logarithm_with_exact_ends():
    grid = seconds_grid(7.0, 7_000.0, points=4)
    np.testing.assert_allclose(grid, [7, 70, 700, 7_000])
    assert (grid[0], grid[-1]) == (7.0, 7_000.0)


@pytest.mark.parametrize("earliest", [0.0, 50.0, 60.0])
def test_seconds_are_the_budget_alone_where_no_logarithm_fits_before_it(earliest):
    assert seconds_grid(earliest, 50.0).tolist() == [50.0]


@pytest.mark.parametrize(("earliest", "latest"), [(np.inf, 50.0), (np.nan, 50.0), (0.0, 0.0)])
def test_seconds_are_empty_without_a_result(earliest, latest):
    assert seconds_grid(earliest, latest).size == 0


def test_evaluations_are_increasing_whole_numbers_from_one_to_the_end():
    grid = evaluations_grid(1_000)
    assert (grid[0], grid[-1]) == (1, 1_000)
    assert (np.diff(grid) >= 1).all()
    assert (grid == np.rint(grid)).all()
    assert 40 < len(grid) <= 64


def test_few_evaluations_are_ends_and_some_between():
    assert evaluations_grid(1).tolist() == [1]
    assert evaluations_grid(2).tolist() == [1, 2]
    assert evaluations_grid(0).size == 0


@pytest.mark.parametrize(
    "grid", [lambda: seconds_grid(1.0, 2.0, points=0), lambda: evaluations_grid(9, points=0)]
)
def test_a_grid_without_points_is_refused(grid):
    with pytest.raises(BadOption, match=r"points: expected a whole number >= 1, got 0\."):
        grid()
