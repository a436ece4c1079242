"""A live search that is killed goes on from its supernet's checkpoint; a diverged one leaves its state."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from nasbench.errors import FormatError, Mismatch
from nasbench.evaluation.live import LiveSource
from nasbench.runs.campaign import run_suite
from nasbench.runs.execute import RunSpec, execute
from nasbench.runs.suite import parse_suite
from nasbench.runs.supernets import KeptSupernets
from nasbench.training.recipes import RECIPES

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

SMALL = replace(RECIPES["digits-small"], epochs=1, channels=4, cells_per_stage=1, train_images=128)
OPTIONS = {
    "darts": {"epochs": 4},
    "darts-second-order": {"epochs": 3},
    "snas": {"epochs": 3},
    "gdas": {"epochs": 3},
    "proxylessnas": {"epochs": 6},
    "pc-darts": {"epochs": 4},
    "nasp": {"epochs": 3},
    "sdarts": {"epochs": 3, "perturbation": "adversarial"},
    "drnas": {"epochs": 4, "progressive": True},
    "darts-pt": {"epochs": 1, "tune_epochs": 1},
    "spos": {"epochs": 2, "population": 3, "generations": 4, "select": 2},
    "random-search-ws": {"epochs": 4, "samples": 2, "last_samples": 3},
    "bender-one-shot": {"epochs": 2, "samples": 6, "rounds": 3},
    "enas": {"epochs": 3, "controller_steps": 1, "batch": 2, "candidates": 2},
}


@pytest.fixture
def source():
    return LiveSource("digits", SMALL)


def spec(strategy):
    return RunSpec("suite", "row", strategy, OPTIONS[strategy], "600s")


class Killed(BaseException):
    """What ends a process between two trials."""


def killed_after(trials, about, source, path, monkeypatch):
    """Run until so many trials are recorded and kept, then die."""
    from nasbench.runs.record import FileRecord

    real = FileRecord.add

    def add(self, trial, measurement):
        real(self, trial, measurement)
        if len(self.rows) == trials:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(FileRecord, "add", add)
        with pytest.raises(Killed):
            execute(about, 1, source, path=path)


@pytest.fixture
def steps(monkeypatch):
    """Count what supernets compute."""
    from nasbench.training.supernets.supernet import Supernet

    counted = {"weight_step": 0, "evaluated": 0, "score": 0, "unrolled_gradient": 0}
    for name in counted:
        real = getattr(Supernet, name)

        def watched(self, *given, real=real, name=name, **named):
            counted[name] += 1
            return real(self, *given, **named)

        monkeypatch.setattr(Supernet, name, watched)
    return counted


def interrupted(strategy, source, tmp_path, monkeypatch, steps, trials=2):
    """Run through, and again with a kill and a resumption; return both, and what each part computed."""
    whole, _ = execute(spec(strategy), 1, source, path=tmp_path / "whole.jsonl")
    computed = [dict(steps)]
    path = tmp_path / "part.jsonl"
    killed_after(trials, spec(strategy), source, path, monkeypatch)
    before = path.read_bytes()
    computed.append(dict(steps))
    again, outcome = execute(spec(strategy), 1, source, path=path)
    computed.append(dict(steps))
    assert outcome.end == "done", outcome.reason
    assert path.read_bytes().startswith(before)  # recorded seconds stay as they were
    calls = [
        {name: b[name] - a[name] for name in b}
        for a, b in zip([dict.fromkeys(steps, 0), *computed], computed, strict=False)
    ]
    return whole, again, calls


def assert_same_search(whole, again):
    assert again.codes.tolist() == whole.codes.tolist()
    assert again.valid_error.tolist() == whole.valid_error.tolist()
    assert again.test_error.tolist() == whole.test_error.tolist()


@pytest.mark.parametrize("strategy", ["darts", "pc-darts", "spos"])
def test_killed_search_goes_on_without_training_again(strategy, source, tmp_path, monkeypatch, steps):
    whole, again, calls = interrupted(strategy, source, tmp_path, monkeypatch, steps)
    assert_same_search(whole, again)
    through, first, rest = calls
    assert {name: first[name] + rest[name] for name in first} == through  # nothing is computed twice
    assert first["weight_step"] > 0
    assert [file.suffix for file in sorted(tmp_path.iterdir())] == [".jsonl", ".jsonl"]


@pytest.mark.slow
@pytest.mark.parametrize("strategy", sorted(set(OPTIONS) - {"darts", "pc-darts", "spos"}))
def test_every_search_goes_on_without_training_again(strategy, source, tmp_path, monkeypatch, steps):
    whole, again, calls = interrupted(strategy, source, tmp_path, monkeypatch, steps)
    assert_same_search(whole, again)
    assert {name: calls[1][name] + calls[2][name] for name in calls[1]} == calls[0]


def test_charged_seconds_of_a_resumed_search_are_those_of_its_own_epochs(
    source, tmp_path, monkeypatch, steps
):
    _, again, _ = interrupted("darts", source, tmp_path, monkeypatch, steps, trials=3)
    assert again.charged_seconds[3] < again.charged_seconds[:3].sum()
    assert (again.charged_seconds > 0).all()


def test_search_without_its_checkpoint_is_trained_again_and_is_the_same(source, tmp_path, monkeypatch):
    whole, _ = execute(spec("darts"), 1, source, path=tmp_path / "whole.jsonl")
    path = tmp_path / "part.jsonl"
    killed_after(2, spec("darts"), source, path, monkeypatch)
    recorded = path.read_bytes()
    path.with_suffix(".supernet.pt").unlink()
    again, _ = execute(spec("darts"), 1, source, path=path)
    assert_same_search(whole, again)
    assert path.read_bytes().startswith(recorded)


def test_checkpoint_may_be_ahead_of_a_record_that_lost_its_last_line(source, tmp_path, monkeypatch, steps):
    whole, _ = execute(spec("darts"), 1, source, path=tmp_path / "whole.jsonl")
    path = tmp_path / "part.jsonl"
    killed_after(3, spec("darts"), source, path, monkeypatch)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]) + lines[2][:20])
    again, _ = execute(spec("darts"), 1, source, path=path)
    assert_same_search(whole, again)


def test_damaged_checkpoint_is_refused(source, tmp_path, monkeypatch):
    path = tmp_path / "part.jsonl"
    killed_after(2, spec("darts"), source, path, monkeypatch)
    kept = path.with_suffix(".supernet.pt")
    kept.write_bytes(kept.read_bytes()[:100])
    with pytest.raises(FormatError, match=r"part.supernet.pt: expected the checkpoint of a supernet, got"):
        execute(spec("darts"), 1, source, path=path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda held: held.update(schema=7), "schema: expected version 1, got 7"),
        (
            lambda held: held["identity"].update(run="another"),
            "run: expected .*, got another: the supernet of",
        ),
        (lambda held: held.pop("values"), "expected the journal of a supernet, got KeyError"),
    ],
)
def test_checkpoint_of_another_kind_is_refused(source, tmp_path, monkeypatch, change, message):
    path = tmp_path / "part.jsonl"
    killed_after(2, spec("darts"), source, path, monkeypatch)
    kept = path.with_suffix(".supernet.pt")
    held = torch.load(kept, weights_only=True)
    change(held)
    torch.save(held, kept)
    with pytest.raises(FormatError, match=message):
        execute(spec("darts"), 1, source, path=path)


def test_search_that_asks_something_else_is_refused_and_its_record_stays(source, tmp_path, monkeypatch):
    from nasbench.strategies import relaxed_search

    path = tmp_path / "part.jsonl"
    killed_after(2, spec("darts"), source, path, monkeypatch)
    recorded = path.read_bytes()
    monkeypatch.setattr(relaxed_search, "_INITIAL_SPREAD", 2e-3)
    with pytest.raises(Mismatch, match="question 1: expected a validation loss as recorded, got another"):
        execute(spec("darts"), 1, source, path=path)
    assert path.read_bytes() == recorded


def test_relaxation_of_a_table_is_left_as_it_is(toy_source, tmp_path):
    kept = KeptSupernets(toy_source, tmp_path / "run.jsonl", {}, None)
    assert kept.relaxation(np.random.default_rng(0)).is_analogue
    kept.keep()
    assert not (tmp_path / "run.supernet.pt").exists()


def test_diverged_supernet_is_a_failed_run_that_says_where_its_last_state_is(tmp_path, monkeypatch):
    from nasbench.training.supernets.supernet import Supernet

    monkeypatch.setattr(Supernet, "learning_rate", float("inf"))
    suite = parse_suite(
        {
            "name": "diverging",
            "sources": ["live:digits"],
            "strategies": [{"name": "darts", "options": {"epochs": 3}}],
            "seeds": 1,
            "budget": "600s",
        },
        where="a test",
    )
    result = run_suite(suite, tmp_path)
    (run,) = result.runs[0, 0]
    assert run.end == "failed"
    called = "diverged/00-live-digits/00-darts-epochs-3/000000.pt"
    assert run.reason.startswith("ask raised Diverged: the training loss became nan in epoch ")
    assert run.reason.endswith(f"of the supernet; its last state is in {called}")
    assert torch.load(tmp_path / called, weights_only=True)["steps"] > 0
    record = next((tmp_path / "runs").rglob("*.jsonl"))
    assert json.loads(record.read_text().splitlines()[-1])["end"] == "failed"
    assert list((tmp_path / "runs").rglob("*.pt")) == []
