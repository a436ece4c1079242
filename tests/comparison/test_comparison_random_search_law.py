import itertools

import numpy as np
import pytest

from nasbench.comparison.random_search_law import draw_law, expected_score, expected_seconds, score_quantiles
from nasbench.errors import BadOption

NAN = float("nan")
VALID = np.array([[0.3, 0.1, NAN], [0.2, NAN, NAN], [0.1, 0.4, 0.3]])
SCORE = np.array([0.35, 0.15, 0.22])


def enumerated(valid, score, n):
    """Average over every sequence of n (architecture, repeat) draws; also the law of the score."""
    draws = [
        (1 / (len(score) * np.isfinite(valid[a]).sum()), valid[a, r], score[a])
        for a in range(len(score))
        for r in np.flatnonzero(np.isfinite(valid[a]))
    ]
    law = {}
    for sequence in itertools.product(draws, repeat=n):
        best = min(sequence, key=lambda draw: draw[1])  # min keeps the first of a tie
        law[best[2]] = law.get(best[2], 0.0) + np.prod([draw[0] for draw in sequence])
    return sum(s * w for s, w in law.items()), law


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_expectation_equals_full_enumeration(n):
    expected, _ = enumerated(VALID, SCORE, n)
    assert expected_score(draw_law(VALID, SCORE), [n])[0] == pytest.approx(expected, abs=1e-14)


def test_expectation_equals_full_enumeration_on_random_tables_with_ties(rng):
    for _ in range(10):
        valid = rng.integers(0, 4, size=(3, 2)) / 4
        valid[rng.integers(3), 1] = NAN
        score = rng.random(3)
        expected, _ = enumerated(valid, score, 3)
        assert expected_score(draw_law(valid, score), [3])[0] == pytest.approx(expected, abs=1e-12)


def test_quantiles_equal_full_enumeration():
    _, law = enumerated(VALID, SCORE, 3)
    scores = sorted(law)
    reached = np.cumsum([law[s] for s in scores])
    wanted = [0.1, 0.5, 0.9]
    expected = [scores[int(np.searchsorted(reached, q))] for q in wanted]
    assert score_quantiles(draw_law(VALID, SCORE), [3], wanted)[0].tolist() == expected


def test_one_evaluation_is_worth_the_mean_over_architectures():
    assert expected_score(draw_law(VALID, SCORE), [1])[0] == pytest.approx(SCORE.mean())


def test_very_many_evaluations_reach_the_group_of_the_lowest_error():
    # Both 0.1s tie: architecture 0 draws it with 1/2, architecture 2 with 1/3.
    limit = (0.35 / 2 + 0.22 / 3) / (1 / 2 + 1 / 3)
    assert expected_score(draw_law(VALID, SCORE), [1_000_000])[0] == pytest.approx(limit, abs=1e-14)


def test_a_million_evaluations_of_a_large_table_stay_accurate():
    # Distinct errors in order of score: with F = (1 - i/N)^n the expectation has a closed sum.
    from fractions import Fraction

    size, n = 400, 1_000_000
    law = draw_law(np.arange(size)[:, None] / size, np.arange(size) / size)
    exact = sum(Fraction(size - i, size) ** 1_000 for i in range(1, size)) / size
    assert expected_score(law, [1_000])[0] == pytest.approx(float(exact), rel=1e-12)
    large = draw_law(np.arange(50_000)[:, None] / 50_000, np.arange(50_000) / 50_000)
    tail = sum(np.exp(n * np.log1p(-i / 50_000)) for i in range(1, 10)) / 50_000
    assert expected_score(large, [n])[0] == pytest.approx(tail, rel=1e-12)


def test_expectation_is_met_by_simulation(rng):
    size, n, runs = 200, 15, 4_000
    valid = rng.random((size, 3))
    valid[::2, 2] = NAN
    score = valid[:, 0] + 0.1 * rng.random(size)
    repeats = np.isfinite(valid).sum(axis=1)
    drawn = rng.integers(size, size=(runs, n))
    repeat = (rng.random((runs, n)) * repeats[drawn]).astype(int)
    best = np.argmin(valid[drawn, repeat], axis=1)
    found = score[drawn[np.arange(runs), best]]
    z = (found.mean() - expected_score(draw_law(valid, score), [n])[0]) / (found.std() / np.sqrt(runs))
    assert abs(z) < 4


def test_seconds_are_the_number_times_the_mean_over_architectures():
    seconds = np.array([[10.0, 30.0], [40.0, NAN]])
    assert expected_seconds(seconds, [1, 5]).tolist() == [30.0, 150.0]


@pytest.mark.parametrize(
    ("valid", "score", "message"),
    [
        (np.ones(3), np.ones(3), r"expected shapes \(N, R\) and \(N,\) with N >= 1, got \(3,\)"),
        (np.ones((3, 1)), np.ones(2), r"expected shapes \(N, R\)"),
        (np.array([[0.1], [NAN]]), np.ones(2), "got 1 without a repeat and 0 without a score"),
        (np.ones((2, 1)), np.array([0.1, NAN]), "got 0 without a repeat and 1 without a score"),
    ],
)
def test_incomplete_tables_are_refused(valid, score, message):
    with pytest.raises(BadOption, match=message):
        draw_law(valid, score)


def test_architectures_without_seconds_are_refused():
    with pytest.raises(BadOption, match=r"seconds: expected \(N, R\) with a number for every architecture"):
        expected_seconds(np.array([[1.0], [NAN]]), [1])


def test_numbers_below_one_are_refused():
    for refused in (
        lambda: expected_score(draw_law(VALID, SCORE), [0]),
        lambda: expected_seconds(np.ones((2, 1)), [0]),
        lambda: score_quantiles(draw_law(VALID, SCORE), [0], [0.5]),
    ):
        with pytest.raises(BadOption, match="evaluations: expected numbers >= 1, got"):
            refused()


def test_levels_outside_the_open_interval_are_refused():
    with pytest.raises(BadOption, match=r"levels: expected numbers in \(0, 1\), got \[1.0\]"):
        score_quantiles(draw_law(VALID, SCORE), [1], [1.0])
