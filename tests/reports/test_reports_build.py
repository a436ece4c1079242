"""A leaderboard built from simulated searches on a made-up table of 64 architectures."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.reports.build import EntryRuns, PanelInput, build_leaderboard, records_hash
from nasbench.reports.leaderboard import Leaderboard, Reference
from nasbench.runs.columns import RunColumns
from nasbench.units import days

NAN = float("nan")
CODES = np.array([(a, b, c) for a in range(4) for b in range(4) for c in range(4)], dtype=np.int8)
SCORE = np.round(0.05 + 0.002 * CODES.sum(axis=1) + 0.0007 * CODES[:, 0] * CODES[:, 2], 4)
UNKNOWN = Reference(
    optimum_error=None,
    optimum_architecture=None,
    architectures=None,
    mean_seconds=None,
    replicate_std=None,
    random=None,
)


def search(seed: int, *, trials: int = 40, skill: float = 0.0, fail: float = 0.0, end="budget") -> RunColumns:
    """Simulate a search that draws low indices more readily the greater its skill."""
    rng = np.random.default_rng([seed, int(skill * 10)])
    codes = np.minimum((4 * rng.random((trials, 3)) ** (1 + skill)).astype(np.int8), 3)
    score = SCORE[codes @ [16, 4, 1]]
    failed = rng.random(trials) < fail
    valid = np.where(failed, NAN, np.round(score + 0.004 * rng.standard_normal(trials), 4))
    seconds = np.round(rng.uniform(50, 150, trials), 3)
    return RunColumns(
        header={"seed": seed, "strategy": "simulated"},
        end=end,
        reason="it raised" if end == "failed" else "",
        number=np.arange(trials, dtype=np.int32),
        codes=codes,
        epochs=np.full(trials, 12, dtype=np.int32),
        replicate=np.zeros(trials, dtype=np.int16),
        status=failed.astype(np.int8),
        purpose=np.zeros(trials, dtype=np.int8),
        valid_error=valid,
        test_error=np.where(failed, NAN, score),
        charged_seconds=seconds,
        finished_seconds=np.cumsum(seconds),
    )


def entry(label: str, runs, *, strategy: str | None = None, failures=()) -> EntryRuns:
    return EntryRuns(label, strategy or label, {}, "random", "faithful", "Nobody 2000", list(runs), failures)


def panel(*entries: EntryRuns, **changes) -> PanelInput:
    made = PanelInput(
        name="made-up",
        source="table:made-up@0123456789ab",
        kind="table",
        space="cube",
        dataset="none",
        device="one made-up GPU",
        device_kind="gpu",
        epochs=12,
        budget="3000s",
        budget_seconds=3_000.0,
        budget_evaluations=None,
        workers=1,
        charging={"final": "free"},
        scored_by="mean test error",
        score_note="",
        citation="nobody",
        licence="none",
        reference=UNKNOWN,
        codes=CODES,
        score=SCORE,
        entries=entries,
        format_code=lambda code: "-".join(str(value) for value in code.tolist()),
    )
    return dataclasses.replace(made, **changes)


def build(*panels: PanelInput, **changes) -> Leaderboard:
    return build_leaderboard(
        **{"title": "t", "suite": {"name": "s"}, "panels": panels, "bootstrap_resamples": 500, **changes}
    )


@pytest.fixture(scope="module")
def two() -> Leaderboard:
    return build(
        panel(
            entry("random-search", [search(seed) for seed in range(20)]),
            entry("clever", [search(seed, skill=2.0) for seed in range(20)]),
            reference=UNKNOWN.model_copy(update={"optimum_error": 0.05}),
        )
    )


def test_same_runs_in_any_order_give_the_same_bytes_and_id(two):
    again = build(
        panel(
            entry("random-search", [search(seed) for seed in reversed(range(20))]),
            entry("clever", [search(seed, skill=2.0) for seed in range(20)]),
            reference=UNKNOWN.model_copy(update={"optimum_error": 0.05}),
        )
    )
    assert again.canonical_json() == two.canonical_json()
    assert len(two.id) == 64


def test_json_reads_back_as_the_same_leaderboard(two):
    assert Leaderboard.model_validate_json(two.canonical_json()).canonical_json() == two.canonical_json()


def test_final_numbers_are_those_of_a_plain_loop(two):
    finals = []
    for seed in range(20):
        run = search(seed, skill=2.0)
        inside = np.cumsum(run.charged_seconds) <= 3_000.0
        best = int(np.nanargmin(np.where(inside, run.valid_error, NAN)))
        finals.append(SCORE[run.codes[best] @ [16, 4, 1]])
    final = two.panels[0].entries[1].final
    assert final.n == 20
    assert final.mean == pytest.approx(np.mean(finals), rel=1e-8)
    assert final.median == pytest.approx(np.median(finals), rel=1e-8)
    assert final.std == pytest.approx(np.std(finals, ddof=1), rel=1e-8)
    assert final.best == min(finals)
    assert final.regret == pytest.approx(final.mean - 0.05, rel=1e-7)
    assert final.low < final.mean < final.high


def test_curves_end_where_the_final_row_stands(two):
    for row in two.panels[0].entries:
        curves = row.curves["days"]
        assert curves.error.mean[-1] == row.final.mean
        assert (curves.error.low[-1], curves.error.high[-1]) == (row.final.low, row.final.high)
        assert curves.regret.mean[-1] == row.final.regret
        assert curves.rank.mean[-1] == row.final.rank


def test_every_list_has_the_length_of_its_grid(two):
    shown = two.panels[0]
    for row in shown.entries:
        for axis, curves in row.curves.items():
            for curve in (curves.error, curves.regret, curves.rank):
                lengths = {len(curve.mean), len(curve.low), len(curve.high), len(curve.median)}
                assert lengths == {len(shown.grids[axis])}


def test_grid_of_days_ends_at_the_budget(two):
    assert two.panels[0].grids["days"][-1] == pytest.approx(days(3_000.0), rel=1e-8)
    assert two.panels[0].axis == "GPU-days"


def test_start_of_a_curve_is_missing_until_every_run_has_a_result(two):
    mean = two.panels[0].entries[0].curves["days"].error.mean
    first = next(i for i, value in enumerate(mean) if value is not None)
    assert first > 0
    assert all(value is not None for value in mean[first:])


def test_the_better_entry_is_best_and_said_to_end_lower(two):
    shown = two.panels[0]
    random, clever = shown.entries
    assert (clever.is_best, random.is_best) == (True, False)
    assert not random.not_separated
    assert shown.verdicts[0].startswith("clever ends lower than random-search: ")
    assert "n = 20 paired seeds" in shown.verdicts[0]
    pair = shown.pairs[0]
    assert (pair.first, pair.second, pair.n) == ("random-search", "clever", 20)
    assert pair.difference == pytest.approx(random.final.mean - clever.final.mean, rel=1e-6)


def test_target_is_what_random_search_reaches(two):
    shown = two.panels[0]
    random, clever = shown.entries
    assert shown.target_error > random.final.mean
    assert "mean score of random-search at half the budget" in shown.target_note
    assert random.to_target.reached > random.to_target.n / 2
    assert clever.to_target.n == 20
    assert clever.to_target.reached >= random.to_target.reached
    assert clever.to_target.ratio < 1


def test_a_worse_entry_is_said_to_end_higher():
    made = build(
        panel(
            entry("clumsy", [search(seed, trials=5) for seed in range(20)]),
            entry("random_search", [search(seed, skill=2.0) for seed in range(20)]),
        )
    )
    assert made.panels[0].verdicts[0].startswith("clumsy ends HIGHER than random_search: ")


def test_equal_runs_are_not_separated():
    runs = [search(seed) for seed in range(12)]
    shown = build(panel(entry("random-search", runs), entry("twin", runs))).panels[0]
    assert (shown.pairs[0].p, shown.pairs[0].difference, shown.pairs[0].a12) == (1.0, 0.0, 0.5)
    assert [row.is_best for row in shown.entries] == [True, False]
    assert [row.not_separated for row in shown.entries] == [False, True]
    assert "twin is not separated from random-search" in shown.verdicts[0]


def test_without_random_search_the_best_entry_is_the_base_and_a_warning_says_so():
    shown = build(
        panel(
            entry("a", [search(seed) for seed in range(10)]),
            entry("b", [search(seed, skill=2.0) for seed in range(10)]),
        )
    ).panels[0]
    assert "No random search entry: nothing shows what chance does." in shown.warnings
    assert shown.verdicts[0].startswith("a ends HIGHER than b")
    assert "median over entries" in shown.target_note
    assert all(row.to_target.ratio is None for row in shown.entries)


def test_one_entry_with_one_seed_has_means_without_intervals():
    shown = build(panel(entry("random-search", [search(3)]))).panels[0]
    final = shown.entries[0].final
    assert (final.n, final.low, final.high, final.std) == (1, None, None, None)
    assert final.mean == final.median == final.best
    assert shown.pairs == []
    assert shown.verdicts == ["There are no two entries to compare."]
    assert set(shown.entries[0].curves["days"].error.low) == {None}


def test_two_entries_of_one_seed_each_are_not_separated():
    shown = build(panel(entry("random-search", [search(3)]), entry("b", [search(3, skill=2.0)]))).panels[0]
    assert sorted((row.is_best, row.not_separated) for row in shown.entries) == [(False, True), (True, False)]
    assert "cannot be compared" in shown.verdicts[0]


def test_a_page_of_failed_runs_alone_can_be_built():
    made = build(panel(entry("random-search", [search(0, end="failed")], failures=[(1, "killed")])))
    row = made.panels[0].entries[0]
    assert [(failure.seed, failure.reason) for failure in row.failures] == [(0, "it raised"), (1, "killed")]
    assert row.ends == {"failed": 1}
    assert (row.final.n, row.final.mean, row.final.median, row.final.architecture) == (0, None, None, None)
    assert (row.evaluations, row.days, row.distinct, row.to_target) == (None, None, None, None)
    assert made.panels[0].grids == {"days": [], "evaluations": []}
    assert "2 of 2 runs failed" in " ".join(made.panels[0].warnings)


def test_runs_without_trials_give_no_mean_but_a_median_that_counts_them_as_worst():
    runs = [search(seed) for seed in range(4)] + [search(4, trials=0)]
    shown = build(panel(entry("random-search", runs))).panels[0]
    final = shown.entries[0].final
    assert (final.n, final.mean, final.low) == (4, None, None)
    assert final.median is not None
    assert set(shown.entries[0].curves["days"].error.mean) == {None}
    assert any("the budget is smaller than one evaluation" in warning for warning in shown.warnings)
    assert shown.target_error is None


def test_no_panels_make_an_empty_page():
    made = build()
    assert made.panels == []
    assert len(made.checklist) == 16


def test_missing_seeds_of_the_suite_are_named():
    made = build(
        panel(entry("random-search", [search(seed) for seed in (5, 7)])), suite={"seeds": 4, "first_seed": 5}
    )
    assert any("2 runs missing (seeds 6, 8)" in warning for warning in made.panels[0].warnings)


def test_failed_trials_are_counted_and_never_scored():
    runs = [search(seed, fail=0.3) for seed in range(10)]
    row = build(panel(entry("random-search", runs))).panels[0].entries[0]
    assert row.failed_trials == sum(int((run.status == 1).sum()) for run in runs) > 0
    assert row.final.n == 10


def test_a_live_panel_is_scored_by_the_sealed_error_of_the_trial():
    runs = [search(seed) for seed in range(3)]
    empty = {"codes": np.zeros((0, 3)), "score": np.zeros(0)}
    live = build(panel(entry("random-search", runs), scored_by="trial", kind="trainer", **empty))
    table = build(panel(entry("random-search", runs)))
    assert live.panels[0].entries[0].final == table.panels[0].entries[0].final
    blank = build(panel(entry("random-search", runs), **empty))
    assert blank.panels[0].entries[0].final.n == 0


def test_architecture_shown_is_that_of_the_lowest_validation_error():
    runs = [search(seed) for seed in range(5)]
    row = build(panel(entry("random-search", runs), budget_seconds=None)).panels[0].entries[0]
    best = min(runs, key=lambda run: np.nanmin(run.valid_error))
    assert row.final.architecture == "-".join(map(str, best.codes[np.nanargmin(best.valid_error)].tolist()))


def test_a_budget_in_evaluations_cuts_the_runs_there():
    runs = [search(seed) for seed in range(5)]
    shown = build(panel(entry("random-search", runs), budget_seconds=None, budget_evaluations=10)).panels[0]
    assert shown.entries[0].evaluations == 10
    assert shown.grids["evaluations"][-1] == 10
    assert shown.entries[0].curves["evaluations"].error.mean[-1] == shown.entries[0].final.mean


def test_published_numbers_have_nine_digits(two):
    def numbers(content):
        if isinstance(content, dict):
            return [number for value in content.values() for number in numbers(value)]
        if isinstance(content, list):
            return [number for value in content for number in numbers(value)]
        return [content] if isinstance(content, float) else []

    found = numbers(two.model_dump()["panels"])
    assert len(found) > 1_000
    assert all(number == float(f"{number:.9g}") for number in found)


def test_records_hash_changes_with_any_column_and_with_nothing_else():
    run = search(0, fail=0.3)
    changed = dataclasses.replace(run, test_error=run.test_error + 1e-9)
    wider = dataclasses.replace(run, codes=run.codes.astype(np.int32))
    assert records_hash([run]) == records_hash([wider])
    assert records_hash([run]) != records_hash([changed])
    assert records_hash([run]) != records_hash([run, run])


def test_two_runs_of_one_seed_are_refused():
    with pytest.raises(BadOption, match=r"runs: expected one run a seed, got several for \[1\]"):
        build(panel(entry("random-search", [search(1), search(1)])))


def test_scores_that_do_not_match_their_codes_are_refused():
    with pytest.raises(BadOption, match=r"score: expected one score an architecture \(= 64\), got 3"):
        build(panel(entry("random-search", [search(1)]), score=np.zeros(3)))


@pytest.mark.slow
def test_a_thousand_long_runs_are_built_in_seconds():
    first = entry("random-search", [search(seed, trials=1_000) for seed in range(500)])
    second = entry("clever", [search(seed, trials=1_000, skill=2.0) for seed in range(500)])
    before = time.perf_counter()
    build(panel(first, second, budget_seconds=90_000.0), bootstrap_resamples=10_000)
    assert time.perf_counter() - before < 10  # about 1 on one idle core
