"""Campaigns: the same bytes for any number of processes and any number of kills."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import nasbench.runs.campaign as campaign
from nasbench.errors import BadOption, FormatError, UnknownName
from nasbench.reports.publish import publish
from nasbench.runs.campaign import check_suite, locked, run_suite, slug
from nasbench.runs.reading import lines_of
from nasbench.runs.suite import parse_suite, read_suite, write_suite

ROWS = [
    {"name": "random-search"},
    {"name": "regularized-evolution", "label": "RE", "options": {"population": 5, "sample": 2}},
]


def suite(source, **changes):
    about = {"name": "s", "sources": [str(source)], "strategies": ROWS, "seeds": 3, "budget": "6evals"}
    return parse_suite({**about, **changes}, where="test")


def records_of(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.glob("runs/**/*.jsonl"))}


@pytest.fixture
def executions(monkeypatch):
    """List the (row, seed) of every run that was really made."""
    made = []
    real = campaign.execute

    def counted(spec, seed, source, **kwargs):
        made.append((spec.entry, seed))
        return real(spec, seed, source, **kwargs)

    monkeypatch.setattr(campaign, "execute", counted)
    return made


# Whole campaigns --------------------------------------------------------------------------------


def test_every_row_runs_every_seed(toy_path, tmp_path, executions):
    result = run_suite(suite(toy_path), tmp_path)
    assert executions == [(row, seed) for row in ("random-search", "RE") for seed in (0, 1, 2)]
    assert {key: [r.header["seed"] for r in runs] for key, runs in result.runs.items()} == {
        (0, 0): [0, 1, 2],
        (0, 1): [0, 1, 2],
    }
    assert len(records_of(tmp_path)) == 6


def test_runs_kept_in_memory_equal_those_in_files(toy_path, tmp_path):
    memory, files = run_suite(suite(toy_path), None), run_suite(suite(toy_path), tmp_path)
    for key, runs in files.runs.items():
        assert [lines_of(run) for run in runs] == [lines_of(run) for run in memory.runs[key]]


def test_one_process_and_two_give_the_same_bytes(nb201_table, tmp_path):
    about = suite("nb201-cifar10", budget="30evals", seeds=10)
    run_suite(about, tmp_path / "one", jobs=1)
    run_suite(about, tmp_path / "two", jobs=2)
    assert len(records_of(tmp_path / "one")) == 20
    assert records_of(tmp_path / "one") == records_of(tmp_path / "two")


def test_rows_whose_labels_look_alike_have_files_of_their_own(toy_path, tmp_path):
    rows = [{"name": "random-search", "label": label} for label in ("A b", "a-b", "☃")]
    run_suite(suite(toy_path, strategies=rows, seeds=1), tmp_path)
    assert len(records_of(tmp_path)) == 3


def test_labels_become_file_names():
    assert [slug(label) for label in ("RE (population=5)", "☃", "../x")] == ["re-population-5", "row", "x"]


def test_progress_counts_finished_runs(toy_path, tmp_path):
    seen = []
    run_suite(suite(toy_path), tmp_path, progress=lambda *what: seen.append(what))
    assert seen == [(3, 6, "random-search"), (6, 6, "RE")]


# Resuming ---------------------------------------------------------------------------------------


def test_finished_runs_are_not_made_again(toy_path, tmp_path, executions):
    run_suite(suite(toy_path), tmp_path)
    before = records_of(tmp_path)
    (tmp_path / next(iter(before))).unlink()
    executions.clear()
    result = run_suite(suite(toy_path), tmp_path)
    assert executions == [("random-search", 0)]
    assert result.resumed == 5
    assert records_of(tmp_path) == before


def test_unfinished_run_is_taken_up(toy_path, tmp_path, executions):
    run_suite(suite(toy_path), tmp_path)
    before = records_of(tmp_path)
    cut = tmp_path / list(before)[4]
    cut.write_bytes(cut.read_bytes()[:700])
    executions.clear()
    run_suite(suite(toy_path), tmp_path)
    assert executions == [("RE", 1)]
    assert records_of(tmp_path) == before


def test_more_seeds_run_only_the_new_ones(toy_path, tmp_path, executions):
    publish(suite(toy_path), tmp_path / "grown")
    executions.clear()
    publish(suite(toy_path, seeds=5), tmp_path / "grown")
    assert executions == [(row, seed) for row in ("random-search", "RE") for seed in (3, 4)]
    publish(suite(toy_path, seeds=5), tmp_path / "fresh")
    assert (tmp_path / "grown/records.h5").read_bytes() == (tmp_path / "fresh/records.h5").read_bytes()


def test_published_folder_is_not_run_again(toy_path, tmp_path, executions):
    publish(suite(toy_path), tmp_path)
    executions.clear()
    publish(suite(toy_path), tmp_path)
    assert executions == []


def test_record_of_another_run_in_its_place_is_refused(toy_path, tmp_path):
    run_suite(suite(toy_path), tmp_path)
    with pytest.raises(FormatError, match=r"000000\.jsonl: budget: this is the record of another run"):
        run_suite(suite(toy_path, budget="7evals"), tmp_path)


def test_another_suite_in_the_folder_is_refused(toy_path, tmp_path):
    publish(suite(toy_path), tmp_path)
    with pytest.raises(
        BadOption, match=r"holds another suite \(.*budget: \"6evals\" there, \"7evals\" here\)"
    ):
        publish(suite(toy_path, budget="7evals"), tmp_path)


def test_second_writer_is_refused_while_the_first_writes(tmp_path):
    with locked(tmp_path), pytest.raises(BadOption, match="another process is writing to"), locked(tmp_path):
        pytest.fail("two writers hold one folder")
    with locked(tmp_path):
        assert (tmp_path / ".lock").exists()


# Checks before work -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error", "wanted"),
    [
        ({"strategies": [{"name": "randm-search"}]}, UnknownName, "Did you mean 'random-search'"),
        ({"strategies": [{"name": "random-search", "options": {"x": 1}}]}, BadOption, "unexpected keyword"),
        (
            {"strategies": [{"name": "regularized-evolution", "options": {"sample": 0}}]},
            BadOption,
            "population, sample: expected whole numbers >= 1, got 10 and 0",
        ),
        (
            {"budget": "1gpu-days"},
            BadOption,
            "budget: '1gpu-days' is in gpu-days, but source toy measures cpu",
        ),
        (
            {"trade_off": {"cost": "weight", "reference_cost": 1.0, "reference_error": 0.5}},
            BadOption,
            r"trade_off: expected a cost that toy knows \(.*\), got 'weight'",
        ),
        ({"epochs": 5}, BadOption, "epochs: source toy answers for 3, 9, got 5"),
    ],
)
def test_what_cannot_run_says_so_before_any_run(toy_path, changes, error, wanted):
    with pytest.raises(error, match=wanted):
        check_suite(suite(toy_path, **changes))


def test_constructor_that_raises_is_named(toy_path, tmp_path):
    (tmp_path / "bad.py").write_text(
        "class Bad:\n"
        "    def __init__(self, space, *, rng):\n        raise ValueError('odd space')\n"
        "    def ask(self, n): ...\n"
        "    def tell(self, trials): ...\n"
    )
    rows = [{"name": f"{tmp_path}/bad.py:Bad", "label": "bad"}]
    with pytest.raises(BadOption, match=r"strategy 'bad': .*ValueError: odd space"):
        check_suite(suite(toy_path, strategies=rows))


def test_unknown_source_is_refused():
    with pytest.raises(UnknownName, match="no table is named 'nowhere'"):
        check_suite(suite("nowhere"))


def test_several_workers_on_a_live_source_are_refused(toy_source, monkeypatch):
    toy_source.is_live = True
    monkeypatch.setattr(campaign, "open_source", lambda name, **_: toy_source)
    with pytest.raises(BadOption, match=r"workers: live source toy trains one network at a time"):
        check_suite(suite("live", workers=2))


def test_no_jobs_are_refused(toy_path):
    with pytest.raises(BadOption, match=r"jobs: expected a whole number >= 1, got 0"):
        run_suite(suite(toy_path), None, jobs=0)


# Killed for real --------------------------------------------------------------------------------


def start(folder, about):
    file = folder.parent / f"{folder.name}.toml"
    if not file.exists():
        write_suite(about, file)
    return subprocess.Popen(
        [sys.executable, "-m", "nasbench", "run", str(file), "--out", str(folder), "--jobs", "2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def children_of(pid):
    """List the process ids whose parent is ``pid`` (Linux)."""
    out = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            out.append(int(stat.parent.name))
    return out


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="looks processes up in /proc")
def test_killed_campaign_started_again_gives_the_bytes_of_an_undisturbed_one(nb201_table, tmp_path):
    about = suite("nb201-cifar10", budget="4000evals", seeds=16, name="kill")
    whole = start(tmp_path / "whole", about)
    begun = time.monotonic()
    assert whole.wait(300) == 0, whole.stderr.read().decode()
    whole.stderr.close()
    took = time.monotonic() - begun
    draw = random.Random(11)
    caught_at_work = 0
    for _ in range(4):
        runs = tmp_path / "killed" / "runs"
        before = len(list(runs.glob("**/*.jsonl")))
        process = start(tmp_path / "killed", about)
        # Two processes begin two runs: where there is a third, one has ended.
        while process.poll() is None and len(list(runs.glob("**/*.jsonl"))) < max(3, before + 1):
            time.sleep(0.02)
        time.sleep(draw.uniform(0.0, took / 60))
        workers = children_of(process.pid)
        process.kill()
        process.wait()
        process.stderr.close()
        caught_at_work += process.returncode == -signal.SIGKILL
        for pid in workers:
            deadline = time.monotonic() + 10
            while is_running(pid):
                assert time.monotonic() < deadline, "a worker outlives the campaign that started it"
                time.sleep(0.02)
    assert caught_at_work >= 3
    last = start(tmp_path / "killed", about)
    assert last.wait(300) == 0, last.stderr.read().decode()
    last.stderr.close()
    for name in ("records.h5", "leaderboard.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert json.loads((tmp_path / "killed/environment.json").read_text())["runs_already_finished"] > 0
    assert read_suite(tmp_path / "killed/suite.toml") == about


def test_worker_without_a_parent_process_does_not_wait_for_one():
    assert multiprocessing.parent_process() is None
    before = multiprocessing.active_children()
    campaign._die_with_parent()
    assert multiprocessing.active_children() == before
