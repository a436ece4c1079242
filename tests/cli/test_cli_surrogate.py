"""``surrogate``: fitted, looked into and used by name, as a person would."""

from __future__ import annotations

import pytest

from nasbench.store.table import open_table


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


def test_validate_prints_the_main_numbers_and_writes_the_page(nasbench, fitted, tmp_path):
    ended = nasbench("surrogate", "validate", fitted, "--out", tmp_path / "page")
    assert ended.status == 0, ended.err
    assert "tau, best 5 %" in ended.out
    assert (tmp_path / "page" / "surrogate.html").exists()


def test_validate_leaves_strategies_out_by_their_records(nasbench, tmp_path):
    board, path = tmp_path / "board", tmp_path / "b.surrogate.h5"
    nasbench(
        *("compare", "--source", "digits-nb201", "--strategies", "random-search,local-search"),
        *("--seeds", 3, "--budget", "40evals", "--out", board),
    )
    nasbench("surrogate", "fit", "digits-nb201", "--model", "linear", "--rows", 100, "--out", path)
    ended = nasbench("surrogate", "validate", path, "--records", board, "--json")
    assert ended.status == 0, ended.err
    left = ended.data["validations"][0]["left_out"]
    assert [one["strategy"] for one in left] == ["random-search", "local-search"]


@pytest.mark.slow
def test_validate_takes_the_records_of_live_runs_by_the_tables_recipe(nasbench, tmp_path):
    """Two strategies train 50 networks for two epochs; a table of these and of a sample is fitted."""
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    board, made, table = tmp_path / "board", tmp_path / "made.h5", tmp_path / "t.h5"
    ended = nasbench(
        *("compare", "--source", "live:digits@digits-small", "--strategies", "random-search,local-search"),
        *("--epochs", 1, "--seeds", 1, "--budget", "30evals", "--into", made, "--out", board),
    )
    assert ended.status == 0, ended.err
    filled = ("populate", "nb201", "--data", "digits", "--recipe", "digits-small", "--table", table)
    assert nasbench(*filled, "--epochs", 1, "--sample", 25).status == 0
    ended = nasbench(*filled, "--epochs", 1, "--take", made)
    assert ended.status == 0, ended.err
    assert f"trainings over from {made}" in ended.err
    held, taken = (set(map(tuple, open_table(file).codes.tolist())) for file in (table, made))
    assert taken <= held
    assert len(held) > len(taken) > 50
    path = tmp_path / "f.surrogate.h5"
    assert nasbench("surrogate", "fit", table, "--model", "linear", "--rows", 60, "--out", path).status == 0
    ended = nasbench("surrogate", "validate", path, "--table", table, "--records", board, "--json")
    assert ended.status == 0, ended.err
    left = ended.data["validations"][0]["left_out"]
    assert [one["strategy"] for one in left] == ["random-search", "local-search", "none of them (the sample)"]


def test_validate_refuses_records_of_another_table(nasbench, fitted, finished):
    ended = nasbench("surrogate", "validate", fitted, "--records", finished)
    assert ended.status == 2
    assert "expected a leaderboard on digits-nb201" in ended.err


@pytest.mark.slow
def test_study_fits_runs_and_compares(nasbench, tmp_path):
    ended = nasbench(
        *("surrogate", "study", "digits-nb201", "--model", "linear", "--fractions", "0.02,0.05"),
        *("--strategies", "random-search,local-search,grid", "--seeds", 3, "--budget", "30evals"),
        *("--out", tmp_path / "study", "--json"),
    )
    assert ended.status == 0, ended.err
    assert [one["fitted"] for one in ended.data["validations"]] == [129, 323]
    assert len(ended.data["ranks"]) == 2
    assert (tmp_path / "study" / "surrogate.html").exists()
    assert (tmp_path / "study" / "digits-nb201-0.05.surrogate.h5").exists()


def test_study_refuses_fractions_that_are_no_numbers(nasbench, tmp_path):
    ended = nasbench("surrogate", "study", "digits-nb201", "--fractions", "half", "--out", tmp_path)
    assert ended.status == 2
    assert "fractions: expected numbers separated by commas, got 'half'" in ended.err
