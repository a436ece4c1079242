from __future__ import annotations

import numpy as np
import pytest

from nasbench.evaluation.opening import open_source
from nasbench.evaluation.table_source import TableSource
from nasbench.reports.reference import NOTHING_KNOWN, reference_of
from nasbench.units import parse_budget


@pytest.fixture(scope="module")
def source() -> TableSource:
    opened = open_source("nb201-cifar10")
    assert isinstance(opened, TableSource)
    return opened


def test_the_optimum_is_the_best_mean_score_of_the_table(source: TableSource) -> None:
    known = reference_of(source, epochs=200, budget=parse_budget("20evals"))
    scores = source.score(source.table.codes, epochs=200)
    assert known.optimum_error == float(np.min(scores))
    assert known.architectures == 15_625
    assert known.optimum_architecture is not None
    code = np.array([source.space.parse(known.optimum_architecture)])
    assert source.score(code, epochs=200)[0] == known.optimum_error


def test_the_noise_is_the_mean_deviation_between_repeats(source: TableSource) -> None:
    known = reference_of(source, epochs=200, budget=parse_budget("20evals"))
    valid = source.table.column("valid_error")[:, :, 0].astype(float)
    deviations = [np.std(row[~np.isnan(row)], ddof=1) for row in valid if np.sum(~np.isnan(row)) > 1]
    assert known.replicate_std == pytest.approx(np.mean(deviations), rel=1e-9)


def test_random_search_reaches_as_far_as_a_budget_in_evaluations(source: TableSource) -> None:
    known = reference_of(source, epochs=200, budget=parse_budget("20evals"))
    assert known.random is not None
    assert (known.random.evaluations[0], known.random.evaluations[-1]) == (1, 20)
    assert np.all(np.diff(known.random.error) < 0)
    assert min(known.random.error) > (known.optimum_error or 1)


def test_random_search_reaches_as_far_as_a_budget_in_days(source: TableSource) -> None:
    known = reference_of(source, epochs=200, budget=parse_budget("1gpu-days"))
    assert known.random is not None
    assert known.mean_seconds is not None
    last = known.random.days[-1]
    assert 1 - known.mean_seconds / parse_budget("1gpu-days").seconds < last <= 1  # type: ignore[operator]


def test_one_draw_expects_the_mean_score(source: TableSource) -> None:
    known = reference_of(source, epochs=200, budget=parse_budget("20evals"))
    assert known.random is not None
    mean = float(np.mean(source.score(source.table.codes, epochs=200)))
    assert known.random.error[0] == pytest.approx(mean, rel=1e-9)


def test_the_expectation_agrees_with_a_simulation(source: TableSource) -> None:
    known = reference_of(source, epochs=200, budget=parse_budget("20evals"))
    assert known.random is not None
    rng = np.random.default_rng(7)
    valid = source.table.column("valid_error")[:, :, 0].astype(float)
    score = source.score(source.table.codes, epochs=200)
    repeats = np.sum(~np.isnan(valid), axis=1)
    rows = rng.integers(len(valid), size=(20_000, 20))
    seen = valid[rows, rng.integers(repeats[rows])]
    finals = score[rows[np.arange(len(rows)), np.argmin(seen, axis=1)]]
    spread = 4 * np.std(finals) / np.sqrt(len(finals))
    assert known.random.error[-1] == pytest.approx(np.mean(finals), abs=spread)


def test_a_budget_below_one_evaluation_has_no_random_search_line(source: TableSource) -> None:
    assert reference_of(source, epochs=200, budget=parse_budget("10s")).random is None


def test_nothing_is_known_of_a_live_source() -> None:
    pytest.importorskip("torch")
    assert reference_of(open_source("live:digits"), epochs=12, budget=parse_budget("5evals")) == NOTHING_KNOWN
