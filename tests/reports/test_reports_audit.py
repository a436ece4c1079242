import json
from dataclasses import replace

import numpy as np
import pytest

from nasbench.errors import BadOption, FormatError
from nasbench.evaluation.live import LiveSource
from nasbench.evaluation.recording import RecordingSource
from nasbench.reports.audit import LIVE_RECORD, TABLE_RECORD, audit
from nasbench.reports.audit_page import render_audit, write_audit
from nasbench.reports.audit_trials import AuditTrial
from nasbench.reports.audit_verdict import judge
from nasbench.runs.execute import RunSpec, execute
from nasbench.store.data import Provenance
from nasbench.store.table import open_table
from nasbench.store.training_log import merge_log
from nasbench.store.writer import write_tables
from nasbench.training.recipes import RECIPES

BUDGET = "6evals"
EVOLUTION = {"population": 3, "sample": 2}


@pytest.fixture(scope="module")
def table_file(tmp_path_factory):
    """What random search and evolution train under seed 0, and a second training of each of these cells."""
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    tiny = replace(RECIPES["digits-small"], epochs=2, channels=4, cells_per_stage=1, batch_size=256)
    path = tmp_path_factory.mktemp("audit") / "made.h5"
    first = RecordingSource(LiveSource("digits", tiny, replicates=1), path)
    for strategy, options in (("random-search", {}), ("regularized-evolution", EVOLUTION)):
        execute(RunSpec("s", "e", strategy, options, BUDGET), 0, first)
    merge_log(path)
    return path


@pytest.fixture
def table(table_file):
    return open_table(table_file)


def rewritten(table, path, change):
    """Write the table with its data changed."""
    write_tables(path, [change(table.data())])
    return open_table(path)


def shifted(data, by, rows=np.s_[:]):
    valid = data.curves["valid_error"].copy()
    valid[rows] = np.clip(valid[rows] + by, 0, 1)
    return replace(data, curves={**data.curves, "valid_error": valid})


def with_repeats(data, sd):
    """Give each training a made-up second one of the same seed, so that the noise is about ``sd``."""
    curves = {}
    rng = np.random.default_rng(0)
    for name, curve in data.curves.items():
        second = curve.copy()
        if name == "valid_error":
            second = np.clip(second + rng.choice([-1, 1], second.shape) * sd * 2**0.5, 0, 1)
        curves[name] = np.concatenate([curve, second], axis=1).astype(np.float32)
    of = np.repeat(data.provenance.of, 2, axis=1)
    rows = tuple(json.dumps({**json.loads(row), "seed": 0}) for row in data.provenance.rows)
    return replace(data, curves=curves, provenance=Provenance(rows, of))


@pytest.mark.parametrize(
    ("strategy", "options"), [("random-search", {}), ("regularized-evolution", EVOLUTION)]
)
def test_a_table_made_here_agrees_to_the_bit(table, strategy, options):
    found = audit(strategy, table, budget=BUDGET, options=options)
    assert found.judgement.agrees
    assert found.parts_at is None
    assert all(trial.equal and trial.same_origin for trial in found.trials)
    assert found.judgement.equal == found.judgement.compared == found.judgement.should_be_equal
    assert found.incumbents[0] == found.incumbents[1]
    assert found.median_time_ratio > 0
    assert found.judgement.sentences[0].endswith("have the recorded errors to the bit.")


def test_numbers_that_nobody_trained_are_found(table, tmp_path):
    forged = rewritten(table, tmp_path / "t.h5", lambda data: shifted(data, 0.2))
    found = audit("random-search", forged, budget=BUDGET)
    assert not found.judgement.agrees
    assert found.judgement.equal < found.judgement.compared
    assert "no noise to explain it" in found.judgement.unexplained[0]


def test_differences_beyond_the_noise_are_found(table, tmp_path):
    forged = rewritten(table, tmp_path / "t.h5", lambda data: shifted(with_repeats(data, 0.01), -0.2))
    found = audit("random-search", forged, budget=BUDGET)
    assert not found.judgement.agrees
    assert found.judgement.chi_square > found.judgement.limit
    assert any("more than repeats do" in sentence for sentence in found.judgement.unexplained)


def test_differences_within_the_noise_are_explained(table, tmp_path):
    def noisy(data):
        return shifted(with_repeats(data, 0.05), 0.01)

    found = audit("random-search", rewritten(table, tmp_path / "t.h5", noisy), budget=BUDGET)
    assert found.judgement.agrees
    assert found.judgement.equal == 0
    assert any("as much as the table's own noise explains" in s for s in found.judgement.sentences)


def test_another_origin_is_named(table, tmp_path):
    def elsewhere(data):
        rows = tuple(json.dumps({**json.loads(row), "torch": "0.1"}) for row in data.provenance.rows)
        return replace(data, provenance=Provenance(rows, data.provenance.of))

    found = audit("random-search", rewritten(table, tmp_path / "t.h5", elsewhere), budget=BUDGET)
    assert found.judgement.should_be_equal == 0
    assert [text for text in found.origins if text.startswith("torch: 0.1 in the table")]


