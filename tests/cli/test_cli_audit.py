import json
from dataclasses import replace

import numpy as np
import pytest
from cli_calls import Nasbench

from nasbench.evaluation.live import LiveSource
from nasbench.evaluation.recording import RecordingSource
from nasbench.runs.execute import RunSpec, execute
from nasbench.store.table import open_table
from nasbench.store.training_log import log_path, merge_log
from nasbench.store.writer import write_tables
from nasbench.training.recipes import RECIPES

BUDGET = "3evals"


@pytest.fixture(scope="module")
def table_file(tmp_path_factory):
    """What random search trains under seed 0."""
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    tiny = replace(RECIPES["digits-small"], epochs=2, channels=4, cells_per_stage=1, batch_size=256)
    path = tmp_path_factory.mktemp("audit") / "made.h5"
    source = RecordingSource(LiveSource("digits", tiny, replicates=1), path)
    execute(RunSpec("s", "e", "random-search", {}, BUDGET), 0, source)
    merge_log(path)
    return path


def test_an_audit_that_holds_exits_0(nasbench: Nasbench, table_file, tmp_path):
    ended = nasbench(
        "audit", "random-search", "--table", table_file, "--live", "--budget", BUDGET, "--out", tmp_path
    )
    assert ended.status == 0
    assert "All 3 trainings have the recorded errors to the bit." in ended.out
    assert "found live: |" in ended.out
    assert {"audit.html", "audit.json", "audit-live.jsonl"} <= {path.name for path in tmp_path.iterdir()}


def test_an_audit_that_parts_exits_3_and_keeps_its_page(nasbench: Nasbench, table_file, tmp_path):
    data = open_table(table_file).data()
    valid = np.clip(data.curves["valid_error"] + 0.1, 0, 1)
    forged = tmp_path / "forged.h5"
    write_tables(forged, [replace(data, curves={**data.curves, "valid_error": valid})])
    out = tmp_path / "out"
    ended = nasbench("audit", "random-search", "--table", forged, "--live", "--budget", BUDGET, "--out", out)
    assert ended.status == 3
    assert "no noise to explain it" in ended.err
    assert json.loads((out / "audit.json").read_text())["judgement"]["agrees"] is False


def test_json_is_pure_and_goes_to_standard_output(nasbench: Nasbench, table_file, tmp_path):
    ended = nasbench(
        "audit",
        "random-search",
        "--table",
        table_file,
        "--live",
        "--budget",
        BUDGET,
        "--out",
        tmp_path,
        "--json",
    )
    assert ended.data["judgement"]["agrees"] is True
    assert len(ended.data["trials"]) == 3


def test_what_to_hold_the_table_against_must_be_said(nasbench: Nasbench, table_file):
    ended = nasbench("audit", "random-search", "--table", table_file)
    assert ended.status == 2
    assert "Add --live" in ended.err


def test_a_published_table_cannot_be_audited(nasbench: Nasbench, tmp_path):
    ended = nasbench("audit", "random-search", "--table", "nb201-cifar10", "--live", "--out", tmp_path)
    assert ended.status == 2
    assert "nothing can be trained for it" in ended.err


def test_compare_records_every_training_of_a_search(nasbench: Nasbench, table_file, tmp_path):
    into = tmp_path / "grows.h5"
    into.write_bytes(table_file.read_bytes())
    ended = nasbench(
        "compare", "--source", f"{into}+live", "--strategies", "random-search", "--seeds", "2",
        "--budget", BUDGET, "--out", tmp_path / "out", "--into", into, "--json",
    )  # fmt: skip
    assert ended.status == 0
    assert len(open_table(into)) == 6
    assert not log_path(into).exists()
    warnings = ended.data["panels"][0]["warnings"]
    assert any("3 of 6 trials were trained live" in warning for warning in warnings)


def test_compare_refuses_into_for_a_table(nasbench: Nasbench, tmp_path):
    ended = nasbench(
        "compare", "--source", "nb201-cifar10", "--strategies", "random-search", "--budget", "1evals",
        "--out", tmp_path / "out", "--into", tmp_path / "t.h5",
    )  # fmt: skip
    assert ended.status == 2
    assert "into: only live sources" in ended.err
