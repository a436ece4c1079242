"""``surrogate``: fitted, looked into and used by name, as a person would."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    from nasbench.cli.app import run

    path = tmp_path_factory.mktemp("fit") / "tenth.surrogate.h5"
    arguments = ["surrogate", "fit", "digits-nb201", "--model", "linear", "--rows", "200", "--out", str(path)]
    assert run(arguments) == 0
    return path


def test_fit_prints_the_card_and_how_to_use_it(nasbench, tmp_path):
    out = tmp_path / "a.surrogate.h5"
    ended = nasbench("surrogate", "fit", "digits-nb201", "--model", "linear", "--rows", 100, "--out", out)
    assert ended.status == 0
    assert "digits-nb201, 100 architectures" in ended.out
    assert "Kendall tau" in ended.out
    assert f"--source {out}" in ended.err
    assert out.exists()


def test_info_as_json_says_the_same(nasbench, fitted):
    data = nasbench("surrogate", "info", fitted, "--json").data
    assert data["name"] == "tenth"
    assert data["architectures"] == 200
    assert data["epochs"] == list(range(1, 21))
    assert len(data["content_hash"]) == 64


def test_info_says_where_noise_is_not_known(nasbench, tmp_path):
    out = tmp_path / "a.surrogate.h5"
    nasbench("surrogate", "fit", "fashion-nb201", "--model", "linear", "--out", out)
    assert "not known: too few architectures trained more than once" in nasbench("surrogate", "info", out).out


def test_query_answers_from_it(nasbench, fitted):
    ended = nasbench("query", fitted, "421211", "--json")
    assert ended.status == 0
    assert [row["status"] for row in ended.data["trainings"]] == ["ok"] * 3


def test_compare_runs_on_it(nasbench, fitted, tmp_path):
    ended = nasbench(
        *("compare", "--source", fitted, "--strategies", "random-search,regularized-evolution"),
        *("--seeds", 3, "--budget", "30evals", "--out", tmp_path / "board"),
    )
    assert ended.status == 0, ended.err
    assert nasbench("leaderboard", "verify", tmp_path / "board").status == 0


def test_models_and_fitted_ones_are_listed(nasbench, fitted, monkeypatch):
    monkeypatch.setenv("NASBENCH_DATA", str(fitted.parent))
    rows = nasbench("list", "surrogates", "--json").data
    assert {"name": "tenth", "kind": "fitted", "what": "nb201, digits, fitted on 200 architectures"} in rows
    assert {row["name"] for row in rows if row["kind"] == "model"} >= {"ensemble", "xgboost", "gin"}


def test_an_unknown_model_ends_with_status_2(nasbench):
    ended = nasbench("surrogate", "fit", "digits-nb201", "--model", "oracle")
    assert ended.status == 2
    assert "no surrogate is named 'oracle'" in ended.err