def test_a_table_without_provenance_says_nothing_of_its_origin(table, tmp_path):
    bare = rewritten(table, tmp_path / "t.h5", lambda data: replace(data, provenance=None))
    found = audit("random-search", bare, budget="2evals")
    assert {trial.same_origin for trial in found.trials} == {None}
    assert found.origins == {}


def test_a_search_that_leaves_the_table_fails_there_and_is_named(table):
    found = audit("random-search", table, seed=5, budget="2evals")
    assert not found.judgement.agrees
    assert any("on the table failed" in sentence for sentence in found.judgement.unexplained)


def test_an_audit_goes_on_from_its_records(table, tmp_path):
    first = audit("random-search", table, budget=BUDGET, folder=tmp_path)
    record = tmp_path / LIVE_RECORD
    lines = record.read_bytes().splitlines(keepends=True)
    record.write_bytes(b"".join(lines[:4]))
    told = []
    again = audit(
        "random-search", table, budget=BUDGET, folder=tmp_path, progress=lambda *state: told.append(state)
    )
    assert [t.seconds for t in again.trials[:3]] == [t.seconds for t in first.trials[:3]]
    assert len(told) == 3
    assert audit("random-search", table, budget=BUDGET, folder=tmp_path) == again


def test_records_of_another_audit_are_refused(table, tmp_path):
    audit("random-search", table, budget="1evals", folder=tmp_path)
    assert (tmp_path / TABLE_RECORD).is_file()
    with pytest.raises(FormatError, match=r"seed: expected 1, got 0: the record of another audit"):
        audit("random-search", table, seed=1, budget="1evals", folder=tmp_path)


def test_gpu_days_are_refused_for_a_cpu_table(table):
    with pytest.raises(BadOption, match="gpu-days"):
        audit("random-search", table, budget="1gpu-days")


def test_a_published_table_cannot_be_audited(nb201_table):
    with pytest.raises(BadOption, match="nothing can be trained for it"):
        audit("random-search", nb201_table, budget="1evals")


def test_page_and_json_say_the_verdict(table, tmp_path):
    found = audit("random-search", table, budget=BUDGET)
    paths = write_audit(found, tmp_path)
    assert [path.name for path in paths] == ["audit.html", "audit.json"]
    page = paths[0].read_text()
    assert found.judgement.sentences[0] in page
    assert "<script" not in page
    assert page.count("<svg") == 3
    assert render_audit(found) == page
    assert json.loads(paths[1].read_text())["judgement"]["agrees"] is True


def trial(number=0, **changes):
    """Make up a trial that is equal; changes say otherwise."""
    plain = AuditTrial(
        number=number,
        architecture=f"cell {number}",
        epochs=2,
        replicate=0,
        seed=0,
        same_proposal=True,
        on_table="",
        status="ok",
        recorded_status="ok",
        error=0.2,
        recorded_error=0.2,
        test_error=0.2,
        recorded_test_error=0.2,
        equal=True,
        noise_sd=0.01,
        deviation=0.0,
        seconds=1.0,
        recorded_seconds=1.0,
        same_origin=True,
    )
    return replace(plain, **changes)


@pytest.fixture
def run(table):
    from nasbench.evaluation.table_source import TableSource

    return execute(RunSpec("s", "e", "random-search", {}, "1evals"), 0, TableSource(table))[0]


def off(number, deviation):
    """Make up a trial that is so many deviations off."""
    return trial(number, equal=False, error=0.2 + deviation * 0.01, deviation=deviation)


def test_a_bias_is_found_though_no_single_difference_is_large(run):
    found = judge([off(i, 1.0) for i in range(16)], run, run, None)
    assert found.chi_square == pytest.approx(16.0)
    assert found.bias == pytest.approx(4.0)
    assert not found.agrees
    assert "Live errors are higher on the whole" in found.unexplained[0]


def test_differences_to_both_sides_are_noise(run):
    found = judge([off(i, (-1.0) ** i) for i in range(16)], run, run, None)
    assert found.agrees
    assert found.bias == pytest.approx(0.0)


def test_one_training_met_twice_counts_once(run):
    assert judge([trial(0), trial(1, architecture="cell 0")], run, run, None).compared == 1


def test_a_training_that_failed_only_here_is_found(run):
    found = judge([trial(0, status="failed", error=None, equal=False, deviation=None)], run, run, None)
    assert "ended otherwise than recorded" in found.unexplained[0]


def test_parting_without_a_cause_is_found(run):
    found = judge([trial(0), trial(1, same_proposal=False)], run, run, 1)
    assert not found.agrees
    assert "part at trial 1 though every error before it was equal" in found.unexplained[0]


def test_parting_after_a_difference_is_expected(run):
    found = judge([off(0, 0.5), trial(1, same_proposal=False)], run, run, 1)
    assert found.agrees
    assert any("up to trial 1, after the first other error at trial 0" in s for s in found.sentences)


def test_nothing_to_compare_is_no_agreement(run):
    assert not judge([trial(0, equal=None)], run, run, None).agrees


def test_the_same_origin_that_differs_is_said(run):
    found = judge([off(0, 0.5)], run, run, None)
    assert any(s.startswith("1 of 1 trainings made by the same device") for s in found.sentences)
