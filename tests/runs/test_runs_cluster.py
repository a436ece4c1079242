"""The simulated cluster: worker speeds, start-up, failures, preemption; the same bytes for the same seed."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from nasbench.errors import BadOption, CallOrder
from nasbench.evaluation.charging import Charging
from nasbench.evaluation.evaluator import Evaluator
from nasbench.records import Proposal
from nasbench.runs.cluster import Cluster, draw_fate
from nasbench.runs.execute import execute
from nasbench.runs.loop import run
from nasbench.runs.record import MemoryRecord
from nasbench.runs.suite import parse_suite, read_suite, write_suite
from nasbench.units import parse_budget

A, B, C = (0, 0, 1), (2, 2, 2), (1, 0, 0)  # 9 epochs: 99 s, 324 s, 171 s
DAY = 86_400.0


def first(code):
    return Proposal(code, replicate=0)


@pytest.fixture
def on(scripted, curved_source):
    """Run a script on a cluster; returns strategy, outcome and record."""

    def run_it(*proposals, workers=1, seed=0, budget="1000000s", charging=None, **cluster):
        strategy = scripted(*proposals)
        record = MemoryRecord()
        outcome = run(
            strategy,
            Evaluator(curved_source, seed=seed, charging=Charging.of(charging or {})),
            budget=parse_budget(budget),
            workers=workers,
            cluster=Cluster.of(cluster),
            record=record,
        )
        return strategy, outcome, record

    return run_it


def test_slow_worker_takes_longer_and_pays_the_same(on):
    strategy, outcome, _ = on(first(B), first(B), workers=2, speeds=[1.0, 0.5])
    assert [t.finished_seconds for t in strategy.told] == [324.0, 648.0]
    assert [t.charged_seconds for t in strategy.told] == [324.0, 324.0]
    assert outcome.spent_seconds == 648.0


def test_free_worker_with_the_lowest_number_takes_the_next_trial(on):
    strategy, _, _ = on(first(C), first(A), first(A), first(B), workers=2, speeds=[1.0, 3.0])
    # Worker 1 is done at 33 and again at 66; B starts there at 66 and takes 108.
    assert [(t.code, t.finished_seconds) for t in strategy.told] == [
        (A, 33.0),
        (A, 66.0),
        (C, 171.0),
        (B, 174.0),
    ]


def test_start_up_is_waited_for_and_paid(on):
    strategy, outcome, _ = on(first(A), first(B), startup_seconds=10)
    assert [t.finished_seconds for t in strategy.told] == [109.0, 443.0]
    assert outcome.spent_seconds == 443.0


def test_failures_cost_their_time_and_have_no_error(on):
    strategy, _, record = on(*[first(B)] * 60, failures_per_day=DAY / 324.0, seed=3)
    failed = [t for t in strategy.told if t.status == "failed"]
    assert 20 < len(failed) < 56  # 1 - 1/e of 60 are 38
    assert all(t.valid_error is None and 0 < t.charged_seconds < 324 for t in failed)
    reasons = {m.reason for m in record.measurements if m.status == "failed"}
    assert all(reason.startswith("simulated failure after ") for reason in reasons)
    assert all(m.test_error is None for m in record.measurements if m.status == "failed")


def test_failures_may_be_free(on):
    strategy, _, _ = on(*[first(B)] * 30, failures_per_day=DAY / 324.0, charging={"failed": "free"})
    failed = [t for t in strategy.told if t.status == "failed"]
    assert failed
    assert {t.charged_seconds for t in failed} == {0.0}
    assert all(t.finished_seconds > t.started_seconds for t in failed)


def test_a_trial_that_failed_on_its_worker_cannot_go_on(go, curved_source, scripted):

    fails = next(
        n
        for n in range(100)
        if draw_fate(
            Cluster(failures_per_day=DAY / 50), n, 0, seconds=99.0, checkpoints=[]
        ).fails_after_seconds
    )
    strategy = scripted(Proposal(A, epochs=1, replicate=0), Proposal(A, continues=0))
    outcome = run(
        strategy,
        Evaluator(curved_source, seed=fails),
        budget=parse_budget("10000s"),
        cluster=Cluster(failures_per_day=DAY * 1e6),
    )
    assert outcome.end == "failed"
    assert "which failed or was stopped" in outcome.reason


def test_preempted_training_goes_on_from_its_last_measured_epoch(on, curved_source):
    strategy, _, _ = on(*[first(B)] * 40, preemptions_per_day=DAY / 324.0, startup_seconds=5)
    lengths = [t.charged_seconds for t in strategy.told]
    assert {t.status for t in strategy.told} == {"ok"}
    assert min(lengths) == 329.0  # never preempted
    assert max(lengths) > 334.0
    # What is lost each time is less than the longest stretch between two measured epochs.
    seconds = [0.0] + [
        curved_source.answer(B, epochs=e, replicate=0).train_seconds for e in curved_source.epochs
    ]
    longest = max(b - a for a, b in pairwise(seconds))
    fates = [
        draw_fate(Cluster(preemptions_per_day=DAY / 324.0), 0, n, seconds=324.0, checkpoints=seconds[1:-1])
        for n in range(40)
    ]
    assert all(reached - back <= longest for fate in fates for reached, back in fate.preemptions)
    assert [324.0 + 5 + sum(r - b + 5 for r, b in fate.preemptions) for fate in fates] == pytest.approx(
        lengths
    )


def test_work_counts_what_was_lost_before_a_point():
    fate = draw_fate(Cluster(preemptions_per_day=DAY / 10), 0, 0, seconds=100.0, checkpoints=[20.0, 60.0])
    assert fate.work(0.0) == (0.0, 1)
    total, starts = fate.work(100.0)
    assert total == pytest.approx(100.0 + sum(r - b for r, b in fate.preemptions))
    assert starts == 1 + len(fate.preemptions)


def test_training_that_is_preempted_for_ever_fails():
    fate = draw_fate(Cluster(preemptions_per_day=DAY * 10), 0, 0, seconds=1_000.0, checkpoints=[])
    assert fate.fails_after_seconds is not None
    assert fate.reason == "simulated preemption for the 1,000th time"


def test_rates_are_those_of_a_poisson_process():
    cluster = Cluster(failures_per_day=2.0)
    fates = [draw_fate(cluster, 5, n, seconds=DAY / 4, checkpoints=[]) for n in range(4_000)]
    share = sum(f.fails_after_seconds is not None for f in fates) / len(fates)
    assert share == pytest.approx(1 - math.exp(-0.5), abs=0.03)


def test_same_seed_same_bytes_and_other_seed_others(spec, curved_source, tmp_path):
    about = spec(
        workers=4,
        budget="9000s",
        cluster={
            "speeds": [1, 0.7],
            "startup_seconds": 3,
            "failures_per_day": 200,
            "preemptions_per_day": 400,
        },
    )
    paths = [tmp_path / f"{i}.jsonl" for i in range(3)]
    for path, seed in zip(paths, (0, 0, 1), strict=True):
        execute(about, seed, curved_source, path=path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert paths[0].read_bytes() != paths[2].read_bytes()
    assert '"cluster": {"failures_per_day": 200' in paths[0].read_text()
    part = tmp_path / "part.jsonl"
    part.write_bytes(b"".join(paths[0].read_bytes().splitlines(keepends=True)[:9]))
    execute(about, 0, curved_source, path=part)
    assert part.read_bytes() == paths[0].read_bytes()


def test_plain_cluster_leaves_no_trace_in_the_header(spec, curved_source):
    columns, _ = execute(spec(cluster={"speeds": [1.0]}), 0, curved_source)
    assert "cluster" not in columns.header


def test_shorter_budget_is_a_prefix(on):
    script = [first(c) for c in (A, B, C) * 6]
    settings = {"speeds": [1.0, 0.3, 2.0], "failures_per_day": 300, "preemptions_per_day": 300}
    long = on(*script, workers=3, **settings)[2].rows
    for seconds in (100, 700, 2_000):
        short = on(*script, workers=3, budget=f"{seconds}s", **settings)[2].rows
        assert short == long[: len(short)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"speed": 1}, "cluster: expected settings among speeds, startup_seconds"),
        ({"speeds": []}, r"cluster\.speeds: expected one or more numbers > 0"),
        ({"speeds": [1, 0]}, r"cluster\.speeds: expected one or more numbers > 0"),
        ({"startup_seconds": -1}, r"cluster\.startup_seconds: expected a number >= 0, got -1"),
        ({"failures_per_day": "often"}, r"cluster\.failures_per_day: expected a number >= 0, got 'often'"),
        ({"preemptions_per_day": math.inf}, r"cluster\.preemptions_per_day: expected a number >= 0, got inf"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(BadOption, match=message):
        Cluster.of(settings)


def test_live_source_has_no_simulated_cluster(scripted, curved_source):
    class Live:
        is_live = True
        space, epochs, info = curved_source.space, curved_source.epochs, curved_source.info

    with pytest.raises(CallOrder, match="expected no simulated speeds, delays or failures"):
        run(
            scripted(),
            Evaluator(Live(), seed=0),
            budget=parse_budget("1s"),
            cluster=Cluster(startup_seconds=1),
        )


def test_suite_keeps_its_cluster(tmp_path):
    suite = parse_suite(
        {
            "name": "s",
            "sources": ["a"],
            "strategies": [{"name": "random-search"}],
            "seeds": 1,
            "budget": "10s",
            "cluster": {"speeds": [1, 0.5], "failures_per_day": 2},
        },
        where="test",
    )
    write_suite(suite, tmp_path / "suite.toml")
    assert read_suite(tmp_path / "suite.toml") == suite
    assert suite.content()["cluster"] == {"speeds": [1, 0.5], "failures_per_day": 2}
