"""Speed of surrogates: one prediction, a batch, opening a file, and fitting the default.

    pytest tests/benchmarks/surrogate_benchmark.py

The baseline of the predictions is the same boosters asked through XGBoost itself, in the same run.
"""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.spaces import get_space
from nasbench.store.bundled import find_table
from nasbench.surrogates.bundled import find_surrogate
from nasbench.surrogates.files import load, save
from nasbench.surrogates.fitting import fit_surrogate

pytest.importorskip("sklearn")
xgboost = pytest.importorskip("xgboost")

SPACE = get_space("nb201")
CODES = SPACE.sample(10_000, rng=np.random.default_rng(0))


@pytest.fixture(scope="module")
def fitted():
    return fit_surrogate(find_table("digits-nb201"), rows=3_000)


@pytest.fixture(scope="module")
def shipped():
    return load(find_surrogate("darts-digits"))[0]


@pytest.fixture(scope="module")
def booster():
    """Trees of XGBoost's own, as many and as deep as one member has."""
    rng = np.random.default_rng(0)
    flat = np.concatenate([SPACE.encode(CODES, "onehot"), SPACE.encode(CODES, "path")], axis=1)
    settings = {"multi_strategy": "multi_output_tree", "tree_method": "hist", "max_depth": 5, "num_target": 9}
    matrix = xgboost.DMatrix(flat, label=rng.random((len(flat), 9)), nthread=1)
    return xgboost.train({**settings, "nthread": 1}, matrix, 100), flat


def test_one_prediction(benchmark, fitted):
    benchmark(fitted.predict, CODES[:1])
    assert benchmark.stats.stats.median < 1e-3


def test_one_prediction_of_one_member_by_xgboost(benchmark, booster):
    model, flat = booster
    benchmark(lambda: model.inplace_predict(flat[:1]))


def test_one_prediction_of_the_one_that_comes_along(benchmark, shipped):
    codes = shipped.space.sample(100, rng=np.random.default_rng(0))
    benchmark(lambda: [shipped.predict(codes[i : i + 1]) for i in range(len(codes))])
    benchmark.extra_info["milliseconds_each"] = benchmark.stats.stats.median / len(codes) * 1e3
    assert benchmark.extra_info["milliseconds_each"] < 1.0


def test_a_batch_of_10_000_of_the_one_that_comes_along(benchmark, shipped):
    codes = shipped.space.sample(10_000, rng=np.random.default_rng(0))
    benchmark(shipped.predict, codes)


def test_a_batch_of_10_000(benchmark, fitted):
    benchmark(fitted.predict, CODES)
    assert benchmark.stats.stats.median / len(CODES) < 10e-6


def test_a_batch_of_10_000_of_one_member_by_xgboost(benchmark, booster):
    model, flat = booster
    benchmark(lambda: model.inplace_predict(flat))


def test_opening_a_file(benchmark, fitted, tmp_path):
    save(fitted, tmp_path / "a.surrogate.h5")
    benchmark(load, tmp_path / "a.surrogate.h5")
    assert benchmark.stats.stats.median < 0.1


def test_fitting_the_default_on_15_625_rows(benchmark):
    table = find_table("nb201-cifar10")
    benchmark.pedantic(fit_surrogate, args=(table,), rounds=1)
    assert benchmark.stats.stats.median < 60
